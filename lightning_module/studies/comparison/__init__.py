"""The study of comparison: what is run, what is claimed of it, and its figures."""

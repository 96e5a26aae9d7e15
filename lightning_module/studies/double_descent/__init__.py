"""The study of double descent: what is run, what is claimed of it, and its figures."""

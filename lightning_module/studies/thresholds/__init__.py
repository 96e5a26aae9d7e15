"""The study of thresholds: what is run, what is claimed of it, and its figures."""

"""The studies that there are, of this package and of one's own, and how a new one begins."""

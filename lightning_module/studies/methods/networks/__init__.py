"""Families of networks beside the four of the data set, and their batched forms."""

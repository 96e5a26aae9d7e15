"""Lottery tickets: what iterative pruning finds, what of it survives new data, and whether it is local connectivity."""

"""Configs built ahead, for every later process; and the digests that they have to have."""

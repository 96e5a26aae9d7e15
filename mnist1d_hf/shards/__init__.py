"""Data sets of any size: cut into shards of whole leaves, made straight from the fast stream, checked leaf by leaf."""

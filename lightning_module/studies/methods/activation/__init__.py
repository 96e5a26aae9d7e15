"""Activation functions: known ones, tabulated ones, and how one is learned."""

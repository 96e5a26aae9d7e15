"""Encoders trained without labels (SimCLR), and the augmentations that they are trained with."""

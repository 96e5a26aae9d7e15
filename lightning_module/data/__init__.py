"""What the data module is made of: its arguments, examples as tensors, and those that are made as they are needed."""

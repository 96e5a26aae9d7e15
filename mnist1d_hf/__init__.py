"""MNIST-1D for Hugging Face datasets."""

__version__ = "0.1.0"

"""Data that are not MNIST-1D: MNIST and its like from local files, and sets of scikit-learn."""

"""What is possible on MNIST-1D, by its exact posterior, and what the networks lack."""

"""The headline table of MNIST-1D with error bars: four networks, points in their own order and shuffled."""

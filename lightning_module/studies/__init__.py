"""Studies of MNIST-1D: the experiments of the blog post and the paper as data, and a frame for your own."""

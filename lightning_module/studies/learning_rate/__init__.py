"""A learning rate learned by gradient descent through a whole training: where it ends, and the landscape it crosses."""

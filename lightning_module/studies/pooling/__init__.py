"""Does pooling make a network need less data? Five kinds of pooling over six sizes of the training set."""

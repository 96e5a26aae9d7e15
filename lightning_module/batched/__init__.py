"""Networks of one kind computed together, each as it is computed alone, to the last bit."""

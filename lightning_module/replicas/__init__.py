"""`Ensemble` and its replicas: many networks of one kind trained in one pass, each as if it were alone."""

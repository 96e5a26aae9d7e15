"""An activation function learned through whole trainings: whether it is better, or only tuned to one training."""

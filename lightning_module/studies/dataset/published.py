"""What the sources say of the data set in numbers."""

from typing import Final

# Errors by digit as published, in percent: the person's, with one quiz counted twice, and the CNN's, read off a figure.
PUBLISHED_HUMAN: Final = (5.4, 3.6, 11.9, 0.0, 5.3, 0.0, 0.0, 10.9, 0.0, 7.4)
PUBLISHED_CNN: Final = (0.0, 9.8, 16.3, 0.0, 12.7, 4.0, 0.0, 15.9, 4.3, 5.9)

VERY_WELL: Final = 0.9  # the paper calls "above 90 %" of all models on MNIST too simple

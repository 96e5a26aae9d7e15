"""What the study of thresholds varies, and where the blog post has the thresholds."""

from typing import Final, Literal

SIZES: Final = (250, 500, 1000)
SMALL: Final = (250, 500)  # where all kinds of labels, and more steps, are
CLASSES: Final = (2, 5, 10)
MOST: Final = 10  # classes

Loss = Literal["cross_entropy", "mse"]
LOSSES: Final[tuple[Loss, ...]] = ("cross_entropy", "mse")
NAMES: Final = {"cross_entropy": "log likelihood", "mse": "squared error"}
PREDICTED: Final = {"cross_entropy": 0.0, "mse": 1.0}  # beta; alpha is 1


def predicted(loss: str, n: int, classes: int) -> int:
    """Returns the number of parameters at which the blog post has the threshold."""
    return n * classes if loss == "mse" else n

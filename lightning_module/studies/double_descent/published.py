"""The published numbers of double descent: the notebook's printed errors, and the curves of the figure of 2020.

Source: the output of the notebook of Greydanus & Kobak (2024), "Scaling Down Deep Learning with MNIST-1D", ICML; and
the vector figure of Greydanus (2020), "Scaling down Deep Learning", whose code is lost. One run each.
"""

from typing import Final, NamedTuple

EPOCHS: Final = 500
WIDTHS: Final[tuple[int, ...]] = (2, 3, 4, 5, 7, 9, 12, 16, 21, 27, 36, 47, 61, 80, 104, 135, 177, 230, 300)
CHANNELS: Final[tuple[int, ...]] = (*range(2, 29, 2), 30, *range(35, 101, 5))
# Those that stand beside the published numbers: all up to behind the peak, then three where the curve is flat.
FROZEN_CHANNELS: Final[tuple[int, ...]] = (*range(2, 29, 2), 30, 50, 75, 100)


class Printed(NamedTuple):
    """The printed errors of one network, in percent.

    Attributes:
        train: Training error.
        test: Test error.
    """

    train: float
    test: float


def _numbers(text: str) -> list[float]:
    return [float(word) for word in text.split()]


def _table(sizes: tuple[int, ...], train: str, test: str) -> dict[int, Printed]:
    pairs = zip(_numbers(train), _numbers(test), strict=True)
    return {size: Printed(*pair) for size, pair in zip(sizes, pairs, strict=True)}


MLP_CLEAN: Final = _table(
    WIDTHS,
    "67.2 63.9 54.8 57.2 48.0 41.3 38.4 28.8 20.0 12.1 1.35 0 0 0 0 0 0 0 0",
    "68.5 66.8 58.3 61.4 54.2 49.3 50.1 44.6 42.6 41.0 41.7 41.0 41.2 39.6 38.6 38.6 38.1 37.1 37.25",
)
MLP_NOISY: Final = _table(
    WIDTHS,
    "71.7 68.7 62.8 58.0 54.5 47.5 46.5 39.7 38.1 29.6 19.0 5.5 0 0 0 0 0 0 0",
    "69.6 67.5 62.6 57.5 54.8 49.0 50.3 47.2 50.8 50.7 52.8 54.05 54.02 52.1 50.2 48.4 47.9 46.5 45.5",
)
# Of the clean MLP and the noisy one.
MLP_LOSSES: Final = {
    "clean": "1.68 1.66 1.45 1.54 1.38 1.31 1.36 1.39 1.60 2.31 4.16 4.42 3.78 3.40 3.07 2.83 2.72 2.41 2.34",
    "noisy": "1.76 1.71 1.65 1.47 1.42 1.34 1.37 1.32 1.53 1.66 2.50 5.70 5.79 4.72 3.92 3.49 3.12 2.89 2.63",
}
CNN_TEST: Final = dict(
    zip(
        CHANNELS,
        _numbers(
            "61.2 35.8 23.9 22.0 19.64 23.7 27.7 27.3 33.80 32.5 31.3 32.0 30.0 32.5 29.8 30.2 30.5 30.2 28.7 "
            "28.2 30.0 28.1 28.8 29.4 28.1 28.1 28.8 27.4 27.66"
        ),
        strict=True,
    )
)

# The figure of 2020: test losses by width, read from a vector file.
N_2020: Final = 10_000  # where its dashed line is
WIDTHS_2020: Final = (10, 20, 30, 40, *range(50, 431, 20))
LOSSES_2020: Final = dict(
    zip(
        WIDTHS_2020,
        _numbers(
            "1.143 1.059 .975 .977 .983 1.088 1.198 1.357 1.439 1.534 1.604 1.700 1.539 1.450 1.447 1.343 1.232 "
            "1.194 1.171 1.149 1.090 1.103 1.106 1.047"
        ),
        strict=True,
    )
)
CHANNELS_2020: Final = (5, 10, 20, 25, 30, 33, 35, 37, 39, 40, 42, 45, 47, 50, 53, 55, 60, 65)
CNN_LOSSES_2020: Final = dict(
    zip(
        CHANNELS_2020,
        _numbers(".990 .636 .293 .276 .237 .258 .253 .290 .247 .248 .251 .263 .227 .255 .259 .251 .251 .266"),
        strict=True,
    )
)


def published_error(network: str, labels: str, width: int) -> float | None:
    """Returns a published test error as a fraction; None where none was published."""
    if network == "cnn":
        return CNN_TEST[width] / 100 if labels == "noisy" and width in CNN_TEST else None
    table = {"clean": MLP_CLEAN, "noisy": MLP_NOISY}[labels]
    return table[width].test / 100 if width in table else None


def published_loss(labels: str, width: int) -> float:
    """Returns a published test loss of the MLP."""
    return _numbers(MLP_LOSSES[labels])[WIDTHS.index(width)]

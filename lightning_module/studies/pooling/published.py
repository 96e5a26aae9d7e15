"""The published accuracies of the pooling benchmark, and the numbers of its protocol that they belong to.

Source: the output printed by the notebook of Greydanus & Kobak (2024), "Scaling Down Deep Learning with MNIST-1D",
ICML, section 5.6; and the curves of the vector figure of Greydanus (2020), "Scaling down Deep Learning".
"""

from typing import Final

SIZES: Final = (1000, 2000, 5000, 10_000, 20_000, 50_000)  # training signals
STEPS: Final = 6000
TESTS: Final = 1000  # test signals of each size, other ones for every size

# What pools in the sources' sense: they set it apart from striding.
POOLS: Final = ("max", "avg", "l2")
KINDS: Final = ("none", "stride", *POOLS)

# In percent, after the last step, by kind and size: one run each, 1000 test signals.
PRINTED_2024: Final = {
    "none": (59.2, 82.0, 91.9, 94.3, 94.4, 96.3),
    "stride": (57.4, 81.7, 89.9, 91.3, 92.2, 95.4),
    "max": (78.2, 89.2, 94.5, 97.0, 96.8, 98.1),
    "avg": (78.0, 90.0, 94.0, 96.0, 96.2, 97.3),
    "l2": (77.2, 89.9, 95.3, 96.6, 97.8, 97.1),
}
# The same of 2020, where the curves end: after a Gaussian filter over evaluations every 100 steps, sigma 1.
FIGURE_2020: Final = {
    "none": (58.8, 81.9, 92.2, 95.1, 94.7, 97.2),
    "stride": (57.5, 80.8, 89.6, 92.3, 93.4, 95.4),
    "max": (79.6, 87.3, 94.3, 95.5, 97.2, 97.2),
    "avg": (78.1, 90.7, 93.4, 97.0, 96.7, 97.5),
    "l2": (76.1, 89.9, 95.3, 95.7, 98.0, 97.6),
}
RUNS: Final = {2024: PRINTED_2024, 2020: FIGURE_2020}


def published_accuracy(kind: str, size: int, run: int = 2024) -> float:
    """Returns a published accuracy, as a fraction."""
    return RUNS[run][kind][SIZES.index(size)] / 100


def published_advantage(size: int, run: int = 2024) -> float:
    """Returns the mean accuracy of the three ways to pool minus that without, as a fraction."""
    pooled = [published_accuracy(pool, size, run) for pool in POOLS]
    return sum(pooled) / len(POOLS) - published_accuracy("none", size, run)

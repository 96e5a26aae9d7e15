"""How local a mask is, and what to compare that with: chance at its density, and masks with the same sums.

A mask of the first layer is (units, inputs). Runs of 2, 3, 4 adjacent inputs that one unit keeps are counted. Units and
inputs that keep many, or none, make more runs than the density alone lets expect, with no local structure at all. So
there are two nulls: (i) every entry kept by itself with the mask's own density; (ii) all masks with the same number of
entries in each row and each column, each as likely as the other.

Source: Strona et al. (2014), "A fast and unbiased procedure to randomize ecological binary matrices with fixed row and
column totals", Nature Communications 5, 4114 (the curveball algorithm); that it is unbiased: Carstens (2015), "Proof of
uniform sampling of binary matrices with fixed row sums and column sums for the fast Curveball algorithm", Physical
Review E 91, 042812.
"""

import math

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]

# Trades for each column: the counts of runs forget the mask they started from after some 3.
TRADES = 10


def runs(mask: Mask, length: int) -> int:
    """Returns how many runs of `length` adjacent inputs are kept by one unit, those that overlap counted each."""
    return int(np.lib.stride_tricks.sliding_window_view(mask, length, axis=1).all(axis=2).sum())


def run_fraction(mask: Mask, length: int) -> float:
    """Returns the number of runs over that of places where one could be: units times (inputs - length + 1)."""
    units, inputs = mask.shape
    places: int = units * (inputs - length + 1)
    return runs(mask, length) / places


def by_chance(mask: Mask, length: int) -> float:
    """Returns the fraction of runs that is expected if each entry is kept by itself with the mask's density."""
    return math.pow(float(mask.mean()), length)


def curveball(mask: Mask, generator: np.random.Generator, *, trades: int | None = None) -> Mask:
    """Returns a random mask with the row sums and column sums of another one.

    Args:
        mask: The mask, (units, inputs), of two inputs at least.
        generator: Decides the outcome.
        trades: Trades between two inputs; None for `TRADES` times the number of inputs.
    """
    columns = mask.T.copy()  # (inputs, units)
    inputs = len(columns)
    count = TRADES * inputs if trades is None else trades
    firsts = generator.integers(inputs, size=count)
    seconds = (firsts + generator.integers(1, inputs, size=count)) % inputs  # another one, each as likely
    for a, b in zip(firsts, seconds, strict=True):
        # Units that keep one of the two inputs, and not the other, deal out anew who keeps which.
        either = np.flatnonzero(columns[a] ^ columns[b])
        dealt = generator.permutation(columns[a, either])
        columns[a, either], columns[b, either] = dealt, ~dealt
    return columns.T.copy()


def null_fractions(mask: Mask, lengths: tuple[int, ...], *, samples: int, seed: int) -> npt.NDArray[np.float64]:
    """Returns the fractions of runs of some lengths in random masks with the same sums, (samples, lengths)."""
    generator = np.random.default_rng(seed)
    drawn = (curveball(mask, generator) for _ in range(samples))
    return np.array([[run_fraction(each, length) for length in lengths] for each in drawn])

"""How many seeds it takes to see a difference.

Source: the power of Student's t by the noncentral t distribution; J. Cohen (1988), "Statistical Power Analysis for the
Behavioral Sciences".
"""

import math
from collections.abc import Sequence

import numpy as np

from lightning_module.studies.statistics import LEVEL
from mnist1d_hf.extras import extra_imports

with extra_imports():
    from scipy import stats

MOST = 10_000


def power(effect: float, pairs: int) -> float:
    """Returns with what probability a two-sided paired t test at the 5 % level sees a difference.

    Args:
        effect: The true mean of the differences in units of their standard deviation.
        pairs: Number of differences, at least 2.
    """
    critical = float(stats.t.ppf((1 + LEVEL) / 2, pairs - 1))
    shift = abs(effect) * math.sqrt(pairs)
    if shift > critical + 38:  # the distribution's own function gives up there, and the answer is 1
        return 1.0
    return float(stats.nct.sf(critical, pairs - 1, shift) + stats.nct.cdf(-critical, pairs - 1, shift))


def seeds_needed(differences: Sequence[float], *, wanted: float = 0.8) -> int | None:
    """Returns how many seeds see a difference with the probability wanted, if it is as large as in the seeds given.

    Args:
        differences: One for each seed, at least two. Their standard deviation is itself an estimate: with 5 seeds the
            number may be half or several times as large.
        wanted: The power.

    Returns:
        The number, at least 2; None if it is above 10,000.

    Raises:
        ValueError: If there are fewer than two differences.
    """
    if len(differences) < 2:
        raise ValueError(f"differences={list(differences)} has no spread: it takes at least two seeds")
    mean, spread = float(np.mean(differences)), float(np.std(differences, ddof=1))
    if spread == 0:
        return 2 if mean else None
    low, high = 1, 2  # power(low) < wanted, if low is not 1
    while power(mean / spread, high) < wanted:
        if high >= MOST:
            return None
        low, high = high, min(2 * high, MOST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(mean / spread, middle) >= wanted else (middle, high)
    return high

"""Intervals and tests that the verdicts are made of: Student's t over units, Wilson for proportions, Holm over claims.

Source: W. Gosset (1908) and R. A. Fisher for t; B. L. Welch, Biometrika 1947, for independent samples;
E. B. Wilson, "Probable inference", JASA 1927; S. Holm, "A simple sequentially rejective multiple test procedure",
Scandinavian Journal of Statistics 1979.

Source: the power of Student's t by the noncentral t distribution; J. Cohen (1988), "Statistical Power Analysis for the
Behavioral Sciences".
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mnist1d_hf.extras import extra_imports

with extra_imports():
    from scipy import stats

LEVEL = 0.95


class Interval(NamedTuple):
    """An estimate and its interval.

    Attributes:
        estimate: The estimate.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    estimate: float
    low: float
    high: float


class Estimate(NamedTuple):
    """A mean or a proportion with its standard error and degrees of freedom.

    Attributes:
        value: The mean or the proportion.
        error: Its standard error.
        freedom: The degrees of freedom of the error.
    """

    value: float
    error: float
    freedom: float


def mean_interval(values: Sequence[float]) -> Interval:
    """Returns the mean of at least two independent values, and its 95 % interval by Student's t.

    Of paired runs the values are the differences, one for each pair.
    """
    mean, half = float(np.mean(values)), _t_statistic(values) * _standard_error(values)
    return Interval(mean, mean - half, mean + half)


def prediction_interval(values: Sequence[float], *, runs: int = 1) -> Interval:
    """Returns the mean, and the interval that holds the mean of `runs` further values in 95 of 100 cases."""
    half = _t_statistic(values) * float(np.std(values, ddof=1)) * math.sqrt(1 / runs + 1 / len(values))
    mean = float(np.mean(values))
    return Interval(mean, mean - half, mean + half)


def mean_p(values: Sequence[float], bound: float) -> float:
    """Returns the two-sided p-value of the mean being `bound`: below 0.05 just where `mean_interval` excludes it."""
    mean, error = float(np.mean(values)), _standard_error(values)
    if error == 0:
        return known_p(mean, bound)
    return float(2 * stats.t.sf(abs(mean - bound) / error, len(values) - 1))


def wilson_interval(hits: int, trials: int) -> Interval:
    """Returns a proportion and its 95 % interval by Wilson's score."""
    found = stats.binomtest(hits, trials).proportion_ci(LEVEL, method="wilson")
    return Interval(hits / trials, float(found.low), float(found.high))


def wilson_p(hits: int, trials: int, bound: float) -> float:
    """Returns the two-sided p-value of a proportion of `bound`; below 0.05 just where Wilson's interval excludes it."""
    error = math.sqrt(bound * (1 - bound) / trials)
    if error == 0:
        return float(hits / trials == bound)
    return float(2 * stats.norm.sf(abs(hits / trials - bound) / error))


def difference_interval(left: Estimate, right: Estimate) -> Interval:
    """Returns the difference of two independent estimates and its 95 % interval, by Welch and Satterthwaite."""
    difference, error, freedom = _welch(left, right)
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * error
    return Interval(difference, difference - half, difference + half)


def difference_p(left: Estimate, right: Estimate, bound: float) -> float:
    """Returns the two-sided p-value of the difference of two independent estimates being `bound`."""
    difference, error, freedom = _welch(left, right)
    if error == 0:
        return known_p(difference, bound)
    return float(2 * stats.t.sf(abs(difference - bound) / error, freedom))


def mean_estimate(values: Sequence[float]) -> Estimate:
    """Returns the mean of independent values as an estimate; one value counts as known."""
    if len(values) == 1:
        return Estimate(float(values[0]), 0.0, 1.0)
    return Estimate(float(np.mean(values)), _standard_error(values), len(values) - 1)


def proportion_estimate(hits: int, trials: int) -> Estimate:
    """Returns a proportion as an estimate, with the variance of hits that are 0 or 1."""
    share = hits / trials
    return Estimate(share, math.sqrt(share * (1 - share) / (trials - 1)), trials - 1)


def _welch(left: Estimate, right: Estimate) -> tuple[float, float, float]:
    variances = left.error**2, right.error**2
    total = sum(variances)
    parts = variances[0] ** 2 / left.freedom + variances[1] ** 2 / right.freedom
    return left.value - right.value, math.sqrt(total), total**2 / parts if parts else 1.0


def known_p(number: float, bound: float) -> float:
    """Returns the p-value of a bound where nothing varies: 1, or 0 if the number is not the bound, but for rounding."""
    return float(math.isclose(number, bound, rel_tol=1e-12, abs_tol=1e-12))


def log_odds(accuracy: float, examples: int) -> float:
    """Returns the logarithm of right to wrong answers, half an answer added to both so that it is finite.

    Where accuracies approach 100 % their differences have to shrink; those of log-odds have not.

    Source: Haldane (1956), "The estimation and significance of the logarithm of a ratio of frequencies".
    """
    right = accuracy * examples
    return math.log((right + 0.5) / (examples - right + 0.5))


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns the p-values corrected for being several, by Holm's step-down: in the order given."""
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[i]))
        corrected[i] = largest
    return corrected


def _standard_error(values: Sequence[float]) -> float:
    # Differences of equal numbers may differ by rounding alone, and would be told from 0 with certainty.
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return error if error > 1e-12 * (1 + abs(float(np.mean(values)))) else 0.0


def _t_statistic(values: Sequence[float]) -> float:
    if len(values) < 2:
        raise ValueError(f"values={list(values)} has no spread: an interval needs at least two")
    return float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1))


# How many seeds it takes to see a difference.


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


# Values that fall into two clusters, of which their mean describes none.


APART = 3.0  # times as far apart as the units of the larger cluster are from each other
ALONE = 5.0
LEAST_CLUSTERED = 8  # of fewer units two pairs are near each other by chance,
FEW_APART = 12.0  # so they have to be further apart


def clusters(values: Sequence[float]) -> tuple[list[float], list[float]] | None:
    """Returns the lower and the higher of two clusters that values fall into, or one and all others; None if neither.

    Args:
        values: One for each unit. Of fewer than five nothing is said.
    """
    ordered = sorted(map(float, values))
    for split in range(1, len(ordered)) if len(ordered) >= 5 else ():
        low, high = ordered[:split], ordered[split:]
        larger = low if len(low) >= len(high) else high
        alone = min(len(low), len(high)) == 1
        apart = ALONE if alone else APART if len(ordered) >= LEAST_CLUSTERED else FEW_APART
        if high[0] - low[-1] > apart * (larger[-1] - larger[0]):
            return low, high
    return None

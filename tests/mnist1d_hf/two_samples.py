"""Two-sample tests for sets of labelled signals, in numpy; every threshold follows from the null hypothesis.

Each family of tests rejects equal distributions with probability at most `ALPHA` (Bonferroni over its members), so that
a fixed seed passes or fails for good and a failure is not chance.
"""

from statistics import NormalDist

import numpy as np

ALPHA = 1e-6


def discrepancies(first, second):
    """Each family's largest statistic divided by its critical value: above 1 the two samples differ.

    Args:
        first: Signals ``(n, length)`` and labels ``(n,)``.
        second: Signals ``(m, length)`` and labels ``(m,)``.
    """
    x1, x2 = first[0], second[0]
    shapes1, shapes2 = shape_statistics(x1), shape_statistics(x2)
    return {
        "mean of each class and point": _largest_z(first, second, lambda x, centre: x),
        "variance of each class and point": _largest_z(first, second, lambda x, centre: (x - centre) ** 2),
        "product of neighbours": _largest_z(
            first, second, lambda x, centre: (x - centre)[:, 1:] * (x - centre)[:, :-1]
        ),
        "marginal of each point": _largest_ks(x1.T, x2.T),
        **{f"distribution of the {name}": _largest_ks(shapes1[name][None], shapes2[name][None]) for name in shapes1},
    }


def shape_statistics(x):
    """Numbers per signal, ``(n,)`` each, that different stages of the generator decide."""
    points = np.arange(x.shape[1]) - (x.shape[1] - 1) / 2
    return {
        "slope": x @ points,
        "range": np.ptp(x, axis=1),
        "roughness": np.diff(x, n=2, axis=1).std(axis=1),
        "smoothest stretch": np.sort(np.abs(np.diff(x, n=2, axis=1)), axis=1)[:, :5].mean(axis=1),
        "place of the peak": np.abs(x).argmax(axis=1).astype(float),
    }


def _largest_z(first, second, statistic):
    largest, comparisons = 0.0, 0
    for label in np.union1d(first[1], second[1]):
        x1, x2 = (x[y == label] for x, y in (first, second))
        centre = np.concatenate([x1, x2]).mean(axis=0)
        s1, s2 = statistic(x1, centre), statistic(x2, centre)
        error = np.sqrt(s1.var(axis=0) / len(s1) + s2.var(axis=0) / len(s2))
        z = np.abs(s1.mean(axis=0) - s2.mean(axis=0)) / error
        largest, comparisons = max(largest, float(z.max())), comparisons + len(z)
    return largest / NormalDist().inv_cdf(1 - ALPHA / 2 / comparisons)


def _largest_ks(first, second):
    """Kolmogorov and Smirnov: the largest distance of two empirical distribution functions, row by row."""
    largest = max(ks_distance(a, b) for a, b in zip(first, second, strict=True))
    n, m = first.shape[1], second.shape[1]
    # P(D > d) <= 2 exp(-2 d^2 nm / (n + m)); exact in the limit, on the safe side for discrete values.
    critical = np.sqrt(-np.log(ALPHA / 2 / len(first)) / 2 * (n + m) / (n * m))
    return largest / float(critical)


def ks_distance(a, b):
    """The largest distance of the two empirical distribution functions."""
    values = np.sort(np.concatenate([a, b]))  # sorted keys are searched for many times faster
    return float(
        np.abs(
            np.searchsorted(np.sort(a), values, side="right") / len(a)
            - np.searchsorted(np.sort(b), values, side="right") / len(b)
        ).max()
    )

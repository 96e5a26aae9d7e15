"""Intervals against textbooks' tables, scipy's own tests, and how often they hold the truth."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lightning_module.studies.framework.statistics import (
    Estimate,
    difference_interval,
    difference_p,
    holm,
    mean_estimate,
    mean_interval,
    mean_p,
    prediction_interval,
    proportion_estimate,
    wilson_interval,
    wilson_p,
)

REPETITIONS = 4000
# Three standard errors of a share of 4000 that is 0.95.
TOLERANCE = 0.0104

VALUES = st.lists(st.floats(-1e3, 1e3).map(lambda x: round(x, 6)), min_size=2, max_size=12)
SPREAD = VALUES.filter(lambda values: np.std(values) > 1e-3)

# Two-sided 5 % points of Student's t, as tables print them.
TABLE = {1: 12.706, 2: 4.303, 4: 2.776, 9: 2.262, 30: 2.042}


@pytest.mark.parametrize(("freedom", "t"), TABLE.items())
def test_half_width_is_the_table_s(freedom, t):
    values = [0.0] * freedom + [1.0]
    n = freedom + 1
    mean, low, high = mean_interval(values)
    error = math.sqrt(sum((v - 1 / n) ** 2 for v in values) / (n - 1) / n)
    assert mean == pytest.approx(1 / n)
    assert (high - low) / 2 / error == pytest.approx(t, abs=6e-4)


@settings(deadline=None, max_examples=40)
@given(SPREAD, st.floats(-1e3, 1e3))
def test_p_is_scipy_s_t_test_and_agrees_with_the_interval(values, bound):
    p = mean_p(values, bound)
    _, low, high = mean_interval(values)
    assert p == pytest.approx(stats.ttest_1samp(values, bound).pvalue, rel=1e-6, abs=1e-12)
    if min(abs(bound - low), abs(bound - high)) > 1e-9 * (1 + abs(bound)):
        assert (p < 0.05) == (not low <= bound <= high)


@settings(deadline=None, max_examples=40)
@given(SPREAD, st.floats(-1e3, 1e3))
def test_a_shift_shifts_the_intervals(values, shift):
    for interval in (mean_interval, prediction_interval):
        shifted = interval([value + shift for value in values])
        assert shifted == pytest.approx([each + shift for each in interval(values)], rel=1e-9, abs=1e-6)


def test_prediction_interval_by_hand():
    # mean 3, s = sqrt(2.5), t(4) = 2.776
    _, low, high = prediction_interval([1, 2, 3, 4, 5])
    assert (high - low) / 2 == pytest.approx(2.77645 * math.sqrt(2.5) * math.sqrt(1 + 1 / 5), rel=1e-5)
    _, low, high = prediction_interval([1, 2, 3, 4, 5], runs=4)
    assert (high - low) / 2 == pytest.approx(2.77645 * math.sqrt(2.5) * math.sqrt(1 / 4 + 1 / 5), rel=1e-5)


@pytest.mark.parametrize("interval", [mean_interval, prediction_interval])
def test_one_value_has_no_interval(interval):
    with pytest.raises(ValueError, match="at least two"):
        interval([0.5])


@pytest.mark.parametrize("n", [2, 5, 10])
def test_coverage_of_the_mean_s_interval(n):
    samples = np.random.default_rng(n).normal(0.7, 0.02, size=(REPETITIONS, n))
    intervals = [mean_interval(sample) for sample in samples.tolist()]
    assert np.mean([i.low <= 0.7 <= i.high for i in intervals]) == pytest.approx(0.95, abs=TOLERANCE)


@pytest.mark.parametrize(("n", "runs"), [(5, 1), (10, 1), (8, 3)])
def test_coverage_of_the_prediction_interval(n, runs):
    random = np.random.default_rng(100 + n)
    ours = random.normal(0.7, 0.02, size=(REPETITIONS, n))
    theirs = random.normal(0.7, 0.02, size=(REPETITIONS, runs)).mean(axis=1)
    intervals = [prediction_interval(sample, runs=runs) for sample in ours.tolist()]
    inside = [i.low <= other <= i.high for i, other in zip(intervals, theirs, strict=True)]
    assert np.mean(inside) == pytest.approx(0.95, abs=TOLERANCE)


@pytest.mark.parametrize(("trials", "truth"), [(400, 0.9575), (400, 0.5), (100, 0.1), (1000, 0.999)])
def test_coverage_of_wilson_s_interval(trials, truth):
    hits = np.random.default_rng(trials).binomial(trials, truth, size=REPETITIONS)
    intervals = {h: wilson_interval(h, trials) for h in set(hits.tolist())}
    share = np.mean([intervals[h].low <= truth <= intervals[h].high for h in hits.tolist()])
    # Hits are whole numbers: coverage can only be near the nominal one, by up to 3 points at a rate of 0.001.
    assert share == pytest.approx(0.95, abs=0.03)


def test_wilson_by_hand():
    # The published human accuracy: 383 of 400; by Wilson's formula with z = 1.95996.
    z, p, n = 1.959964, 383 / 400, 400
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert wilson_interval(383, 400) == pytest.approx((p, centre - half, centre + half), abs=1e-6)
    assert wilson_interval(0, 10).low == 0
    assert wilson_interval(10, 10).high == 1


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.01, 0.99))
def test_wilson_s_p_agrees_with_its_interval(counts, bound):
    _, low, high = wilson_interval(*counts)
    if min(abs(bound - low), abs(bound - high)) > 1e-9:
        assert (wilson_p(*counts, bound) < 0.05) == (not low <= bound <= high)


@settings(deadline=None, max_examples=40)
@given(SPREAD, SPREAD, st.floats(-10, 10))
def test_difference_is_welch_s_test(a, b, bound):
    left, right = mean_estimate(a), mean_estimate(b)
    expected = stats.ttest_ind([x - bound for x in a], b, equal_var=False)
    assert difference_p(left, right, bound) == pytest.approx(expected.pvalue, rel=1e-5, abs=1e-9)
    low, high = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
    assert difference_interval(left, right)[1:] == pytest.approx((low, high), rel=1e-6, abs=1e-6)


def test_coverage_of_a_proportion_against_a_mean():
    random = np.random.default_rng(7)
    hits = random.binomial(400, 0.95, size=REPETITIONS)
    means = random.normal(0.93, 0.01, size=(REPETITIONS, 10))
    inside = []
    for h, sample in zip(hits.tolist(), means.tolist(), strict=True):
        _, low, high = difference_interval(proportion_estimate(h, 400), mean_estimate(sample))
        inside.append(low <= 0.02 <= high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)  # a normal approximation near the end of the scale


@pytest.mark.parametrize(("bound", "p"), [(0.3, 1.0), (0.25, 0.0)])
def test_equal_values_are_known_but_for_rounding(bound, p):
    values = [0.65 - 0.35, 0.5 - 0.2, 0.1 + 0.2]  # 0.30000000000000004, 0.3, ...
    assert mean_p(values, bound) == p
    assert difference_p(Estimate(0.1 + 0.2, 0.0, 1.0), Estimate(0.0, 0.0, 1.0), bound) == p


def test_holm_by_hand():
    # Sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1 is 0.04, 0.06, 0.06, 0.04; none may be below the one before.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=7)


@settings(deadline=None, max_examples=40)
@given(P_VALUES, st.floats(0.001, 0.999))
def test_holm_rejects_what_its_definition_rejects(p_values, level):
    """Step by step: the smallest p against level / m, the next against level / (m - 1), until one is not below it."""
    rejected: set[int] = set()
    for step, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        if p_values[i] * (len(p_values) - step) > level:
            break
        rejected.add(i)
    assert {i for i, p in enumerate(holm(p_values)) if p <= level} == rejected


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_holm_does_not_depend_on_the_order(p_values):
    corrected = dict(zip(p_values, holm(p_values), strict=True))
    for order in permutations(p_values):
        assert holm(order) == [corrected[p] for p in order]

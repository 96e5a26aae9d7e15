"""Runs of adjacent inputs and their nulls, against loops and against all matrices with the same sums."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_module.studies.methods.pruning.mask_nulls import by_chance, curveball, null_fractions, run_fraction, runs


def random_mask(seed, units=60, inputs=40, density=0.1):
    return np.random.default_rng(seed).random((units, inputs)) < density


def test_runs_are_counted_as_by_hand():
    mask = np.array([[1, 1, 1, 1, 0, 1], [1, 0, 1, 1, 0, 0]], dtype=bool)
    assert [runs(mask, length) for length in (2, 3, 4)] == [4, 2, 1]
    assert run_fraction(mask, 4) == pytest.approx(1 / 6)  # 2 units, 3 places


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), density=st.floats(0, 1), length=st.sampled_from([2, 3, 4]))
def test_runs_are_those_of_a_loop(seed, density, length):
    mask = random_mask(seed, 8, 12, density)
    count = sum(all(mask[unit, at : at + length]) for unit in range(8) for at in range(12 - length + 1))
    assert runs(mask, length) == count


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), density=st.floats(0, 1))
def test_sums_of_rows_and_columns_stay(seed, density):
    mask = random_mask(seed, density=density)
    shuffled = curveball(mask, np.random.default_rng(seed))
    assert shuffled.dtype == bool
    np.testing.assert_array_equal(shuffled.sum(0), mask.sum(0))
    np.testing.assert_array_equal(shuffled.sum(1), mask.sum(1))


def test_every_matrix_with_the_same_sums_is_as_likely_as_the_other():
    mask = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [1, 0, 0, 1]], dtype=bool)
    everything = [np.array(bits, dtype=bool).reshape(3, 4) for bits in product((0, 1), repeat=12)]
    same = [m for m in everything if (m.sum(0) == mask.sum(0)).all() and (m.sum(1) == mask.sum(1)).all()]
    generator, draws = np.random.default_rng(0), 2000
    found = Counter(curveball(mask, generator).tobytes() for _ in range(draws))
    assert set(found) == {m.tobytes() for m in same}
    expected = draws / len(same)
    chi_squared = sum((count - expected) ** 2 / expected for count in found.values())
    freedom = len(same) - 1
    assert chi_squared < freedom + 4 * np.sqrt(2 * freedom)


def test_it_forgets_where_it_started():
    # All kept inputs of a unit side by side: as far from the null as can be.
    mask = np.zeros((200, 40), dtype=bool)
    for unit, first in enumerate(np.random.default_rng(0).integers(0, 37, 200)):
        mask[unit, first : first + 4] = True
    usual, longer = (
        np.mean([runs(curveball(mask, np.random.default_rng(seed), trades=trades), 2) for seed in range(8)])
        for trades in (None, 2000)
    )
    assert runs(mask, 2) == 600
    assert usual == pytest.approx(longer, rel=0.1)
    assert usual < 100


def test_of_a_mask_without_structure_both_nulls_expect_what_is_there():
    mask = random_mask(3, units=5000)
    drawn = null_fractions(mask, (2, 3), samples=5, seed=0)
    assert drawn.shape == (5, 2)
    assert run_fraction(mask, 2) == pytest.approx(by_chance(mask, 2), rel=0.1)
    assert drawn[:, 0].mean() == pytest.approx(by_chance(mask, 2), rel=0.1)


def test_dead_units_alone_make_runs_that_the_density_does_not_expect():
    mask = random_mask(4, units=4000)
    mask[:2000] = False  # the density halves, and the runs with it: twice what it expects
    assert run_fraction(mask, 2) / by_chance(mask, 2) == pytest.approx(2, rel=0.15)
    assert run_fraction(mask, 2) / null_fractions(mask, (2,), samples=5, seed=0).mean() == pytest.approx(1, rel=0.1)

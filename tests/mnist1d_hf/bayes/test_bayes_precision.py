"""Against four times the nodes and nothing left out; whole signals far outside of the recipe included."""

import tracemalloc

import numpy as np
import pytest
from random_recipes import random_recipe

from mnist1d_hf import Recipe, digit_templates, make_slice
from mnist1d_hf.bayes.mixture import Precision, log_joint
from mnist1d_hf.bayes.problem import Problem
from mnist1d_hf.bayes.tables import tables_of
from mnist1d_hf.recipe import RECIPES

REFERENCE = Precision(left_out=0.0, finer=4, reach=12.0)
CASES = {
    **{name: RECIPES[name].recipe for name in ("default", "high-noise", "no-shear", "no-shift", "long")},
    "final longer than dilated": Recipe(final_seq_length=80, max_translation=9),
    "translation beyond the length": Recipe(max_translation=100, iid_noise_scale=0.1, padding=(50, 52)),
    "scale 0": Recipe(scale_coeff=0.0, iid_noise_scale=0.05, padding=(36, 40)),
    "scale 1.8": Recipe(scale_coeff=1.8, max_translation=12),
    "shear 0.01": Recipe(shear_scale=0.01, max_translation=12),
    "much correlated noise": Recipe(corr_noise_scale=5.0, max_translation=12),
    "little noise": Recipe(iid_noise_scale=1e-4, corr_noise_scale=0.0, max_translation=12),
}


def check(recipe, signals=2):
    """The precision that is promised, for the recipe's own signals and for some of none."""
    problem = Problem.of(recipe, "fast", {})
    own = make_slice(recipe, "test", 0, signals).x.astype(float)
    x = np.concatenate([own, -own[:1], 1e3 * own[:1], np.zeros_like(own[:1])])
    raw = problem.raw(x)
    found, reference = (
        joint - np.logaddexp.reduce(joint, axis=1)[:, None]
        for joint in (log_joint(problem.tables, raw), log_joint(problem.tables, raw, REFERENCE))
    )
    assert np.isfinite(found).all()
    likely = reference > -30
    assert np.abs(found - reference)[likely].max() <= 1e-6
    assert np.abs(np.exp(found) - np.exp(reference)).max() <= 1e-9
    own_rows = slice(0, signals)
    assert np.abs(found - reference)[own_rows].max() <= 1e-6  # unlikely labels too: more than is promised


@pytest.mark.parametrize("case", CASES)
def test_posterior_is_that_of_four_times_the_nodes(case):
    check(CASES[case])


@pytest.mark.parametrize("seed", range(8))  # fifty in benchmarks/posterior.py
def test_posterior_of_random_recipes_is_that_of_four_times_the_nodes(seed):
    check(random_recipe(seed), signals=1)


def test_every_entry_is_finite_however_large_the_signal_is():
    problem = Problem.of("default", "fast", {})
    x = np.random.default_rng(0).normal(size=(6, 40)) * np.array([1e-3, 1, 1e4, 1e20, 1e60, 1e99])[:, None]
    assert np.isfinite(log_joint(problem.tables, problem.raw(x))).all()


def test_set_up_holds_little_beside_the_tables():
    """Much longer before than after resampling: what is needed on the way must not be held for all shifts at once."""
    recipe = Recipe(padding=(988, 988), max_translation=400, final_seq_length=60)
    tracemalloc.start()
    try:
        tables_of(recipe, digit_templates())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100e6  # the resampling, rolled by every shift, alone would be 192 MB

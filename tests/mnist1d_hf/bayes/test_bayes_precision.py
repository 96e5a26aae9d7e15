"""Against four times the nodes and nothing left out; whole signals far outside of the recipe included."""

import tracemalloc

import mpmath
import numpy as np
import pytest
from random_recipes import random_recipe

from mnist1d_hf import Recipe, digit_templates, make_slice
from mnist1d_hf.bayes.components import clean_components, ramp, resampling
from mnist1d_hf.bayes.mixture import Precision, _products, log_joint
from mnist1d_hf.bayes.problem import Problem
from mnist1d_hf.bayes.rectangle import constrained_peak
from mnist1d_hf.bayes.tables import tables_of
from mnist1d_hf.generator.recipe import RECIPES
from mnist1d_hf.generator.transforms import gaussian_filter

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


@pytest.mark.parametrize(("iid", "corr"), [(0.02, 0.25), (1e-4, 0.25), (1e-5, 1.0), (1e-3, 1000.0)])
def test_exponents_are_those_of_fifty_digits(iid, corr):
    """Whitening and products lose at most 1e-6 of the log of what matters, down to the least noise allowed."""
    recipe = Recipe(
        iid_noise_scale=iid, corr_noise_scale=corr, padding=(40, 40), max_translation=3, final_seq_length=20
    )
    problem = Problem.of(recipe, "fast", {})
    drawn = make_slice(recipe, "test", 0, 1, latents=True)
    raw = problem.raw(drawn.x)
    number = np.ravel_multi_index((drawn.y[0], 0, drawn.latents.shift[0]), problem.tables.shape)
    products = next(_products(problem.tables, raw))[1]
    u, v, found = constrained_peak(problem.tables, products.of(problem.tables, np.array([0]), np.array([number])))
    clean = clean_components(recipe, digit_templates())
    matrix = resampling(recipe)
    mask = clean.masks[clean.mask_of[drawn.y[0], 0], drawn.latents.shift[0]]
    with mpmath.workdps(50):
        smooth = mpmath.matrix((matrix * mask).tolist()) * mpmath.matrix(
            (corr * gaussian_filter(np.eye(recipe.dilated_length)).T).tolist()
        )
        sharp = mpmath.mpf(iid) * mpmath.matrix(matrix.tolist())
        mean = clean.means[drawn.y[0], 0, drawn.latents.shift[0]]
        rest = mpmath.matrix(raw[0].tolist()) - mpmath.mpf(u[0]) * mpmath.matrix(mean.tolist())
        rest += mpmath.mpf(v[0]) * mpmath.matrix(ramp(recipe).tolist())
        exact = (rest.T * mpmath.lu_solve(smooth * smooth.T + sharp * sharp.T, rest))[0]
    assert abs(found[0] - float(exact)) / 2 <= 1e-6

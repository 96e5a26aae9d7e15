"""Against the generator as a black box; and the comparison is shown to find each fault that a prototype had."""

import brute_force
import numpy as np
import pytest
from brute_force import off_by_one_percent

from mnist1d_hf import Recipe, digit_templates, make_mnist1d
from mnist1d_hf.bayes import components, latent_posterior, log_evidence, log_posterior, problem, tables
from mnist1d_hf.generator.draws import fast_draws

CASES = {
    "shifts beyond the length": {},
    "no shear": {"shear_scale": 0.0},
    "little shear": {"shear_scale": 0.01},
    "much shear": {"shear_scale": 3.0},
    "no scale": {"scale_coeff": 0.0},
    "factors below zero": {"scale_coeff": 2.6},
    "neither": {"shear_scale": 0.0, "scale_coeff": 0.0},
    "no correlated noise": {"corr_noise_scale": 0.0},
    "much correlated noise": {"corr_noise_scale": 1.0, "iid_noise_scale": 0.05},
    "longer than dilated": {"final_seq_length": 11},
    "two points": {"final_seq_length": 2},
    "no padding": {"padding": (0, 0), "template_len": 6},
    "one shift, shuffled": {"max_translation": 1, "shuffle_seq": True},
    "flipped": {"flip_seq": True, "shuffle_seq": True},
}
FINE = {"shear_scale", "scale_coeff", "corr_noise_scale"}
SIGNALS = 4


@pytest.fixture
def _fresh():
    """No tables of a fault are remembered, nor any of before."""
    for cached in (tables._tables, problem._constants):
        cached.cache_clear()
    yield
    for cached in (tables._tables, problem._constants):
        cached.cache_clear()


def check(changes):
    """Posterior and evidence of the reference stream's signals are those of brute force."""
    recipe = Recipe(**brute_force.TINY).replace(**changes)
    data = make_mnist1d(recipe)
    x = data.test.x[:SIGNALS]
    x = np.concatenate([x, 3 * x[:1]])  # and one that is unlikely
    order = problem.mean_std_and_order(recipe, digit_templates())[2]
    raw = np.empty_like(x)
    raw[:, order] = x * data.std + data.mean
    joint = brute_force.log_joint(recipe, raw, nodes=40 if FINE & changes.keys() else 24)
    np.testing.assert_allclose(log_posterior(x, recipe), brute_force.normalised(joint), rtol=1e-7, atol=1e-7)
    rank = min(recipe.final_seq_length, recipe.dilated_length)
    evidence = np.logaddexp.reduce(joint, axis=1) + rank * np.log(data.std)
    if rank == recipe.final_seq_length:
        np.testing.assert_allclose(log_evidence(x, recipe), evidence, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("case", CASES)
def test_posterior_and_evidence_are_those_of_brute_force(case):
    check(CASES[case])


def _free_shear(middle, width):
    half = 0.5 * width if width else (1.0 - middle) * 1e3  # the shear's interval is the one around 0
    return middle - half, middle + half


FAULTS = {
    "no shear taken for any shear": (tables, "_interval", _free_shear, "no shear"),
    "mask not shifted": (
        components,
        "shifted_masks",
        lambda zero, shifts: np.repeat(zero[:, None], len(shifts), axis=1),
        "shifts beyond the length",
    ),
    "multiplicity dropped": (
        components,
        "shift_weights",
        lambda recipe: np.ones(min(recipe.max_translation, recipe.dilated_length)),
        "shifts beyond the length",
    ),
    "std off by 1 %": (problem, "number", off_by_one_percent, "one shift, shuffled"),
}


@pytest.mark.usefixtures("_fresh")
@pytest.mark.parametrize("fault", FAULTS)
def test_brute_force_finds_the_fault(fault, monkeypatch):
    module, name, wrong, case = FAULTS[fault]
    monkeypatch.setattr(module, name, wrong)
    with pytest.raises(AssertionError, match="Mismatched elements"):
        check(CASES[case])


def drawn_misses():
    """Standard errors by which the densities miss what the generator's own draws of the latents give.

    Averaged over latents drawn by the fast stream, the density of the noise is the density of the signal.
    """
    recipe = Recipe(**brute_force.TINY).replace(iid_noise_scale=0.2)
    raw = make_mnist1d(recipe).test.x[:3] * 0.3
    drawn = [fast_draws(recipe, "train", block) for block in range(60)]
    label, padding, shift, factor, shear = (
        np.concatenate([getattr(draws, name) for draws in drawn])
        for name in ("label", "padding", "shift", "scale", "shear")
    )
    density = np.empty((len(raw), len(label)))
    for cell in {*zip(label.tolist(), padding.tolist(), shift.tolist(), strict=True)}:
        own = (label == cell[0]) & (padding == cell[1]) & (shift == cell[2])
        means = brute_force.raw_signals(recipe, *cell, factor[own], shear[own])
        density[:, own] = np.exp(brute_force.log_normal(raw, means, brute_force.covariance(recipe, *cell)))
    expected = np.exp(log_evidence(raw, recipe, mean=0.0, std=1.0))
    error = density.std(axis=1) / np.sqrt(density.shape[1])
    assert (error / expected < 0.05).all()  # else it would show nothing
    return np.abs(density.mean(axis=1) - expected) / error


def test_densities_are_what_the_generators_own_draws_give():
    assert drawn_misses().max() < 4


@pytest.mark.usefixtures("_fresh")
@pytest.mark.parametrize("fault", ["mask not shifted", "multiplicity dropped"])
def test_the_generators_own_draws_find_the_fault(fault, monkeypatch):
    module, name, wrong, _ = FAULTS[fault]
    monkeypatch.setattr(module, name, wrong)
    assert drawn_misses().max() > 4


def test_latents_are_those_of_brute_force():
    recipe = Recipe(**brute_force.TINY).replace(max_translation=4)
    data = make_mnist1d(recipe)
    x = data.test.x[:SIGNALS]
    raw = x * data.std + data.mean
    u, u_weights = brute_force.interval(1.0, recipe.scale_coeff, 24)
    v, v_weights = brute_force.interval(0.0, recipe.shear_scale, 24)
    grid_u, grid_v = (axis.ravel() for axis in np.meshgrid(u, v, indexing="ij"))
    weights = np.outer(u_weights, v_weights).ravel()
    paddings, shifts = range(2, 5), range(4)
    p = np.empty((SIGNALS, 10, len(paddings), len(shifts), len(weights)))
    for label in range(10):
        for i, padding in enumerate(paddings):
            for shift in shifts:
                means = brute_force.raw_signals(recipe, label, padding, shift, grid_u, grid_v)
                cov = brute_force.covariance(recipe, label, padding, shift)
                p[:, label, i, shift] = np.exp(brute_force.log_normal(raw, means, cov)) * weights
    p /= p.sum(axis=(1, 2, 3, 4), keepdims=True)
    found = latent_posterior(x, recipe)
    np.testing.assert_allclose(found.padding, p.sum(axis=(1, 3, 4)), atol=1e-7)
    np.testing.assert_allclose(found.shift, p.sum(axis=(1, 2, 4)), atol=1e-7)
    np.testing.assert_allclose(found.scale, (p * grid_u).sum(axis=(1, 2, 3, 4)), atol=1e-7)
    np.testing.assert_allclose(found.shear, (p * grid_v).sum(axis=(1, 2, 3, 4)), atol=1e-7)
    best = np.array([np.unravel_index(signal.argmax(), signal.shape) for signal in p.sum(axis=4)])
    assert (best[:, 0] == found.best_label).all()
    assert (best[:, 1] + 2 == found.best_padding).all()
    assert (best[:, 2] == found.best_shift).all()

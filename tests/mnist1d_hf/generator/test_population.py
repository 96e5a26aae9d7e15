"""The exact moments against what a large sample has, and against an enumeration by hand."""

import naive
import numpy as np
import pytest

from mnist1d_hf import make_mnist1d, make_slice
from mnist1d_hf.generator.population import population_mean_and_std
from mnist1d_hf.generator.recipe import Recipe
from mnist1d_hf.generator.templates import Templates, digit_templates

RECIPES = {
    "default": Recipe(),
    "no noise": Recipe(corr_noise_scale=0, iid_noise_scale=0),
    "only correlated noise": Recipe(scale_coeff=0, shear_scale=0, iid_noise_scale=0, corr_noise_scale=1),
    "only iid noise": Recipe(scale_coeff=0, shear_scale=0, iid_noise_scale=1, corr_noise_scale=0),
    "steep": Recipe(shear_scale=3, scale_coeff=1.5),
    "no shift": Recipe(max_translation=1),
    "shifts beyond the length": Recipe(max_translation=200, template_len=10, padding=(0, 20), final_seq_length=33),
    "long": Recipe(final_seq_length=120),
    "short, no padding": Recipe(padding=(0, 0), template_len=9, final_seq_length=5),
}
# |z| of 18 comparisons stays below this but for a probability of 1e-5.
CRITICAL_Z = 5.0
EXAMPLES = 20_000


def z_of_moments(recipe, sampled):
    """Distance of a sample's first two moments from the population's, in standard errors over examples."""
    mean, std = population_mean_and_std(recipe, digit_templates())
    x = make_slice(sampled, "train", 0, EXAMPLES).x.astype(np.float64)
    own_mean, own_std = population_mean_and_std(sampled, digit_templates())
    raw = x * own_std + own_mean  # what was drawn, before it was normalised
    per_example = np.stack([raw.mean(axis=1) - mean, ((raw - mean) ** 2).mean(axis=1) - std**2])
    return np.abs(per_example.mean(axis=1)) / (per_example.std(axis=1) / np.sqrt(EXAMPLES))


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_moments_are_those_of_a_large_sample(recipe):
    assert z_of_moments(recipe, recipe).max() < CRITICAL_Z


@pytest.mark.parametrize(
    "wrong",
    [
        {"corr_noise_scale": 0.26},
        {"iid_noise_scale": 0.04},
        {"shear_scale": 0.8},
        {"scale_coeff": 1.0},
        {"padding": (30, 54)},
    ],
    ids=str,
)
def test_the_same_test_notices_a_recipe_slightly_off(wrong):
    assert z_of_moments(Recipe(), Recipe(**wrong)).max() > CRITICAL_Z


def test_moments_of_two_points_by_hand():
    """Two points, no padding, every rotation: values 1, 3 (digit 0) and 2, -2 (digit 1), each scaled by U(0.5, 1.5)."""
    templates = Templates(x=np.array([[1.0, 3.0], [2.0, -2.0]]), t=np.array([0.0, 1.0]), y=np.array([0, 1]))
    recipe = Recipe(
        template_len=2,
        padding=(0, 0),
        final_seq_length=2,
        max_translation=2,
        scale_coeff=1.0,
        corr_noise_scale=0.7,  # plays no role: there is no padding for it
        iid_noise_scale=0.5,
        shear_scale=1.2,
    )
    mean, std = population_mean_and_std(recipe, templates)
    second = (1 + 1 / 12) * (1 + 9 + 4 + 4) / 4 + 0.5**2 + 1.2**2 / 12 * 0.25
    assert mean == pytest.approx((1 + 3 + 2 - 2) / 4, abs=1e-7)  # the 1e-8 on the template
    assert std == pytest.approx(np.sqrt(second - 1), abs=1e-7)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(template_len=7, padding=(3, 6), max_translation=5, final_seq_length=11),
        Recipe(template_len=4, padding=(0, 8), max_translation=20, final_seq_length=30, corr_noise_scale=2.0),
        Recipe(
            template_len=12, padding=(2, 2), max_translation=14, final_seq_length=14, shear_scale=2, scale_coeff=1.9
        ),
    ],
    ids=["downwards", "shifts beyond the length", "same length"],
)
def test_moments_are_the_average_over_all_clean_signals_one_by_one(recipe):
    """Every digit, padding and shift in turn; the noise through the matrices of the filter and of the resampling."""
    length, points = recipe.dilated_length, recipe.final_seq_length
    units = np.eye(length).tolist()
    smoothing = np.array([naive.smooth(unit) for unit in units]).T
    resampling = np.array([naive.interpolate(unit, points) for unit in units]).T
    trend = recipe.shear_scale**2 / 12 * (resampling @ np.linspace(-0.5, 0.5, length)) ** 2
    iid = recipe.iid_noise_scale**2 * (resampling**2).sum(axis=1)
    first, second = [], []
    for curve in naive.templates()[0]:
        for padding in range(recipe.padding[0], recipe.padding[1] + 1):
            dilated = naive.interpolate([height + 1e-8 for height in curve] + [0.0] * padding, length)
            for shift in range(recipe.max_translation):
                clean = np.array(naive.rotate(dilated, shift))
                correlated = (resampling @ (smoothing * (clean == 0)[:, None])) * recipe.corr_noise_scale
                level = resampling @ clean
                first.append(level)
                second.append((1 + recipe.scale_coeff**2 / 12) * level**2 + (correlated**2).sum(axis=1) + iid + trend)
    mean, std = population_mean_and_std(recipe, digit_templates())
    assert mean == pytest.approx(np.mean(first), abs=1e-13)
    assert std == pytest.approx(np.sqrt(np.mean(second) - np.mean(first) ** 2), rel=1e-12)


def test_a_big_reference_sample_normalises_by_nearly_the_same_numbers():
    arrays = make_mnist1d(num_samples=20_000)
    mean, std = population_mean_and_std(Recipe(), digit_templates())
    per_example = (arrays.train.x * arrays.std + arrays.mean).mean(axis=1)
    assert abs(arrays.mean - mean) < CRITICAL_Z * per_example.std() / np.sqrt(20_000)
    assert arrays.std == pytest.approx(std, rel=5e-3)

"""Mean and standard deviation of a recipe's raw signals over everything that can be drawn, exactly.

The fast stream normalises by these, because the mean and standard deviation of a sample would make every example
depend on all others. A raw point is linear in the factor, the noise and the ramp, and the clean signal it is made of is
one of finitely many, so the first two moments are sums and no sampling is needed.
"""

import numpy as np

from mnist1d_hf.generator.arithmetic import FloatArray, fold_sum
from mnist1d_hf.generator.recipe import Recipe
from mnist1d_hf.generator.stages import dilated_templates
from mnist1d_hf.generator.templates import Templates
from mnist1d_hf.generator.transforms import gaussian_filter


def population_mean_and_std(recipe: Recipe, templates: Templates) -> tuple[float, float]:
    """Returns the mean and standard deviation of all points of all signals before normalisation."""
    clean = dilated_templates(recipe, templates).reshape(-1, recipe.dilated_length)
    low, weight = _resampling(recipe)
    high = (low + 1) % recipe.dilated_length
    kept = 1 - weight

    padding = (clean == 0).astype(np.float64)
    level, level2, level_pair = (_expected(recipe, f) for f in _moments(clean))
    hole, _, hole_pair = (_expected(recipe, f) for f in _moments(padding))
    variance, neighbour = (recipe.corr_noise_scale**2 * f for f in _filter_covariance(recipe.dilated_length))
    ramp = np.linspace(-0.5, 0.5, recipe.dilated_length)

    first = kept * level[low] + weight * level[high]
    signal = kept**2 * level2[low] + 2 * kept * weight * level_pair[low] + weight**2 * level2[high]
    correlated = (
        kept**2 * hole[low] * variance[low]
        + 2 * kept * weight * hole_pair[low] * neighbour[low]
        + weight**2 * hole[high] * variance[high]
    )
    iid = recipe.iid_noise_scale**2 * (kept**2 + weight**2)
    trend = recipe.shear_scale**2 / 12 * (kept * ramp[low] + weight * ramp[high]) ** 2
    second = (1 + recipe.scale_coeff**2 / 12) * signal + correlated + iid + trend

    points = recipe.final_seq_length
    mean = float(fold_sum(first)) / points
    variance_of_all = float(fold_sum(second)) / points - mean**2
    return mean, float(np.sqrt(max(variance_of_all, 0.0)))  # rounding may take the variance of constants below zero


def _resampling(recipe: Recipe) -> tuple[np.ndarray, FloatArray]:
    """Returns the dilated point below each final point and the weight of the next one, ``(final_seq_length,)`` each."""
    place = np.linspace(0.0, recipe.dilated_length - 1.0, recipe.final_seq_length)
    low = np.floor(place).astype(np.intp)
    return low, place - low


def _moments(signals: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Returns the mean over signals of each point, its square and its product with the next, ``(length,)`` each."""
    n = len(signals)
    products = (signals, signals * signals, signals * np.roll(signals, -1, axis=1))
    first, square, pair = (fold_sum(product.T) / n for product in products)
    return first, square, pair


def _expected(recipe: Recipe, untranslated: FloatArray) -> FloatArray:
    """Returns the mean over all shifts of a quantity that moves along with the signal, ``(length,)``."""
    length = len(untranslated)
    effective = min(recipe.max_translation, length)
    total = sum(np.roll(untranslated, shift) for shift in range(effective))
    beyond = (recipe.max_translation - effective) * untranslated  # a shift by the length or more moves nothing
    return np.asarray((total + beyond) / recipe.max_translation)


def _filter_covariance(length: int) -> tuple[FloatArray, FloatArray]:
    """Returns smoothed white noise's variance at each point and covariance with the next point, ``(length,)`` each."""
    response = gaussian_filter(np.eye(length))  # row k: what a unit at point k becomes
    _, square, pair = _moments(response)
    return length * square, length * pair

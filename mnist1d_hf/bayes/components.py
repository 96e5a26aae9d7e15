"""What a recipe can make before noise, scale and shear: every label, padding and shift, and where the padding lies.

A signal before normalisation is, with factor u and shear v,

    raw = u R roll(c, s) - v R ramp + R e,      e ~ N(0, corr^2 H G G' H + iid^2 I),

where c is the dilated template of a label and a padding, R interpolates to the final length, G is the Gaussian filter
and H keeps the points that are exact zeros of the rolled c: only the padding holds correlated noise.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mnist1d_hf.generator import transforms
from mnist1d_hf.generator.arithmetic import FloatArray, IntArray
from mnist1d_hf.generator.recipe import Recipe, RecipeError
from mnist1d_hf.generator.stages import dilated_templates
from mnist1d_hf.generator.templates import Templates

BoolArray = npt.NDArray[np.bool_]
MOST_MEMORY = 2.0  # GB that the tables of a recipe may take


@dataclass(frozen=True, eq=False)
class Components:
    """The clean signals of a recipe, one for each row of the templates, padding and shift.

    Attributes:
        means: Clean signals at factor 1 before normalisation, ``(rows, paddings, shifts, length)``.
        masks: The different sets of exact zeros, shifted, ``(masks, shifts, dilated length)``.
        mask_of: Which of the masks a row and padding have, ``(rows, paddings)``.
        log_prior: Log-probability of each shift together with one row and one padding, ``(shifts,)``.
    """

    means: FloatArray
    masks: BoolArray
    mask_of: IntArray
    log_prior: FloatArray


def clean_components(recipe: Recipe, templates: Templates) -> Components:
    """Returns all clean signals of a recipe.

    Raises:
        RecipeError: If they and the tables made of them would need more than `MOST_MEMORY`.
    """
    shifts = np.arange(min(recipe.max_translation, recipe.dilated_length))
    rows, paddings = len(templates.x), recipe.padding[1] - recipe.padding[0] + 1
    _check_memory(rows * paddings * len(shifts), recipe.final_seq_length + recipe.dilated_length)
    dilated = dilated_templates(recipe, templates).swapaxes(0, 1)  # (rows, paddings, dilated length)
    zero, mask_of = np.unique((dilated == 0).reshape(-1, recipe.dilated_length), axis=0, return_inverse=True)
    _check_memory(len(zero) * len(shifts) * recipe.final_seq_length, recipe.final_seq_length)
    means = np.empty((rows, paddings, len(shifts), recipe.final_seq_length))
    matrix = resampling(recipe)
    for shift in shifts:  # R roll(c, s) is the matrix R with its columns rolled back, times c
        np.matmul(dilated, np.roll(matrix, -shift, axis=1).T, out=means[:, :, shift])
    weights = shift_weights(recipe)
    return Components(
        means=means,
        masks=shifted_masks(zero, shifts),
        mask_of=mask_of.reshape(rows, paddings),
        log_prior=np.log(weights / weights.sum()) - np.log(rows * paddings),
    )


def resampling(recipe: Recipe) -> FloatArray:
    """Returns the matrix R that interpolates a dilated signal to the final length, ``(length, dilated length)``."""
    return transforms.resample(np.eye(recipe.dilated_length), recipe.final_seq_length).T


def ramp(recipe: Recipe) -> FloatArray:
    """Returns the ramp that the shear subtracts at a coefficient of 1, ``(length,)``."""
    dilated: FloatArray = np.linspace(-0.5, 0.5, recipe.dilated_length)
    return resampling(recipe) @ dilated


def shift_weights(recipe: Recipe) -> FloatArray:
    """Returns the number of equally probable shifts that have the effect of each different one, ``(shifts,)``.

    A shift by the whole length or more leaves the signal as it is, as no shift does.
    """
    weights = np.ones(min(recipe.max_translation, recipe.dilated_length))
    weights[0] += recipe.max_translation - len(weights)
    return weights


def shifted_masks(zero: BoolArray, shifts: IntArray) -> BoolArray:
    """Returns the exact zeros after each shift, ``(masks, shifts, dilated length)``; they move with the template."""
    return np.stack([np.roll(zero, shift, axis=1) for shift in shifts], axis=1)


def _check_memory(numbers: int, each: int) -> None:
    needed = 8e-9 * numbers * each
    if needed > MOST_MEMORY:
        raise RecipeError(
            f"the exact posterior of this recipe needs tables of {needed:.1f} GB, more than {MOST_MEMORY:g} GB; "
            "narrow padding=, lower max_translation= or shorten final_seq_length="
        )

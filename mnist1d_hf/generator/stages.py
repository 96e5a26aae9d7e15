"""From draws to raw signals: the stages in their order, written once for both streams, with a trace on request.

Reference draws are in double, fast draws in single precision, and so are the signals made of them. No BLAS takes part:
given the draws, the bits are the same on every machine.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from mnist1d_hf.generator import transforms
from mnist1d_hf.generator.arithmetic import FloatArray
from mnist1d_hf.generator.draws import Draws
from mnist1d_hf.generator.recipe import Recipe, RecipeError
from mnist1d_hf.generator.templates import Templates

LEAST_STD: Final = 1e-6  # of raw signals that can be normalised
STAGES: Final = ("pad", "dilate", "scale", "translate", "correlated noise", "iid noise", "shear", "resample")


def dilated_templates(recipe: Recipe, templates: Templates) -> FloatArray:
    """Returns each template with each padding stretched to one length, ``(high - low + 1, classes, dilated length)``.

    Padding and label are all that the first two stages depend on, so examples look their signal up in this table.
    """
    low, high = recipe.padding
    clean = templates.x + transforms.EPSILON
    return np.stack(
        [
            transforms.resample(np.pad(clean, ((0, 0), (0, padding))), recipe.dilated_length)
            for padding in range(low, high + 1)
        ]
    )


def positions(recipe: Recipe, templates: Templates) -> FloatArray:
    """Returns the positions of the points of a finished signal before they are normalised, ``(final_seq_length,)``."""
    dilated = transforms.resample(templates.t[None], recipe.dilated_length)
    t: FloatArray = transforms.resample(dilated, recipe.final_seq_length)[0]
    return t


def apply(recipe: Recipe, draws: Draws, dilated: FloatArray) -> FloatArray:
    """Returns raw signals of these draws, ``(n, final_seq_length)``: not yet shuffled, flipped or normalised.

    Args:
        recipe: The scales of the noise and the final length.
        draws: The randomness of n examples.
        dilated: The table of `dilated_templates`.
    """
    for _, x in _later_stages(recipe, draws, _look_up(recipe, draws, dilated)):
        signals = x
    return signals


def apply_traced(recipe: Recipe, draws: Draws, dilated: FloatArray, templates: Templates) -> dict[str, FloatArray]:
    """Returns the signals of these draws after each of `STAGES`, ``(n, length at that stage)``.

    After "pad" the signals have different lengths: behind the end of the shorter ones stands NaN.
    """
    padded = transforms.pad(templates.x[draws.label] + transforms.EPSILON, draws.padding, recipe.padding[1])
    looked_up = _look_up(recipe, draws, dilated)
    return {"pad": padded, "dilate": looked_up, **dict(_later_stages(recipe, draws, looked_up))}


def _look_up(recipe: Recipe, draws: Draws, dilated: FloatArray) -> FloatArray:
    table: FloatArray = dilated.astype(draws.iid_noise.dtype, copy=False)
    signals: FloatArray = table[draws.padding - recipe.padding[0], draws.label]
    return signals


def _later_stages(recipe: Recipe, draws: Draws, x: FloatArray) -> Iterator[tuple[str, FloatArray]]:
    x = transforms.scale(x, draws.scale)
    yield "scale", x
    x = transforms.translate(x, draws.shift)
    yield "translate", x
    x = transforms.add_correlated_noise(x, draws.corr_noise, recipe.corr_noise_scale)
    yield "correlated noise", x
    x = transforms.add_iid_noise(x, draws.iid_noise, recipe.iid_noise_scale)
    yield "iid noise", x
    x = transforms.shear(x, draws.shear)
    yield "shear", x
    yield "resample", transforms.resample(x, recipe.final_seq_length)


def check_spread(std: float) -> None:
    """Refuses raw signals of this standard deviation if it is too small to divide by.

    Raises:
        RecipeError: If the signals are flat but for the 1e-8 that marks the points of a template.
    """
    if std < LEAST_STD:
        raise RecipeError(
            f"the raw signals have standard deviation {std:.1g} and cannot be normalised: with these values they are "
            "all constant; ask for more points (final_seq_length=), less padding=, or some noise"
        )

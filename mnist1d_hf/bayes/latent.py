"""What else the signal says about how it was made: padding, shift, scale and shear. For lessons."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist1d_hf.bayes.mixture import Kept, kept_components
from mnist1d_hf.bayes.posterior import in_chunks
from mnist1d_hf.bayes.problem import Problem
from mnist1d_hf.bayes.tables import Tables
from mnist1d_hf.generator.arithmetic import FloatArray, IntArray
from mnist1d_hf.generator.recipe import Recipe
from mnist1d_hf.generator.templates import Templates


@dataclass(frozen=True, eq=False)
class LatentPosterior:
    """The posterior of how each signal was made, whatever its label; one row a signal.

    Attributes:
        paddings: The values that the columns of ``padding`` stand for, ``(paddings,)``.
        shifts: The values that the columns of ``shift`` stand for, ``(shifts,)``. Shifts by the whole dilated length or
            more change nothing and count as none.
        padding: Probability of each, ``(n, paddings)``.
        shift: Probability of each, ``(n, shifts)``.
        scale: Mean of the factor on the amplitude, ``(n,)``.
        shear: Mean of the ramp's rise over the signal's length, before normalisation, ``(n,)``.
        best_label: Label of the most probable template, padding and shift together, ``(n,)``.
        best_padding: Its padding.
        best_shift: Its shift.
    """

    paddings: IntArray
    shifts: IntArray
    padding: FloatArray
    shift: FloatArray
    scale: FloatArray
    shear: FloatArray
    best_label: IntArray
    best_padding: IntArray
    best_shift: IntArray


def latent_posterior(
    x: Any,
    recipe: str | Recipe = "default",
    *,
    stream: str | None = None,
    mean: float | None = None,
    std: float | None = None,
    permutation: npt.ArrayLike | None = None,
    templates: Templates | None = None,
    workers: int = 1,
    progress: bool = False,
    **changes: Any,
) -> LatentPosterior:
    """Returns the posterior of each signal's padding, shift, scale and shear: which template, where, how large.

    Args:
        x: Signals, as for `log_posterior`, and so for all other arguments.
        recipe: Name of a config, or a recipe.
        stream: "reference" or "fast".
        mean: What was subtracted from the raw signals.
        std: What they were then divided by.
        permutation: Which raw point each point of a signal is, ``(length,)``.
        templates: Other curves than the ten digits.
        workers: Threads that share the signals.
        progress: Whether to show a bar.
        **changes: Fields of the recipe and their values.

    Raises:
        RecipeError: If recipe or stream cannot be used, the recipe has no iid noise, or too many components.
        ValueError: If x is not a matrix of finite numbers with the recipe's length, or another argument not allowed.
        ImportError: If scipy is not installed.
    """
    problem = Problem.of(recipe, stream, changes, mean=mean, std=std, permutation=permutation, templates=templates)
    tables, raw = problem.tables, problem.raw(x)
    rows, paddings, shifts = tables.shape
    parts = in_chunks(lambda some: _of_chunk(tables, some), raw, workers=workers, progress=progress)
    padding, shift, scale, shear, best = map(np.concatenate, zip(*parts, strict=True)) if parts else _nothing(tables)
    row, best_padding, best_shift = np.unravel_index(best, (rows, paddings, shifts))
    lowest = problem.recipe.padding[0]
    return LatentPosterior(
        paddings=np.arange(lowest, lowest + paddings),
        shifts=np.arange(shifts),
        padding=padding,
        shift=shift,
        scale=scale,
        shear=shear,
        best_label=problem.labels[problem.class_of[row]],
        best_padding=lowest + best_padding,
        best_shift=best_shift,
    )


def _nothing(tables: Tables) -> tuple[npt.NDArray[Any], ...]:
    _, paddings, shifts = tables.shape
    return np.empty((0, paddings)), np.empty((0, shifts)), np.empty(0), np.empty(0), np.empty(0, dtype=np.int64)


def _of_chunk(tables: Tables, raw: FloatArray) -> tuple[npt.NDArray[Any], ...]:
    """Returns the first four columns of a `LatentPosterior` and the number of the best component, for some signals."""
    parts = [_moments(tables, kept) for kept in kept_components(tables, raw)]
    return tuple(map(np.concatenate, zip(*parts, strict=True)))


def _moments(tables: Tables, kept: Kept) -> tuple[npt.NDArray[Any], ...]:
    _, paddings, shifts = tables.shape
    log = kept.integral.log
    n = int(kept.signal[-1]) + 1  # every signal keeps at least its best component
    starts = np.searchsorted(kept.signal, np.arange(n))
    highest = np.maximum.reduceat(log, starts)
    weight = np.exp(log - highest[kept.signal])
    weight /= np.add.reduceat(weight, starts)[kept.signal]

    def sums(values: FloatArray, place: IntArray, places: int) -> FloatArray:
        each = np.bincount(kept.signal * places + place, weights=values, minlength=n * places)
        return np.asarray(each, dtype=np.float64).reshape(n, places)

    where = np.zeros_like(kept.signal)
    best = np.lexsort((-weight, kept.signal))[starts]  # the largest weight of each signal comes first
    return (
        sums(weight, kept.component // shifts % paddings, paddings),
        sums(weight, kept.component % shifts, shifts),
        sums(weight * kept.integral.factor, where, 1)[:, 0],
        sums(weight * kept.integral.shear, where, 1)[:, 0],
        kept.component[best],
    )

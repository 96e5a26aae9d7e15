"""The ten signals that the page shows of a recipe, one of each digit, and how one of them came to be."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from lightning_module.explorer.make.sample import ten
from mnist1d_hf import Recipe, make_slice
from mnist1d_hf.generator.arithmetic import FloatArray, IntArray
from mnist1d_hf.generator.draws import BLOCK_SIZE
from mnist1d_hf.generator.fast_stream import FastStream
from mnist1d_hf.generator.recipe import RecipeError
from mnist1d_hf.generator.templates import NUM_CLASSES, digit_templates
from mnist1d_hf.plot.construction import TEMPLATE, Construction

MOST_OF_REFERENCE: Final = 51_000  # examples that the page makes of the reference stream, which makes all or none
MOST_POINTS: Final = 20_000_000  # of the signals of a trace: some 200 MB for a moment


@dataclass(frozen=True, eq=False)
class Shown:
    """One example of each digit.

    Attributes:
        x: The signals as the data set has them, float32 ``(digits, length)``.
        y: Their labels, with the recipe's noise, ``(digits,)``.
        digits: The digit that each was made of.
        mean: What was subtracted from the raw signals.
        std: What they were then divided by.
        construction: The signals after each stage.
        sha256: Digest of ``x``, its numbers one after another.
    """

    x: FloatArray
    y: IntArray
    digits: IntArray
    mean: float
    std: float
    construction: Construction
    sha256: str


@lru_cache(maxsize=48)
def shown(recipe: Recipe, stream: str, index: int) -> Shown:
    """Returns the example of each digit that stands at ``index`` among those of train; the last few are kept.

    Raises:
        RecipeError: If the recipe has no such examples, or more than the page makes.
    """
    if recipe.num_samples > MOST_OF_REFERENCE and stream == "reference":
        raise RecipeError(
            f"num_samples={recipe.num_samples}: the reference stream makes all of them or none, and this page at most "
            f"{MOST_OF_REFERENCE}; choose stream fast, which makes those alone that are shown"
        )
    if stream == "reference" and recipe.num_samples * recipe.dilated_length > MOST_POINTS:
        raise RecipeError(f"num_samples={recipe.num_samples} of {recipe.dilated_length} points are too many for a page")
    try:
        construction, x, y, mean, std = _of_fast(recipe, index) if stream == "fast" else _of_reference(recipe, index)
    except RecipeError:
        raise
    except ValueError as error:
        raise RecipeError(str(error)) from None
    x = np.ascontiguousarray(x, dtype=np.float32)
    x.flags.writeable = False
    digest = hashlib.sha256(x.astype("<f4").tobytes()).hexdigest()
    return Shown(x, y, np.arange(NUM_CLASSES), mean, std, construction, digest)


_Found = tuple[Construction, FloatArray, IntArray, float, float]


def _of_reference(recipe: Recipe, index: int) -> _Found:
    found = ten(recipe, index)
    templates = digit_templates()
    stages = {TEMPLATE: templates.x, **found.trace}
    if name := " and ".join(["shuffle"] * recipe.shuffle_seq + ["flip"] * recipe.flip_seq):
        stages[name] = found.x * found.std + found.mean
    construction = Construction(tuple(range(NUM_CLASSES)), recipe, stages)
    return construction, found.x, found.y, found.mean, found.std


def _of_fast(recipe: Recipe, index: int) -> _Found:
    construction = Construction.make(recipe, stream="fast", index=index)
    stop = BLOCK_SIZE * (NUM_CLASSES * index // BLOCK_SIZE + 1)
    train = make_slice(recipe, "train", 0, min(stop, recipe.split_sizes("fast")["train"]))
    rows = _rows(train.y_clean, index)
    fast = FastStream.of(recipe)
    return construction, train.x[rows], train.y[rows], fast.mean, fast.std


def _rows(y: IntArray, index: int) -> list[int]:
    return [int(np.flatnonzero(y == digit)[index]) for digit in digit_templates().y]

"""The reference stream for somebody who moves a slider: its draws are kept, and most moves need no new ones.

To draw takes four fifths of the time in which `make_mnist1d` makes a data set, and the draws depend on few numbers of
a recipe. What is made of them here is what `make_mnist1d` makes, to the last bit: a test compares them.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from mnist1d_hf import Recipe
from mnist1d_hf.generator.arithmetic import FloatArray, IntArray, mean_and_std
from mnist1d_hf.generator.draws import Draws, reference_label_noise
from mnist1d_hf.generator.stages import apply, apply_traced, check_spread, dilated_templates
from mnist1d_hf.generator.templates import NUM_CLASSES, digit_templates

KEPT: Final = 6  # draws of so many kinds; those of 5,000 examples take 6 MB
CHUNK: Final = 1000  # examples made at a time


@dataclass(frozen=True, eq=False)
class _Raw:
    """What is drawn, before a recipe's scales are applied.

    Attributes:
        uniform: For padding, scale and shear, ``(n, 3)``.
        shift: Rotations, ``(n,)``.
        noise: Standard normals, ``(2 * dilated length, n)``.
        order: The permutation of the examples.
        after: State of the generator when all this is drawn.
    """

    uniform: FloatArray
    shift: IntArray
    noise: FloatArray
    order: IntArray
    after: object

    def draws(self, recipe: Recipe, rows: slice | IntArray) -> Draws:
        """Returns the draws of some examples, in the order in which they are drawn."""
        low, high = recipe.padding
        length, uniform = recipe.dilated_length, self.uniform[rows]
        return Draws(
            label=np.arange(len(self.shift))[rows] // (len(self.shift) // NUM_CLASSES),
            padding=low + (uniform[:, 0] * (high - low + 1)).astype(np.int64),
            scale=1 + recipe.scale_coeff * (uniform[:, 1] - 0.5),
            shift=self.shift[rows],
            shear=recipe.shear_scale * (uniform[:, 2] - 0.5),
            corr_noise=np.ascontiguousarray(self.noise[:length, rows]).T,
            iid_noise=np.ascontiguousarray(self.noise[length:, rows]).T,
        )


@lru_cache(maxsize=KEPT)
def _raw(seed: int, n: int, length: int, max_translation: int) -> _Raw:
    random = np.random.RandomState(seed)
    uniform, shift = np.empty((n, 3)), np.empty(n, dtype=np.int64)
    noise = np.empty((n, 2 * length))
    for row in range(n):
        uniform[row, 0] = random.random_sample()
        uniform[row, 1] = random.random_sample()
        shift[row] = random.randint(max_translation)
        noise[row] = random.standard_normal(2 * length)
        uniform[row, 2] = random.random_sample()
    order = random.permutation(n)
    return _Raw(uniform, shift, np.ascontiguousarray(noise.T), order, random.get_state())


@dataclass(frozen=True, eq=False)
class Ten:
    """One training example of each digit.

    Attributes:
        x: The signals, ``(10, length)``, double precision.
        y: Their labels, with the recipe's noise.
        trace: The raw signals after each stage.
        mean: What was subtracted from all signals.
        std: What they were then divided by.
    """

    x: FloatArray
    y: IntArray
    trace: dict[str, FloatArray]
    mean: float
    std: float


def ten(recipe: Recipe, index: int) -> Ten:
    """Returns the example of each digit that stands at ``index`` among those of train.

    Raises:
        ValueError: If there are not so many of a digit, or the signals cannot be normalised.
    """
    n = recipe.num_samples // NUM_CLASSES * NUM_CLASSES
    train = recipe.split_sizes("reference")["train"]
    raw = _raw(recipe.seed, n, recipe.dilated_length, recipe.max_translation)
    templates = digit_templates()
    dilated = dilated_templates(recipe, templates)
    parts = [apply(recipe, raw.draws(recipe, slice(k, k + CHUNK)), dilated) for k in range(0, n, CHUNK)]
    signals = np.concatenate(parts)[raw.order]
    points = _order_of_points(recipe, raw)
    if recipe.shuffle_seq:
        signals = signals[:, points]
    mean, std = mean_and_std(signals)
    check_spread(std)
    labels = (raw.order // (n // NUM_CLASSES))[:train]
    rows = np.array([_row(labels, digit, index) for digit in range(NUM_CLASSES)])
    x = (signals[rows] - mean) / std
    y = labels if recipe.label_noise == 0 else reference_label_noise(recipe, labels, templates.y)
    trace = apply_traced(recipe, raw.draws(recipe, raw.order[rows]), dilated, templates)
    return Ten(x[:, ::-1] if recipe.flip_seq else x, y[rows], trace, mean, std)


def _order_of_points(recipe: Recipe, raw: _Raw) -> IntArray:
    if not recipe.shuffle_seq:
        return np.arange(recipe.final_seq_length)
    random = np.random.RandomState()
    random.set_state(raw.after)  # type: ignore[arg-type]  # as get_state gave it
    return random.permutation(recipe.final_seq_length)


def _row(labels: IntArray, digit: int, index: int) -> int:
    found = np.flatnonzero(labels == digit)
    if not 0 <= index < len(found):
        raise ValueError(
            f"example {index} of digit {digit}: train has {len(found)} of them; lower the example's number, or raise "
            "num_samples"
        )
    return int(found[index])

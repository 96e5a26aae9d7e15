"""All the randomness of n examples, drawn in the reference's order or block by block."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from mnist1d_hf.generator.arithmetic import FloatArray, IntArray
from mnist1d_hf.generator.arrays import Latents
from mnist1d_hf.generator.recipe import Recipe
from mnist1d_hf.generator.templates import NUM_CLASSES

BLOCK_SIZE: Final = 1000  # examples of the fast stream that share a generator; part of the stream: never change it
SPLIT_KEYS: Final = {"train": 0, "test": 1}
_PERMUTATION_KEY: Final = 2
_LABEL_NOISE_KEY: Final = 3
_CHUNK_SIZE: Final = 1000  # examples of the reference stream drawn at a time; does not change what is drawn


@dataclass(frozen=True)
class Draws:
    """The random numbers of n examples, in the order in which they are generated.

    Attributes:
        label: Row of the template, ``(n,)``.
        padding: Zeros appended to the template, ``(n,)``.
        scale: Factor on the amplitude, ``(n,)``.
        shift: Rotation to the right in points, ``(n,)``.
        shear: Rise of the subtracted ramp over the signal's length, ``(n,)``.
        corr_noise: Standard normal draws behind the noise on the padding, ``(n, dilated length)``.
        iid_noise: Standard normal draws behind the noise everywhere, ``(n, dilated length)``.
    """

    label: IntArray
    padding: IntArray
    scale: FloatArray
    shift: IntArray
    shear: FloatArray
    corr_noise: FloatArray
    iid_noise: FloatArray

    @property
    def latents(self) -> Latents:
        """Returns the latents of each example, as a config with latents has them."""
        return Latents(padding=self.padding, scale=self.scale, shift=self.shift, shear=self.shear)


def reference_draws(recipe: Recipe, random: np.random.RandomState, classes: int = NUM_CLASSES) -> Iterator[Draws]:
    """Yields chunks of draws in the reference's order, class by class, in double precision.

    Per example: one uniform for the padding, one for the scale, an integer for the shift, two times the dilated length
    of normals (also where a noise scale is zero), one uniform for the shear.

    Args:
        recipe: What to draw for.
        random: Legacy generator, seeded; its state moves on.
        classes: Number of templates, each of which gets ``num_samples // classes`` examples.
    """
    per_class = recipe.num_samples // classes
    for start in range(0, per_class * classes, _CHUNK_SIZE):
        label = np.arange(start, min(start + _CHUNK_SIZE, per_class * classes)) // per_class
        yield _reference_chunk(recipe, random, label)


def _reference_chunk(recipe: Recipe, random: np.random.RandomState, label: IntArray) -> Draws:
    n, length = len(label), recipe.dilated_length
    uniform = np.empty((n, 3))
    shift = np.empty(n, dtype=np.int64)
    noise = np.empty((n, 2 * length))
    draw_uniform, draw_integer, draw_normal = random.random_sample, random.randint, random.standard_normal
    for i in range(n):
        uniform[i, 0] = draw_uniform()
        uniform[i, 1] = draw_uniform()
        shift[i] = draw_integer(recipe.max_translation)
        noise[i] = draw_normal(2 * length)
        uniform[i, 2] = draw_uniform()
    low, high = recipe.padding
    columns = np.ascontiguousarray(noise.T)  # column-major signals, on which the transforms are fastest
    return Draws(
        label=label,
        padding=low + (uniform[:, 0] * (high - low + 1)).astype(np.int64),
        scale=1 + recipe.scale_coeff * (uniform[:, 1] - 0.5),
        shift=shift,
        shear=recipe.shear_scale * (uniform[:, 2] - 0.5),
        corr_noise=columns[:length].T,
        iid_noise=columns[length:].T,
    )


def noise_memory(recipe: Recipe) -> FloatArray:
    """Returns memory for the normal draws of one block of the fast stream, ``(2, dilated length, BLOCK_SIZE)``."""
    return np.empty((2, recipe.dilated_length, BLOCK_SIZE), dtype=np.float32)


def fast_draws(recipe: Recipe, split: str, block: int, noise: FloatArray | None = None) -> Draws:
    """Returns the draws of one whole block, in single precision, from a generator of its own.

    Each digit occurs ``BLOCK_SIZE / 10`` times in a block, in random order.

    Args:
        recipe: What to draw for; its sizes play no role.
        split: "train" or "test".
        block: Number of the block: examples ``block * BLOCK_SIZE`` and following.
        noise: `noise_memory` to draw into, overwritten. Many blocks are made a third faster with memory that stays:
            to free it and ask for it again costs as much as half of the drawing.
    """
    random = _generator(recipe.seed, SPLIT_KEYS[split], block)
    low, high = recipe.padding
    label = random.permutation(np.arange(BLOCK_SIZE) % NUM_CLASSES)
    padding = random.integers(low, high + 1, BLOCK_SIZE)
    factor = 1 + recipe.scale_coeff * (random.random(BLOCK_SIZE) - 0.5)
    shift = random.integers(recipe.max_translation, size=BLOCK_SIZE)
    coefficient = recipe.shear_scale * (random.random(BLOCK_SIZE) - 0.5)
    noise = noise_memory(recipe) if noise is None else noise
    _draw_normals(random, noise)
    return Draws(
        label=label,
        padding=padding,
        scale=factor.astype(np.float32),
        shift=shift,
        shear=coefficient.astype(np.float32),
        corr_noise=noise[0].T,
        iid_noise=noise[1].T,
    )


def _draw_normals(random: np.random.Generator, noise: FloatArray) -> None:
    """Fills ``(2, ...)`` single-precision numbers with independent standard normals, by the polar form of a pair.

    Three times faster than the generator's own normals, because logarithm, sine and cosine run on whole vectors; their
    last bit may differ from one processor to the next. The uniforms have 24 bits, so none lies beyond 5.8.

    Source: Box & Muller (1958), "A Note on the Generation of Random Normal Deviates".
    """
    radius, angle = noise
    random.random(dtype=np.float32, out=noise)
    np.subtract(np.float32(1), radius, out=radius)  # from [0, 1) to (0, 1]
    np.log(radius, out=radius)
    radius *= np.float32(-2)
    np.sqrt(radius, out=radius)
    angle *= np.float32(2 * np.pi)
    cosine = np.cos(angle)
    np.sin(angle, out=angle)
    angle *= radius
    radius *= cosine


def fast_permutation(recipe: Recipe) -> IntArray:
    """Returns the permutation of the points that the fast stream uses where ``shuffle_seq`` is set."""
    return _generator(recipe.seed, _PERMUTATION_KEY).permutation(recipe.final_seq_length)


def reference_label_noise(recipe: Recipe, y: IntArray, labels: IntArray) -> IntArray:
    """Returns the labels with the recipe's noise, drawn for all of them at once from ``labels``, ``(n,)``."""
    return _noisy(np.random.RandomState(recipe.label_noise_seed), recipe.label_noise, y, labels)


def fast_label_noise(recipe: Recipe, block: int, y: IntArray) -> IntArray:
    """Returns the labels of one whole block of train with the recipe's noise, ``(BLOCK_SIZE,)``."""
    return _noisy(
        _generator(recipe.label_noise_seed, _LABEL_NOISE_KEY, block), recipe.label_noise, y, np.arange(NUM_CLASSES)
    )


def _noisy(
    random: np.random.RandomState | np.random.Generator, probability: float, y: IntArray, labels: IntArray
) -> IntArray:
    replaced = random.random(len(y)) < probability
    replacement = labels[(random.random(len(y)) * len(labels)).astype(np.intp)]
    return np.where(replaced, replacement, y)


def _generator(seed: int, *key: int) -> np.random.Generator:
    # PCG64 by name: `default_rng` may become another generator in a later numpy.
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))

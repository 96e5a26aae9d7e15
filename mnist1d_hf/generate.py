"""`make_mnist1d` and `make_slice`: order, normalisation and split live here and nowhere else."""

import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mnist1d_hf.arithmetic import FloatArray, IntArray, mean_and_std
from mnist1d_hf.arrays import Latents, MNIST1DArrays, Split
from mnist1d_hf.draws import (
    BLOCK_SIZE,
    SPLIT_KEYS,
    Draws,
    fast_draws,
    fast_label_noise,
    fast_permutation,
    noise_memory,
    reference_draws,
    reference_label_noise,
)
from mnist1d_hf.population import population_mean_and_std
from mnist1d_hf.recipe import Recipe, RecipeError, checked_stream, named_recipe, nearest
from mnist1d_hf.streams import apply, apply_traced, dilated_templates, positions
from mnist1d_hf.templates import Templates, digit_templates

# Of the raw signals. Below it they are flat but for the 1e-8 that marks the template's points.
_LEAST_STD: Final = 1e-6

_CORES: Final = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_BLOCKS_WORTH_A_THREAD: Final = 8


def make_mnist1d(
    recipe: str | Recipe = "default",
    *,
    stream: str | None = None,
    trace: bool = False,
    latents: bool = False,
    dtype: npt.DTypeLike | None = None,
    templates: Templates | None = None,
    **changes: Any,
) -> MNIST1DArrays:
    """MNIST-1D or any variant of it as arrays; the caller's random state is neither read nor written.

    ``make_mnist1d()`` is the frozen 2020 data set: x ``(4000, 40)`` and ``(1000, 40)``, float64.

    Args:
        recipe: Name of a config, or a recipe.
        stream: "reference" draws as the reference package does, one example after the other; "fast" draws in blocks
            that can each be made alone (`make_slice`). By default what the config says, else "reference".
        trace: Whether to return the raw signals after every stage.
        latents: Whether to return each example's padding, scale, shift and shear.
        dtype: Precision of x and t; by default that of the stream, float64 for "reference", float32 for "fast".
        templates: Other curves than the ten digits; for the reference stream only.
        **changes: Fields of the recipe and their values, ``iid_noise_scale=0.1``.

    Raises:
        RecipeError: If a name is unknown or a value not allowed.

    Source: Greydanus & Kobak (2024), "Scaling Down Deep Learning with MNIST-1D", ICML.
    """
    named = named_recipe(recipe) if isinstance(recipe, str) else None
    chosen = (named.recipe if named else _checked_recipe(recipe)).replace(**changes)
    stream = checked_stream(stream or (named.stream if named else "reference"))
    latents = latents or (named.latents if named else False)
    if stream == "reference":
        arrays = _make_reference(chosen, templates or digit_templates(), trace, latents)
    elif templates is None:
        arrays = _make_fast(chosen, trace, latents)
    else:
        raise RecipeError("templates= is for stream='reference'; the fast stream makes the ten digits only")
    return arrays if dtype is None else arrays.astype(dtype)


def make_slice(
    recipe: str | Recipe,
    split: str,
    start: int,
    stop: int,
    *,
    trace: bool = False,
    latents: bool = False,
    **changes: Any,
) -> Split:
    """Examples ``start`` to ``stop`` of one split of the fast stream, x float32 ``(stop - start, length)``.

    They are the same rows, bit for bit, whichever slice they are asked for in. The stream has no end: a slice may lie
    beyond the recipe's ``num_samples``.

    Args:
        recipe: Name of a config, or a recipe.
        split: "train" or "test".
        start: First example.
        stop: The one after the last.
        trace: Whether to return the raw signals after every stage.
        latents: Whether to return each example's padding, scale, shift and shear.
        **changes: Fields of the recipe and their values.

    Raises:
        RecipeError: If a name is unknown, a value not allowed, or the slice not one of a stream.
    """
    chosen = (named_recipe(recipe).recipe if isinstance(recipe, str) else _checked_recipe(recipe)).replace(**changes)
    if split not in SPLIT_KEYS:
        raise RecipeError(f"split={split!r} is not known{nearest(str(split), SPLIT_KEYS)}")
    if not 0 <= start <= stop:
        raise RecipeError(f"start={start}, stop={stop} must be a slice with 0 <= start <= stop")
    return FastStream.of(chosen).slice(split, start, stop, trace=trace, latents=latents)


@dataclass(frozen=True, eq=False)
class FastStream:
    """The fast stream of one recipe, prepared: what all its blocks share.

    Attributes:
        recipe: The numbers of the generator.
        templates: The ten digits.
        dilated: Table of dilated templates in single precision, ``(paddings, classes, dilated length)``.
        order: Which point of the raw signal each point of a finished one is, ``(length,)``.
        mean: Population mean of the raw signals.
        std: Population standard deviation.
    """

    recipe: Recipe
    templates: Templates
    dilated: FloatArray
    order: IntArray
    mean: float
    std: float

    @classmethod
    @lru_cache(maxsize=8)
    def of(cls, recipe: Recipe) -> "FastStream":
        """The stream of a recipe; the last few are remembered."""
        templates = digit_templates()
        order = fast_permutation(recipe) if recipe.shuffle_seq else np.arange(recipe.final_seq_length)
        mean, std = population_mean_and_std(recipe, templates)
        _check_spread(std)
        return cls(
            recipe=recipe,
            templates=templates,
            dilated=dilated_templates(recipe, templates).astype(np.float32),
            order=order[::-1] if recipe.flip_seq else order,
            mean=mean,
            std=std,
        )

    def slice(self, split: str, start: int, stop: int, *, trace: bool = False, latents: bool = False) -> Split:
        """Examples ``start`` to ``stop``; see `make_slice`."""
        if start == stop:
            return self._block(split, 0, trace, latents)[:0]
        first, last = start // BLOCK_SIZE, (stop - 1) // BLOCK_SIZE
        if first == last or trace or latents:
            offset = first * BLOCK_SIZE
            parts = [self._block(split, block, trace, latents) for block in range(first, last + 1)]
            return Split.concatenate(parts)[start - offset : stop - offset]
        return self._filled(split, start, stop)

    def _filled(self, split: str, start: int, stop: int) -> Split:
        """A long slice, written block by block into arrays of its size, so that it is never held twice.

        Blocks depend on nothing but their number, and numpy draws and computes without holding the interpreter's lock,
        so threads share them.
        """
        n = stop - start
        x = np.empty((n, self.recipe.final_seq_length), dtype=np.float32)
        y = np.empty(n, dtype=np.int64)
        y_clean = np.empty(n, dtype=np.int64) if self.recipe.label_noise else y

        def fill(share: range) -> None:
            noise = noise_memory(self.recipe)
            for block in share:
                offset = block * BLOCK_SIZE - start
                rows = slice(max(offset, 0), min(offset + BLOCK_SIZE, n))
                made = self._block(split, block, noise=noise)[rows.start - offset : rows.stop - offset]
                x[rows], y[rows], y_clean[rows] = made.x, made.y, made.y_clean

        blocks = range(start // BLOCK_SIZE, (stop - 1) // BLOCK_SIZE + 1)
        threads = max(1, min(_CORES, len(blocks) // _BLOCKS_WORTH_A_THREAD))
        if threads == 1:
            fill(blocks)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(fill, (blocks[first::threads] for first in range(threads))))  # the list: errors come out
        return Split(x=x, y=y, y_clean=y_clean)

    def _block(
        self, split: str, block: int, trace: bool = False, latents: bool = False, noise: FloatArray | None = None
    ) -> Split:
        draws = fast_draws(self.recipe, split, block, noise)
        stages = apply_traced(self.recipe, draws, self.dilated, self.templates) if trace else None
        raw = stages["resample"] if stages else apply(self.recipe, draws, self.dilated)
        x = raw.T[self.order]  # (length, n) in memory, as the stages leave it
        x -= np.float32(self.mean)
        x /= np.float32(self.std)
        noisy = split == "train" and self.recipe.label_noise > 0
        return Split(
            x=x.T,
            y=fast_label_noise(self.recipe, block, draws.label) if noisy else draws.label,
            y_clean=draws.label,
            latents=_latents(draws) if latents else None,
            trace=stages,
        )


def _make_fast(recipe: Recipe, trace: bool, latents: bool) -> MNIST1DArrays:
    stream = FastStream.of(recipe)
    sizes = recipe.split_sizes("fast")
    train, test = (stream.slice(split, 0, sizes[split], trace=trace, latents=latents) for split in ("train", "test"))
    return MNIST1DArrays(
        train=train,
        test=test,
        t=(positions(recipe, stream.templates) / stream.std).astype(np.float32),
        templates=stream.templates,
        recipe=recipe,
        stream="fast",
        mean=stream.mean,
        std=stream.std,
    )


def _make_reference(recipe: Recipe, templates: Templates, trace: bool, latents: bool) -> MNIST1DArrays:
    recipe.split_sizes("reference")  # is an error if there are too many
    if rest := recipe.num_samples % len(templates.y):
        warnings.warn(
            f"num_samples={recipe.num_samples} makes {recipe.num_samples - rest} examples: the reference stream makes "
            f"equally many of each of {len(templates.y)} classes; stream='fast' makes exactly {recipe.num_samples}",
            stacklevel=3,
        )
    if recipe.num_samples < len(templates.y):
        raise RecipeError(
            f"num_samples={recipe.num_samples} is less than one example for each of the {len(templates.y)} templates; "
            f"ask for at least {len(templates.y)}"
        )
    random = np.random.RandomState(recipe.seed)
    generated = Split.concatenate(list(_reference_parts(recipe, templates, random, trace, latents)))
    generated = generated[random.permutation(len(generated))]
    raw = generated.x
    if recipe.shuffle_seq:
        raw = raw[:, random.permutation(recipe.final_seq_length)]
    mean, std = mean_and_std(raw)  # train and test together, as in the reference
    _check_spread(std)
    x = (raw - mean) / std
    if recipe.flip_seq:
        x = np.ascontiguousarray(x[:, ::-1])
    split = int(len(x) * recipe.train_split)
    train, test = slice(None, split), slice(split, None)
    y = generated.y.copy()
    if recipe.label_noise > 0:
        y[train] = reference_label_noise(recipe, y[train], templates.y)
    finished = Split(x=x, y=y, y_clean=generated.y_clean, latents=generated.latents, trace=generated.trace)
    return MNIST1DArrays(
        train=finished[train],
        test=finished[test],
        t=positions(recipe, templates) / std,
        templates=templates,
        recipe=recipe,
        stream="reference",
        mean=mean,
        std=std,
    )


def _reference_parts(
    recipe: Recipe, templates: Templates, random: np.random.RandomState, trace: bool, latents: bool
) -> Iterator[Split]:
    dilated = dilated_templates(recipe, templates)
    for draws in reference_draws(recipe, random, len(templates.y)):
        stages = apply_traced(recipe, draws, dilated, templates) if trace else None
        label = np.asarray(templates.y[draws.label])
        yield Split(
            x=stages["resample"] if stages else apply(recipe, draws, dilated),
            y=label,
            y_clean=label,
            latents=_latents(draws) if latents else None,
            trace=stages,
        )


def _latents(draws: Draws) -> Latents:
    return Latents(padding=draws.padding, scale=draws.scale, shift=draws.shift, shear=draws.shear)


def _check_spread(std: float) -> None:
    if std < _LEAST_STD:
        raise RecipeError(
            f"the raw signals have standard deviation {std:.1g} and cannot be normalised: with these values they are "
            "all constant; ask for more points (final_seq_length=), less padding=, or some noise"
        )


def _checked_recipe(recipe: Any) -> Recipe:
    if not isinstance(recipe, Recipe):
        raise RecipeError(
            f"recipe={recipe!r} must be the name of a config or a Recipe; it is a {type(recipe).__name__}"
        )
    return recipe

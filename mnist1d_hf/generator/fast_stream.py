"""The fast stream: blocks that can each be made alone, normalised by the population, on all cores."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from mnist1d_hf.generator.arithmetic import FloatArray, IntArray
from mnist1d_hf.generator.arrays import MNIST1DArrays, Split
from mnist1d_hf.generator.draws import BLOCK_SIZE, fast_draws, fast_label_noise, fast_permutation, noise_memory
from mnist1d_hf.generator.population import population_mean_and_std
from mnist1d_hf.generator.recipe import Recipe
from mnist1d_hf.generator.stages import apply, apply_traced, check_spread, dilated_templates, positions
from mnist1d_hf.generator.templates import Templates, digit_templates

_CORES: Final = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_BLOCKS_WORTH_A_THREAD: Final = 8


def make_fast(recipe: Recipe, trace: bool, latents: bool) -> MNIST1DArrays:
    """Returns both splits of a recipe, each from its own beginning."""
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
        """Returns the stream of a recipe; the last few are kept in memory."""
        templates = digit_templates()
        order = fast_permutation(recipe) if recipe.shuffle_seq else np.arange(recipe.final_seq_length)
        mean, std = population_mean_and_std(recipe, templates)
        check_spread(std)
        return cls(
            recipe=recipe,
            templates=templates,
            dilated=dilated_templates(recipe, templates).astype(np.float32),
            order=order[::-1] if recipe.flip_seq else order,
            mean=mean,
            std=std,
        )

    def slice(self, split: str, start: int, stop: int, *, trace: bool = False, latents: bool = False) -> Split:
        """Returns examples ``start`` to ``stop``; see `mnist1d_hf.make_slice`."""
        if start == stop:
            return self._block(split, 0, trace, latents)[:0]
        first, last = start // BLOCK_SIZE, (stop - 1) // BLOCK_SIZE
        if first == last or trace or latents:
            offset = first * BLOCK_SIZE
            parts = [self._block(split, block, trace, latents) for block in range(first, last + 1)]
            return Split.concatenate(parts)[start - offset : stop - offset]
        return self._filled(split, start, stop)

    def _filled(self, split: str, start: int, stop: int) -> Split:
        """Returns a long slice, written block by block into arrays of its size, so that it is never held twice.

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
            latents=draws.latents if latents else None,
            trace=stages,
        )

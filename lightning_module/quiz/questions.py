"""Which signals a quiz shows."""

import random
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from mnist1d_hf import RECIPES, make_mnist1d, make_slice
from mnist1d_hf.generator.recipe import DEFAULT, named_recipe

SPLIT = "test"


@dataclass(frozen=True, eq=False)
class Questions:
    """Signals of a config's test split.

    Attributes:
        config: The config's name.
        seed: What decided which they are.
        rows: Their rows in the split, in the order in which they are shown.
        x: The signals, ``(n, length)``.
        y: Their labels, ``(n,)``.
    """

    config: str
    seed: int
    rows: list[int]
    x: npt.NDArray[np.floating]
    y: npt.NDArray[np.int64]

    @classmethod
    def draw(cls, config: str = "default", *, number: int = 40, seed: int | None = None) -> Self:
        """Returns signals drawn at random, none twice.

        Args:
            config: Name of a config.
            number: How many signals.
            seed: The same seed gives the same signals; None for one of its own.

        Raises:
            ValueError: If there is no such config, or not so many signals.
        """
        named = named_recipe(config)
        size = named.recipe.split_sizes(named.stream)[SPLIT]
        if not 1 <= number <= size:
            raise ValueError(f"number={number} must be from 1 to {size}, the test signals of {config!r}")
        if seed is None:
            seed = random.SystemRandom().randrange(10_000)  # short, for somebody may want to type it
        if seed < 0:
            raise ValueError(f"seed={seed} must be 0 or more")
        rows = random.Random(seed).sample(range(size), number)
        if named.stream == "fast":
            parts = [make_slice(named.recipe, SPLIT, row, row + 1) for row in rows]
            return cls(config, seed, rows, np.concatenate([p.x for p in parts]), np.concatenate([p.y for p in parts]))
        test = make_mnist1d(named.recipe).test
        return cls(config, seed, rows, test.x[rows], test.y[rows])

    @property
    def are_frozen(self) -> bool:
        """Returns whether the signals are of the frozen data set, which networks and a person were tested on."""
        named = RECIPES[self.config]
        return named.recipe == DEFAULT and named.stream == "reference"

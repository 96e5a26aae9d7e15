"""The numbers of the study of soft labels."""

from dataclasses import dataclass
from typing import Final

from lightning_module.studies.framework.cells import Config

CONFIG: Final = "high-noise"
ARMS: Final = ("hard", "soft")
NETWORKS: Final = ("mlp", "cnn")
MOST_VALIDATION: Final = 2000


@dataclass(frozen=True, kw_only=True)
class SoftLabelsConfig(Config):
    """The numbers of the study.

    Attributes:
        seeds: Number of seeds, which are 0, 1, 2, ...; each has its own initialisation, draws and validation.
        sizes: Numbers of examples, in rising order; of each a fifth, but at most 2000, is held out to tune by.
        soft_sizes: How many of these, from the smallest, the soft arm has as well: a posterior takes its time.
        steps: Optimiser steps for each number of examples.
        rates: Learning rates to choose from.
        looks: Looks at validation on the way, at equal distances.
        tests: Test signals of each seed.
    """

    seeds: int = 5
    sizes: tuple[int, ...] = (250, 1000, 4000, 16_000, 64_000)
    soft_sizes: int = 4
    steps: tuple[int, ...] = (1000, 2000, 4000, 7000, 10_000)
    rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2)
    looks: int = 40
    tests: int = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        if sorted(set(self.sizes)) != list(self.sizes) or self.sizes[0] < 50:
            raise ValueError(f"sizes={self.sizes} must rise, from at least 50 examples")
        if len(self.steps) != len(self.sizes):
            raise ValueError(f"steps={self.steps} must have a number for each of sizes={self.sizes}")
        if not 1 <= self.soft_sizes <= len(self.sizes):
            raise ValueError(f"soft_sizes={self.soft_sizes} must be from 1 to {len(self.sizes)}, the number of sizes")
        if not self.rates or min(self.rates) <= 0:
            raise ValueError(f"rates={self.rates} must be learning rates above 0, at least one")
        if any(steps % self.looks for steps in self.steps):
            raise ValueError(f"looks={self.looks} must divide each of steps={self.steps}")


def held_out(size: int) -> int:
    """Returns how many of the examples are held out to choose rate and stopping step by."""
    return min(size // 5, MOST_VALIDATION)

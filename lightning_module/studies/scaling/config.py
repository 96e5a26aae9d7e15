"""The numbers of the study of scaling."""

from dataclasses import dataclass
from typing import Any, Final

from lightning_module.studies.framework.cells import Config

# The recipes, as a config and the numbers of it that are changed.
RECIPES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "high-noise": ("high-noise", {}),
    "iid-0.05": ("default", {"iid_noise_scale": 0.05}),
}
# Hidden units and channels of the benchmark's networks, which widths are multiples of.
UNITS: Final = {"mlp": 100, "cnn": 25}
MOST_VALIDATION: Final = 5000


@dataclass(frozen=True, kw_only=True)
class ScalingConfig(Config):
    """The numbers of the study.

    Attributes:
        seeds: Number of seeds, which are 0, 1, 2, ...; each has its own initialisation, draw and test signals.
        sizes: Numbers of examples, in rising order; of each a fifth, but at most 5000, is held out to tune by.
        steps: Optimiser steps for each number of examples.
        widths: Of the networks, as multiples of those of the benchmark.
        rates: Learning rates to choose from.
        looks: Looks at validation on the way, at equal distances.
        tests: Test signals of each seed, whose posterior is computed.
    """

    seeds: int = 3
    sizes: tuple[int, ...] = (250, 1000, 4000, 16_000, 64_000, 256_000, 1_024_000)
    steps: tuple[int, ...] = (1000, 2000, 4000, 7000, 12_000, 20_000, 40_000)
    widths: tuple[float, ...] = (0.5, 1.0, 2.0)
    rates: tuple[float, ...] = (5e-4, 2e-3, 8e-3)
    looks: int = 40
    tests: int = 2000

    def __post_init__(self) -> None:
        super().__post_init__()
        if sorted(set(self.sizes)) != list(self.sizes) or self.sizes[0] < 50:
            raise ValueError(f"sizes={self.sizes} must rise, from at least 50 examples")
        if len(self.steps) != len(self.sizes):
            raise ValueError(f"steps={self.steps} must have a number for each of sizes={self.sizes}")
        if not self.widths or min(self.widths) < 0.04:
            raise ValueError(f"widths={self.widths} must be at least 0.04, which leaves the CNN a channel")
        if not self.rates or min(self.rates) <= 0:
            raise ValueError(f"rates={self.rates} must be learning rates above 0, at least one")
        if any(steps % self.looks for steps in self.steps):
            raise ValueError(f"looks={self.looks} must divide each of steps={self.steps}")


def held_out(size: int) -> int:
    """Returns how many of the examples are held out to choose rate and stopping step by."""
    return min(size // 5, MOST_VALIDATION)


def units(network: str, width: float) -> int:
    """Returns the hidden units or channels of a width."""
    return int(UNITS[network] * width)

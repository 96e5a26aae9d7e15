"""The numbers of the study of the ceiling: which recipes, and how much of each."""

from dataclasses import dataclass
from typing import Any, Final

from lightning_module.studies.framework.cells import Config
from mnist1d_hf import Recipe

# Validation signals have the seeds from here, so that no training draw and no test set has any of them.
VALIDATION_SEED: Final = 2_000_000

# The knobs and their names; the networks' order is that of the benchmark.
KNOBS: Final = {
    "iid_noise_scale": "noise on every point",
    "corr_noise_scale": "correlated noise",
    "max_translation": "translation",
    "final_seq_length": "length",
    "scale_coeff": "scale",
    "shear_scale": "shear",
}
DEFAULTS: Final[dict[str, Any]] = {knob: getattr(Recipe(), knob) for knob in KNOBS}
NOISE: Final = ("iid_noise_scale", "corr_noise_scale")


@dataclass(frozen=True, kw_only=True)
class CeilingConfig(Config):
    """The numbers of the study. While a knob varies, all others have their defaults.

    Attributes:
        seeds: Number of seeds, which are 0, 1, 2, ...; each has its own initialisation, draw of 4000 signals and
            validation signals.
        steps: Optimiser steps.
        every: Steps between two looks at validation.
        tests: Signals of each recipe and seed whose posterior is computed and that its networks are tested on.
        validation: Signals that the stopping step and the temperature of a seed are chosen on.
        iid_noise_scale: Standard deviations of the noise on every point; without any there is no density.
        corr_noise_scale: Standard deviations of the correlated noise before it is smoothed.
        max_translation: Numbers of shifts.
        final_seq_length: Points of a signal.
        scale_coeff: Widths of the interval of the amplitude's factor.
        shear_scale: Widths of the interval of the ramp's rise.
    """

    seeds: int = 5
    steps: int = 6000
    every: int = 200
    tests: int = 1000
    validation: int = 1000
    iid_noise_scale: tuple[float, ...] = (0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.12, 0.16, 0.24)
    corr_noise_scale: tuple[float, ...] = (0.0, 0.125, 0.25, 0.5, 1.0)
    max_translation: tuple[int, ...] = (1, 8, 24, 48, 72)
    final_seq_length: tuple[int, ...] = (10, 15, 20, 30, 40, 60)
    scale_coeff: tuple[float, ...] = (0.0, 0.4, 0.8, 1.2, 1.6)
    shear_scale: tuple[float, ...] = (0.0, 0.375, 0.75, 1.5, 3.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.iid_noise_scale) <= 0:
            raise ValueError(
                f"iid_noise_scale={self.iid_noise_scale} must be above 0: without this noise there is no density, and "
                "so no posterior"
            )
        if not 1 <= self.every <= self.steps:
            raise ValueError(f"every={self.every} must be from 1 to steps={self.steps}")
        if self.tests % BLOCKS or self.tests < BLOCKS:
            raise ValueError(f"tests={self.tests} must be a multiple of {BLOCKS}, and at least {BLOCKS}")
        if not 10 <= self.validation <= 100_000:
            raise ValueError(f"validation={self.validation} must be from 10 to 100,000")


BLOCKS: Final = 20  # of test signals: the units of what has no seed, the limits themselves


def recipe_at(knob: str, level: float) -> dict[str, Any]:
    """Returns the numbers of the recipe with one of them at a level, the others at their defaults."""
    return {**DEFAULTS, knob: level}


def recipes(config: CeilingConfig) -> list[dict[str, Any]]:
    """Returns the recipes of all knobs, each once: the default is on every axis."""
    every = [recipe_at(knob, level) for knob in KNOBS for level in getattr(config, knob)]
    return [recipe for i, recipe in enumerate(every) if recipe not in every[:i]]

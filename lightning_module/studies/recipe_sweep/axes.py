"""The numbers of the recipe that the sweep varies, one at a time."""

from dataclasses import dataclass
from typing import Final

from mnist1d_hf import Recipe


@dataclass(frozen=True)
class Axis:
    """A number of the recipe that is varied.

    Attributes:
        name: What it is called in figures.
        unit: What it counts.
        levels: Where slopes are taken: from none to the default and twice the default, as far as that exists.
        doubling: Whether a slope is per doubling; else per default, by which levels are divided.
    """

    name: str
    unit: str
    levels: tuple[float, ...]
    doubling: bool = False


AXES: Final = {
    "iid_noise_scale": Axis("noise on every point", "standard deviation", (0.0, 0.02, 0.04)),
    "corr_noise_scale": Axis("correlated noise", "standard deviation before smoothing", (0.0, 0.25, 0.5)),
    "max_translation": Axis("translation", "number of shifts, of 72", (1, 48, 72)),
    "final_seq_length": Axis("length", "points of a signal", (20, 40, 80), doubling=True),
}
DEFAULTS: Final = {axis: getattr(Recipe(), axis) for axis in AXES}


def recipe_at(axis: str, level: float) -> dict[str, float]:
    """Returns the numbers of the recipe with one of them at a level, the others at their defaults."""
    return {**DEFAULTS, axis: level}

"""Test signals of a changed recipe, as a network of the frozen data set meets them; and what is done to them after."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

import mnist1d_hf
from mnist1d_hf import Recipe, make_mnist1d, make_slice
from mnist1d_hf.generator.population import population_mean_and_std
from mnist1d_hf.generator.recipe import DEFAULT

Signals = npt.NDArray[np.float64]

COUNT: Final = 1_000  # a standard error of 1.6 points at the most
SEED: Final = 2**31 - 1  # a draw that nothing is trained on
GAP: Final = 20  # points that are missing at the most
BEND: Final = 6.0  # points that a time warp moves the middle by at the most
LEAN: Final = 3.0  # standard deviations that an added slope spans at the most


class Slider(NamedTuple):
    """A number of the recipe that can be moved.

    Attributes:
        name: In the recipe.
        label: On the page.
        low: Least value.
        high: Largest value.
        step: Between two values.
    """

    name: str
    label: str
    low: float
    high: float
    step: float


SLIDERS: Final = (
    Slider("iid_noise_scale", "noise", 0.01, 0.3, 0.01),
    Slider("max_translation", "shift", 1, 72, 1),
    Slider("shear_scale", "shear", 0, 3, 0.05),
    Slider("scale_coeff", "scale", 0, 0.9, 0.05),
)


def _bent(x: Signals, amount: float) -> Signals:
    """Returns signals whose time runs faster first and slower later."""
    points = np.arange(x.shape[1], dtype=np.float64)
    source = points + BEND * amount * np.sin(math.pi * points / (x.shape[1] - 1))
    return np.stack([np.interp(source, points, signal) for signal in x])


def _gapped(x: Signals, amount: float) -> Signals:
    """Returns signals in which some neighbouring points are zero, elsewhere in each."""
    count = round(GAP * amount)
    starts = np.random.default_rng(SEED).integers(0, x.shape[1] - count + 1, len(x))
    points = np.arange(x.shape[1])
    return np.where((points >= starts[:, None]) & (points < starts[:, None] + count), 0.0, x)


def _leaning(x: Signals, amount: float) -> Signals:
    """Returns signals with a straight line added."""
    return x + LEAN * amount * np.linspace(-0.5, 0.5, x.shape[1])


def _overturned(x: Signals, amount: float) -> Signals:
    """Returns signals whose amplitudes shrink to nothing at a half, and grow again upside down."""
    return x * (1 - 2 * amount)


Change = Callable[[Signals, float], Signals]
NONE: Final = "none"
# What no recipe makes, each from 0 for nothing to 1.
OUTSIDE: Final[dict[str, tuple[str, Change]]] = {
    "bend": ("time warp", _bent),
    "gap": ("gap", _gapped),
    "lean": ("slope", _leaning),
    "flip": ("upside down", _overturned),
}


@dataclass(frozen=True)
class Setting:
    """What the networks are tested on.

    Attributes:
        iid_noise_scale: Standard deviation of the noise on every point.
        max_translation: Number of shifts.
        shear_scale: Largest slope.
        scale_coeff: Spread of the factors.
        outside: What else is done to the signals, a key of `OUTSIDE`, or "none".
        amount: How much of it, from 0 to 1.

    Raises:
        ValueError: If a number is outside of its slider, or nothing else of this name is done.
    """

    iid_noise_scale: float = DEFAULT.iid_noise_scale
    max_translation: int = DEFAULT.max_translation
    shear_scale: float = DEFAULT.shear_scale
    scale_coeff: float = DEFAULT.scale_coeff
    outside: str = NONE
    amount: float = 0.5

    def __post_init__(self) -> None:
        for name, _, low, high, _ in SLIDERS:
            _between(name, getattr(self, name), low, high)
        _between("amount", self.amount, 0, 1)
        if self.outside not in (NONE, *OUTSIDE):
            raise ValueError(f"outside={self.outside!r} must be one of {', '.join((NONE, *OUTSIDE))}")
        object.__setattr__(self, "max_translation", int(self.max_translation))

    def moved(self, name: str, value: float) -> Self:
        """Returns the setting with another value of a slider.

        Args:
            name: The slider, by its number of the recipe.
            value: The value.
        """
        return type(self)(**{**asdict(self), name: value})

    @property
    def recipe(self) -> Recipe:
        """Returns the recipe of the signals, before anything else is done to them."""
        return DEFAULT.replace(**{each.name: getattr(self, each.name) for each in SLIDERS}, seed=SEED)

    @property
    def is_outside(self) -> bool:
        """Returns whether something is done that no recipe does."""
        return self.outside != NONE


class Tested(NamedTuple):
    """Signals and their labels.

    Attributes:
        x: Normalised as the frozen data set is, float32 ``(n, 40)``.
        y: Labels, ``(n,)``.
        own: Normalised by the recipe's own constants, for its posterior.
    """

    x: npt.NDArray[np.float32]
    y: npt.NDArray[np.int64]
    own: Signals


def drawn(setting: Setting, count: int = COUNT) -> Tested:
    """Returns test signals, the same ones whenever the setting is the same; a slider changes them and draws no others.

    Args:
        setting: What the networks are tested on.
        count: How many.
    """
    split = make_slice(setting.recipe, "test", 0, count)
    mean, std = population_mean_and_std(setting.recipe, mnist1d_hf.digit_templates())
    frozen_mean, frozen_std = _of_frozen()
    x = (np.asarray(split.x, np.float64) * std + mean - frozen_mean) / frozen_std
    if setting.is_outside:
        x = OUTSIDE[setting.outside][1](x, setting.amount)
    return Tested(x.astype(np.float32), np.asarray(split.y, np.int64), np.asarray(split.x, np.float64))


@cache
def _of_frozen() -> tuple[float, float]:
    """Returns what the frozen data are normalised by: mean and standard deviation."""
    frozen = make_mnist1d()
    return frozen.mean, frozen.std


def _between(name: str, value: Any, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{name}={value!r} must be a number from {low:g} to {high:g}")

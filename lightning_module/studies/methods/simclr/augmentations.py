"""The augmentations of signals for contrastive learning: the same digit at another place, tilt and height.

Pure functions of signals and of draws; where the random numbers come from is the caller's affair.

Source: Greydanus & Kobak (2024), "Scaling Down Deep Learning with MNIST-1D", ICML, section 5.5: the linear trend of a
signal is taken away, the rest shifted around the circle, and a random trend put in its place.
"""

from typing import Final, NamedTuple

import torch
from torch import Tensor

SHIFTS: Final = 10  # by 0 to 9 points, all equally often
# Standard deviations of the new trend, near those of the trends that the signals themselves have.
SLOPE: Final = 0.04  # per point
OFFSET: Final = 0.3


class ViewDraws(NamedTuple):
    """The random numbers of an augmentation, one of each for a signal.

    Attributes:
        shift: Whole points to the right, (...).
        slope: Slope of the straight line per point, (...).
        offset: Height of the straight line in the middle of the signal, (...).
    """

    shift: Tensor
    slope: Tensor
    offset: Tensor

    def to(self, x: Tensor) -> "ViewDraws":
        """Returns the draws on the device of `x`, slopes and offsets in its dtype as well."""
        return ViewDraws(self.shift.to(x.device), self.slope.to(x), self.offset.to(x))


def draw(*shape: int, generator: torch.Generator) -> ViewDraws:
    """Returns draws of a shape from a generator, in float64 whatever the precision of the signals."""
    shift = torch.randint(SHIFTS, shape, generator=generator)
    slope, offset = torch.randn(2, *shape, generator=generator, dtype=torch.float64)
    return ViewDraws(shift, SLOPE * slope, OFFSET * offset)


def stack_draws(of_each: list[ViewDraws]) -> ViewDraws:
    """Returns the draws of several generators side by side, (k, ...)."""
    return ViewDraws(*(torch.stack(tensors) for tensors in zip(*of_each, strict=True)))


def augment(x: Tensor, draws: ViewDraws) -> Tensor:
    """Returns new views of signals (..., length); draws with more dimensions in front make several views of each."""
    return add_trend(roll(detrend(x), draws.shift), draws.slope, draws.offset)


def detrend(x: Tensor) -> Tensor:
    """Returns signals (..., length) without the straight line that fits each best in the least squares."""
    t = _places(x)
    slope = (x @ t) / (t @ t)  # around the middle, so the mean has no part in it
    return x - x.mean(-1, keepdim=True) - slope.unsqueeze(-1) * t


def roll(x: Tensor, shift: Tensor) -> Tensor:
    """Returns signals (..., length) moved to the right around the circle, each by its own number of points (...)."""
    length = x.shape[-1]
    points = torch.arange(length, device=x.device)
    sources = (points - points.unsqueeze(1)) % length  # row s: where the points come from in a shift by s
    shape = torch.broadcast_shapes(x.shape[:-1], shift.shape)  # type: ignore[no-untyped-call]
    return x.expand(*shape, length).gather(-1, sources[shift % length].expand(*shape, length))


def add_trend(x: Tensor, slope: Tensor, offset: Tensor) -> Tensor:
    """Returns signals (..., length) plus straight lines, through `offset` (...) in the middle."""
    return torch.addcmul(x + offset.unsqueeze(-1), slope.unsqueeze(-1), _places(x))


def _places(x: Tensor) -> Tensor:
    """Returns the places of the points around the middle: -19.5 to 19.5 for 40 points."""
    length = x.shape[-1]
    return torch.arange(length, dtype=x.dtype, device=x.device) - (length - 1) / 2

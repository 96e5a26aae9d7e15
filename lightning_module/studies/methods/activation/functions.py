"""The activation functions that a learned one is compared with, and its stand-in of straight lines."""

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # as everywhere in PyTorch

Function = Callable[[Tensor], Tensor]

KNOTS: Final = (-2.0, -1.0, -0.25, 0.1, 0.6)
SLOPES: Final = (0.15, -0.25, -1.2, -0.5, 0.2, 1.2)
INTERCEPTS: Final = (0.9, 0.1, -0.85, -0.75, -0.85, -1.4)


def piecewise(x: Tensor) -> Tensor:
    """Returns the published stand-in for the learned function: six straight pieces, which nearly meet.

    Source: Greydanus (2020), "Scaling down Deep Learning", the notebook. There it is 0 at the knots themselves.
    """
    piece = torch.bucketize(x.detach(), x.new_tensor(KNOTS))
    line: Tensor = x.new_tensor(SLOPES)[piece] * x + x.new_tensor(INTERCEPTS)[piece]
    return line


BASELINES: Final[dict[str, Function]] = {
    "relu": torch.relu,
    "swish": F.silu,
    "elu": F.elu,
    "tanh": torch.tanh,
    "softplus": F.softplus,
    "sigmoid": torch.sigmoid,
}


def straightened(function: Function, knots: tuple[float, ...] = KNOTS) -> Function:
    """Returns the continuous function of straight pieces that is nearest to another on [-5, 5], in least squares."""
    at = torch.linspace(-5, 5, 1001, dtype=torch.float64)
    with torch.no_grad():
        values = function(at.float()).double()
    found = torch.linalg.lstsq(_hinges(at, knots), values[:, None]).solution[:, 0].float()

    def pieces(x: Tensor) -> Tensor:
        total: Tensor = found[0] + found[1] * x
        for coefficient, knot in zip(found[2:].tolist(), knots, strict=True):
            total = torch.add(total, torch.relu(x - knot), alpha=coefficient)
        return total

    return pieces


def _hinges(x: Tensor, knots: tuple[float, ...]) -> Tensor:
    """Returns 1, x and max(0, x - knot) of each knot, (n, 2 + knots)."""
    return torch.stack([torch.ones_like(x), x, *(torch.relu(x - knot) for knot in knots)], dim=1)

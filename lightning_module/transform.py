"""A function of the user's own on the signals of each training minibatch: `MNIST1DDataModule(transform=...)`."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

Transform = Callable[[Tensor], Tensor]


@torch.no_grad()
def transformed(x: Tensor, transform: Transform) -> Tensor:
    """Returns the transformed signals of a minibatch; `x` itself stays as it is.

    Args:
        x: Signals (batch, length); or (batch, k, length), which the function gets as (batch * k, length).
        transform: The function. It may write into what it gets, which is a copy, and must not change the shape.

    Raises:
        ValueError: If it returns anything but a tensor of the same shape.
    """
    rows = x.clone().view(-1, x.shape[-1])
    out = transform(rows)
    if not isinstance(out, Tensor) or out.shape != rows.shape:
        got = f"shape {tuple(out.shape)}" if isinstance(out, Tensor) else f"a {type(out).__name__}"
        raise ValueError(
            f"transform={name_of(transform)} returned {got}, and must return a tensor of the shape of the signals that "
            f"it is given, {tuple(rows.shape)}"
        )
    return out.view_as(x) if x.dim() > 2 else out


class TransformedMinibatches(Sequence[tuple[Tensor, Tensor]]):
    """Minibatches whose signals are transformed when each one's turn has come.

    Not before: a step may draw from the same random numbers as the function, for dropout, and the order of the draws
    must not depend on how many steps are taken at once.
    """

    def __init__(self, minibatches: Sequence[tuple[Tensor, Tensor]], transform: Transform) -> None:
        self._minibatches, self._transform = minibatches, transform

    def __len__(self) -> int:
        return len(self._minibatches)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return TransformedMinibatches(self._minibatches[index], self._transform)
        x, y = self._minibatches[index]
        return transformed(x, self._transform), y


def name_of(transform: object) -> str:
    """Returns what a checkpoint keeps of a function: where it is found, "module.name"."""
    while isinstance(transform, partial):
        transform = transform.func
    named = transform if hasattr(transform, "__qualname__") else type(transform)
    return f"{named.__module__}.{named.__qualname__}"

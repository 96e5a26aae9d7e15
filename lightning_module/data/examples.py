"""`Examples`: signals and labels as tensors."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor


class Examples(NamedTuple):
    """Examples as tensors.

    Attributes:
        x: Signals (n, length), float32.
        y: Labels (n,), int64.
    """

    x: Tensor
    y: Tensor

    def first(self, count: int) -> "Examples":
        """Returns the first examples, as views; all if there are not more."""
        return Examples(self.x[:count], self.y[:count])

    @staticmethod
    def stacked(several: Iterable["Examples"]) -> "Examples":
        """Returns the examples of k replicas side by side: x (k, n, length) and y (k, n)."""
        xs, ys = zip(*several, strict=True)
        return Examples(torch.stack(xs), torch.stack(ys))

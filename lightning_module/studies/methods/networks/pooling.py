"""The networks of the pooling benchmark: two convolutions, each followed by a kind of pooling, then a linear layer.

Source: the pooling study of Greydanus and Kobak, "Scaling Down Deep Learning with MNIST-1D", ICML 2024. Every layer has
torch's default initialisation, and the layers are made in the order in which they are applied, so a seed gives all
kinds of pooling the same convolutions at the start.
"""

import difflib
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from lightning_module.batched.logits import convolve, dense, examples_last, register_batched

Pool = Literal["none", "stride", "max", "avg", "l2"]

# The channels that bring pool="none" nearest to the 3,310 parameters of the others: 3,442, which is 132 (4.0 %) more.
# With 7 channels it has 318 (9.6 %) fewer.
MATCHED_CHANNELS = 8


class PoolingCNN(nn.Module):
    """Two convolutions of 3 points, each with one kind of pooling behind it.

    | pool | what it is | parameters |
    |---|---|---|
    | "none" | no pooling, all 40 points reach the linear layer | 9,310; with `MATCHED_CHANNELS` 3,442 |
    | "stride" | no pooling, convolutions that skip every other point | 3,310 |
    | "max" | the larger one of two neighbours | 3,310 |
    | "avg" | their mean | 3,310 |
    | "l2" | the root of the sum of their squares | 3,310 |

    Args:
        length: Points in a signal.
        num_classes: Number of logits.
        pool: One of the above.
        channels: Of each convolution.

    Raises:
        ValueError: If there is no pooling of this name, or the signal is too short to be halved twice.
    """

    def __init__(self, length: int = 40, num_classes: int = 10, *, pool: Pool = "none", channels: int = 20) -> None:
        super().__init__()
        if pool not in get_args(Pool):
            near = difflib.get_close_matches(str(pool).lower(), get_args(Pool), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"pool={pool!r} must be one of {', '.join(map(repr, get_args(Pool)))}{hint}")
        if length < 4:
            raise ValueError(f"length={length} must be at least 4, to be halved twice")
        self.pool_kind = pool
        stride = 2 if pool == "stride" else 1
        self.conv1 = nn.Conv1d(1, channels, kernel_size=3, stride=stride, padding=1)
        self.conv2 = nn.Conv1d(channels, channels, kernel_size=3, stride=stride, padding=1)
        self.pool = _layer(pool)
        points = length
        for _ in range(2):  # 40 -> 20 -> 10 points, unless pool="none"
            points = {"none": points, "stride": (points + 1) // 2}.get(pool, points // 2)
        self.linear = nn.Linear(points * channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (batch, num_classes) of signals (batch, length)."""
        h = self.pool(self.conv1(x.unsqueeze(1)).relu())  # (batch, channels, 20)
        h = self.pool(self.conv2(h).relu())  # (batch, channels, 10)
        return self.linear(h.flatten(1))  # type: ignore[no-any-return]


def _layer(pool: Pool) -> nn.Module:
    match pool:
        case "max":
            return nn.MaxPool1d(2)
        case "avg":
            return nn.AvgPool1d(2)
        case "l2":
            return nn.LPPool1d(2, 2)  # its gradient at (0, 0) is 0, not infinite
    return nn.Identity()


def pooling_cnn(p: Mapping[str, Tensor], x: Tensor, *, pool: str) -> Tensor:
    """Returns the logits of k `PoolingCNN` with the same kind of pooling, see `lightning_module.batched.logits`."""
    stride = 2 if pool == "stride" else 1
    h = examples_last(x).unsqueeze(1)  # (k or 1, 1, length, batch)
    for name in ("conv1", "conv2"):
        h = convolve(p, name, h, stride=stride)  # (k, channels, points, batch)
        h = h.relu_() if pool in ("none", "stride") else rectify_and_pool(h, pool)
    return dense(p, "linear", h.flatten(1, 2))


def rectify_and_pool(h: Tensor, pool: str) -> Tensor:
    """Returns (k, channels, points // 2, batch) for h (k, channels, points, batch), after ReLU and pooling by two.

    The gradients are those of torch's layers: of two equal points the first has that of "max", and where "l2" is 0, it
    has the gradient 0.

    Args:
        h: What a convolution returns.
        pool: "max", "avg" or "l2".
    """
    return _RectifyAndPool.apply(h, pool)  # type: ignore[no-any-return,no-untyped-call]


class _RectifyAndPool(torch.autograd.Function):
    """ReLU and pooling together: their backward pass writes its result once, and the pairs of points are views."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, pool: str) -> Tensor:
        h = h.relu()
        a, b = _pairs(h)
        if pool == "max":
            pooled = torch.maximum(a, b)
        elif pool == "avg":
            pooled = torch.add(a, b).mul_(0.5)
        else:
            pooled = torch.mul(a, a).addcmul_(b, b).sqrt_()
        ctx.pool = pool
        ctx.save_for_backward(h, pooled)
        return pooled

    @staticmethod
    def backward(ctx: Any, d_pooled: Tensor) -> tuple[Tensor, None]:
        h, pooled = ctx.saved_tensors
        d_h = torch.empty_like(h)
        d_h[:, :, 2 * pooled.shape[2] :] = 0
        (a, b), (d_a, d_b) = _pairs(h), _pairs(d_h)
        if ctx.pool == "max":
            first = a >= b
            torch.mul(d_pooled, first.logical_and(a > 0), out=d_a)
            torch.mul(d_pooled, first.logical_not_(), out=d_b)  # larger than a, so above 0
        elif ctx.pool == "avg":
            half = d_pooled * 0.5
            torch.mul(half, a > 0, out=d_a)
            torch.mul(half, b > 0, out=d_b)
        else:
            scaled = (d_pooled / pooled).masked_fill_(pooled == 0, 0)
            torch.mul(scaled, a, out=d_a)  # 0 where a is, which is the ReLU's part
            torch.mul(scaled, b, out=d_b)
        return d_h, None


def _pairs(h: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the first and the second points of all pairs; of an odd number of points the last is left out."""
    stop = h.shape[2] // 2 * 2
    return h[:, :, 0:stop:2], h[:, :, 1:stop:2]


register_batched(PoolingCNN, lambda network: partial(pooling_cnn, pool=network.pool_kind))

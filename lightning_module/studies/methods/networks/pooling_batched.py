"""`PoolingCNN` for many replicas at once, see `lightning_module.batched.logits`."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lightning_module.batched.logits import convolve, dense, examples_last


def pooling_cnn(p: Mapping[str, Tensor], x: Tensor, *, pool: str) -> Tensor:
    """Returns the logits of k `PoolingCNN` with the same kind of pooling."""
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

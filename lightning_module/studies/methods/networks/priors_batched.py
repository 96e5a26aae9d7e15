"""The networks of `prior_networks` for many replicas at once, see `lightning_module.batched.logits`."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # as everywhere in PyTorch

from lightning_module.batched.logits import convolve, dense, examples_last, windows


def average_cnn(p: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Returns the logits of k `AverageCNN`."""
    h = examples_last(x).unsqueeze(1)  # (k or 1, 1, length, batch)
    for name in ("conv1", "conv2", "conv3"):
        h = convolve(p, name, h).relu_()  # (k, channels, points, batch)
    return dense(p, "linear", h.mean(2))


def locally_connected_cnn(p: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Returns the logits of k `LocallyConnectedCNN`."""
    h = examples_last(x).unsqueeze(1)
    for name, kernel in (("local1", 5), ("local2", 3), ("local3", 3)):
        weight, bias = p[f"{name}.weight"], p[f"{name}.bias"]
        k, count, out, fan_in = weight.shape
        seen = windows(h, kernel, stride=2).view(len(h), fan_in, count, -1).transpose(1, 2)
        seen = seen.expand(k, -1, -1, -1).flatten(0, 1)  # (k * count, in * kernel, batch)
        h = torch.baddbmm(bias.view(-1, out, 1), weight.flatten(0, 1), seen).relu_()
        h = h.view(k, count, out, -1).transpose(1, 2)  # (k, out, count, batch)
    return dense(p, "linear", h.flatten(1, 2))


def deep_sets(p: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Returns the logits of k `DeepSets`."""
    points = examples_last(x)  # (k or 1, length, batch)
    h = dense(p, "point1", points.flatten(1).unsqueeze(1)).relu_()  # (k, hidden, length * batch)
    h = dense(p, "point2", h).relu_()
    pooled = h.unflatten(2, points.shape[1:]).mean(2)  # type: ignore[no-untyped-call]
    h = dense(p, "linear1", pooled).relu_()  # (k, hidden, batch)
    return dense(p, "linear2", h)


def transformer(p: Mapping[str, Tensor], x: Tensor, *, layers: int, heads: int) -> Tensor:
    """Returns the logits of k `Transformer`.

    Here the numbers of a point are the last axis, as torch's attention and normalisation want them.

    Args:
        p: The stacked parameters.
        x: The signals.
        layers: Number of layers.
        heads: Attention heads of each.
    """
    weight, bias = p["embed.weight"], p["embed.bias"]  # (k, size, 1) and (k, size)
    k, size, _ = weight.shape
    batch, length = x.shape[-2:]
    start = bias.unsqueeze(1)
    if "positions" in p:
        start = start + p["positions"]  # (k, length, size)
    h = x.expand(k, -1, -1).unsqueeze(3) * weight.view(k, 1, 1, size) + start.unsqueeze(1)
    h = h.flatten(1, 2)  # (k, batch * length, size)
    for block in (f"blocks.{layer}" for layer in range(layers)):
        parts = _after_norm(p, f"{block}.norm1", f"{block}.inward", h)  # (k, batch * length, 3 * size)
        parts = parts.view(k * batch, length, 3, heads, size // heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (k * batch, heads, length, size / heads)
        # On a CPU, for matrices as small as these, faster than torch's attention in one call.
        weights = ((query * (size // heads) ** -0.5) @ key.transpose(2, 3)).softmax(3)
        seen = (weights @ value).transpose(1, 2).reshape(k, -1, size)
        h = h + _rows(p, f"{block}.outward", seen)
        h = h + _rows(p, f"{block}.linear2", _after_norm(p, f"{block}.norm2", f"{block}.linear1", h).relu_())
    h = F.layer_norm(h, (size,)).view(k, batch, length, size).mean(2)
    h = h * p["norm.weight"].unsqueeze(1) + p["norm.bias"].unsqueeze(1)
    return dense(p, "linear", h.transpose(1, 2))


def _rows(p: Mapping[str, Tensor], layer: str, h: Tensor) -> Tensor:
    """Returns (k, rows, out) for h (k, rows, in)."""
    return torch.baddbmm(p[f"{layer}.bias"].unsqueeze(1), h, p[f"{layer}.weight"].transpose(1, 2))


def _after_norm(p: Mapping[str, Tensor], norm: str, layer: str, h: Tensor) -> Tensor:
    """Returns (k, rows, out) for h (k, rows, in), after a normalisation and a linear layer.

    The normalisation's scale and shift go into the layer's weights, which are fewer than the rows.
    """
    weight = p[f"{layer}.weight"]  # (k, out, in)
    bias = torch.baddbmm(p[f"{layer}.bias"].unsqueeze(2), weight, p[f"{norm}.bias"].unsqueeze(2))  # (k, out, 1)
    weight = weight * p[f"{norm}.weight"].unsqueeze(1)
    return torch.baddbmm(bias.transpose(1, 2), F.layer_norm(h, h.shape[-1:]), weight.transpose(1, 2))

"""Networks of about 5,210 parameters each, from those that know nothing about space to those that know much.

The blog post of MNIST-1D imagines such a continuum of spatial priors. Here every network has as many parameters as the
reference CNN, within 3 %, so that they differ in what they know and not in how much they can store. Parameter counts
are for 40 points and 10 classes.

Source: Greydanus, "Scaling down Deep Learning", 2020 (the blog post); the networks' sources stand with them.
"""

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # as everywhere in PyTorch

from lightning_module.batched.logits import convolve, dense, examples_last, register_batched, windows
from lightning_module.networks import CNN, MLP


class LocallyConnected(nn.Module):
    """A convolution of stride 2 and padding 1 whose windows have weights of their own.

    Args:
        points: Points of what goes in.
        in_channels: Channels of what goes in.
        out_channels: Channels of what comes out.
        kernel_size: Points in a window.
    """

    def __init__(self, points: int, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.windows = (points + 2 - kernel_size) // 2 + 1
        fan_in = in_channels * kernel_size
        bound = fan_in**-0.5  # as nn.Conv1d
        self.weight = nn.Parameter(torch.empty(self.windows, out_channels, fan_in).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(self.windows, out_channels).uniform_(-bound, bound))

    def forward(self, h: Tensor) -> Tensor:
        """Returns (batch, out_channels, windows) for (batch, in_channels, points)."""
        windows = F.pad(h, (1, 1)).unfold(2, self.kernel_size, 2)  # (batch, in_channels, windows, kernel_size)
        windows = windows.permute(2, 1, 3, 0).flatten(1, 2)  # (windows, in_channels * kernel_size, batch)
        return torch.baddbmm(self.bias.unsqueeze(2), self.weight, windows).permute(2, 1, 0)


class LocallyConnectedCNN(nn.Module):
    """The reference CNN without weight sharing: 5,266 parameters, 1.1 % more than the CNN.

    It knows which points are neighbours, but what it learns at one place it does not know at another.
    """

    def __init__(self, length: int = 40, num_classes: int = 10, channels: int = 9) -> None:
        super().__init__()
        self.local1 = LocallyConnected(length, 1, channels, kernel_size=5)
        self.local2 = LocallyConnected(self.local1.windows, channels, channels, kernel_size=3)
        self.local3 = LocallyConnected(self.local2.windows, channels, channels, kernel_size=3)
        self.linear = nn.Linear(self.local3.windows * channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (batch, num_classes) of signals (batch, length)."""
        h = self.local1(x.unsqueeze(1)).relu()  # (batch, channels, 19)
        h = self.local2(h).relu()  # (batch, channels, 10)
        h = self.local3(h).relu()  # (batch, channels, 5)
        return self.linear(h.flatten(1))  # type: ignore[no-any-return]


class AverageCNN(nn.Module):
    """The reference CNN with global average pooling before the linear layer: 5,218 parameters, 0.2 % more.

    It knows neighbours, shares its weights, and is told to forget where it found what it found. But for the ends of the
    signal, a shift by the 8 points of its strides changes nothing.

    Source: Lin, Chen and Yan, "Network In Network", ICLR 2014.
    """

    def __init__(self, length: int = 40, num_classes: int = 10, channels: int = 28) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(1, channels, kernel_size=5, stride=2, padding=1)
        self.conv2 = nn.Conv1d(channels, channels, kernel_size=3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(channels, channels, kernel_size=3, stride=2, padding=1)
        self.linear = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (batch, num_classes) of signals (batch, length)."""
        h = self.conv1(x.unsqueeze(1)).relu()  # (batch, channels, 19)
        h = self.conv2(h).relu()  # (batch, channels, 10)
        h = self.conv3(h).relu()  # (batch, channels, 5)
        return self.linear(h.mean(2))  # type: ignore[no-any-return]


class Block(nn.Module):
    """A layer of a Transformer encoder, with the normalisation before attention and before the two linear layers."""

    def __init__(self, size: int, heads: int, hidden_size: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(size)
        self.inward = nn.Linear(size, 3 * size)  # queries, keys and values of all heads
        self.outward = nn.Linear(size, size)
        self.norm2 = nn.LayerNorm(size)
        self.linear1 = nn.Linear(size, hidden_size)
        self.linear2 = nn.Linear(hidden_size, size)

    def forward(self, h: Tensor) -> Tensor:
        """Returns (batch, points, size) for (batch, points, size)."""
        parts = self.inward(self.norm1(h)).unflatten(2, (3, self.heads, -1))  # (batch, points, 3, heads, size / heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (batch, heads, points, size / heads)
        seen = F.scaled_dot_product_attention(query, key, value)
        h = h + self.outward(seen.transpose(1, 2).flatten(2))
        return h + self.linear2(self.linear1(self.norm2(h)).relu())  # type: ignore[no-any-return]


class Transformer(nn.Module):
    """A Transformer encoder over the points: 5,190 parameters with positions, 0.4 % less; 5,210 without, as the CNN.

    Two pre-norm layers of two heads, no dropout, and the mean over the points. With positions it is told where each
    point lies, and has to learn what that means. Without them it sees a set of values: any order of the points gives
    the same logits.

    Args:
        length: Points in a signal.
        num_classes: Number of logits.
        positions: Whether each point has a learned vector for its place.
        size: Numbers that represent a point.
        layers: Number of layers.
        heads: Attention heads of each.
        hidden_size: Hidden units of each; None for the 30, or 40 without positions, that match the CNN.

    Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, with the normalisation of Xiong et al., "On Layer
    Normalization in the Transformer Architecture", ICML 2020.
    """

    def __init__(
        self,
        length: int = 40,
        num_classes: int = 10,
        *,
        positions: bool = True,
        size: int = 16,
        layers: int = 2,
        heads: int = 2,
        hidden_size: int | None = None,
    ) -> None:
        super().__init__()
        self.embed = nn.Linear(1, size)
        self.positions = nn.Parameter(torch.randn(length, size)) if positions else None  # as nn.Embedding
        self.heads = heads
        hidden_size = hidden_size or (30 if positions else 40)
        self.blocks = nn.ModuleList(Block(size, heads, hidden_size) for _ in range(layers))
        self.norm = nn.LayerNorm(size)
        self.linear = nn.Linear(size, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (batch, num_classes) of signals (batch, length)."""
        h = self.embed(x.unsqueeze(2))  # (batch, length, size)
        if self.positions is not None:
            h = h + self.positions
        for block in self.blocks:
            h = block(h)
        return self.linear(self.norm(h).mean(1))  # type: ignore[no-any-return]


class DeepSets(nn.Module):
    """One network for each value alone, their mean, and a network for that: 5,290 parameters, 1.5 % more than the CNN.

    It knows nothing about space, not even which value stands where: any order of the points gives the same logits.

    Source: Zaheer et al., "Deep Sets", NeurIPS 2017.
    """

    def __init__(self, length: int = 40, num_classes: int = 10, hidden_size: int = 48) -> None:
        super().__init__()
        self.point1 = nn.Linear(1, hidden_size)
        self.point2 = nn.Linear(hidden_size, hidden_size)
        self.linear1 = nn.Linear(hidden_size, hidden_size)
        self.linear2 = nn.Linear(hidden_size, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (batch, num_classes) of signals (batch, length)."""
        h = self.point1(x.unsqueeze(2)).relu()  # (batch, length, hidden_size)
        h = self.point2(h).relu()
        h = self.linear1(h.mean(1)).relu()  # (batch, hidden_size)
        return self.linear2(h)  # type: ignore[no-any-return]


# From the least that is known about space to the most; each makes a network from length and number of classes.
PRIORS: dict[str, Callable[..., nn.Module]] = {
    "deep_sets": DeepSets,  # a set of values, each looked at alone
    "transformer_set": partial(Transformer, positions=False),  # a set of values, which look at each other
    "mlp": partial(MLP, hidden_size=51),  # places, but not which are near; 5,263 parameters, 1.0 % more than the CNN
    "transformer": Transformer,  # places with a learned meaning, and the same treatment of all
    "locally_connected": LocallyConnectedCNN,  # which points are neighbours
    "cnn": CNN,  # neighbours, and that every place is treated alike
    "average_cnn": AverageCNN,  # neighbours, all places alike, and that the place of a finding does not matter
}


# Many replicas at once, see `lightning_module.batched.logits`.


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


register_batched(LocallyConnectedCNN, lambda _: locally_connected_cnn)
register_batched(AverageCNN, lambda _: average_cnn)
register_batched(DeepSets, lambda _: deep_sets)
register_batched(Transformer, lambda network: partial(transformer, layers=len(network.blocks), heads=network.heads))

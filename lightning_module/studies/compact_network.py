"""`CompactMLP`: the MLP that pruning leaves, with its gradients written out, which is faster than autograd's.

Most of a training step are the three products with the weights between the hidden layers. Written out, each of them is
one call on tensors as they lie in memory, rectified where it is made, and all layers together are one node of autograd.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from lightning_module.batched import Logits, register_batched
from lightning_module.products import product_transposed as times

LAYERS = ("linear1", "linear2", "linear3")
EVALUATION_ROWS = 500
NAMES = tuple(f"{layer}.{part}" for layer in LAYERS for part in ("weight", "bias"))


class CompactMLP(nn.Module):
    """`networks.MLP` with some of its hidden units, not the same in both hidden layers.

    Args:
        weights: Its parameters, by their names in an MLP.
        shared: The number of units, the first ones, that go on to the second layer by the residual connection.
    """

    def __init__(self, weights: Mapping[str, Tensor], shared: int) -> None:
        super().__init__()
        self.shared = shared
        for layer in LAYERS:
            count, width = weights[f"{layer}.weight"].shape
            linear = nn.Linear(width, count)
            self.add_module(layer, linear)
            linear.load_state_dict({name: weights[f"{layer}.{name}"] for name in ("weight", "bias")})

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (batch, num_classes) of signals (batch, length)."""
        parameters = {name: parameter.unsqueeze(0) for name, parameter in self.named_parameters()}
        return compact_logits(self)(parameters, x)[0].t()


def compact_logits(network: CompactMLP) -> Logits:
    """Returns the function from the stacked parameters of k such networks, and signals, to logits."""
    shared = network.shared

    def logits(p: Mapping[str, Tensor], x: Tensor) -> Tensor:
        parameters = [p[name] for name in NAMES]
        if torch.is_grad_enabled():
            stacked: Tensor = _Logits.apply(x, shared, *parameters)  # type: ignore[no-untyped-call]
        else:
            stacked = _stacked([_in_pieces(*each, shared) for each in _networks(x, parameters)])
        return stacked.transpose(1, 2)  # (k, num_classes, batch)

    return logits


class _Logits(torch.autograd.Function):
    """The logits (k, batch, num_classes) of k networks, one after the other: each finds its own in the cache."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, shared: int, *parameters: Tensor) -> Tensor:
        ctx.shared = shared
        logits, kept = [], []
        for signals, own in _networks(x, parameters):
            *layers, last = _layers(signals, own, shared)
            logits.append(last)
            kept += [signals, *layers, own[2], own[4]]
        ctx.save_for_backward(*kept)
        return _stacked(logits)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_logits: Tensor) -> tuple[Tensor | None, ...]:
        kept, shared = ctx.saved_tensors, ctx.shared
        gradients = []
        for k, d in enumerate(d_logits):
            signals, h, outputs, total, w2, w3 = kept[6 * k : 6 * (k + 1)]
            d_total = times(d, w3.t())
            d_outputs = torch.ops.aten.threshold_backward(d_total, outputs, 0)
            d_h = torch.ops.aten.threshold_backward(_plus(times(d_outputs, w2.t()), d_total, shared), h, 0)
            pairs = ((d_h, signals), (d_outputs, h), (d, total))
            gradients.append([g for out, into in pairs for g in (times(out.t(), into.t()), out.sum(0))])
        return None, None, *map(_stacked, zip(*gradients, strict=True))


def _networks(x: Tensor, parameters: Sequence[Tensor]) -> Iterator[tuple[Tensor, tuple[Tensor, ...]]]:
    """Yields the signals (batch, length) and the parameters of each network."""
    for k, own in enumerate(zip(*parameters, strict=True)):
        yield x[k] if x.dim() == 3 else x, own


def _layers(x: Tensor, parameters: tuple[Tensor, ...], shared: int) -> tuple[Tensor, ...]:
    """Returns what both hidden layers come to, (batch, c) and (batch, r), what goes on from them, and the logits."""
    w1, b1, w2, b2, w3, b3 = parameters
    h = times(x, w1, b1, relu=True)
    outputs = times(h, w2, b2, relu=True)
    total = _plus(outputs, h, shared)
    return h, outputs, total, times(total, w3, b3)


def _in_pieces(x: Tensor, parameters: tuple[Tensor, ...], shared: int) -> Tensor:
    """Returns the logits of many signals, which go through the layers in pieces that the processor's cache can hold."""
    return torch.cat([_layers(piece, parameters, shared)[-1] for piece in torch.split(x, EVALUATION_ROWS)])


def _plus(a: Tensor, b: Tensor, shared: int) -> Tensor:
    """Returns the sum of `a` and `b` in their first columns, of which they share so many, and `a` in its others."""
    if shared == a.shape[1] == b.shape[1]:
        return a + b
    total = a.clone()
    total[:, :shared] += b[:, :shared]
    return total


def _stacked(tensors: Sequence[Tensor]) -> Tensor:
    """Returns tensors along a new first axis; one alone without a copy."""
    return torch.stack(list(tensors)) if len(tensors) > 1 else tensors[0].unsqueeze(0)


register_batched(CompactMLP, compact_logits)

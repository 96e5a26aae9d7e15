"""`CompactMLP`: the MLP that pruning leaves; several of them side by side, with gradients written out.

Most of a training step are the three products with the weights between the hidden layers. Written out, each of them is
one call on tensors as they lie in memory, rectified where it is made, and all networks are one node of autograd. Each
network has a size of its own, and is computed as it is alone, to the last bit.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from lightning_module.products import product_transposed as times

# Signals at once in an evaluation: what they come to stays in the processor's cache.
EVALUATION_ROWS = 500
LAYERS = ("linear1", "linear2", "linear3")
PARAMETERS = 2 * len(LAYERS)
MANY = 0.6  # the fraction of active units from which to leave out the others does not pay
threshold_backward = torch.ops.aten.threshold_backward


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
        return logits_side_by_side([self], [x])[0]


def logits_side_by_side(networks: Sequence[CompactMLP], x: Sequence[Tensor]) -> Tensor:
    """Returns the logits (k, batch, num_classes) of k networks.

    Args:
        networks: The networks.
        x: Signals (batch, length) for each.
    """
    parameters = [tuple(network.parameters()) for network in networks]
    shared = [network.shared for network in networks]
    if torch.is_grad_enabled():
        flat = [parameter for own in parameters for parameter in own]
        return _Logits.apply(x, shared, *flat)  # type: ignore[no-any-return,no-untyped-call]
    return torch.stack([_in_pieces(*each) for each in zip(x, parameters, shared, strict=True)])


class _Logits(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Sequence[Tensor], shared: Sequence[int], *parameters: Tensor) -> Tensor:
        ctx.shared = shared
        logits, kept = [], []
        for k, (signals, both) in enumerate(zip(x, shared, strict=True)):
            own = parameters[PARAMETERS * k : PARAMETERS * (k + 1)]
            *layers, last = _layers(signals, own, both)
            logits.append(last)
            kept += [signals, *layers, own[2], own[4]]
        ctx.save_for_backward(*kept)
        return torch.stack(logits)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_logits: Tensor) -> tuple[Tensor | None, ...]:
        saved, gradients = iter(ctx.saved_tensors), []
        for d, shared in zip(d_logits, ctx.shared, strict=True):
            signals, h, outputs, total, w2, w3 = (next(saved) for _ in range(6))
            d_total = times(d, w3.t())
            d_h, d_w2, d_b2 = _of_second_layer(h, w2, outputs, d_total)
            d_h = threshold_backward(_plus(d_h, d_total, shared), h, 0)
            gradients += [times(d_h.t(), signals.t()), d_h.sum(0), d_w2, d_b2, times(d.t(), total.t()), d.sum(0)]
        return None, None, *gradients


def _of_second_layer(h: Tensor, w2: Tensor, outputs: Tensor, d_outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the gradients of `h`, `w2` and the bias, from that of the rectified `outputs`.

    Units that no example of the minibatch activates have a gradient of exactly 0. They are nearly all of this layer's,
    from the first dozens of steps on: at the study's learning rate most of it dies. Only the others are multiplied.
    """
    active = outputs.sum(0).nonzero().flatten()  # no output is negative
    if len(active) > MANY * len(w2):
        d = threshold_backward(d_outputs, outputs, 0)
        return times(d, w2.t()), times(d.t(), h.t()), d.sum(0)
    d_w2, d_b2 = torch.zeros_like(w2), d_outputs.new_zeros(len(w2))
    if not len(active):
        return torch.zeros_like(h), d_w2, d_b2
    d = threshold_backward(d_outputs.index_select(1, active), outputs.index_select(1, active), 0)
    d_w2.index_copy_(0, active, times(d.t(), h.t()))
    d_b2.index_copy_(0, active, d.sum(0))
    return times(d, w2.index_select(0, active).t()), d_w2, d_b2


def _layers(x: Tensor, parameters: tuple[Tensor, ...], shared: int) -> tuple[Tensor, ...]:
    """Returns what both hidden layers come to, (batch, c) and (batch, r), what goes on from them, and the logits."""
    w1, b1, w2, b2, w3, b3 = parameters
    h = times(x, w1, b1, relu=True)
    outputs = times(h, w2, b2, relu=True)
    total = _plus(outputs, h, shared)
    return h, outputs, total, times(total, w3, b3)


def _in_pieces(x: Tensor, parameters: tuple[Tensor, ...], shared: int) -> Tensor:
    """Returns the logits of any number of signals."""
    return torch.cat([_layers(piece, parameters, shared)[-1] for piece in torch.split(x, EVALUATION_ROWS)])


def _plus(a: Tensor, b: Tensor, shared: int) -> Tensor:
    """Returns the sum of `a` and `b` in their first columns, of which they share so many, and `a` in its others."""
    if shared == a.shape[1] == b.shape[1]:
        return a + b
    total = a.clone()
    total[:, :shared] += b[:, :shared]
    return total

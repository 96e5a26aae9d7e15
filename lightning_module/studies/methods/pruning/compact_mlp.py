"""`CompactMLP`: the MLP that pruning leaves, and its loss with gradients written out.

Most of a training step are the three products with the weights between the hidden layers. Written out, each of them is
one call on tensors as they lie in memory, rectified where it is made. And the rest of a step, which takes half of its
time even so, gets by without autograd.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F  # noqa: N812  # as everywhere in PyTorch

from lightning_module.batched.matmul import product_transposed as times

# Signals at once in an evaluation: what they come to stays in the processor's cache.
EVALUATION_ROWS = 500
LAYERS = ("linear1", "linear2", "linear3")
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

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (batch, num_classes) of any number of signals (batch, length), without gradients."""
        own = tuple(self.parameters())
        return torch.cat([_layers(piece, own, self.shared)[-1] for piece in torch.split(x, EVALUATION_ROWS)])

    def cross_entropy(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the mean cross-entropy of a minibatch, with `loss_and_gradients` for autograd.

        Args:
            x: Signals (batch, length).
            y: Labels (batch,).
        """
        return _CrossEntropy.apply(self, x, y, *self.parameters())  # type: ignore[no-any-return,no-untyped-call]

    @torch.no_grad()
    def loss_and_gradients(self, x: Tensor, y: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Returns the mean cross-entropy of a minibatch, and its gradients in the order of the parameters.

        Args:
            x: Signals (batch, length).
            y: Labels (batch,).
        """
        own = tuple(self.parameters())
        _, _, w2, _, w3, b3 = own
        h, outputs, total, logits = _layers(x, own, self.shared)
        log_p = F.log_softmax(logits, 1)
        of_labels = torch.eye(len(b3), dtype=x.dtype, device=x.device).index_select(0, y)
        d = log_p.exp().sub_(of_labels).div_(len(y))
        d_total = times(d, w3.t())
        d_h, d_w2, d_b2 = _of_second_layer(h, w2, outputs, d_total)
        d_h = threshold_backward(_plus(d_h, d_total, self.shared), h, 0)
        of_first = [times(d_h.t(), x.t()), d_h.sum(0)]
        return F.nll_loss(log_p, y), [*of_first, d_w2, d_b2, times(d.t(), total.t()), d.sum(0)]


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, network: CompactMLP, x: Tensor, y: Tensor, *parameters: Tensor) -> Tensor:
        loss, gradients = network.loss_and_gradients(x, y)
        ctx.save_for_backward(*gradients)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_loss: Tensor) -> tuple[Tensor | None, ...]:
        return None, None, None, *(d_loss * gradient for gradient in ctx.saved_tensors)


def _layers(x: Tensor, parameters: tuple[Tensor, ...], shared: int) -> tuple[Tensor, ...]:
    """Returns the outputs of both hidden layers, (batch, c) and (batch, r), their sum as in the MLP, and the logits."""
    w1, b1, w2, b2, w3, b3 = parameters
    h = times(x, w1, b1, relu=True)
    outputs = times(h, w2, b2, relu=True)
    total = _plus(outputs, h, shared)
    return h, outputs, total, times(total, w3, b3)


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


def _plus(a: Tensor, b: Tensor, shared: int) -> Tensor:
    """Returns the sum of `a` and `b` in their first columns, of which they share so many, and `a` in its others."""
    if shared == a.shape[1] == b.shape[1]:
        return a + b
    total = a.clone()
    total[:, :shared] += b[:, :shared]
    return total

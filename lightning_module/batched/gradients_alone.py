"""The gradients of a fully connected reference network alone, without autograd, to the bit.

Autograd takes as long for its bookkeeping of the MLP as the MLP's products take. So where nobody looks on, within an
execution of several optimiser steps, the same kernels are called one after the other.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lightning_module.batched.as_replica import FULLY_CONNECTED, is_as_made, runs_as_one_of_many
from lightning_module.batched.matmul import WIDE
from lightning_module.networks import MLP

# What autograd itself calls; `reduction=1` is the mean, and -100 the label that counts for nothing.
_NLL, _NLL_BACKWARD = torch.ops.aten.nll_loss_forward, torch.ops.aten.nll_loss_backward
_LOG_SOFTMAX_BACKWARD = torch.ops.aten._log_softmax_backward_data
_RELU_BACKWARD = torch.ops.aten.threshold_backward
_MEAN, _IGNORED = 1, -100


def gradients_alone(network: nn.Module) -> Callable[[Tensor, Tensor], Tensor | None] | None:
    """Returns the function that sets the gradients of the mean cross-entropy, and returns the latter.

    It takes signals (batch, length) and labels (batch,), and returns None, with nothing done, for those that it is not
    for. What it sets has the bits of `as_replica.cross_entropy_alone` and `backward`. It holds for as long as the
    network keeps its parameters, whatever their values, and nobody hooks into them.

    Args:
        network: Any module. None is returned for one that needs autograd: any but a fully connected reference network
            as it was made, or one with a frozen parameter or a hook.
    """
    if type(network) not in FULLY_CONNECTED or not is_as_made(network):
        return None
    layers = [layer for layer in network.children() if isinstance(layer, nn.Linear)]
    parameters = [parameter for layer in layers for parameter in (layer.weight, layer.bias)]
    if not all(map(_is_usual, parameters)):
        return None
    values = [parameter.detach() for parameter in parameters]
    derive = _mlp if type(network) is MLP else _linear
    largest, dtype = max(value.numel() for value in values), values[0].dtype

    def differentiate(x: Tensor, y: Tensor) -> Tensor | None:
        if 2 * largest * len(x) >= WIDE or x.dtype != dtype or x.requires_grad or y.dtype != torch.int64:
            return None
        if not runs_as_one_of_many(x) or not torch.is_grad_enabled() or torch.is_anomaly_enabled():
            return None
        with torch.no_grad():
            loss, gradients = derive(values, x, y)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        return loss

    return differentiate


def _is_usual(parameter: Tensor) -> bool:
    if type(parameter) is not nn.Parameter or not parameter.requires_grad:  # None for a layer without a bias
        return False
    return not parameter._backward_hooks and not getattr(parameter, "_post_accumulate_grad_hooks", None)


def _linear(values: list[Tensor], x: Tensor, y: Tensor) -> tuple[Tensor, list[Tensor]]:
    weight, bias = values
    loss, of_logits = _cross_entropy(torch.addmm(bias.unsqueeze(1), weight, x.t()), y)
    return loss, [torch.mm(of_logits, x), of_logits.sum(1)]


def _mlp(values: list[Tensor], x: Tensor, y: Tensor) -> tuple[Tensor, list[Tensor]]:
    weight1, bias1, weight2, bias2, weight3, bias3 = values
    h1 = torch.addmm(bias1.unsqueeze(1), weight1, x.t()).relu_()  # (hidden, batch), as in `batched.mlp`
    branch = torch.addmm(bias2.unsqueeze(1), weight2, h1).relu_()
    h2 = h1 + branch
    loss, of_logits = _cross_entropy(torch.addmm(bias3.unsqueeze(1), weight3, h2), y)
    of_h2 = torch.mm(weight3.t(), of_logits)
    of_branch = _RELU_BACKWARD(of_h2, branch, 0)
    of_h1 = _RELU_BACKWARD(of_h2 + torch.mm(weight2.t(), of_branch), h1, 0)
    return loss, [
        torch.mm(of_h1, x),
        of_h1.sum(1),
        torch.mm(of_branch, h1.t()),
        of_branch.sum(1),
        torch.mm(of_logits, h2.t()),
        of_logits.sum(1),
    ]


def _cross_entropy(logits: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the mean cross-entropy of logits (num_classes, batch), and its gradient by them."""
    log_p = torch.log_softmax(logits, 0)
    loss, weight = _NLL(log_p.t(), y, None, _MEAN, _IGNORED)
    of_log_p = _NLL_BACKWARD(torch.ones_like(loss), log_p.t(), y, None, _MEAN, _IGNORED, weight)
    return loss, _LOG_SOFTMAX_BACKWARD(of_log_p.t(), log_p, 0, log_p.dtype)

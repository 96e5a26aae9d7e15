"""The inner training of the activation study for many networks at once and any activation function, without unrolling.

The optimiser is that of the meta-training: RMSprop, but that it forgets within two or three steps.
"""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # as everywhere in PyTorch

from lightning_module.datamodule import Examples
from lightning_module.studies.methods.activation.functions import Function
from lightning_module.studies.methods.activation.meta_activation import (
    BATCH,
    CLASSES,
    EPSILON,
    HIDDEN,
    LENGTH,
    MEMORY,
    NOISE,
    RATE,
    StepNoise,
    reference_draws,
)


class Setting(NamedTuple):
    """How a network is trained, and its activation function stretched: outward * f(inward * x).

    Attributes:
        rate: Learning rate.
        inward: Factor of the function's input.
        outward: Factor of its output.
    """

    rate: float = RATE
    inward: float = 1.0
    outward: float = 1.0


def settings_of(rates: Sequence[float], inward: Sequence[float], outward: Sequence[float]) -> list[Setting]:
    """Returns all combinations."""
    return [Setting(*values) for values in product(rates, inward, outward)]


class InnerTrained(NamedTuple):
    """Networks after their training.

    Attributes:
        losses: Of each minibatch before its update, (k, steps).
        networks: The weights, flat, (k, weights).
    """

    losses: Tensor
    networks: Tensor


def initial_networks(seeds: Sequence[int]) -> Tensor:
    """Returns the networks that the published comparison begins with, one for each seed, flat."""
    return torch.stack([reference_draws(seed, steps=1, learned=False).first for seed in seeds])


def uniform_noise(seed: int, *, steps: int) -> Tensor:
    """Returns the noise (steps, hidden) on the hidden units of one training."""
    generator = torch.Generator().manual_seed(seed)
    return NOISE * (2 * torch.rand(steps, HIDDEN, generator=generator) - 1)


def noise_of(draws: Sequence[StepNoise]) -> Tensor:
    """Returns the noise on the hidden units (steps, hidden) of the reference's draws."""
    return torch.stack([noise.hidden for noise in draws])


def train_networks(
    function: Function, networks: Tensor, examples: Examples, noise: Tensor, settings: Sequence[Setting]
) -> InnerTrained:
    """Returns k networks after their training.

    Args:
        function: The activation function.
        networks: Initial weights (k, weights).
        examples: x (n, length) that all share, or (k, n, length); minibatches are their rows in order.
        noise: (steps, hidden) that all share, or (k, steps, hidden).
        settings: One for each network.
    """
    rate, inward, outward = (torch.tensor(column) for column in zip(*settings, strict=True))
    squares, losses = torch.ones_like(networks), []
    networks = networks.clone()
    for step in range(noise.shape[-2]):
        first = step * BATCH % examples.y.shape[-1]
        x, y = examples.x[..., first : first + BATCH, :], examples.y[..., first : first + BATCH]
        networks.requires_grad_()
        logits = network_logits(function, networks, x, noise[..., step, :], inward, outward)
        loss = _cross_entropy(logits, y)
        (gradient,) = torch.autograd.grad(loss.sum(), networks)
        losses.append(loss.detach())
        networks = networks.detach()
        squares = squares.mul_(MEMORY).addcmul_(gradient, gradient, value=1 - MEMORY)
        networks = networks - rate[:, None] * gradient / (squares.sqrt() + EPSILON)
    return InnerTrained(torch.stack(losses, dim=1), networks)


def network_logits(
    function: Function, networks: Tensor, x: Tensor, noise: Tensor | float, inward: Tensor, outward: Tensor
) -> Tensor:
    """Returns the logits (k, n, classes) of k flat networks on x (n, length) or (k, n, length)."""
    k = len(networks)
    first, first_bias, second, second_bias = torch.split(
        networks, [HIDDEN * LENGTH, HIDDEN, CLASSES * HIDDEN, CLASSES], dim=1
    )
    signals = x if x.dim() == 3 else x.expand(k, -1, -1)
    before = torch.baddbmm(first_bias[:, None], signals, first.view(k, HIDDEN, LENGTH).mT)
    after = outward.view(-1, 1, 1) * function(inward.view(-1, 1, 1) * before)
    if isinstance(noise, Tensor):
        after = after + (noise[:, None] if noise.dim() == 2 else noise)
    return torch.baddbmm(second_bias[:, None], after, second.view(k, CLASSES, HIDDEN).mT)


def accuracies(
    function: Function,
    networks: Tensor,
    examples: Examples,
    settings: Sequence[Setting],
    noise: Tensor | float = 0.0,
) -> list[float]:
    """Returns the accuracy of each network on the same examples, one network at a time to bound the memory."""
    found = []
    with torch.no_grad():
        for network, setting in zip(networks, settings, strict=True):
            stretch = (torch.tensor([number]) for number in (setting.inward, setting.outward))
            predicted = network_logits(function, network[None], examples.x, noise, *stretch)[0].argmax(1)
            found.append(float((predicted == examples.y).double().mean()))
    return found


def _cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Returns the mean cross-entropy (k,) of logits (k, n, classes) for y (n,) or (k, n)."""
    k = len(logits)
    each = F.cross_entropy(logits.flatten(0, 1), y.expand(k, -1).reshape(-1), reduction="none")
    return each.view(k, -1).mean(1)

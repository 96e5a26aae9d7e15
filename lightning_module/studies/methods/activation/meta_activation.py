"""An activation function learned by gradient descent through a whole training of a network that uses it.

The inner training's gradient is written out, and with it the only derivative of the activation function that it needs,
the slope. What automatic differentiation has left to do is one backward pass through 301 steps of some twenty
operations each.

Source: Greydanus (2020), "Scaling down Deep Learning", metalearning an activation function, and its notebook, whose
order of random draws is followed, as the result depends on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # as everywhere in PyTorch

from lightning_module.datamodule import Examples
from lightning_module.studies.methods.activation.tabulated import PORTION, UNITS, activation, split, taylor_table

LENGTH, HIDDEN, CLASSES, BATCH = 40, 128, 10, 100
NOISE = 0.1  # half the width of the uniform noise on hidden units
MEMORY, RATE, EPSILON = 0.4, 0.01, 1e-8  # of the inner optimiser
CLAMP, OUTER_RATE = 0.1, 0.3


class StepNoise(NamedTuple):
    """The noise that is added in one evaluation of the network.

    Attributes:
        units: Added to the hidden units of the activation function's MLP, (100,); empty without such an MLP.
        hidden: Added to the network's hidden units, (128,).
    """

    units: Tensor
    hidden: Tensor


@dataclass(frozen=True)
class MetaDraws:
    """All that is random in a meta-training.

    Attributes:
        function: First weights of the activation function (301,); empty if it is a fixed one.
        first: Initial weights of the network in the first outer step, flat.
        later: Those in all later outer steps.
        training: The noise of each inner step.
        evaluation: The noise of the evaluation after the last inner step.
    """

    function: Tensor
    first: Tensor
    later: Tensor
    training: list[StepNoise]
    evaluation: StepNoise


def reference_draws(seed: int, *, steps: int, learned: bool = True) -> MetaDraws:
    """Returns the random numbers of a run in the reference's order, from torch's generator; its global state stays.

    The reference seeds the generator in every inner training, so all later outer steps have the same initial weights
    and the same noise. Which initial weights these are is decided by how many numbers the evaluations draw, one after
    every inner step but the first, and the plot of the function after each outer step.

    Args:
        seed: Of the initial weights and of the inner trainings.
        steps: Inner steps.
        learned: Whether the activation function is an MLP, whose units are noisy too.
    """

    def uniform(count: int) -> Tensor:
        return NOISE * (2 * torch.rand(count) - 1)

    def noise() -> StepNoise:
        return StepNoise(uniform(UNITS if learned else 0), uniform(HIDDEN))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        function = _layers(1, UNITS, 1) if learned else torch.empty(0)
        first = _layers(LENGTH, HIDDEN, CLASSES)
        torch.manual_seed(seed)
        training, evaluation = [], noise()
        torch.manual_seed(seed)
        for step in range(steps):
            training.append(noise())
            if step:
                evaluation = noise()
        if learned:
            uniform(UNITS)  # of the plot
        return MetaDraws(function, first, _layers(LENGTH, HIDDEN, CLASSES), training, evaluation)


def weights_of(flat: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Returns the views (128, 40), (128,), (10, 128), (10,) of a network's flat weights."""
    first, first_bias, second, second_bias = torch.split(flat, [HIDDEN * LENGTH, HIDDEN, CLASSES * HIDDEN, CLASSES])
    return first.view(HIDDEN, LENGTH), first_bias, second.view(CLASSES, HIDDEN), second_bias


def inner_training(
    function: Tensor, network: Tensor, noise: list[StepNoise], batches: Examples
) -> tuple[Tensor, Tensor, float]:
    """Returns the losses (steps,) of an inner training, the final weights, and the largest input of the function.

    Losses and weights can be differentiated by `function`, if it requires a gradient, and not by `network`.

    Args:
        function: Weights of the activation function (301,).
        network: Initial weights of the network, flat.
        noise: Of each step.
        batches: x (steps, 100, 40) and y (steps, 100).
    """
    table, (_, _, out, bias) = taylor_table(function), split(function)
    squares, losses, inputs = torch.ones_like(network), [], []
    targets = F.one_hot(batches.y, CLASSES).to(network.dtype)
    for x, target, (units, hidden) in zip(batches.x, targets, noise, strict=True):
        first, first_bias, second, second_bias = weights_of(network)
        before = torch.addmm(first_bias, x, first.t())  # (batch, hidden)
        value, slope = activation(before, table)
        after = value + (PORTION * (out @ units + bias) + hidden)
        log_probabilities = torch.log_softmax(torch.addmm(second_bias, after, second.t()), dim=1)
        losses.append(-(log_probabilities * target).sum() / len(x))
        by_logits = (log_probabilities.exp() - target) / len(x)
        by_before = (by_logits @ second) * slope
        parts = (by_before.t() @ x, by_before.sum(0), by_logits.t() @ after, by_logits.sum(0))
        gradient = torch.cat([part.reshape(-1) for part in parts])
        squares = MEMORY * squares + (1 - MEMORY) * gradient * gradient
        network = network - RATE * gradient / (squares.sqrt() + EPSILON)
        inputs.append(before.detach().abs().amax())
    return torch.stack(losses), network, float(torch.stack(inputs).max())


class OuterStep(NamedTuple):
    """An outer step: the losses and the gradient that it was made from, and the function after it.

    Attributes:
        objective: Mean of the last 200 inner losses, before the update.
        mean_loss: Mean of all inner losses.
        last_loss: Loss of the last inner step.
        gradient_square: Square of the clamped gradient.
        accuracy: On the evaluation examples, after the inner training, with noise.
        largest: Largest input of the activation function in training.
        function: The function's weights after the update, (301,).
    """

    objective: float
    mean_loss: float
    last_loss: float
    gradient_square: float
    accuracy: float
    largest: float
    function: Tensor


def meta_train(
    train: Examples,
    evaluation: Examples,
    draws: MetaDraws,
    *,
    outer_steps: int,
    window: int = 200,
    after: OuterStep | None = None,
) -> Iterator[OuterStep]:
    """Yields the outer steps of a meta-training.

    Args:
        train: Training examples; minibatches are their rows in order.
        evaluation: Examples on which each trained network is evaluated.
        draws: What is random.
        outer_steps: Number of outer steps.
        window: The objective is the mean of this many last inner losses.
        after: The step to go on from; None to begin.
    """
    batches = batches_of(train, len(draws.training))
    function, start = (draws.function, draws.first) if after is None else (after.function, draws.later)
    for _ in range(outer_steps):
        variable = function.clone().requires_grad_()
        losses, network, largest = inner_training(variable, start, draws.training, batches)
        objective = losses[-window:].mean()
        (gradient,) = torch.autograd.grad(objective, variable)
        gradient = gradient.clamp(-CLAMP, CLAMP)
        accuracy = evaluate(function, network.detach(), draws.evaluation, evaluation)
        function, start = function - OUTER_RATE * gradient, draws.later
        yield OuterStep(
            float(objective.detach()),
            float(losses.detach().mean()),
            float(losses[-1].detach()),
            float(gradient @ gradient),
            accuracy,
            largest,
            function,
        )


def evaluate(function: Tensor, network: Tensor, noise: StepNoise, examples: Examples) -> float:
    """Returns the accuracy of a network with a learned activation function, with noise."""
    first, first_bias, second, second_bias = weights_of(network)
    before = torch.addmm(first_bias, examples.x, first.t())
    _, _, out, bias = split(function)
    value = activation(before, taylor_table(function))[0] + PORTION * (out @ noise.units + bias) + noise.hidden
    return float((torch.addmm(second_bias, value, second.t()).argmax(1) == examples.y).double().mean())


def batches_of(train: Examples, steps: int) -> Examples:
    """Returns x (steps, 100, 40) and y (steps, 100), the rows in their own order, again and again."""
    rows = torch.arange(steps * BATCH) % len(train.y)
    return Examples(train.x[rows].view(steps, BATCH, -1), train.y[rows].view(steps, BATCH))


def _layers(*sizes: int) -> Tensor:
    """Returns the weights of linear layers with torch's default initialisation, flat, from the generator as it is."""
    layers = [nn.Linear(a, b) for a, b in pairwise(sizes)]
    return torch.cat([tensor.detach().reshape(-1) for layer in layers for tensor in (layer.weight, layer.bias)])

"""An inner training by gradient descent, unrolled: its mean loss as a function of the learning rate, and the gradient.

Many trainings run at once, one for each learning rate. They share the minibatches and differ in nothing else, so the
losses of replica i depend on rate i alone, and one backward pass gives all the derivatives.

Source: D. Maclaurin, D. Duvenaud and R. P. Adams, "Gradient-based Hyperparameter Optimization through Reversible
Learning", ICML 2015, for the gradient through a whole training; T. Chen et al., "Training Deep Nets with Sublinear
Memory Cost", 2016, for keeping only some of the states on the way.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # as everywhere in PyTorch

from lightning_module.datamodule import Examples

Weights = tuple[Tensor, ...]  # (k, length, hidden), (k, 1, hidden), (k, hidden, classes), (k, 1, classes)


class Hypergradient(NamedTuple):
    """The mean loss of k trainings, and its derivative by the learning rate of each.

    Attributes:
        mean_loss: Mean over the steps, (k,).
        gradient: Derivative of the mean loss by the learning rate, (k,).
        losses: Of each minibatch before its update, (k, steps).
    """

    mean_loss: Tensor
    gradient: Tensor
    losses: Tensor


def initial_weights(seed: int, *, length: int = 40, hidden: int = 50, num_classes: int = 10) -> Weights:
    """Returns the weights of one MLP with torch's default initialisation, as a stack of one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = nn.Linear(length, hidden), nn.Linear(hidden, num_classes)
    pairs = ((layer.weight.detach().t(), layer.bias.detach()[None]) for layer in layers)
    return tuple(tensor[None] for pair in pairs for tensor in pair)


def minibatches(examples: Examples, *, steps: int, size: int) -> Examples:
    """Returns x (steps, size, length) and y (steps, size): the rows in their own order, again and again.

    Raises:
        ValueError: If the rows do not fall into whole minibatches.
    """
    count = len(examples.y)
    if count % size:
        raise ValueError(f"size={size} must divide the {count} rows; choose a divisor, such as {_divisor(count, size)}")
    rows = torch.arange(steps * size) % count
    return Examples(examples.x[rows].view(steps, size, -1), examples.y[rows].view(steps, size))


def logits(weights: Weights, x: Tensor) -> Tensor:
    """Returns the logits (k, n, classes) of k MLPs with one hidden tanh layer, on examples (n, length)."""
    first, first_bias, second, second_bias = weights
    return torch.tanh(x @ first + first_bias) @ second + second_bias


def unroll(rates: Tensor, weights: Weights, batches: Examples, *, graph: bool) -> tuple[Tensor, Weights]:
    """Returns the losses (k, steps) of k trainings by gradient descent, and their final weights.

    Args:
        rates: Learning rates (k,).
        weights: Stacked initial weights.
        batches: As from `minibatches`.
        graph: Whether losses and weights can be differentiated by the rates and the initial weights.
    """
    losses: list[Tensor] = []
    scale = rates.view(-1, 1, 1)
    for x, y in zip(*batches, strict=True):
        if not graph:
            weights = tuple(tensor.detach().requires_grad_() for tensor in weights)
        loss = _cross_entropy(logits(weights, x), y)
        gradients = torch.autograd.grad(loss.sum(), weights, create_graph=graph)
        weights = tuple(w - scale * g for w, g in zip(weights, gradients, strict=True))
        losses.append(loss if graph else loss.detach())
    return torch.stack(losses, dim=1), weights


def hypergradient(rates: Tensor, weights: Weights, batches: Examples, *, segment: int | None = None) -> Hypergradient:
    """Returns the mean loss of k trainings with its exact derivative by each learning rate.

    The unrolled training is differentiated in segments, from the last to the first. One segment is plain backward
    propagation. With several only their first states are kept, and each segment is run again when its turn comes: the
    same derivative in about a third more time, and in the memory of one segment.

    Args:
        rates: Learning rates (k,).
        weights: Initial weights of one network, or stacked for k.
        batches: As from `minibatches`.
        segment: Steps in a segment; None for all.
    """
    steps = len(batches.y)
    parts = [Examples(*(t[i : i + (segment or steps)] for t in batches)) for i in range(0, steps, segment or steps)]
    rates = rates.detach()
    state = tuple(w.detach().expand(len(rates), *w.shape[1:]).contiguous() for w in weights)
    states = [state]
    for part in parts[:-1]:
        states.append(tuple(w.detach() for w in unroll(rates, states[-1], part, graph=False)[1]))
    total, pulled = torch.zeros_like(rates), tuple(torch.zeros_like(w) for w in state)
    losses: list[Tensor] = []
    for part, start in zip(reversed(parts), reversed(states), strict=True):
        rate = rates.clone().requires_grad_()
        start = tuple(w.clone().requires_grad_() for w in start)
        of_part, end = unroll(rate, start, part, graph=True)
        # How the losses of this segment, and by its end those of all later ones, depend on the rate and on its start.
        by_rate, *pulled_list = torch.autograd.grad([of_part.sum() / steps, *end], [rate, *start], [None, *pulled])
        total, pulled = total + by_rate, tuple(pulled_list)
        losses.insert(0, of_part.detach())
    all_losses = torch.cat(losses, dim=1)
    return Hypergradient(all_losses.mean(1), total, all_losses)


def descend(
    starts: Sequence[float],
    weights: Weights,
    batches: Examples,
    *,
    steps: int,
    outer_rate: float,
    largest: float = 10.0,
    segment: int | None = None,
) -> Iterator[tuple[Tensor, Hypergradient]]:
    """Yields the learning rates after each step of gradient descent on the mean loss, and what the step was made from.

    A learning rate that leaves the range from 0 to `largest` is nan from there on.

    Args:
        starts: Learning rates to begin with, each a descent of its own.
        weights: Initial weights of the inner training, the same in each step.
        batches: Minibatches of the inner training.
        steps: Outer steps.
        outer_rate: The learning rate of the outer descent.
        largest: Beyond this an outer step was no step but an explosion.
        segment: As in `hypergradient`.
    """
    rates = torch.tensor(starts)
    for _ in range(steps):
        found = hypergradient(rates, weights, batches, segment=segment)
        rates = rates - outer_rate * found.gradient
        rates = torch.where((rates > 0) & (rates <= largest), rates, torch.nan)
        yield rates, found


@contextmanager
def held_for_backward() -> Iterator[list[int]]:
    """Gives a list that in the end has one entry: the bytes that backward passes kept, each storage counted once.

    Storages that were freed on the way are counted too, so measure one graph at a time.
    """
    storages: dict[int, int] = {}
    held: list[int] = []

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield held
    held.append(sum(storages.values()))


def _cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Returns the mean cross-entropy (k,) of logits (k, n, classes)."""
    replicas = len(logits)
    each = F.cross_entropy(logits.flatten(0, 1), y.repeat(replicas), reduction="none")
    return each.view(replicas, -1).mean(1)


def _divisor(count: int, below: int) -> int:
    return next(size for size in range(min(below, count), 0, -1) if count % size == 0)

"""The pruning policy of the lottery tickets: layer by layer, weights and biases together. Pure functions on tensors.

Source: Frankle & Carbin (2019), "The Lottery Ticket Hypothesis", ICLR, for pruning by magnitude with rewinding; the
rest, down to the biases, is that of Greydanus (2020), "Scaling down Deep Learning".
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from lightning_module.replicas.stacking import initialised

Tensors = Mapping[str, Tensor]  # by the names in the network, such as "linear1.weight"


def sparsities(rounds: int) -> list[float]:
    """Returns the fraction that is pruned in each round: from none to all, in equal steps."""
    return [float(sparsity) for sparsity in np.linspace(0, 1, rounds)]


def kept(scores: Tensor, sparsity: float) -> Tensor:
    """Returns a mask (n,) with 0 at the int(sparsity * n) lowest of the scores (n,), which are at least 0, else 1."""
    method = prune.L1Unstructured(amount=int(sparsity * len(scores)))
    mask: Tensor = method.compute_mask(scores, torch.ones_like(scores))  # type: ignore[no-untyped-call]
    return mask


def masks_by(scores: Tensors, sparsity: float) -> dict[str, Tensor]:
    """Returns a mask for each parameter, by scores in their shapes: each layer loses the same fraction of its entries.

    A layer is what has the same name up to the last dot; its weights and biases compete with each other.
    """
    masks: dict[str, Tensor] = {}
    for layer in dict.fromkeys(name.rpartition(".")[0] for name in scores):
        own = {name: score for name, score in scores.items() if name.rpartition(".")[0] == layer}
        flat = kept(torch.cat([score.flatten() for score in own.values()]), sparsity)
        pieces = torch.split(flat, [score.numel() for score in own.values()])
        masks |= {name: piece.view_as(own[name]) for name, piece in zip(own, pieces, strict=True)}
    return masks


def magnitudes(weights: Tensors) -> dict[str, Tensor]:
    """Returns the scores of magnitude pruning. What is pruned is 0 and has the lowest one: masks are nested."""
    return {name: weight.abs() for name, weight in weights.items()}


def random_scores(like: Tensors, *, seed: int) -> dict[str, Tensor]:
    """Returns the scores of random pruning, uniform and new with each seed: masks of several are not nested."""
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.rand(weight.shape, generator=generator) for name, weight in like.items()}


def initial_weights(make: Callable[[], nn.Module], seed: int) -> dict[str, Tensor]:
    """Returns the parameters of a network that is made after `torch.manual_seed(seed)`."""
    return {name: p.detach() for name, p in initialised(make, seed).named_parameters()}

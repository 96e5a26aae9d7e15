"""Masked networks without the units that the masks leave dead: the same network, in less time.

A hidden unit of a masked `networks.MLP` is dead if nothing leads to it or nothing leads on from it. Its value is 0 or
counts for nothing, so every one of its parameters that the mask keeps has a gradient of exactly 0, and Adam, which
starts with moments of 0, leaves it as it was. To drop such units changes no other number, but for the order in which
products are summed: weights agree up to the rounding of float32, and what rounding makes of it in further steps.
A unit with a bias alone is constant, not dead: its bias is trained, and it stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class Alive:
    """The units of a masked MLP that count.

    Attributes:
        hidden: Units of the first hidden layer, (c,).
        outputs: Units of the second, (r,).
        shared: The first `shared` of both are the same: over these goes the residual connection.
    """

    hidden: Tensor
    outputs: Tensor
    shared: int


def alive_units(masks: Tensors) -> Alive:
    """Returns the units that count, by the masks of an MLP's parameters; at least one of each layer."""
    masks = {name: mask != 0 for name, mask in masks.items()}
    fed = masks["linear1.weight"].any(1) | masks["linear1.bias"]
    read = masks["linear3.weight"].any(0)
    hidden, rows = fed, read
    while True:
        leads_in = masks["linear2.weight"][:, hidden].any(1) | masks["linear2.bias"]
        still_rows = read & leads_in
        still_hidden = fed & (read | masks["linear2.weight"][still_rows].any(0))
        if torch.equal(still_rows, rows) and torch.equal(still_hidden, hidden):
            break
        hidden, rows = still_hidden, still_rows
    both = hidden & read
    shared = both.nonzero().flatten()
    only_hidden, only_outputs = (hidden & ~both).nonzero().flatten(), (rows & ~both).nonzero().flatten()
    first = torch.zeros(1, dtype=torch.long)  # where all are dead: layers of no units have no matrix product
    return Alive(
        hidden=torch.cat([shared, only_hidden]) if hidden.any() else first,
        outputs=torch.cat([shared, only_outputs]) if (rows | both).any() else first,
        shared=len(shared),
    )


def compacted(tensors: Tensors, alive: Alive) -> dict[str, Tensor]:
    """Returns weights or masks of an MLP without those of dead units."""
    return {name: tensor[_kept_places(name, alive)] for name, tensor in tensors.items()}


def restored(compact: Tensors, full: Tensors, alive: Alive) -> dict[str, Tensor]:
    """Returns the weights of the whole MLP: `compact` where units are alive, else `full`."""
    weights = {name: tensor.clone() for name, tensor in full.items()}
    for name, tensor in compact.items():
        weights[name][_kept_places(name, alive)] = tensor
    return weights


def _kept_places(name: str, alive: Alive) -> tuple[Tensor | slice, ...]:
    hidden, outputs, every = alive.hidden, alive.outputs, slice(None)
    return {
        "linear1.weight": (hidden, every),
        "linear1.bias": (hidden,),
        "linear2.weight": (outputs.unsqueeze(1), hidden),
        "linear2.bias": (outputs,),
        "linear3.weight": (every, outputs),
        "linear3.bias": (every,),
    }[name]

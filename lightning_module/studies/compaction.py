"""Masked networks without the units that the masks leave dead: the same network, in less time.

A hidden unit of a masked `networks.MLP` is dead if nothing leads to it or nothing leads on from it. Its value is 0 or
counts for nothing, so every one of its parameters that the mask keeps has a gradient of exactly 0, and Adam, which
starts with moments of 0, leaves it as it was. To drop such units changes no other number, but for the order in which
products are summed: weights agree up to the rounding of float32, and what rounding makes of it in further steps.
A unit with a bias alone is constant, not dead: its bias is trained, and it stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # as everywhere in PyTorch

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class Alive:
    """The units of a masked MLP that count, and places without a unit among them, see `side_by_side`.

    Args:
        hidden: Units of the first hidden layer, (c,).
        outputs: Units of the second, (r,).
        shared: The first `shared` of both are the same: over these goes the residual connection.
        missing: The number that stands where there is no unit: that of the units before any was dropped.
    """

    hidden: Tensor
    outputs: Tensor
    shared: int
    missing: int


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
        missing=len(read),
    )


def side_by_side(alive: Sequence[Alive]) -> list[Alive]:
    """Returns the units of several networks with places without a unit, so that all have the same numbers of them.

    Parameters of such a place are 0, and masked. So it is 0 itself, and neither it nor what leads to it has a gradient.
    """
    shared = max(each.shared for each in alive)
    only_hidden = max(len(each.hidden) - each.shared for each in alive)
    only_outputs = max(len(each.outputs) - each.shared for each in alive)
    return [
        Alive(
            hidden=_filled(each.hidden, each, shared, only_hidden),
            outputs=_filled(each.outputs, each, shared, only_outputs),
            shared=shared,
            missing=each.missing,
        )
        for each in alive
    ]


def _filled(units: Tensor, alive: Alive, shared: int, only: int) -> Tensor:
    """Returns units of a layer with places without a unit behind those of both layers, and behind the others."""
    first, others = units[: alive.shared], units[alive.shared :]
    filled = [
        F.pad(part, (0, count - len(part)), value=alive.missing) for part, count in ((first, shared), (others, only))
    ]
    return torch.cat(filled)


def compacted(tensors: Tensors, alive: Alive) -> dict[str, Tensor]:
    """Returns weights or masks of an MLP without those of dead units, and 0 for a place without a unit."""
    return {name: _widened(name, tensor)[_at(name, alive)] for name, tensor in tensors.items()}


def restored(compact: Tensors, full: Tensors, alive: Alive) -> dict[str, Tensor]:
    """Returns the weights of the whole MLP: `compact` where units are alive, else `full`."""
    weights = {}
    for name, tensor in full.items():
        widened = _widened(name, tensor).clone()
        widened[_at(name, alive)] = compact[name]
        weights[name] = widened[tuple(slice(size) for size in tensor.shape)].clone()
    return weights


def _widened(name: str, tensor: Tensor) -> Tensor:
    """Returns a parameter with a unit more in the hidden layers, all of whose parameters are 0."""
    by = {
        "linear1.weight": (0, 0, 0, 1),
        "linear1.bias": (0, 1),
        "linear2.weight": (0, 1, 0, 1),
        "linear2.bias": (0, 1),
        "linear3.weight": (0, 1),
        "linear3.bias": (0, 0),
    }[name]
    return F.pad(tensor, by)


def _at(name: str, alive: Alive) -> tuple[Tensor | slice, ...]:
    hidden, outputs, every = alive.hidden, alive.outputs, slice(None)
    return {
        "linear1.weight": (hidden, every),
        "linear1.bias": (hidden,),
        "linear2.weight": (outputs.unsqueeze(1), hidden),
        "linear2.bias": (outputs,),
        "linear3.weight": (every, outputs),
        "linear3.bias": (every,),
    }[name]

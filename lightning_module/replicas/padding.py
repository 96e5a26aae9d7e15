"""Networks of different widths side by side: each has its place in tensors of the widest, with zeros around it.

The zeros stay, to the last bit. A unit of the padding has no weights on its way in, so it is 0, before the activation
and after it (ReLU, tanh, a GRU's state). So the gradients of its weights on the way out, products with it, are 0. Those
weights are 0 too, so nothing that the loss depends on depends on the unit, and the gradients of its weights on the way
in are 0. From a gradient of 0 Adam's moments are 0 and its step is 0 / (0 + epsilon); and a weight of 0 has nothing to
decay. So the next step finds the same zeros, and what the other units see of the padding are sums with zeros in them.

What is not so (a sigmoid, a normalisation over the units, a scale that depends on the width) is found out before the
training starts, see `padding_of`.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from lightning_module.batched.logits import batched_logits

# From the sizes (own, of the widest) of a dimension and the two widths to the rows that are the replica's own.
Rows = Callable[[int, int, int, int], Tensor]


class _NotThisWayError(Exception):
    """The sizes of the parameters do not grow like this with the width."""


class Padding:
    """The places of each replica's parameters in those of the widest.

    Args:
        parameters: Those of each replica's network.
        widths: The width of each replica.
        rows: The way in which a dimension grows with the width.
    """

    def __init__(self, parameters: Sequence[Mapping[str, Tensor]], widths: Sequence[int], rows: Rows) -> None:
        most = widths.index(max(widths))
        if any([*own] != [*parameters[most]] for own in parameters):
            raise _NotThisWayError
        self._shapes = {name: tensor.shape for name, tensor in parameters[most].items()}
        self._places = [
            {
                name: torch.meshgrid(
                    *(
                        rows(size, whole, width, widths[most])
                        for size, whole in zip(tensor.shape, self._shapes[name], strict=True)
                    ),
                    indexing="ij",
                )
                for name, tensor in own.items()
            }
            for own, width in zip(parameters, widths, strict=True)
        ]

    def padded(self, k: int, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Returns tensors of replica k in the shapes of the widest."""
        result = {}
        for name, tensor in own.items():
            result[name] = tensor.new_zeros(self._shapes[name])
            result[name][self._places[k][name]] = tensor
        return result

    def own(self, k: int, padded: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Returns the part of tensors of the widest that belongs to replica k."""
        return {name: tensor[self._places[k][name]] for name, tensor in padded.items()}

    def is_zero(self, k: int, padded: Mapping[str, Tensor]) -> bool:
        """Returns whether tensors of the widest are 0 wherever they do not belong to replica k."""
        own = self.padded(k, self.own(k, padded))
        return all(torch.equal(tensor, own[name]) for name, tensor in padded.items())


def padding_of(networks: Sequence[nn.Module], widths: Sequence[int], *, length: int) -> Padding:
    """Returns the padding with which all networks compute what they compute alone, and which stays zero.

    Whether it does is tried out, on a few random signals.

    Args:
        networks: The network of each replica.
        widths: Their widths.
        length: Points in a signal.

    Raises:
        ValueError: If there is no such padding.
    """
    parameters = [{name: p.detach().double() for name, p in network.named_parameters()} for network in networks]
    for rows in (_leading, _in_blocks):
        try:
            padding = Padding(parameters, widths, rows)
        except _NotThisWayError:
            continue
        if _is_exact(padding, networks, parameters, widths, length):
            return padding
    raise ValueError(
        f"widths {sorted(set(widths))} of {type(networks[0]).__name__} cannot be trained side by side: with zeros in "
        "place of the missing units it computes something else (a normalisation over the units, or an activation that "
        "is not 0 at 0?); put each width into an ensemble of its own"
    )


def _leading(size: int, whole: int, width: int, widest: int) -> Tensor:
    """Returns the first rows: of layers after one another, and of channels with their points."""
    if size > whole:
        raise _NotThisWayError
    return torch.arange(size)


def _in_blocks(size: int, whole: int, width: int, widest: int) -> Tensor:
    """Returns the first rows of each block of `widest`: of a GRU's gates, and of its units at each step."""
    if size == whole:
        return torch.arange(size)
    blocks, rest = divmod(size, width)
    if rest or whole != blocks * widest:
        raise _NotThisWayError
    return (torch.arange(blocks).unsqueeze(1) * widest + torch.arange(width)).flatten()


def _is_exact(
    padding: Padding,
    networks: Sequence[nn.Module],
    parameters: Sequence[dict[str, Tensor]],
    widths: Sequence[int],
    length: int,
) -> bool:
    """Returns whether the logits are those of the networks alone, and all gradients of the padding are 0."""
    for network in networks:
        network.eval()  # without dropout
    x = torch.randn(8, length, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    alone = [functional_call(network, own, (x,)) for network, own in zip(networks, parameters, strict=True)]
    padded = [padding.padded(k, own) for k, own in enumerate(parameters)]
    stacked = {name: torch.stack([each[name] for each in padded]).requires_grad_() for name in padded[0]}
    logits = batched_logits(networks[widths.index(max(widths))])(stacked, x).transpose(1, 2)  # (k, 8, num_classes)
    if not torch.allclose(logits, torch.stack(alone), rtol=1e-9, atol=1e-9):
        return False
    gradients = dict(zip(stacked, torch.autograd.grad(logits.square().sum(), list(stacked.values())), strict=True))
    return all(padding.is_zero(k, {name: gradients[name][k] for name in gradients}) for k in range(len(networks)))

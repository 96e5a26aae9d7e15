"""torch's fused Adam on a CPU for stacked parameters, replica by replica, to the bit.

The kernel takes a tensor's entries by the vector, and what is left at its end one by one, in double precision. In a
stack of replicas other entries are at the end than in each one alone, and would differ in the last digit. So the
kernel gets the replicas' slices, all in one call for those with the same learning rate and weight decay; whole stacks
only where a replica's entries fill their vectors. A call for hundreds of slices takes hardly longer than for the
stacks, once they exist, and so those of the parameters and their moments are kept.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from lightning_module.loop.bare_step import fused_adam

# Entries that fill whole vectors on every processor, and the kernel's own share of work: a cache line of float32.
VECTOR = 16


class ReplicaSlices:
    """The steps of k replicas on a CPU.

    Args:
        lr: The learning rate of each replica.
        weight_decay: The weight decay of each replica.
    """

    def __init__(self, lr: Sequence[float], weight_decay: Sequence[float]) -> None:
        self._largest = max(lr)
        self._alike: dict[tuple[float, float], list[int]] = {}
        for k, settings in enumerate(zip(lr, weight_decay, strict=True)):
            self._alike.setdefault(settings, []).append(k)
        self._kept: dict[Tensor, tuple[list[int], list[tuple[Tensor, ...]]]] = {}

    def step(self, parameters: list[Tensor], states: list[dict[str, Tensor]], group: dict[str, Any]) -> None:
        """Takes a step of Adam, in place.

        Args:
            parameters: The stacked parameters, (k, ...), with their gradients.
            states: For each its "step", "exp_avg" and "exp_avg_sq".
            group: "lr", that of the replicas with the largest, "betas", "eps", and whether the decay is "decoupled".
        """
        torch._foreach_add_([state["step"] for state in states], 1)
        slices = [self._slices(parameter, state) for parameter, state in zip(parameters, states, strict=True)]
        gradients = [self._split(parameter.grad) for parameter in parameters]  # type: ignore[arg-type]  # none is None
        scheduled = group["lr"] / self._largest  # 1 without a scheduler, so that each rate stays what it is
        for (lr, decay), replicas in self._alike.items():
            chosen = [
                (*own[k], gradient[k], state["step"])
                for own, gradient, state in zip(slices, gradients, states, strict=True)
                for k in (replicas if len(own) > 1 else (0,))
            ]
            values, means, squares, own_gradients, steps = map(list, zip(*chosen, strict=True))
            fused_adam(
                values,
                own_gradients,
                means,
                squares,
                steps,
                lr=lr * scheduled,
                weight_decay=decay,
                group=group,
                decoupled=group["decoupled"],
            )

    def _slices(self, parameter: Tensor, state: dict[str, Tensor]) -> list[tuple[Tensor, ...]]:
        """Returns, for each part of a parameter, that part and those of its moments."""
        tensors = (parameter, state["exp_avg"], state["exp_avg_sq"])
        places = [tensor.data_ptr() for tensor in tensors]  # others after a move to another dtype, or loading
        kept = self._kept.get(parameter)
        if kept is None or kept[0] != places:
            parts = [*zip(*(self._split(tensor.detach()) for tensor in tensors), strict=True)]
            kept = self._kept[parameter] = (places, parts)
        return kept[1]

    def _split(self, stack: Tensor) -> Sequence[Tensor]:
        whole = len(self._alike) == 1 and stack[0].numel() % VECTOR == 0
        return (stack,) if whole else stack.unbind(0)

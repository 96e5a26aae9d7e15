"""What the optimisers over stacked parameters have in common: a learning rate and a weight decay for each replica."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor


class ReplicaOptimizer(torch.optim.Optimizer):
    """An optimiser for the parameters of k replicas, stacked along the first axis: one step for all.

    `param_groups[0]["lr"]` is the largest learning rate; a scheduler that changes it changes all in proportion.

    Args:
        params: The stacked parameters, (k, ...).
        lr: The learning rate of each replica.
        weight_decay: The weight decay of each replica.
        settings: What else stands in a parameter group.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        *,
        lr: Sequence[float],
        weight_decay: Sequence[float] | None = None,
        settings: dict[str, Any],
    ) -> None:
        super().__init__(params, {"lr": max(lr), **settings})
        rates, decay = torch.tensor(lr, dtype=torch.float64), torch.tensor(weight_decay or [0.0], dtype=torch.float64)
        # None where there is nothing to be done.
        self._relative = None if len(set(lr)) == 1 else rates / rates.max()
        self._decay = decay if decay.any() else None

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Takes one step; returns the loss that `closure` returns, if there is one."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            self._step(group, [parameter for parameter in group["params"] if parameter.grad is not None])
        return loss

    @abstractmethod
    def _step(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Takes the step of the parameters of a group that have a gradient."""

    def _gradients_with_decay(self, parameters: list[Tensor]) -> list[Tensor]:
        """Returns the gradients, with those of half the squared weights times each replica's decay."""
        gradients: list[Tensor] = [parameter.grad for parameter in parameters]  # type: ignore[misc]  # none is None
        if self._decay is None:
            return gradients
        return [
            torch.addcmul(gradient, parameter, of_each(self._decay, parameter))
            for parameter, gradient in zip(parameters, gradients, strict=True)
        ]


def of_each(values: Tensor, parameter: Tensor) -> Tensor:
    """Returns the numbers of the replicas as (k, 1, ...), to be multiplied with a parameter (k, ...)."""
    return values.to(parameter).view(-1, *[1] * (parameter.dim() - 1))

"""`ReplicaSGD`: gradient descent over stacked parameters, with a learning rate and a weight decay for each replica."""

from collections.abc import Iterable, Sequence
from typing import Any

from torch import Tensor
from torch.optim.sgd import sgd

from lightning_module.replicas.optimizer import ReplicaOptimizer, of_each


class ReplicaSGD(ReplicaOptimizer):
    """Gradient descent for the parameters of k replicas, each as `torch.optim.SGD` would take it.

    Args:
        params: The stacked parameters, (k, ...).
        lr: The learning rate of each replica.
        weight_decay: The weight decay of each replica.
        momentum: The share of the last step's direction in the next one's, for all replicas.
        fused: Whether the device has the step as one kernel, which goes through the memory once; used where all
            replicas have the same rate.

    Source: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964, in the form of torch: a
    direction is the last one times the momentum, plus the gradient.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        *,
        lr: Sequence[float],
        weight_decay: Sequence[float] | None = None,
        momentum: float = 0.0,
        fused: bool = False,
    ) -> None:
        super().__init__(params, lr=lr, weight_decay=weight_decay, settings={"momentum": momentum, "fused": fused})

    def _step(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        if group["fused"] and self._relative is None:
            self._fused_step(group, parameters)
            return
        for parameter, gradient in zip(parameters, self._gradients_with_decay(parameters), strict=True):
            direction = self._direction(parameter, gradient, group["momentum"])
            if self._relative is None:
                parameter.sub_(direction, alpha=group["lr"])
            else:
                parameter.addcmul_(direction, of_each(self._relative, parameter), value=-group["lr"])

    def _fused_step(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        buffers = [self.state[parameter].get("momentum_buffer") for parameter in parameters]
        sgd(
            parameters,
            self._gradients_with_decay(parameters),
            buffers,
            fused=True,
            weight_decay=0.0,
            momentum=group["momentum"],
            lr=group["lr"],
            dampening=0.0,
            nesterov=False,
            maximize=False,
        )
        if group["momentum"]:
            for parameter, buffer in zip(parameters, buffers, strict=True):
                self.state[parameter]["momentum_buffer"] = buffer

    def _direction(self, parameter: Tensor, gradient: Tensor, momentum: float) -> Tensor:
        if not momentum:
            return gradient
        state: dict[str, Tensor] = self.state[parameter]
        if not state:
            state["momentum_buffer"] = gradient.clone()
        else:
            state["momentum_buffer"].mul_(momentum).add_(gradient)
        return state["momentum_buffer"]

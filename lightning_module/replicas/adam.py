"""`ReplicaAdam`: Adam over stacked parameters, with a learning rate and a weight decay for each replica."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.adam import adam

from lightning_module.replicas.adam_slices import ReplicaSlices
from lightning_module.replicas.optimizer import ReplicaOptimizer, of_each


class ReplicaAdam(ReplicaOptimizer):
    """Adam for the parameters of k replicas, stacked along the first axis: one step for all.

    Adam works entry by entry, so one call of torch's kernel with stacked tensors is Adam for each replica. Only the
    learning rate is one number to that kernel: where the replicas' differ, it writes its update, at a rate of 1, to a
    buffer of zeros, and the parameters take that times their own. Parameter groups would do the same with a call of
    the kernel for each replica.

    On a CPU torch's fused kernel rounds the last entries of a tensor otherwise than the others, and each replica is to
    have the step of `torch.optim.Adam(fused=True)` to the bit; so there it gets their slices, see `replica_slices`.

    Args:
        params: The stacked parameters, (k, ...).
        lr: The learning rate of each replica.
        weight_decay: The weight decay of each replica.
        decoupled: Whether the weights decay by themselves, as in AdamW, and not through the gradient.
        fused: Whether the device has Adam as one kernel.

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, and Loshchilov and Hutter,
    "Decoupled Weight Decay Regularization", ICLR 2019; betas and epsilon are torch's.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        *,
        lr: Sequence[float],
        weight_decay: Sequence[float] | None = None,
        decoupled: bool = False,
        fused: bool = False,
    ) -> None:
        # "fused" stands in the group also for load_state_dict, which then keeps the counters on the kernel's device.
        settings = {"betas": (0.9, 0.999), "eps": 1e-8, "decoupled": decoupled, "fused": fused}
        super().__init__(params, lr=lr, weight_decay=weight_decay, settings=settings)
        # A decoupled decay is in units of the learning rate.
        if self._decay is not None and decoupled and self._relative is not None:
            self._decay = self._decay * self._relative

        self._slices = ReplicaSlices(lr, weight_decay or [0.0] * len(lr))

    def _step(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        if group["fused"] and parameters and parameters[0].device.type == "cpu":
            states = [self._state_of(parameter, fused=True) for parameter in parameters]
            self._slices.step(parameters, states, group)
            return
        if group["decoupled"]:
            gradients = [parameter.grad for parameter in parameters]
            self._let_decay(group, parameters)
        else:
            gradients = [*self._gradients_with_decay(parameters)]
        if self._relative is None:
            self._adam(group, parameters, parameters, gradients, lr=group["lr"])
            return
        updates = [torch.zeros_like(parameter) for parameter in parameters]
        self._adam(group, parameters, updates, gradients, lr=1.0)
        for parameter, update in zip(parameters, updates, strict=True):
            parameter.addcmul_(update, of_each(self._relative, parameter), value=group["lr"])

    def _let_decay(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        if self._decay is not None:
            for parameter in parameters:
                parameter.addcmul_(parameter, of_each(self._decay, parameter), value=-group["lr"])

    def _adam(
        self, group: dict[str, Any], parameters: list[Tensor], targets: list[Tensor], gradients: list[Any], *, lr: float
    ) -> None:
        """Lets torch take the step of `parameters`, with their moments, and subtract it from `targets`."""
        states = [self._state_of(parameter, fused=group["fused"]) for parameter in parameters]
        beta1, beta2 = group["betas"]
        adam(
            targets,
            gradients,
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=group["fused"],
            amsgrad=False,
            beta1=beta1,
            beta2=beta2,
            lr=lr,
            weight_decay=0.0,
            eps=group["eps"],
            maximize=False,
        )

    def _state_of(self, parameter: Tensor, *, fused: bool) -> dict[str, Tensor]:
        state: dict[str, Tensor] = self.state[parameter]
        if not state:
            # The fused kernel counts on its own device.
            state["step"] = torch.zeros((), device=parameter.device if fused else "cpu")
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        return state

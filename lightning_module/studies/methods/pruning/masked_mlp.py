"""`MaskedMLP`: a network trained with a mask that costs nothing."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim import Optimizer

from lightning_module.loop.bare_step import bare_step
from lightning_module.loop.minibatch_training import MinibatchTraining
from lightning_module.studies.methods.pruning.compact_mlp import CompactMLP
from lightning_module.studies.methods.pruning.compaction import Tensors


class MaskedMLP(MinibatchTraining):
    """A network that is trained with Adam, and whose masked weights stay 0.

    An `Ensemble` of several would need them to be of one size, and goes through more memory than the caches hold: there
    a step of each would take longer than alone.

    Args:
        network: The network, 0 where it is masked.
        masks: 0 where a parameter stays 0, and 1 elsewhere.
        lr: Learning rate.
        length: Points in a signal.
        points: The order in which it sees the points of a signal, (length,); None for their own.
    """

    def __init__(
        self, network: CompactMLP, masks: Tensors, *, lr: float, length: int, points: Tensor | None = None
    ) -> None:
        super().__init__(length=length, steps_per_execution="auto")
        self.network, self.masks, self.lr, self.points = network, masks, lr, points

    def minibatch_loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the mean cross-entropy.

        Args:
            x: Signals (batch, length).
            y: Labels (batch,).
        """
        return self.network.cross_entropy(self._permuted_points(x), y)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (batch, num_classes) of signals (batch, length)."""
        logits: Tensor = self.network(self._permuted_points(x))
        return logits

    def weights(self) -> dict[str, Tensor]:
        """Returns a copy of the parameters as they are now."""
        return {name: p.detach().clone() for name, p in self.network.named_parameters()}

    def step_of(self, optimizer: Optimizer) -> Callable[[Tensor, Tensor], Tensor]:
        """Returns a function that takes one step of Adam on a minibatch, and returns its loss.

        Autograd and the optimiser's own bookkeeping would take a fifth of the time.
        """
        step = bare_step(optimizer)
        parameters: list[Tensor] = optimizer.param_groups[0]["params"]

        @torch.no_grad()
        def take_step(x: Tensor, y: Tensor) -> Tensor:
            loss, gradients = self.network.loss_and_gradients(self._permuted_points(x), y)
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient
            step()
            return loss

        return take_step

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Does nothing: callbacks have their turn afterwards."""

    def configure_optimizers(self) -> Optimizer:
        """Returns Adam; the second moment of what is masked is infinite, so its step is 0 / infinity: exactly 0."""
        optimizer = torch.optim.Adam(self.parameters(), lr=self.lr, fused=self.has_fused_optimizer())
        for name, parameter in self.network.named_parameters():
            optimizer.state[parameter] = {
                "step": torch.zeros(()),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter).masked_fill_(self.masks[name] == 0, torch.inf),
            }
        return optimizer

    def _permuted_points(self, x: Tensor) -> Tensor:
        return x if self.points is None else x[:, self.points]

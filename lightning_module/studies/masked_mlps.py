"""`MaskedMLPs`: networks of any sizes trained side by side, with masks that cost nothing."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # as everywhere in PyTorch

from lightning_module.studies.compact_network import CompactMLP, logits_side_by_side
from lightning_module.studies.compaction import Tensors
from lightning_module.training import MinibatchTraining


class MaskedMLPs(MinibatchTraining):
    """Trains networks on the same minibatches with Adam; what is masked stays 0.

    An `Ensemble` would need them to be of one size, copies all gradients into one tensor, and multiplies by the masks
    after each step: a third of the memory that a step goes through, and on memory it waits.

    Args:
        networks: The networks, 0 where they are masked.
        masks: Those of each, 0 where a parameter stays 0, and 1 elsewhere.
        lr: Learning rate.
        length: Points in a signal.
        points: The order in which each sees the points of a signal, (length,); None for their own.
    """

    def __init__(
        self,
        networks: Sequence[CompactMLP],
        masks: Sequence[Tensors],
        *,
        lr: float,
        length: int,
        points: Sequence[Tensor | None],
    ) -> None:
        super().__init__(length=length, steps_per_execution="auto")
        self.networks = nn.ModuleList(networks)
        self.masks, self.lr, self.points = masks, lr, points

    def minibatch_loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the sum of the networks' losses, so that each has the gradient of its own.

        Args:
            x: Signals (batch, length).
            y: Labels (batch,).
        """
        logits = self(x)
        return F.cross_entropy(logits.flatten(0, 1), y.repeat(len(logits)), reduction="sum") / len(y)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (k, batch, num_classes) of signals (batch, length)."""
        seen = [x if order is None else x[:, order] for order in self.points]
        return logits_side_by_side([*self.networks], seen)

    @torch.no_grad()
    def evaluate(self, x: Tensor, y: Tensor) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Returns the mean loss and the accuracy of each network, (k,) each."""
        logits = self(x)
        labels = y.expand(len(logits), -1)
        loss = F.cross_entropy(logits.transpose(1, 2), labels, reduction="none").double().mean(1)
        hits = (logits.argmax(2) == labels).double().mean(1)
        return np.array([float(f"{each:.7g}") for each in loss]), hits.numpy()

    def weights(self) -> list[dict[str, Tensor]]:
        """Returns a copy of the parameters of each network as they are now."""
        return [{name: p.detach().clone() for name, p in network.named_parameters()} for network in self.networks]

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Does nothing: callbacks have their turn afterwards."""

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Returns Adam; the second moment of what is masked is infinite, so its step is 0 / infinity: exactly 0."""
        adam = torch.optim.Adam(self.parameters(), lr=self.lr, fused=self.has_fused_optimizer())
        for network, masks in zip(self.networks, self.masks, strict=True):
            for name, parameter in network.named_parameters():
                adam.state[parameter] = {
                    "step": torch.zeros(()),
                    "exp_avg": torch.zeros_like(parameter),
                    "exp_avg_sq": torch.zeros_like(parameter).masked_fill_(masks[name] == 0, torch.inf),
                }
        return adam

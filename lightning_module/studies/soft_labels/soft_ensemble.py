"""`SoftEnsemble`: replicas that train on probabilities of the labels, in place of labels."""

from typing import Any

from torch import Tensor

from lightning_module.replicas.ensemble import Ensemble


class SoftEnsemble(Ensemble):
    """An ensemble whose loss is the cross-entropy with the probabilities of an example's labels.

    The examples' y are their row numbers, by which the probabilities are found: so minibatches are made as always.

    Args:
        *args: As in `Ensemble`.
        targets: Probabilities of the labels of each example, (n, classes).
        **kwargs: As in `Ensemble`.
    """

    targets: Tensor

    def __init__(self, *args: Any, targets: Tensor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.register_buffer("targets", targets, persistent=False)

    def minibatch_loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the mean over the replicas of their losses, with the gradient of their sum.

        Args:
            x: Signals (batch, length).
            y: Row numbers (batch,).
        """
        log_q = self(x).log_softmax(-1)  # (k, batch, classes)
        total: Tensor = -(self.targets[y] * log_q).sum() / len(y)
        return total.detach() / len(self.replicas) + (total - total.detach())

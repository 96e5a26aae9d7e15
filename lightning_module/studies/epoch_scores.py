"""`EpochScores`: what an ensemble scores at the end of some epochs, such as 1, 2, 4, 8; and which epochs those are."""

from collections.abc import Mapping, Sequence

from lightning_module.datamodule import Examples
from lightning_module.replicas.ensemble import Ensemble
from lightning_module.studies.trained import Scores
from lightning_module.twin import pl


class EpochScores(Scores):
    """Evaluates an ensemble on sets of examples at the end of certain epochs, without a validation.

    Args:
        sets: Sets of examples by name, as in `train(evaluate=...)`.
        epochs: After how many epochs.
    """

    def __init__(self, sets: Mapping[str, Examples], epochs: Sequence[int]) -> None:
        super().__init__(sets)
        self.epochs = frozenset(epochs)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Evaluates, if it is one of the epochs."""
        if trainer.current_epoch + 1 in self.epochs and isinstance(pl_module, Ensemble):
            self.take(pl_module, trainer.global_step)


def geometric_epochs(last: int, count: int) -> list[int]:
    """Returns at most `count` epochs from 1 to the last one, each nearly the same multiple of the one before.

    Raises:
        ValueError: If there are fewer than 2, or the last is none.
    """
    if last < 1 or count < 2:
        raise ValueError(f"last={last} must be at least 1 and count={count} at least 2: the first and the last epoch")
    return sorted({round(last ** (i / (count - 1))) for i in range(count)})

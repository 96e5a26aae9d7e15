"""`train`: an ensemble trained for a study, with what it scored on the way; and the data that studies share."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from lightning_module.datamodule import Examples
from lightning_module.loop.loader import TensorLoader
from lightning_module.replicas.ensemble import Ensemble
from lightning_module.replicas.replica import Replica
from lightning_module.twin import pl, quiet

EVALUATION_ROWS = 10_000


@dataclass(frozen=True)
class Score:
    """The scores of each replica of an ensemble on one set of examples at one step.

    Attributes:
        step: Optimiser steps taken.
        on: The name of the set.
        loss: Mean cross-entropy of each replica, (k,).
        accuracy: Accuracy of each replica, (k,).
    """

    step: int
    on: str
    loss: npt.NDArray[np.float64]
    accuracy: npt.NDArray[np.float64]


class ReplicaScore(NamedTuple):
    """The scores of one replica on one set of examples at one step; the columns of a table.

    Attributes:
        step: Optimiser steps taken.
        on: The name of the set.
        loss: Mean cross-entropy.
        accuracy: Fraction of right predictions.
    """

    step: int
    on: str
    loss: float
    accuracy: float


@dataclass(frozen=True)
class Trained:
    """An ensemble after its training.

    Attributes:
        ensemble: The ensemble, with its final weights.
        scores: What it scored, in the order of the steps.
    """

    ensemble: Ensemble
    scores: list[Score] = field(default_factory=list)

    def rows(self, **columns: Any) -> list[dict[str, Any]]:
        """Returns the scores as rows with the columns seed, step, on, loss and accuracy.

        Args:
            **columns: Further columns, the same in each row, such as those that tell the cell from the others.
        """
        return [{**columns, "seed": replica.seed, **measured._asdict()} for replica, measured in self.measured()]

    def measured(self, scores: Iterable[Score] | None = None) -> Iterator[tuple[Replica, ReplicaScore]]:
        """Yields each replica with its scores, one after another: for rows with other columns than those of `rows`.

        Args:
            scores: Scores of this ensemble; None for those of its training.
        """
        for score in self.scores if scores is None else scores:
            of_each = zip(self.ensemble.replicas, score.loss.tolist(), score.accuracy.tolist(), strict=True)
            for replica, loss, accuracy in of_each:
                yield replica, ReplicaScore(score.step, score.on, loss, accuracy)

    def at_end(self, on: str) -> Score:
        """Returns the last score on a set of examples."""
        return [score for score in self.scores if score.on == on][-1]


def train(
    network: str | Callable[[], nn.Module],
    replicas: int | Sequence[Replica],
    data: Examples,
    *,
    steps: int,
    batch_size: int = 100,
    shuffle: bool = False,
    shuffle_seed: int = 0,
    evaluate: Mapping[str, Examples] | None = None,
    every: int | None = None,
    callbacks: Sequence[pl.Callback] = (),
    accelerator: str = "cpu",
    **ensemble: Any,
) -> Trained:
    """Returns an ensemble after `steps` optimiser steps by `Trainer.fit`.

    Args:
        network: As in `Ensemble`.
        replicas: As in `Ensemble`: a number for as many with the seeds 0, 1, 2, ...
        data: The training examples of all replicas without `data` of their own.
        steps: Optimiser steps.
        batch_size: Examples in a minibatch.
        shuffle: Whether each epoch has a new permutation, else every epoch goes through the rows in their order.
        shuffle_seed: Decides the permutations of replicas without one of their own.
        evaluate: Sets of examples by name; x is (n, length) or (k, n, length), one set for each replica.
        every: Steps between two evaluations; the last is after the last step. None for the end alone.
        callbacks: Further callbacks of the trainer; their `on_validation_end` comes at each evaluation, after it.
        accelerator: Lightning's name of the device; networks this small are fast on a CPU, and always the same there.
        **ensemble: Further arguments of `Ensemble`.
    """
    model = Ensemble(network, replicas, length=int(data.x.shape[-1]), **ensemble)
    scores = Scores(dict(evaluate or {}))
    fit(
        model,
        data,
        steps=steps,
        batch_size=batch_size,
        shuffle=shuffle,
        shuffle_seed=shuffle_seed,
        every=every,
        callbacks=[scores, *callbacks],
        accelerator=accelerator,
    )
    scores.take(model, steps)
    return Trained(model, scores.taken)


def fit(
    model: pl.LightningModule,
    data: Examples,
    *,
    steps: int,
    batch_size: int = 100,
    shuffle: bool = False,
    shuffle_seed: int = 0,
    every: int | None = None,
    callbacks: Sequence[pl.Callback] = (),
    accelerator: str = "cpu",
) -> None:
    """Trains a model for `steps` optimiser steps by `Trainer.fit`, without a word; the arguments are those of `train`.

    Args:
        model: An ensemble, or anything else that trains on minibatches.
        data: The training examples.
        steps: Optimiser steps.
        batch_size: Examples in a minibatch.
        shuffle: Whether each epoch has a new permutation.
        shuffle_seed: Decides the permutations.
        every: Steps between two turns of the callbacks' `on_validation_end`; None for no turn.
        callbacks: Callbacks of the trainer.
        accelerator: Lightning's name of the device.
    """
    x, y = data
    # Lightning validates to give the callbacks their turn; executions end there by themselves.
    turn = TensorLoader(x[:1], y[:1], batch_size=1, pad=False)
    validation: dict[str, Any] = {"check_val_every_n_epoch": None, "val_check_interval": every, "limit_val_batches": 1}
    with quiet(logging.ERROR):  # its advice is for one training and not for hundreds
        trainer = pl.Trainer(
            max_steps=steps,
            accelerator=accelerator,
            logger=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=False,
            num_sanity_val_steps=0,
            callbacks=list(callbacks),
            **(validation if every else {"limit_val_batches": 0}),
        )
        loader = TensorLoader(x, y, batch_size=batch_size, shuffle=shuffle, seed=shuffle_seed)
        trainer.fit(model, loader, turn if every else None)
    if trainer.global_step != steps:
        raise RuntimeError(f"training ended after {trainer.global_step} of {steps} steps")


class Scores(pl.Callback):
    """A callback that evaluates an ensemble on sets of examples whenever the trainer validates."""

    def __init__(self, sets: Mapping[str, Examples]) -> None:
        self.sets = sets
        self.taken: list[Score] = []

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Evaluates the ensemble."""
        assert isinstance(pl_module, Ensemble)  # for the type checker: `train` makes it
        self.take(pl_module, trainer.global_step)

    def take(self, model: Ensemble, step: int) -> None:
        """Evaluates the ensemble, unless that was done at this step."""
        if self.taken and self.taken[-1].step == step:
            return
        self.taken += [score(model, examples, step=step, on=name) for name, examples in self.sets.items()]


def score(model: Ensemble, examples: Examples, *, step: int, on: str) -> Score:
    """Returns the scores of each replica on examples."""
    loss, accuracy = model.evaluate(examples.x.to(model.device), examples.y.to(model.device))
    count = examples.y.shape[-1]
    hits = (accuracy.double() * count).round()  # whole, whatever the precision of the accuracy
    return Score(step, on, _seven_digits(loss), (hits / count).cpu().numpy())


def wrong_by(predictions: Tensor, y: Tensor, *, num_classes: int = 10) -> npt.NDArray[np.uint8]:
    """Returns predictions (k, n) as (prediction - label) modulo the number of classes: mostly 0, which compresses."""
    return ((predictions - y) % num_classes).to(torch.uint8).cpu().numpy()


def sha256(examples: Examples) -> dict[str, str]:
    """Returns the digests of x and y, little-endian and C-contiguous."""
    arrays = {"x": examples.x.cpu().numpy().astype("<f4"), "y": examples.y.cpu().numpy().astype("<i8")}
    return {name: hashlib.sha256(np.ascontiguousarray(array).data).hexdigest() for name, array in arrays.items()}


def _seven_digits(tensor: Tensor) -> npt.NDArray[np.float64]:
    """Returns float32 numbers as the decimal fractions that tell them apart nearly, for short files."""
    return np.array([float(f"{number:.7g}") for number in tensor.tolist()])


# `EpochScores`: what an ensemble scores at the end of some epochs, such as 1, 2, 4, 8; and which epochs those are.


class EpochScores(Scores):
    """A callback that evaluates an ensemble on sets of examples at the end of certain epochs, without a validation.

    Args:
        sets: Sets of examples by name, as in `train(evaluate=...)`.
        epochs: After how many epochs.
    """

    def __init__(self, sets: Mapping[str, Examples], epochs: Sequence[int]) -> None:
        super().__init__(sets)
        self.epochs = frozenset(epochs)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Evaluates the ensemble, if this is one of the epochs."""
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

"""`train_masked`: one masked MLP trained from given weights, without the units that the mask leaves dead."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl
from torch import Tensor

from lightning_module.datamodule import Examples
from lightning_module.ensemble import Ensemble
from lightning_module.replica import Replica
from lightning_module.studies.base import Row
from lightning_module.studies.compaction import CompactMLP, Tensors, alive_units, compacted, restored
from lightning_module.studies.trained import Trained, score, train


@dataclass(frozen=True)
class TrainedMasked:
    """A masked network after its training.

    Args:
        trained: The network, with its scores on the way.
        weights: Those of the whole MLP, at the step asked for, else at the end.
    """

    trained: Trained
    weights: dict[str, Tensor]

    def rows(self, final: Mapping[str, Examples], **columns: Any) -> list[Row]:
        """Returns the last scores, one row for each set of examples.

        Args:
            final: Sets on which the network is scored now, by name.
            **columns: Further columns.
        """
        step = self.trained.scores[-1].step
        rows = []
        for on in dict.fromkeys(each.on for each in self.trained.scores):
            on_the_way = [float(each.accuracy[0]) for each in self.trained.scores if each.on == on]
            last = self.trained.at_end(on)
            measured = {"loss": float(last.loss[0]), "accuracy": float(last.accuracy[0]), "best": max(on_the_way)}
            rows.append({**columns, "step": step, "on": on, **measured})
        for on, examples in final.items():
            last = score(self.trained.ensemble, examples, step=step, on=on)
            rows.append(
                {**columns, "step": step, "on": on, "loss": float(last.loss[0]), "accuracy": float(last.accuracy[0])}
            )
        return rows


def train_masked(
    initial: Tensors,
    masks: Tensors,
    data: Examples,
    *,
    lr: float,
    steps: int,
    batch_size: int,
    evaluate: Mapping[str, Examples] | None = None,
    every: int | None = None,
    weights_at: int | None = None,
    compact: bool = True,
) -> TrainedMasked:
    """Returns a masked MLP after `steps` steps of Adam.

    The mask is applied after every step. Gradients are not masked, so the moments of masked entries run on, as in the
    reference: Adam works entry by entry, so no other entry notices.

    Args:
        initial: The weights before masking, by their names in an MLP.
        masks: 0 where a parameter stays 0, and 1 elsewhere, by the same names.
        data: Training examples, which each epoch goes through in their order.
        lr: Learning rate.
        steps: Optimiser steps.
        batch_size: Examples in a minibatch.
        evaluate: Sets of examples by name.
        every: Steps between two evaluations.
        weights_at: The step, a multiple of `every`, whose weights are returned; None for the last.
        compact: Whether to leave out dead units.
    """
    alive = alive_units(masks)
    if compact:
        weights, own_masks, shared = compacted(initial, alive), compacted(masks, alive), alive.shared
    else:
        weights, own_masks, shared = dict(initial), dict(masks), len(initial["linear1.bias"])
    taken = WeightsAt(weights_at)
    trained = train(
        lambda: CompactMLP(weights, shared),
        [Replica(lr=lr, mask=own_masks)],
        data,
        steps=steps,
        batch_size=batch_size,
        evaluate=evaluate,
        every=every,
        callbacks=[taken],
    )
    reached = taken.weights or _weights(trained.ensemble)
    if compact:
        masked = {name: tensor * masks[name] for name, tensor in initial.items()}
        reached = restored(reached, masked, alive)
    return TrainedMasked(trained, reached)


class WeightsAt(pl.Callback):
    """Keeps the weights of an ensemble's only replica as they are at a step.

    Args:
        step: One at which the trainer validates.
    """

    def __init__(self, step: int | None) -> None:
        self.step = step
        self.weights: dict[str, Tensor] = {}

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Copies the weights, if this is the step."""
        if trainer.global_step == self.step and isinstance(pl_module, Ensemble):
            self.weights = _weights(pl_module)


def _weights(ensemble: Ensemble) -> dict[str, Tensor]:
    return {name: parameter.detach()[0].clone() for name, parameter in ensemble.network.named_parameters()}

"""`train_masked`: masked MLPs trained side by side from given weights, without the units that the masks leave dead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytorch_lightning as pl
import torch
from torch import Tensor

from lightning_module.datamodule import Examples
from lightning_module.ensemble import Ensemble
from lightning_module.replica import Replica
from lightning_module.studies.base import Row
from lightning_module.studies.compact_network import CompactMLP
from lightning_module.studies.compaction import Alive, Tensors, alive_units, compacted, restored, side_by_side
from lightning_module.studies.trained import Scores, Trained, fit, score


@dataclass(frozen=True)
class Masked:
    """A masked MLP before its training.

    Args:
        initial: The weights before masking, by their names in an MLP.
        masks: 0 where a parameter stays 0, and 1 elsewhere, by the same names.
        points: The order in which it sees the points of a signal, (length,); None for their own.
    """

    initial: Tensors
    masks: Tensors
    points: Sequence[int] | None = None


@dataclass(frozen=True)
class TrainedMasked:
    """Masked networks after their training.

    Args:
        trained: The networks, with their scores on the way.
        weights: Those of each whole MLP, at the step asked for, else at the end.
    """

    trained: Trained
    weights: list[dict[str, Tensor]]

    def rows(self, final: Mapping[str, Examples], columns: Sequence[Row]) -> list[Row]:
        """Returns the last scores, for each network one row for each set of examples.

        Args:
            final: Sets on which the networks are scored now, by name.
            columns: Further columns of the rows of each network.
        """
        scores = self.trained.scores
        step = scores[-1].step
        at_end = {on: self.trained.at_end(on) for on in dict.fromkeys(each.on for each in scores)}
        best = {on: [each.accuracy for each in scores if each.on == on] for on in at_end}
        at_end |= {on: score(self.trained.ensemble, examples, step=step, on=on) for on, examples in final.items()}
        rows = []
        for k, own in enumerate(columns):
            for on, last in at_end.items():
                measured = {"loss": float(last.loss[k]), "accuracy": float(last.accuracy[k])}
                if on in best:
                    measured["best"] = float(max(accuracy[k] for accuracy in best[on]))
                rows.append({**own, "step": step, "on": on, **measured})
        return rows


def train_masked(
    networks: Sequence[Masked],
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
    """Returns masked MLPs after `steps` steps of Adam, trained side by side.

    The masks are applied after every step. Gradients are not masked, so the moments of masked entries run on, as in the
    reference: Adam works entry by entry, so no other entry notices.

    Args:
        networks: The networks, all of the same size.
        data: Training examples, which each epoch goes through in their order.
        lr: Learning rate.
        steps: Optimiser steps.
        batch_size: Examples in a minibatch.
        evaluate: Sets of examples by name.
        every: Steps between two evaluations.
        weights_at: The step, a multiple of `every`, whose weights are returned; None for the last.
        compact: Whether to leave out dead units.
    """
    alive = side_by_side([alive_units(each.masks) if compact else _all_units(each) for each in networks])
    model = _ensemble(networks, alive, lr=lr, length=data.x.shape[-1])
    scores, taken = Scores(dict(evaluate or {})), WeightsAt(weights_at)
    fit(model, data, steps=steps, batch_size=batch_size, every=every, callbacks=[scores, taken])
    scores.take(model, steps)
    reached = taken.weights or _weights(model)
    weights = []
    for k, (own, units) in enumerate(zip(networks, alive, strict=True)):
        masked = {name: tensor * own.masks[name] for name, tensor in own.initial.items()}
        weights.append(restored({name: stacked[k] for name, stacked in reached.items()}, masked, units))
    return TrainedMasked(Trained(model, scores.taken), weights)


class WeightsAt(pl.Callback):
    """Keeps the weights of an ensemble as they are at a step.

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


def _ensemble(networks: Sequence[Masked], alive: Sequence[Alive], *, lr: float, length: int) -> Ensemble:
    """Returns the networks, without their dead units, as the replicas of an ensemble."""
    weights = [compacted(own.initial, units) for own, units in zip(networks, alive, strict=True)]
    replicas = [
        Replica(lr=lr, mask=compacted(own.masks, units), points=own.points)
        for own, units in zip(networks, alive, strict=True)
    ]
    model = Ensemble(lambda: CompactMLP(weights[0], alive[0].shared), replicas, length=length)
    for name, stacked in model.network.named_parameters():
        masked = [
            own[name] * replica.mask[name] for own, replica in zip(weights, replicas, strict=True) if replica.mask
        ]
        stacked.data.copy_(torch.stack(masked))
    return model


def _all_units(network: Masked) -> Alive:
    units = torch.arange(len(network.initial["linear1.bias"]))
    return Alive(hidden=units, outputs=units, shared=len(units), missing=len(units))


def _weights(ensemble: Ensemble) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in ensemble.network.named_parameters()}

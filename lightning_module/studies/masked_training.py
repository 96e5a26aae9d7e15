"""`train_masked`: masked MLPs trained side by side from given weights, without the units that the masks leave dead."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from lightning_module.datamodule import Examples
from lightning_module.studies.base import Row
from lightning_module.studies.compact_network import CompactMLP
from lightning_module.studies.compaction import Alive, Tensors, alive_units, compacted, restored
from lightning_module.studies.masked_mlps import MaskedMLPs
from lightning_module.studies.trained import Score, fit


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
    points: Tensor | None = None


@dataclass(frozen=True)
class TrainedMasked:
    """Masked networks after their training.

    Args:
        model: The networks, without their dead units.
        scores: What they scored, in the order of the steps.
        weights: Those of each whole MLP, at the step asked for, else at the end.
    """

    model: MaskedMLPs
    scores: list[Score]
    weights: list[dict[str, Tensor]]

    def rows(self, final: Mapping[str, Examples], columns: Sequence[Row]) -> list[Row]:
        """Returns the last scores, for each network one row for each set of examples.

        Args:
            final: Sets on which the networks are scored now, by name.
            columns: Further columns of the rows of each network.
        """
        step = self.scores[-1].step
        last = {each.on: each for each in self.scores}
        best = {on: np.max([each.accuracy for each in self.scores if each.on == on], axis=0) for on in last}
        last |= {on: _score(self.model, examples, step, on) for on, examples in final.items()}
        rows = []
        for k, own in enumerate(columns):
            for on, found in last.items():
                measured = {"loss": float(found.loss[k]), "accuracy": float(found.accuracy[k])}
                measured |= {"best": float(best[on][k])} if on in best else {}
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
    """Returns masked MLPs after `steps` steps of Adam, trained side by side; each as it is trained alone.

    Masked entries are 0 before, between and after the steps. What Adam's moments of them are does not matter: it works
    entry by entry, so no other entry notices.

    Args:
        networks: The networks.
        data: Training examples, which each epoch goes through in their order.
        lr: Learning rate.
        steps: Optimiser steps.
        batch_size: Examples in a minibatch.
        evaluate: Sets of examples by name.
        every: Steps between two evaluations.
        weights_at: The step, a multiple of `every`, whose weights are returned; None for the last.
        compact: Whether to leave out dead units.
    """
    alive = [alive_units(own.masks) if compact else _all_units(own) for own in networks]
    masked = [{name: tensor * own.masks[name] for name, tensor in own.initial.items()} for own in networks]
    model = MaskedMLPs(
        [CompactMLP(compacted(weights, units), units.shared) for weights, units in zip(masked, alive, strict=True)],
        [compacted(own.masks, units) for own, units in zip(networks, alive, strict=True)],
        lr=lr,
        length=data.x.shape[-1],
        points=[own.points for own in networks],
    )
    watch = Watch(dict(evaluate or {}), weights_at)
    with _without_denormals():
        fit(model, data, steps=steps, batch_size=batch_size, every=every, callbacks=[watch])
    watch.look(model, steps)
    weights = [restored(*each) for each in zip(watch.weights or model.weights(), masked, alive, strict=True)]
    return TrainedMasked(model, watch.scores, weights)


class Watch(pl.Callback):
    """Scores networks whenever the trainer validates, and keeps their weights as they are at a step.

    Args:
        sets: Sets of examples by name.
        weights_at: A step at which the trainer validates; None for none.
    """

    def __init__(self, sets: Mapping[str, Examples], weights_at: int | None) -> None:
        self.sets, self.weights_at = sets, weights_at
        self.scores: list[Score] = []
        self.weights: list[dict[str, Tensor]] = []

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Looks."""
        assert isinstance(pl_module, MaskedMLPs)  # for the type checker: `train_masked` makes it
        self.look(pl_module, trainer.global_step)

    def look(self, model: MaskedMLPs, step: int) -> None:
        """Scores the networks, unless it was done at this step."""
        if step == self.weights_at:
            self.weights = model.weights()
        if not self.scores or self.scores[-1].step != step:
            self.scores += [_score(model, examples, step, on) for on, examples in self.sets.items()]


def _score(model: MaskedMLPs, examples: Examples, step: int, on: str) -> Score:
    loss, accuracy = model.evaluate(*examples)
    return Score(step, on, loss, accuracy)


def _all_units(network: Masked) -> Alive:
    units = torch.arange(len(network.initial["linear1.bias"]))
    return Alive(hidden=units, outputs=units, shared=len(units))


@contextmanager
def _without_denormals() -> Iterator[None]:
    """Takes numbers below 1e-38 for 0, as this thread's processor then does.

    First moments of dead units decay to there, within 800 steps, and such numbers are slow. A step of Adam that they
    could still make is lost in the last bit of any weight.
    """
    before = not float(torch.tensor(1e-38) / 10)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)

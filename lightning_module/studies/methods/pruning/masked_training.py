"""`train_masked`: a masked MLP trained from given weights, without the units that the mask leaves dead."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # as everywhere in PyTorch

from lightning_module.datamodule import Examples
from lightning_module.studies.framework.cells import Row
from lightning_module.studies.framework.training import fit
from lightning_module.studies.methods.pruning.compact_mlp import CompactMLP
from lightning_module.studies.methods.pruning.compaction import Alive, Tensors, alive_units, compacted, restored
from lightning_module.studies.methods.pruning.masked_mlp import MaskedMLP
from lightning_module.twin import pl


@dataclass(frozen=True)
class Masked:
    """A masked MLP before its training.

    Attributes:
        initial: The weights before masking, by their names in an MLP.
        masks: 0 where a parameter stays 0, and 1 elsewhere, by the same names.
        points: The order in which it sees the points of a signal, (length,); None for their own.
    """

    initial: Tensors
    masks: Tensors
    points: Tensor | None = None


@dataclass(frozen=True)
class TrainedMasked:
    """A masked network after its training.

    Attributes:
        model: The network, without its dead units.
        scores: What it scored, in the order of the steps: the columns step, on, loss and accuracy.
        weights: Those of the whole MLP, at the step asked for, else at the end.
    """

    model: MaskedMLP
    scores: list[Row]
    weights: dict[str, Tensor]

    def rows(self, final: Mapping[str, Examples], **columns: Any) -> list[Row]:
        """Returns the last scores, one row for each set of examples.

        Args:
            final: Sets on which the network is scored now, by name.
            **columns: Further columns of the rows.
        """
        step = self.scores[-1]["step"]
        last = {score["on"]: score for score in self.scores}
        best = {on: max(score["accuracy"] for score in self.scores if score["on"] == on) for on in last}
        last |= {on: score_of(self.model, examples, step=step, on=on) for on, examples in final.items()}
        return [{**columns, **score, **({"best": best[on]} if on in best else {})} for on, score in last.items()]


def train_masked(
    network: Masked,
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

    Masked entries are 0 before, between and after the steps. What Adam's moments of them are does not matter: it works
    entry by entry, so no other entry notices.

    Args:
        network: The network.
        data: Training examples, which each epoch goes through in their order.
        lr: Learning rate.
        steps: Optimiser steps.
        batch_size: Examples in a minibatch.
        evaluate: Sets of examples by name.
        every: Steps between two evaluations.
        weights_at: The step, a multiple of `every`, whose weights are returned; None for the last.
        compact: Whether to leave out dead units.
    """
    alive = alive_units(network.masks) if compact else _all_units(network)
    masked = {name: tensor * network.masks[name] for name, tensor in network.initial.items()}
    model = MaskedMLP(
        CompactMLP(compacted(masked, alive), alive.shared),
        compacted(network.masks, alive),
        lr=lr,
        length=data.x.shape[-1],
        points=network.points,
    )
    watch = Watch(dict(evaluate or {}), weights_at)
    with _without_denormals():
        fit(model, data, steps=steps, batch_size=batch_size, every=every, callbacks=[watch])
    watch.look(model, steps)
    return TrainedMasked(model, watch.scores, restored(watch.weights or model.weights(), masked, alive))


class Watch(pl.Callback):
    """A callback that scores a network whenever the trainer validates, and keeps its weights at a step.

    Args:
        sets: Sets of examples by name.
        weights_at: A step at which the trainer validates; None for none.
    """

    def __init__(self, sets: Mapping[str, Examples], weights_at: int | None) -> None:
        self.sets, self.weights_at = sets, weights_at
        self.scores: list[Row] = []
        self.weights: dict[str, Tensor] = {}

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Scores the network."""
        assert isinstance(pl_module, MaskedMLP)  # for the type checker: `train_masked` makes it
        self.look(pl_module, trainer.global_step)

    def look(self, model: MaskedMLP, step: int) -> None:
        """Scores the network, unless it was done at this step."""
        if step == self.weights_at:
            self.weights = model.weights()
        if not self.scores or self.scores[-1]["step"] != step:
            self.scores += [score_of(model, examples, step=step, on=on) for on, examples in self.sets.items()]


@torch.no_grad()
def score_of(model: MaskedMLP, examples: Examples, *, step: int, on: str) -> Row:
    """Returns the mean cross-entropy, of seven digits, and the accuracy of a network on examples."""
    logits, y = model(examples.x), examples.y
    loss = F.cross_entropy(logits, y, reduction="none").double().mean()
    accuracy = (logits.argmax(1) == y).double().mean()
    return {"step": step, "on": on, "loss": float(f"{loss:.7g}"), "accuracy": float(accuracy)}


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

"""How far a network is from the exact posterior: mean divergence, expected errors, reliability, temperature.

All are expectations under the posterior, so no sampled label adds its noise; only the temperature is fitted to labels,
as somebody would who has no posterior.

Source: Guo, Pleiss, Sun & Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, for the temperature.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lightning_module.datamodule import Examples
from lightning_module.replicas.ensemble import Ensemble
from lightning_module.studies.framework.data import Draw
from lightning_module.twin import pl
from mnist1d_hf.bayes import log_posterior
from mnist1d_hf.extras import extra_imports

with extra_imports():
    from scipy import optimize

Floats = npt.NDArray[np.float64]

PIECE = 1000  # signals in one forward pass of all replicas
LOG_TEMPERATURES = (-3.0, 7.0)  # natural logarithms; a network that is right on all of validation has no smallest
BINS = 10


def posterior_of(x: Tensor, draw: Draw, config: str = "default", **changes: Any) -> Floats:
    """Returns the exact log-probabilities (n, 10) of the labels of signals (n, length) of a fresh draw.

    Args:
        x: Signals of its train or test split.
        draw: What `fresh` gave.
        config: The config that it was asked for.
        **changes: And its numbers that were changed.
    """
    log_p = log_posterior(x, config, stream="fast", mean=draw.mean, std=draw.std, **changes)
    return np.asarray(log_p, dtype=np.float64)


def log_probabilities(logits: Tensor) -> Floats:
    """Returns the logarithms of the softmax over the last dimension, in double precision and all finite."""
    return logits.double().log_softmax(-1).cpu().numpy()


def divergence(log_p: Floats, log_q: Floats) -> Floats:
    """Returns the Kullback-Leibler divergence of q from p over the last dimension, in nats."""
    return np.asarray((np.exp(log_p) * (log_p - log_q)).sum(-1))


def entropy(log_p: Floats) -> Floats:
    """Returns the entropy over the last dimension, in nats: the cross-entropy that cannot be undercut."""
    return np.asarray(-(np.exp(log_p) * log_p).sum(-1))


def right_by(log_p: Floats, chosen: npt.NDArray[np.int64]) -> Floats:
    """Returns the probability (..., n) that the chosen labels (..., n) are right, given the posterior (n, 10)."""
    rows = np.arange(len(log_p))
    return np.asarray(np.exp(log_p[rows, chosen]))


def temperature(logits: Floats, labels: npt.NDArray[np.int64]) -> float:
    """Returns the temperature that logits (n, classes) are divided by for the least cross-entropy on labels (n,)."""
    rows = np.arange(len(labels))

    def loss(log_t: float) -> float:
        scaled = logits / np.exp(log_t)
        highest = scaled.max(1)
        total = highest + np.log(np.exp(scaled - highest[:, None]).sum(1))
        return float((total - scaled[rows, labels]).mean())

    # As a function of 1/T the loss is convex, so of log T it has one minimum.
    found = optimize.minimize_scalar(loss, bounds=LOG_TEMPERATURES, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


@dataclass(frozen=True)
class Bin:
    """The signals on which a network is about as sure.

    Attributes:
        low: Of its largest probability; the bin ends where the next begins.
        count: Signals.
        confidence: Mean of the largest probability; nan without signals.
        right: Mean probability, by the posterior, that it is right.
        hits: Share of the labels that it is right about.
    """

    low: float
    count: int
    confidence: float
    right: float
    hits: float


def reliability(log_p: Floats, log_q: Floats, labels: npt.NDArray[np.int64], *, bins: int = BINS) -> list[Bin]:
    """Returns bins of equal width over the largest probability of q (n, classes), with how often it is right."""
    chosen = log_q.argmax(1)
    sure = np.exp(log_q.max(1))
    right, hits = right_by(log_p, chosen), chosen == labels
    at = np.minimum((sure * bins).astype(int), bins - 1)
    found = []
    for number in range(bins):
        inside = at == number
        count = int(inside.sum())
        means = [float(each[inside].mean()) if count else float("nan") for each in (sure, right, hits)]
        found.append(Bin(number / bins, count, *means))
    return found


def calibration_error(bins: Sequence[Bin]) -> float:
    """Returns the mean over signals of the distance between confidence and being right in their bin."""
    total = sum(each.count for each in bins)
    return sum(each.count * abs(each.confidence - each.right) for each in bins if each.count) / total


@torch.no_grad()
def logits_of(ensemble: Ensemble, x: Tensor) -> Tensor:
    """Returns the logits (k, n, classes) of signals (n, length), or of each replica's own (k, n, length)."""
    return torch.cat([ensemble(piece) for piece in torch.split(x, PIECE, dim=-2)], dim=1).cpu()


@dataclass
class Stop:
    """The outputs of each replica where its loss on validation was lowest, and at the end.

    Attributes:
        step: Optimiser steps, (k,).
        validation_loss: The mean cross-entropy there, (k,).
        logits: Of each set of signals by name, (k, n, classes).
    """

    step: Tensor
    validation_loss: Tensor
    logits: dict[str, Tensor]


class EarlyStops(pl.Callback):
    """A callback that looks at validation whenever the trainer does, and keeps each replica's outputs at its best look.

    Args:
        validation: Signals and labels to choose by, of all replicas or (k, n, length) and (k, n); or, in place of
            labels, their probabilities (n, classes).
        signals: Sets of signals by name to keep the logits of; "validation" is kept in any case.
    """

    def __init__(self, validation: Examples, signals: Mapping[str, Tensor]) -> None:
        self._validation, self._signals = validation, dict(signals)
        self.looks: list[tuple[int, Tensor]] = []  # steps, and the losses (k,) there
        self.best: Stop | None = None
        self.last: Stop | None = None

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Evaluates the replicas on the validation signals."""
        assert isinstance(pl_module, Ensemble)  # for the type checker
        self.look(pl_module, trainer.global_step)

    def look(self, model: Ensemble, step: int) -> None:
        """Evaluates the replicas on the validation signals, unless that was done at this step."""
        if self.looks and self.looks[-1][0] == step:
            return
        chosen_by = logits_of(model, self._validation.x)  # (k, n, classes)
        losses = self._losses(chosen_by.double().log_softmax(-1))
        # A replica whose weights overflowed is never the best.
        losses = torch.where(losses.isfinite(), losses, torch.inf)
        self.looks.append((step, losses))
        better = torch.ones_like(losses, dtype=torch.bool) if self.best is None else losses < self.best.validation_loss
        logits = {"validation": chosen_by}
        logits |= {name: logits_of(model, x) for name, x in self._signals.items()}
        steps = torch.full((len(losses),), step)
        self.last = Stop(steps, losses, logits)
        if self.best is None:
            self.best = Stop(steps.clone(), losses.clone(), {name: each.clone() for name, each in logits.items()})
            return
        self.best.step[better] = step
        self.best.validation_loss[better] = losses[better]
        for name, each in logits.items():
            self.best.logits[name][better] = each[better]

    def _losses(self, log_q: Tensor) -> Tensor:
        """Returns the mean cross-entropies (k,) of log-probabilities (k, n, classes)."""
        y = self._validation.y
        if y.is_floating_point():
            return -(y.double() * log_q).sum(-1).mean(1)
        return -log_q.gather(2, y.expand(len(log_q), -1).unsqueeze(2)).squeeze(2).mean(1)

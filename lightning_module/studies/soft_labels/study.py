"""Soft labels: what is an exact posterior, in place of a label, worth in examples?

The posterior of each training signal can be computed exactly, so what a perfect teacher could say is known.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lightning_module.datamodule import Examples
from lightning_module.replicas.ensemble import Ensemble
from lightning_module.replicas.replica import Replica
from lightning_module.studies.framework.cells import Cell, Outcome, Row
from lightning_module.studies.framework.data import Draw, fresh
from lightning_module.studies.framework.protocol import ProtocolFile
from lightning_module.studies.framework.study import Study
from lightning_module.studies.framework.training import fit
from lightning_module.studies.framework.turning_points import crossing
from lightning_module.studies.methods.posterior_distance import (
    EarlyStops,
    Floats,
    divergence,
    entropy,
    log_probabilities,
    posterior_of,
    right_by,
)
from lightning_module.studies.soft_labels.claims import CLAIMS
from lightning_module.studies.soft_labels.config import ARMS, CONFIG, NETWORKS, SoftLabelsConfig, held_out
from lightning_module.studies.soft_labels.figures import draw_curves, draw_worth
from lightning_module.studies.soft_labels.soft_ensemble import SoftEnsemble

# Seconds of a rate and 1000 steps, and of a posterior.
COST = {"mlp": 0.27, "cnn": 0.85}
POSTERIOR = 0.006


def cells(config: SoftLabelsConfig) -> list[Cell]:
    """Returns a cell for each seed and network; those of a seed after each other, as they share its posteriors."""
    steps = sum(config.steps) + sum(config.steps[: config.soft_sizes])
    posteriors = POSTERIOR * (config.sizes[config.soft_sizes - 1] + config.tests)
    return [
        Cell(
            {"seed": seed, "network": network},
            round(COST[network] * len(config.rates) * steps / 1000 + posteriors * (network == NETWORKS[0]), 3),
        )
        for seed in config.seed_range
        for network in NETWORKS
    ]


def run_cell(config: SoftLabelsConfig, cell: Cell) -> Outcome:
    """Returns how near a network comes to the posterior with one seed, at each number of examples and by both arms."""
    seed, network = cell["seed"], cell["network"]
    drawn, tested = _draws(config, seed)
    log_targets, log_p = _posteriors(config, seed)
    rows: list[Row] = []
    tried: list[Row] = []
    for arm in ARMS:
        count = len(config.sizes) if arm == "hard" else config.soft_sizes
        for size, steps in zip(config.sizes[:count], config.steps[:count], strict=True):
            of = {**cell.of, "arm": arm, "n": size}
            looks = _train(
                config, network, seed, drawn.train, log_targets if arm == "soft" else None, size, steps, tested
            )
            row, rates = _chosen(config, looks, log_p)
            rows.append({**of, "steps": steps, **row})
            tried += [{**of, **each} for each in rates]
    tables = {
        "rows": rows,
        "tuning": tried,
        "worth": worth(config, cell, rows),
        "limits": [_limit(seed, network, log_p)],
    }
    return Outcome(tables, data={f"seed {seed}": drawn.what, "test": tested.what})


def _draws(config: SoftLabelsConfig, seed: int) -> tuple[Draw, Draw]:
    """Returns the training draw of a seed, and the test signals, of which each seed has its own part."""
    size = {"num_samples": config.sizes[-1], "train_split": 1.0}
    return fresh(seed, CONFIG, tests=0, **size), fresh(0, CONFIG, tests=config.seeds * config.tests)


def _test_part(config: SoftLabelsConfig, seed: int, tested: Draw) -> Tensor:
    i = seed - config.first_seed
    return tested.test.x[i * config.tests : (i + 1) * config.tests]


@lru_cache(maxsize=1)
def _posteriors(config: SoftLabelsConfig, seed: int) -> tuple[Floats, Floats]:
    """Returns the log-posteriors of a seed's training signals, as many as the soft arm has, and of its test signals."""
    drawn, tested = _draws(config, seed)
    train = posterior_of(drawn.train.x[: config.sizes[config.soft_sizes - 1]], drawn, CONFIG)
    return train, posterior_of(_test_part(config, seed, tested), tested, CONFIG)


def _train(
    config: SoftLabelsConfig,
    network: str,
    seed: int,
    examples: Examples,
    log_targets: Floats | None,
    size: int,
    steps: int,
    tested: Draw,
) -> EarlyStops:
    """Returns the evaluations of all rates, trained on the examples that are not held out of the first `size`."""
    out = held_out(size)
    replicas = [Replica(seed=seed, lr=lr) for lr in config.rates]
    x, y = examples.x[out:size], examples.y[out:size]
    judged = examples.y[:out]
    if log_targets is None:
        model = Ensemble(network, replicas)
    else:
        targets = torch.from_numpy(np.exp(log_targets[:size])).float()
        model, y, judged = (
            SoftEnsemble(network, replicas, targets=targets[out:]),
            torch.arange(size - out),
            targets[:out],
        )
    looks = EarlyStops(Examples(examples.x[:out], judged), {"test": _test_part(config, seed, tested)})
    every = steps // config.looks
    fit(model, Examples(x, y), steps=steps, shuffle=True, shuffle_seed=seed, every=every, callbacks=[looks])
    looks.look(model, steps)
    return looks


def _chosen(config: SoftLabelsConfig, looks: EarlyStops, log_p: Floats) -> tuple[Row, list[Row]]:
    """Returns the row of the learning rate that was best on validation, and a row for every rate."""
    stop = looks.best
    if stop is None:
        raise RuntimeError("training ended without a look at validation")
    log_q = log_probabilities(stop.logits["test"])  # (rates, n, classes)
    means = divergence(log_p[None], log_q).mean(1)
    best = int(stop.validation_loss.argmin())
    least = 1 - np.exp(log_p.max(1)).mean()
    row = {
        "lr": config.rates[best],
        "step": int(stop.step[best]),
        "divergence": _short(means[best]),
        "error": _short(1 - right_by(log_p, log_q[best].argmax(1)).mean()),
        "avoidable": _short(1 - right_by(log_p, log_q[best].argmax(1)).mean() - least),
    }
    rates = [
        {"lr": lr, "step": int(step), "validation_loss": _short(loss), "divergence": _short(mean)}
        for lr, step, loss, mean in zip(config.rates, stop.step, stop.validation_loss, means, strict=True)
    ]
    return row, rates


def worth(config: SoftLabelsConfig, cell: Cell, rows: list[Row]) -> list[Row]:
    """Returns how many hard labels the soft ones of each number are worth, and whether that was seen.

    Between two numbers of the grid the hard arm's divergence is a straight line in logarithms. Where it is not as low
    anywhere ("above"), or already lower at the first ("below"), the number is the end of the grid.
    """
    hard = [row["divergence"] for row in rows if row["arm"] == "hard"]
    found = []
    for row in rows:
        if row["arm"] == "soft":
            place = crossing(config.sizes, hard, row["divergence"], log=True)
            measured = {"worth": _short(place.at), "times": _short(place.at / row["n"]), "seen": place.seen}
            found.append({**cell.of, "n": row["n"], **measured})
    return found


def _limit(seed: int, network: str, log_p: Floats) -> Row:
    limits = {"error": 1 - np.exp(log_p.max(1)).mean(), "entropy": entropy(log_p).mean()}
    return {"seed": seed, "network": network, **{name: _short(mean) for name, mean in limits.items()}}


def _short(number: Any) -> float:
    return float(f"{float(number):.7g}")


STUDY = Study(
    name="soft-labels",
    question="What is an exact posterior, in place of a label, worth in examples?",
    presets={
        "smoke": SoftLabelsConfig(
            seeds=2, sizes=(50, 100, 200), soft_sizes=2, steps=(4, 4, 4), rates=(1e-3, 1e-2), looks=2, tests=20
        ),
        "quick": SoftLabelsConfig(
            seeds=3,
            sizes=(250, 1000, 4000),
            soft_sizes=2,
            steps=(400, 800, 1600),
            rates=(3e-3, 1e-2),
            looks=20,
            tests=300,
        ),
        "paper": SoftLabelsConfig(),
    },
    cells=cells,
    run_cell=run_cell,
    claims=CLAIMS,
    figures={"figure": draw_curves, "worth": draw_worth},
    protocol=ProtocolFile(__file__),
)

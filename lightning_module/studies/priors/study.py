"""Between MLP and CNN: where do networks lie that know less about space than the CNN, or something else about it?

Source: Greydanus (2020), "Scaling down Deep Learning", which imagines networks with more moderate spatial priors along
the continuum between its MLP and its CNN, and trains none.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from lightning_module.datamodule import Examples
from lightning_module.networks import count_parameters
from lightning_module.replicas.ensemble import Ensemble
from lightning_module.replicas.replica import Replica
from lightning_module.studies.framework.cells import FRESH_TESTS, Cell, Config, Outcome, Row
from lightning_module.studies.framework.data import Draw, fresh
from lightning_module.studies.framework.protocol import ProtocolFile
from lightning_module.studies.framework.study import Study
from lightning_module.studies.framework.training import train, wrong_by
from lightning_module.studies.methods.networks.priors import PRIORS
from lightning_module.studies.priors.claims import BANDS, CLAIMS
from lightning_module.studies.priors.figures import draw_continuum, draw_tuning

# Seconds of one replica and 1000 steps.
COST = {"mlp": 0.16, "locally_connected": 0.43, "cnn": 0.91, "average_cnn": 0.96, "deep_sets": 1.7}
COST |= {"transformer": 11.5, "transformer_set": 11.5}

# Draws that only learning rates are chosen on. Those that networks are tested after have the seeds from 0.
TUNING_SEED = 1_000_000

# Test signals whose points are permuted to see what a trained network makes of it.
PERMUTED_ROWS = 1000

# Test signals whose predictions are kept: enough for a paired comparison of two networks, in a small file.
KEPT_ROWS = 5000


@dataclass(frozen=True, kw_only=True)
class PriorsConfig(Config):
    """The numbers of the study.

    Attributes:
        seeds: Number of seeds, which are 0, 1, 2, ...; each has its own initialisation, draw and permutation.
        steps: Optimiser steps.
        tests: Examples in the fresh test set.
        rates: Learning rates to choose from.
        tuning_seeds: Draws that each rate is tried on.
        tuning_steps: Optimiser steps of a trial.
        held_out: Training examples of such a draw that are held out for validation.
    """

    seeds: int = 5
    steps: int = 6000
    tests: int = 20_000
    rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
    tuning_seeds: int = 2
    tuning_steps: int = 6000
    held_out: int = 800

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.rates or min(self.rates) <= 0:
            raise ValueError(f"rates={self.rates} must be learning rates above 0, at least one")
        if self.tuning_seeds < 1:
            raise ValueError(f"tuning_seeds={self.tuning_seeds} must be at least 1; give one rate to tune nothing")
        if not 1 <= self.held_out < 4000:
            raise ValueError(
                f"held_out={self.held_out} must be from 1 to 3999, of the 4000 training examples of a draw"
            )


def cells(config: PriorsConfig) -> list[Cell]:
    """Returns a cell for each network and order of the points: its tuning and its training."""
    trials = len(config.rates) * config.tuning_seeds * config.tuning_steps + config.seeds * config.steps
    return [
        Cell({"network": network, "points": points}, round(COST[network] * trials / 1000, 3))
        for network in PRIORS
        for points in ("own", "shuffled")
    ]


def run_cell(config: PriorsConfig, cell: Cell) -> Outcome:
    """Returns the scores of a network at the learning rate that did best on validation."""
    tuning = _tune(config, cell)
    lr = best_rate(tuning)
    draws = [fresh(seed, tests=0) for seed in config.seed_range]
    tested = fresh(0, tests=config.tests)
    trained = train(
        PRIORS[cell["network"]],
        [
            Replica(seed=seed, lr=lr, points=_points(cell, seed), data=draw.train)
            for seed, draw in zip(config.seed_range, draws, strict=True)
        ],
        draws[0].train,
        steps=config.steps,
        evaluate={
            "train": Examples.stacked(draw.train for draw in draws),
            "fresh test": tested.test,
        },
    )
    parameters = count_parameters(PRIORS[cell["network"]]())
    rows: list[Row] = [
        {**cell.of, "seed": replica.seed, "lr": lr, "parameters": parameters, **measured._asdict()}
        for replica, measured in trained.measured()
    ]
    tables = {"rows": rows, "tuning": tuning}
    if cell["points"] == "own":
        tables["permuted"] = [
            {"network": cell["network"], "seed": seed, **change}
            for seed, change in zip(
                config.seed_range, permuted(trained.ensemble, tested.test.x[:PERMUTED_ROWS]), strict=True
            )
        ]
    predictions = trained.ensemble.predictions(tested.test.x[:KEPT_ROWS])
    arrays = {f"{cell['network']}-{cell['points']}": wrong_by(predictions, tested.test.y[:KEPT_ROWS])}
    return Outcome(tables, arrays, _data(config, draws, tested))


def _tune(config: PriorsConfig, cell: Cell) -> list[Row]:
    """Returns the scores of each rate on the held out examples of each tuning draw."""
    rows: list[Row] = []
    for seed in range(TUNING_SEED, TUNING_SEED + config.tuning_seeds):
        x, y = fresh(seed, tests=0).train
        fitted, held_out = Examples(x[config.held_out :], y[config.held_out :]), slice(0, config.held_out)
        trained = train(
            PRIORS[cell["network"]],
            [Replica(seed=seed, lr=lr, points=_points(cell, seed)) for lr in config.rates],
            fitted,
            steps=config.tuning_steps,
            evaluate={"validation": Examples(x[held_out], y[held_out])},
        )
        rows += [
            {**cell.of, "seed": seed, "lr": at.lr, "step": step, "loss": loss, "accuracy": accuracy}
            for at, (step, _, loss, accuracy) in trained.measured([trained.at_end("validation")])
        ]
    return rows


def best_rate(tuning: Sequence[Row]) -> float:
    """Returns the rate with the best mean accuracy on validation; of several the smallest."""
    rates: list[float] = sorted({row["lr"] for row in tuning})
    means = {lr: np.mean([row["accuracy"] for row in tuning if row["lr"] == lr]) for lr in rates}
    return max(means, key=lambda lr: means[lr])  # the first of the largest


def _points(cell: Cell, seed: int) -> list[int] | None:
    """Returns the order of the points, a seed's own permutation if they are shuffled: the benchmark's."""
    return permutation(1000 + seed) if cell["points"] == "shuffled" else None


def permutation(seed: int) -> list[int]:
    """Returns a permutation of the 40 points."""
    return np.random.RandomState(seed).permutation(40).tolist()  # type: ignore[no-any-return]


@torch.no_grad()
def permuted(ensemble: Ensemble, x: torch.Tensor) -> list[Row]:
    """Returns how each replica's predictions change, after training, when the points of signals (n, 40) are permuted.

    "unchanged" is the share of the signals that it takes for the same digit as before, "change" the largest change of
    a logit over the largest logit. A network that is blind to the order has 1 and 0 but for rounding, which float64
    keeps below 1e-9.
    """
    double = copy.deepcopy(ensemble).double()
    before, after = double(x.double()), double(x.double()[:, permutation(2000)])  # (k, n, num_classes)
    unchanged = (before.argmax(2) == after.argmax(2)).double().mean(1)
    change = (before - after).abs().amax((1, 2)) / before.abs().amax((1, 2))
    return [
        {"unchanged": share, "change": float(f"{size:.3g}")}
        for share, size in zip(unchanged.tolist(), change.tolist(), strict=True)
    ]


def _data(config: PriorsConfig, draws: Sequence[Draw], tested: Draw) -> dict[str, object]:
    """Returns the record of the draws, the same from every cell."""
    tuning = {f"seed {s}": fresh(s, tests=0).what for s in range(TUNING_SEED, TUNING_SEED + config.tuning_seeds)}
    return {
        **{f"seed {seed}": draw.what for seed, draw in zip(config.seed_range, draws, strict=True)},
        **tuning,
        "test": tested.what,
    }


STUDY = Study(
    name="priors",
    question="Where do networks with other spatial priors lie between the MLP and the CNN, before and after the points "
    "are shuffled?",
    presets={
        "smoke": PriorsConfig(seeds=2, steps=4, tests=200, rates=(1e-3, 1e-2), tuning_seeds=1, tuning_steps=2),
        "quick": PriorsConfig(
            seeds=3, steps=600, tests=2000, rates=(1e-3, 3e-3, 1e-2), tuning_seeds=1, tuning_steps=300
        ),
        "paper": PriorsConfig(),
    },
    cells=cells,
    run_cell=run_cell,
    claims=CLAIMS,
    figures={"figure": draw_continuum, "tuning": draw_tuning},
    bands=BANDS,
    shared_tests=(FRESH_TESTS,),
    protocol=ProtocolFile(__file__),
)

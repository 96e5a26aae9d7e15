"""Scaling: how the loss beyond the exact posterior falls with the number of examples, and can that be predicted?

The irreducible loss is known, so a power law is fitted to what is beyond it, with no floor to be guessed.

Source: Hestness et al. 2017, Kaplan et al. 2020, Hoffmann et al. 2022 for laws of other data; Khorasani et al. 2026,
"Beyond the Loss Curve", arXiv 2602.00315, for such laws beside an exact posterior, that of a flow.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np
from torch import Tensor, nn

from lightning_module.datamodule import Examples
from lightning_module.networks import CNN, MLP, count_parameters
from lightning_module.replicas.ensemble import Ensemble
from lightning_module.replicas.replica import Replica
from lightning_module.studies.framework.cells import Cell, Outcome, Row
from lightning_module.studies.framework.data import Draw, fresh
from lightning_module.studies.framework.protocol import ProtocolFile
from lightning_module.studies.framework.study import Study
from lightning_module.studies.framework.training import fit
from lightning_module.studies.methods.posterior_distance import (
    EarlyStops,
    Floats,
    divergence,
    entropy,
    log_probabilities,
    posterior_of,
)
from lightning_module.studies.scaling.claims import CLAIMS
from lightning_module.studies.scaling.config import RECIPES, UNITS, ScalingConfig, held_out, units
from lightning_module.studies.scaling.figures import draw_curves, draw_prediction, draw_slopes

# Seconds of a rate and 1000 steps, all three widths.
COST = {"mlp": 1.1, "cnn": 3.6}


def cells(config: ScalingConfig) -> list[Cell]:
    """Returns a cell for each number of examples, recipe, network and seed; the small ones first."""
    return [
        Cell(
            {"recipe": recipe, "network": network, "n": n, "seed": seed},
            round(COST[network] * len(config.rates) * steps / 1000, 3),
        )
        for n, steps in zip(config.sizes, config.steps, strict=True)
        for recipe in RECIPES
        for network in UNITS
        for seed in config.seed_range
    ]


def run_cell(config: ScalingConfig, cell: Cell) -> Outcome:
    """Returns how near each width of a network comes to the posterior with a number of examples."""
    name, changes = RECIPES[cell["recipe"]]
    drawn = fresh(cell["seed"], name, tests=0, num_samples=cell["n"], train_split=1.0, **changes)
    tested = fresh(0, name, tests=config.seeds * config.tests, **changes)
    log_p = _posterior(config, cell["recipe"], cell["seed"])
    test = _training_set(config, cell["seed"], tested)
    steps = config.steps[config.sizes.index(cell["n"])]
    rows: list[Row] = []
    tried: list[Row] = []
    for width in config.widths:
        make = network_of(cell["network"], width)
        looks = _train(config, make, cell["seed"], drawn.train, test.x, steps)
        row, rates = _chosen(config, looks, log_p, test.y)
        of = {**cell.of, "width": width}
        rows.append({**of, "parameters": count_parameters(make()), "steps": steps, **row})
        tried += [{**of, **each} for each in rates]
    label = f"{cell['recipe']}, {cell['n']} examples, seed {cell['seed']}"
    return Outcome({"rows": rows, "tuning": tried}, data={label: drawn.what, f"{cell['recipe']}, test": tested.what})


def network_of(network: str, width: float) -> "Callable[[], nn.Module]":
    """Returns the function that makes a network of the benchmark's kind, with a multiple of its units or channels."""
    if network == "mlp":
        return partial(MLP, hidden_size=units(network, width))
    return partial(CNN, channels=units(network, width))


def _training_set(config: ScalingConfig, seed: int, tested: Draw) -> Examples:
    """Returns the test signals of a seed, of which each has its own."""
    i = seed - config.first_seed
    part = slice(i * config.tests, (i + 1) * config.tests)
    return Examples(tested.test.x[part], tested.test.y[part])


@lru_cache(maxsize=16)
def _posterior(config: ScalingConfig, recipe: str, seed: int) -> Floats:
    """Returns the log-posteriors of a seed's test signals."""
    name, changes = RECIPES[recipe]
    tested = fresh(0, name, tests=config.seeds * config.tests, **changes)
    return posterior_of(_training_set(config, seed, tested).x, tested, name, **changes)


def _train(
    config: ScalingConfig, make: "Callable[[], nn.Module]", seed: int, examples: Examples, test: Tensor, steps: int
) -> EarlyStops:
    """Returns the evaluations of all learning rates, trained on the examples that are not held out."""
    out = held_out(len(examples.y))
    model = Ensemble(make, [Replica(seed=seed, lr=lr) for lr in config.rates])
    looks = EarlyStops(Examples(examples.x[:out], examples.y[:out]), {"test": test})
    rest = Examples(examples.x[out:], examples.y[out:])
    fit(model, rest, steps=steps, shuffle=True, shuffle_seed=seed, every=steps // config.looks, callbacks=[looks])
    looks.look(model, steps)
    return looks


def _chosen(config: ScalingConfig, looks: EarlyStops, log_p: Floats, labels: Tensor) -> tuple[Row, list[Row]]:
    """Returns the row of the learning rate that was best on validation, and a row for every rate."""
    stop = looks.best
    if stop is None:
        raise RuntimeError("training ended without a look at validation")
    log_q = log_probabilities(stop.logits["test"])  # (rates, n, classes)
    means = divergence(log_p[None], log_q).mean(1)
    best, at = int(stop.validation_loss.argmin()), (np.arange(len(log_p)), labels.numpy())
    measured = {
        "validation_loss": stop.validation_loss[best],
        "divergence": means[best],
        "label_loss": -log_q[best][at].mean(),  # what somebody without the posterior has
        "floor_loss": -log_p[at].mean(),  # and what the posterior has on the same labels
        "entropy": entropy(log_p).mean(),
    }
    row = {
        "lr": config.rates[best],
        "step": int(stop.step[best]),
        **{name: _short(each) for name, each in measured.items()},
    }
    rates = [
        {"lr": lr, "step": int(step), "validation_loss": _short(loss), "divergence": _short(mean)}
        for lr, step, loss, mean in zip(config.rates, stop.step, stop.validation_loss, means, strict=True)
    ]
    return row, rates


def _short(number: Any) -> float:
    return float(f"{float(number):.7g}")


STUDY = Study(
    name="scaling",
    question="How does the loss beyond the exact posterior fall with the number of examples, does the architecture "
    "change the exponent or the constant, and can a million examples be predicted from 64,000?",
    presets={
        "smoke": ScalingConfig(
            seeds=2, sizes=(50, 100, 200), steps=(4, 4, 4), widths=(0.5, 1.0), rates=(2e-3, 8e-3), looks=2, tests=20
        ),
        "quick": ScalingConfig(
            seeds=2, sizes=(250, 1000, 4000, 16_000), steps=(400, 800, 1600, 3200), rates=(2e-3, 8e-3), tests=300
        ),
        "paper": ScalingConfig(),
    },
    cells=cells,
    run_cell=run_cell,
    claims=CLAIMS,
    figures={"figure": draw_curves, "prediction": draw_prediction, "slopes": draw_slopes},
    protocol=ProtocolFile(__file__),
)

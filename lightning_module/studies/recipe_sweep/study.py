"""What the numbers of the recipe are worth: noise, translation and resolution varied, one at a time.

The blog post wants a data set whose noise, translation and resolution can be varied smoothly. Here they are, and the
question is what each does to networks with and without a spatial prior.

Source: Greydanus (2020), "Scaling down Deep Learning", the introduction; the networks and their training are those of
the benchmark of Greydanus & Kobak (2024), "Scaling Down Deep Learning with MNIST-1D", ICML.
"""

from dataclasses import dataclass
from typing import Any

from lightning_module.datamodule import Examples
from lightning_module.replicas.replica import Replica
from lightning_module.studies.framework.cells import FRESH_TESTS, Cell, Outcome
from lightning_module.studies.framework.data import fresh
from lightning_module.studies.framework.protocol import ProtocolFile
from lightning_module.studies.framework.statistics import log_odds
from lightning_module.studies.framework.study import Study
from lightning_module.studies.framework.training import train
from lightning_module.studies.methods.networks.config import NetworksConfig, network_cost
from lightning_module.studies.recipe_sweep.axes import AXES, recipe_at
from lightning_module.studies.recipe_sweep.claims import BANDS, CLAIMS
from lightning_module.studies.recipe_sweep.figures import draw_accuracy, draw_gap


@dataclass(frozen=True, kw_only=True)
class RecipeSweepConfig(NetworksConfig):
    """The numbers of the sweep. An axis is a number of the recipe; while it varies, all others have their defaults.

    Attributes:
        seeds: Number of seeds, which are 0, 1, 2, ...; each has its own initialisation and draw of 4000 signals.
        steps: Optimiser steps.
        tests: Examples in the fresh test set, which each recipe has one of.
        iid_noise_scale: Standard deviations of the noise on every point.
        corr_noise_scale: Standard deviations of the correlated noise before it is smoothed.
        max_translation: Numbers of shifts; with 1 nothing is shifted, with 72 signals are anywhere on the circle.
        final_seq_length: Points of a signal.
    """

    seeds: int = 5
    steps: int = 6000
    tests: int = 20_000
    iid_noise_scale: tuple[float, ...] = (0.0, 0.01, 0.02, 0.04, 0.08, 0.16)
    corr_noise_scale: tuple[float, ...] = (0.0, 0.0625, 0.125, 0.25, 0.5, 1.0)
    max_translation: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 48, 72)
    final_seq_length: tuple[int, ...] = (10, 20, 30, 40, 60, 80, 120)


def recipes(config: RecipeSweepConfig) -> list[dict[str, float]]:
    """Returns the recipes of all axes, each once: the default is on every axis."""
    every = [recipe_at(axis, level) for axis in AXES for level in getattr(config, axis)]
    return [recipe for i, recipe in enumerate(every) if recipe not in every[:i]]


def cells(config: RecipeSweepConfig) -> list[Cell]:
    """Returns a cell for each recipe and network."""
    return [
        Cell({"network": network, **recipe}, network_cost(network, int(recipe["final_seq_length"])))
        for recipe in recipes(config)
        for network in config.compared
    ]


def run_cell(config: RecipeSweepConfig, cell: Cell) -> Outcome:
    """Returns the scores of the seeds of one network on one recipe."""
    recipe: dict[str, Any] = {axis: cell[axis] for axis in AXES}
    draws = [fresh(seed, tests=0, **recipe) for seed in config.seed_range]
    tested = fresh(0, tests=config.tests, **recipe)
    trained = train(
        cell["network"],
        [Replica(seed=seed, data=draw.train) for seed, draw in zip(config.seed_range, draws, strict=True)],
        draws[0].train,
        steps=config.steps,
        evaluate={
            "train": Examples.stacked(draw.train for draw in draws),
            "fresh test": tested.test,
        },
    )
    examples = {"train": len(draws[0].train.y), "fresh test": config.tests}
    rows = [
        {**row, "log_odds": round(log_odds(row["accuracy"], examples[row["on"]]), 6)} for row in trained.rows(**cell.of)
    ]
    return Outcome({"rows": rows}, data=_data(recipe, config.seed_range, draws, tested))


def _data(recipe: dict[str, Any], seeds: range, draws: list[Any], tested: Any) -> dict[str, Any]:
    """Returns the record of the draws, under the same label from each network's cell."""
    label = " ".join(f"{axis}={recipe[axis]}" for axis in AXES)
    of_seeds = {f"{label}, seed {seed}": draw.what for seed, draw in zip(seeds, draws, strict=True)}
    return {**of_seeds, f"{label}, test": tested.what}


STUDY = Study(
    name="recipe-sweep",
    question="How do noise, translation and resolution each change what networks with and without a spatial prior "
    "learn, and what is left of the CNN's lead over the MLP without translation?",
    presets={
        "smoke": RecipeSweepConfig(seeds=2, steps=3, tests=200),
        "quick": RecipeSweepConfig(
            seeds=3,
            steps=1000,
            tests=5000,
            iid_noise_scale=(0.0, 0.02, 0.04),
            corr_noise_scale=(0.0, 0.25, 0.5),
            max_translation=(1, 8, 48, 72),
            final_seq_length=(20, 40, 80),
        ),
        "paper": RecipeSweepConfig(),
    },
    cells=cells,
    run_cell=run_cell,
    claims=CLAIMS,
    figures={"figure": draw_accuracy, "gap": draw_gap},
    bands=BANDS,
    shared_tests=(FRESH_TESTS,),
    protocol=ProtocolFile(__file__),
)

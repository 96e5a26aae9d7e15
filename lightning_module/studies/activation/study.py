"""An activation function learned through whole trainings: whether it is better, or only tuned to one training.

Source: Greydanus (2020), "Scaling down Deep Learning", metalearning an activation function; Greydanus & Kobak (2024),
"Scaling Down Deep Learning with MNIST-1D", ICML, the same section.
"""

import torch

from lightning_module.studies.activation.amendments import AMENDMENTS
from lightning_module.studies.activation.claims import BANDS, CLAIMS
from lightning_module.studies.activation.config import PRESETS, ActivationConfig
from lightning_module.studies.activation.fair_test import digits, fair_test, network_rows
from lightning_module.studies.activation.figures import draw_fair, draw_shape, draw_transfer
from lightning_module.studies.activation.learned import (
    feature_row,
    first_tests,
    frozen_draw,
    functions_of,
    meta_training,
    shape_rows,
)
from lightning_module.studies.activation.transfer import transfer_rows
from lightning_module.studies.framework.cells import Cell, Outcome, Row, SharedTests
from lightning_module.studies.framework.protocol import ProtocolFile
from lightning_module.studies.framework.study import Study
from lightning_module.studies.methods.activation.functions import BASELINES, piecewise
from lightning_module.studies.methods.activation.inner_training import (
    Setting,
    accuracies,
    initial_networks,
    noise_of,
    train_networks,
)
from lightning_module.studies.methods.activation.learned_activation import LearnedActivation
from lightning_module.studies.methods.activation.meta_activation import reference_draws
from lightning_module.studies.methods.other_data.tasks import Sizes

FUNCTIONS = ("learned", *BASELINES, "piecewise", "straightened")
IMAGES = ("mnist", "digits", "cifar10")


def cells(config: ActivationConfig) -> list[Cell]:
    """Returns a cell for each meta-training, the published comparison, and each function or seed of the tests."""
    meta = [Cell({"part": "meta", "seed": seed}, 200.0) for seed in config.range_of(config.meta_seeds)]
    fair = [Cell({"part": "fair", "function": function}, 60.0) for function in FUNCTIONS]
    transfer = [
        Cell({"part": "transfer", "data": data, "seed": seed}, 60.0)
        for data in IMAGES
        for seed in config.range_of(config.transfer_seeds)
    ]
    return [*meta, Cell({"part": "published"}, 15.0), *fair, *transfer]


def run_cell(config: ActivationConfig, cell: Cell) -> Outcome:
    """Returns the outcome of a cell."""
    part = {"meta": _meta, "published": _published, "fair": _fair, "transfer": _transfer}[cell["part"]]
    return part(config, cell)


def _meta(config: ActivationConfig, cell: Cell) -> Outcome:
    """Returns the course of a meta-training, and the shape of the learned function."""
    seed, steps = cell["seed"], meta_training(config, cell["seed"], cell.scratch)
    last, function = steps[-1], LearnedActivation(steps[-1].function)
    outer = [
        {
            "seed": seed,
            "steps": config.steps,
            "step": step,
            "last": each is last,
            "objective": digits(each.objective),
            "last_loss": digits(each.last_loss),
            "gradient_square": digits(each.gradient_square),
            "accuracy": each.accuracy,
            "largest_input": digits(each.largest),
        }
        for step, each in enumerate(steps)
    ]
    row = {
        "steps": config.steps,
        "mean_loss": digits(last.mean_loss),
        "window_loss": digits(last.objective),
        "accuracy": last.accuracy,
    }
    tables = {
        "rows": [{"arm": "frozen", "setting": "published", "function": "learned", "seed": seed, **row}],
        "outer": outer,
        "shape": [{"seed": seed, **at} for at in shape_rows(function)],
        "features": [{"seed": seed, **feature_row(function)}],
    }
    return Outcome(tables, {f"learned-{seed}": last.function.numpy()}, {"frozen": frozen_draw().what})


def _published(config: ActivationConfig, cell: Cell) -> Outcome:
    """Returns the results of the other functions in the setting that the learned one was trained in."""
    seeds, data = config.range_of(config.meta_seeds), frozen_draw()
    draws = [reference_draws(seed, steps=config.steps, learned=False) for seed in seeds]
    noise = torch.stack([noise_of(each.training) for each in draws])
    settings = [Setting()] * len(seeds)
    rows: list[Row] = []
    for name, function in {**BASELINES, "piecewise": piecewise}.items():
        trained = train_networks(function, initial_networks(seeds), data.train, noise, settings)
        found = [
            accuracies(function, network[None], first_tests(data), [Setting()], draw.evaluation.hidden)[0]
            for network, draw in zip(trained.networks, draws, strict=True)
        ]
        rows += network_rows(config, seeds, trained, found, arm="frozen", setting="published", function=name)
    return Outcome({"rows": rows}, data={"frozen": data.what})


def _fair(config: ActivationConfig, cell: Cell) -> Outcome:
    """Returns the results of a function on fresh initialisations and draws."""
    name = cell["function"]
    return fair_test(config, name, functions_of(config, cell.scratch, name)[name])


def _transfer(config: ActivationConfig, cell: Cell) -> Outcome:
    """Returns the results of a small CNN with each activation function."""
    sizes = Sizes(config.images, min(config.images, 1000), 1)  # the test set is what is left
    rows, what, missing = transfer_rows(
        cell["data"],
        cell["seed"],
        lambda: functions_of(config, cell.scratch, "learned", *BASELINES),
        sizes=sizes.small() if cell["data"] == "digits" else sizes,
        steps=config.transfer_steps,
        rates=config.transfer_rates,
        file=config.mnist if cell["data"] == "mnist" else None,
        hub=config.hub,
    )
    where = {"data": cell["data"], "seed": cell["seed"]}
    if missing is not None:
        return Outcome({"missing": [{**where, "reason": missing}]})
    return Outcome({"transfer": [{**where, **row} for row in rows]}, data={f"{cell['data']}/{cell['seed']}": what})


STUDY = Study(
    name="activation",
    question="Is an activation function that was learned through whole trainings better than those that people chose?",
    presets=PRESETS,
    cells=cells,
    run_cell=run_cell,
    claims=CLAIMS,
    figures={"figure": draw_shape, "fair": draw_fair, "transfer": draw_transfer},
    bands=BANDS,
    amendments=AMENDMENTS,
    of_the_moment={"missing": ("reason",)},
    shared_tests=(SharedTests(where={"arm": "fresh"}, examples="tests"),),
    protocol=ProtocolFile(__file__),
)

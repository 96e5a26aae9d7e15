"""An activation function learned through whole trainings: whether it is better, or only tuned to one training.

Source: Greydanus (2020), "Scaling down Deep Learning", metalearning an activation function; Greydanus & Kobak (2024),
"Scaling Down Deep Learning with MNIST-1D", ICML, the same section.
"""

from dataclasses import dataclass, field
from typing import Any

import torch

from lightning_module.datamodule import Examples
from lightning_module.studies.activation_claims import BANDS, CLAIMS
from lightning_module.studies.activation_figures import draw_fair, draw_shape, draw_transfer
from lightning_module.studies.activation_functions import BASELINES, Function, piecewise, straightened
from lightning_module.studies.activation_protocol import PROTOCOL
from lightning_module.studies.activation_shape import feature_row, shape_rows
from lightning_module.studies.activation_transfer import transfer_rows
from lightning_module.studies.base import Cell, Config, Outcome, Row, Study
from lightning_module.studies.comparison_data import Sizes
from lightning_module.studies.data import Draw, fresh, frozen
from lightning_module.studies.inner_training import (
    Setting,
    Trained,
    accuracies,
    initial_networks,
    noise_of,
    settings_of,
    train_networks,
    uniform_noise,
)
from lightning_module.studies.learned_activation import LearnedActivation
from lightning_module.studies.meta_activation import OuterStep, meta_train, reference_draws
from lightning_module.studies.scratch import Scratch

FUNCTIONS = ("learned", *BASELINES, "piecewise", "straightened")
IMAGES = ("mnist", "digits", "cifar10")
EXAMPLES = 10_000  # of a draw: 8000 to train on
TUNING_SEED = 1000  # draws and initialisations from here on choose settings, and those from 0 on are reported
KEEP_EVERY = 10  # outer steps between two states that are kept
GROUP = 20  # networks that are trained at once: more do not fit the cache


@dataclass(frozen=True, kw_only=True)
class ActivationConfig(Config):
    """The numbers of the study.

    Args:
        seeds: Initialisations and draws of the fair test, which are 0, 1, 2, ...
        meta_seeds: Meta-trainings, each with initialisations and noise of its own; the first is the published one.
        outer_steps: Steps of gradient descent on the activation function.
        steps: Steps of the inner training.
        window: The objective is the mean of this many last losses of the inner training.
        tuning_seeds: Initialisations and draws that settings are chosen by.
        rates: Inner learning rates to choose from.
        inward: Factors of the activation function's input to choose from.
        outward: Factors of its output to choose from.
        tests: Examples in the fresh test set.
        transfer_seeds: Initialisations and parts of the images.
        transfer_steps: Optimiser steps of the CNN.
        transfer_rates: The CNN's learning rates to choose from.
        images: Images that the CNN is trained on, and as many more, at most 1000, to choose a learning rate by.
        mnist: An npz file of MNIST: x (n, 28, 28) uint8 and y (n,).
        hub: Whether to load images from the Hub if there is no file.
    """

    seeds: int = 20
    meta_seeds: int = 5
    outer_steps: int = 301
    steps: int = 301
    window: int = 200
    tuning_seeds: int = 4
    rates: tuple[float, ...] = (0.0025, 0.005, 0.01, 0.02, 0.04)
    inward: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    outward: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    tests: int = 20_000
    transfer_seeds: int = 5
    transfer_steps: int = 400
    transfer_rates: tuple[float, ...] = (0.001, 0.003, 0.01)
    images: int = 7000
    # Where data come from is no number of the study: a preset is that preset with a file too.
    mnist: str | None = field(default=None, compare=False)
    hub: bool = field(default=True, compare=False)


def cells(config: ActivationConfig) -> list[Cell]:
    """Returns a cell for each meta-training, the published comparison, and each function or seed of the tests."""
    meta = [Cell({"part": "meta", "seed": seed}, 200.0) for seed in range(config.meta_seeds)]
    fair = [Cell({"part": "fair", "function": function}, 60.0) for function in FUNCTIONS]
    transfer = [
        Cell({"part": "transfer", "data": data, "seed": seed}, 60.0)
        for data in IMAGES
        for seed in range(config.transfer_seeds)
    ]
    return [*meta, Cell({"part": "published"}, 15.0), *fair, *transfer]


def run_cell(config: ActivationConfig, cell: Cell) -> Outcome:
    """Returns what a cell came to."""
    part = {"meta": _meta, "published": _published, "fair": _fair, "transfer": _transfer}[cell["part"]]
    return part(config, cell)


def _meta(config: ActivationConfig, cell: Cell) -> Outcome:
    """Returns the course of a meta-training, and the shape that it came to."""
    seed, steps = cell["seed"], _meta_training(config, cell["seed"], cell.scratch)
    last, function = steps[-1], LearnedActivation(steps[-1].function)
    outer = [
        {
            "seed": seed,
            "steps": config.steps,
            "step": step,
            "last": each is last,
            "objective": _digits(each.objective),
            "last_loss": _digits(each.last_loss),
            "gradient_square": _digits(each.gradient_square),
            "accuracy": each.accuracy,
            "largest_input": _digits(each.largest),
        }
        for step, each in enumerate(steps)
    ]
    row = {"mean_loss": _digits(last.mean_loss), "window_loss": _digits(last.objective), "accuracy": last.accuracy}
    tables = {
        "rows": [{"arm": "frozen", "setting": "published", "function": "learned", "seed": seed, **row}],
        "outer": outer,
        "shape": [{"seed": seed, **at} for at in shape_rows(function)],
        "features": [{"seed": seed, **feature_row(function)}],
    }
    return Outcome(tables, {f"learned-{seed}": last.function.numpy()}, {"frozen": _frozen().what})


def _published(config: ActivationConfig, cell: Cell) -> Outcome:
    """Returns what the other functions come to where the learned one was trained."""
    seeds, data = range(config.meta_seeds), _frozen()
    draws = [reference_draws(seed, steps=config.steps, learned=False) for seed in seeds]
    noise = torch.stack([noise_of(each.training) for each in draws])
    settings = [Setting()] * len(seeds)
    rows: list[Row] = []
    for name, function in {**BASELINES, "piecewise": piecewise}.items():
        trained = train_networks(function, initial_networks(seeds), data.train, noise, settings)
        found = [
            accuracies(function, network[None], _first_tests(data), [Setting()], draw.evaluation.hidden)[0]
            for network, draw in zip(trained.networks, draws, strict=True)
        ]
        rows += _rows(config, trained, found, arm="frozen", setting="published", function=name)
    return Outcome({"rows": rows}, data={"frozen": data.what})


def _fair(config: ActivationConfig, cell: Cell) -> Outcome:
    """Returns what a function comes to on fresh initialisations and draws, in the published setting and in its own."""
    name = cell["function"]
    function = _functions(config, cell.scratch, name)[name]
    tuning = _tune(config, function)
    best = max(tuning, key=lambda row: row["accuracy"])
    tuned = Setting(best["rate"], best["inward"], best["outward"])
    seeds = range(config.seeds)
    draws = [fresh(seed, tests=config.tests, num_samples=EXAMPLES) for seed in seeds]
    rows: list[Row] = []
    for label, setting in (("published", Setting()), ("tuned", tuned)):
        settings = [setting] * len(seeds)
        trained = _train_on(draws, [*seeds], function, settings, config.steps)
        found = accuracies(function, trained.networks, draws[0].test, settings)
        rows += _rows(config, trained, found, arm="fresh", setting=label, function=name)
    data = {f"fresh/{seed}": draw.what for seed, draw in zip(seeds, draws, strict=True)}
    return Outcome({"rows": rows, "tuning": [{"function": name, **row} for row in tuning]}, data=data)


def _tune(config: ActivationConfig, function: Function) -> list[Row]:
    """Returns the mean accuracy of each setting of the grid, on draws and initialisations of their own."""
    settings = settings_of(config.rates, config.inward, config.outward)
    totals = [0.0] * len(settings)
    for seed in range(TUNING_SEED, TUNING_SEED + config.tuning_seeds):
        draw = fresh(seed, tests=config.tests, num_samples=EXAMPLES)
        unseen = fresh(seed + TUNING_SEED, tests=config.tests, num_samples=EXAMPLES).train
        validation = Examples(unseen.x[:2000], unseen.y[:2000])
        for start in range(0, len(settings), GROUP):
            group = settings[start : start + GROUP]
            networks = initial_networks([seed]).expand(len(group), -1)
            trained = train_networks(function, networks, draw.train, uniform_noise(seed, steps=config.steps), group)
            for i, accuracy in enumerate(accuracies(function, trained.networks, validation, group)):
                totals[start + i] += accuracy / config.tuning_seeds
    return [{**setting._asdict(), "accuracy": round(total, 6)} for setting, total in zip(settings, totals, strict=True)]


def _train_on(draws: list[Draw], seeds: list[int], function: Function, settings: list[Setting], steps: int) -> Trained:
    """Returns a network for each seed, trained on its own draw."""
    examples = Examples(*(torch.stack(tensors) for tensors in zip(*(draw.train for draw in draws), strict=True)))
    noise = torch.stack([uniform_noise(seed, steps=steps) for seed in seeds])
    return train_networks(function, initial_networks(seeds), examples, noise, settings)


def _transfer(config: ActivationConfig, cell: Cell) -> Outcome:
    """Returns what a small CNN comes to with each activation function."""
    sizes = Sizes(config.images, min(config.images, 1000), 1)  # the test set is what is left
    rows, what, missing = transfer_rows(
        cell["data"],
        cell["seed"],
        _functions(config, cell.scratch, "learned", *BASELINES),
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


def _functions(config: ActivationConfig, scratch: Scratch, *names: str) -> dict[str, Function]:
    """Returns activation functions by name; the learned one is that of the published run."""
    fixed: dict[str, Function] = {**BASELINES, "piecewise": piecewise}
    if set(names) <= fixed.keys():
        return {name: fixed[name] for name in names}
    learned = LearnedActivation(_meta_training(config, 0, scratch)[-1].function)
    made: dict[str, Function] = {**fixed, "learned": learned, "straightened": straightened(learned)}
    return {name: made[name] for name in names}


def _meta_training(config: ActivationConfig, seed: int, scratch: Scratch) -> list[OuterStep]:
    """Returns a whole meta-training, once in a process: several cells need what it came to."""
    key = (config.outer_steps, config.steps, config.window, seed)
    if key not in _META_TRAININGS:
        _META_TRAININGS[key] = _continued(config, seed, scratch)
    return _META_TRAININGS[key]


_META_TRAININGS: dict[tuple[int, ...], list[OuterStep]] = {}


def _continued(config: ActivationConfig, seed: int, scratch: Scratch) -> list[OuterStep]:
    """Returns a whole meta-training, of which the scratch holds the steps that were done before an interruption."""
    record, arrays = scratch.load()
    done = [
        OuterStep._make([*numbers, torch.from_numpy(function)])
        for numbers, function in zip(record.get("steps", []), arrays.get("functions", []), strict=True)
    ]
    data = _frozen()
    course = meta_train(
        data.train,
        _first_tests(data),
        reference_draws(seed, steps=config.steps),
        outer_steps=config.outer_steps - len(done),
        window=config.window,
        after=done[-1] if done else None,
    )
    for step in course:
        done.append(step)
        if len(done) % KEEP_EVERY == 0:
            functions = torch.stack([each.function for each in done])
            scratch.save({"steps": [each[:-1] for each in done]}, {"functions": functions.numpy()})
    return done


def _frozen() -> Draw:
    return frozen(num_samples=EXAMPLES)


def _first_tests(data: Draw) -> Examples:
    return Examples(data.test.x[:500], data.test.y[:500])


def _rows(config: ActivationConfig, trained: Trained, found: list[float], **what: Any) -> list[Row]:
    """Returns a row for each network."""
    return [
        {
            **what,
            "seed": seed,
            "mean_loss": _digits(float(losses.mean())),
            "window_loss": _digits(float(losses[-config.window :].mean())),
            "accuracy": accuracy,
        }
        for seed, (losses, accuracy) in enumerate(zip(trained.losses, found, strict=True))
    ]


def _digits(number: float) -> float:
    return float(f"{number:.7g}")


STUDY = Study(
    name="activation",
    question="Is an activation function that was learned through whole trainings better than those that people chose?",
    presets={
        "smoke": ActivationConfig(
            seeds=2,
            meta_seeds=2,
            outer_steps=2,
            steps=12,
            window=8,
            tuning_seeds=1,
            rates=(0.01, 0.02),
            inward=(1.0,),
            outward=(1.0, 2.0),
            tests=200,
            transfer_seeds=2,
            transfer_steps=4,
            transfer_rates=(0.003,),
            images=200,
            hub=False,
        ),
        "quick": ActivationConfig(
            seeds=5,
            meta_seeds=1,
            outer_steps=60,
            tuning_seeds=1,
            rates=(0.005, 0.01, 0.02),
            inward=(1.0, 2.0),
            outward=(1.0, 2.0),
            tests=5000,
            transfer_seeds=2,
            transfer_steps=200,
            transfer_rates=(0.003, 0.01),
        ),
        "paper": ActivationConfig(),
    },
    cells=cells,
    run_cell=run_cell,
    claims=CLAIMS,
    figures={"figure": draw_shape, "fair": draw_fair, "transfer": draw_transfer},
    bands=BANDS,
    protocol=PROTOCOL,
)

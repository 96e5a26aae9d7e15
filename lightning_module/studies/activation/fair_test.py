"""The fair test of the activation study: one function in networks and on data that it was not learned in."""

from typing import Any

import torch

from lightning_module.datamodule import Examples
from lightning_module.studies.activation.config import ActivationConfig
from lightning_module.studies.activation.learned import EXAMPLES
from lightning_module.studies.framework.cells import Outcome, Row
from lightning_module.studies.framework.data import Draw, fresh
from lightning_module.studies.methods.activation.functions import Function
from lightning_module.studies.methods.activation.inner_training import (
    InnerTrained,
    Setting,
    accuracies,
    initial_networks,
    settings_of,
    train_networks,
    uniform_noise,
)

TUNING_SEED = 1000  # draws and initialisations from here on choose settings, and those from 0 on are reported
GROUP = 20  # networks that are trained at once: more do not fit the cache


def fair_test(config: ActivationConfig, name: str, function: Function) -> Outcome:
    """Returns a function's results on fresh initialisations and draws, in the published setting and in its own."""
    tuning = _tune(config, function)
    best = max(tuning, key=lambda row: row["accuracy"])
    tuned = Setting(best["rate"], best["inward"], best["outward"])
    seeds = config.seed_range
    draws = [fresh(seed, tests=config.tests, num_samples=EXAMPLES) for seed in seeds]
    rows: list[Row] = []
    for label, setting in (("published", Setting()), ("tuned", tuned)):
        settings = [setting] * len(seeds)
        trained = _train_on(draws, [*seeds], function, settings, config.steps)
        found = accuracies(function, trained.networks, draws[0].test, settings)
        rows += network_rows(config, seeds, trained, found, arm="fresh", setting=label, function=name)
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


def _train_on(
    draws: list[Draw], seeds: list[int], function: Function, settings: list[Setting], steps: int
) -> InnerTrained:
    """Returns a network for each seed, trained on its own draw."""
    examples = Examples.stacked(draw.train for draw in draws)
    noise = torch.stack([uniform_noise(seed, steps=steps) for seed in seeds])
    return train_networks(function, initial_networks(seeds), examples, noise, settings)


def network_rows(
    config: ActivationConfig, seeds: range, trained: InnerTrained, found: list[float], **what: Any
) -> list[Row]:
    """Returns a row for each network."""
    return [
        {
            **what,
            "steps": config.steps,
            "seed": seed,
            "mean_loss": digits(float(losses.mean())),
            "window_loss": digits(float(losses[-config.window :].mean())),
            "accuracy": accuracy,
        }
        for seed, losses, accuracy in zip(seeds, trained.losses, found, strict=True)
    ]


def digits(number: float) -> float:
    """Returns a number with the seven digits that float32 has."""
    return float(f"{number:.7g}")

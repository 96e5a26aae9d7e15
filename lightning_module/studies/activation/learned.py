"""The learned function, which several pieces of the activation study need, once in a process; and its shape."""

import torch

from lightning_module.datamodule import Examples
from lightning_module.studies.activation.config import ActivationConfig
from lightning_module.studies.framework.cells import Row
from lightning_module.studies.framework.checkpoint import Scratch
from lightning_module.studies.framework.data import Draw, frozen
from lightning_module.studies.methods.activation.functions import BASELINES, Function, piecewise, straightened
from lightning_module.studies.methods.activation.learned_activation import LearnedActivation
from lightning_module.studies.methods.activation.meta_activation import OuterStep, meta_train, reference_draws

EXAMPLES = 10_000  # of a draw: 8000 to train on
KEEP_EVERY = 10  # outer steps between two states that are kept
BUMP = (-4.0, 0.0)  # where the published function has its positive bump
DIP = (0.0, 2.0)  # and its negative dip


def functions_of(config: ActivationConfig, scratch: Scratch, *names: str) -> dict[str, Function]:
    """Returns activation functions by name; the learned one is that of the first seed: of the published run."""
    fixed: dict[str, Function] = {**BASELINES, "piecewise": piecewise}
    if set(names) <= fixed.keys():
        return {name: fixed[name] for name in names}
    learned = LearnedActivation(meta_training(config, config.first_seed, scratch)[-1].function)
    made: dict[str, Function] = {**fixed, "learned": learned, "straightened": straightened(learned)}
    return {name: made[name] for name in names}


def meta_training(config: ActivationConfig, seed: int, scratch: Scratch) -> list[OuterStep]:
    """Returns a whole meta-training, run once in a process: several cells need it."""
    key = (config.outer_steps, config.steps, config.window, seed)
    if key not in _META_TRAININGS:
        _META_TRAININGS[key] = continued(config, seed, scratch)
    return _META_TRAININGS[key]


_META_TRAININGS: dict[tuple[int, ...], list[OuterStep]] = {}


def continued(config: ActivationConfig, seed: int, scratch: Scratch) -> list[OuterStep]:
    """Returns a whole meta-training, of which the scratch holds the steps that were done before an interruption."""
    record, arrays = scratch.load()
    done = [
        OuterStep._make([*numbers, torch.from_numpy(function)])
        for numbers, function in zip(record.get("steps", []), arrays.get("functions", []), strict=True)
    ]
    data = frozen_draw()
    course = meta_train(
        data.train,
        first_tests(data),
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


def frozen_draw() -> Draw:
    """Returns the data of the published meta-training."""
    return frozen(num_samples=EXAMPLES)


def first_tests(data: Draw) -> Examples:
    """Returns the examples that the published accuracies are measured on."""
    return Examples(data.test.x[:500], data.test.y[:500])


def shape_rows(function: Function, *, points: int = 201) -> list[Row]:
    """Returns x and y on [-5, 5]."""
    x = torch.linspace(-5, 5, points)
    with torch.no_grad():
        y = function(x)
    return [{"x": round(a, 6), "y": float(f"{b:.6g}")} for a, b in zip(x.tolist(), y.tolist(), strict=True)]


def feature_row(function: Function) -> Row:
    """Returns the highest local maximum left of 0, the lowest minimum right of it, and how far the function falls.

    Where there is no local maximum or minimum, its height is 0.
    """
    x = torch.linspace(-5, 5, 1001)
    with torch.no_grad():
        y = function(x)
    row: Row = {}
    for name, (low, high), sign in (("bump", BUMP, 1), ("dip", DIP, -1)):
        height = sign * y
        peak = torch.zeros_like(x, dtype=torch.bool)
        peak[1:-1] = (height[1:-1] > height[:-2]) & (height[1:-1] >= height[2:])
        peak &= (x > low) & (x < high)
        row[name] = float(f"{sign * height[peak].max():.6g}") if peak.any() else 0.0
    # How far it falls from left to right: 0 for a monotone function.
    row["fall"] = float(f"{(y.cummax(0).values - y).max():.6g}")
    return row

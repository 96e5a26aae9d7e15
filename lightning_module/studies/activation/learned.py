"""The learned function, which several pieces of the activation study need: learned once in a process."""

import torch

from lightning_module.datamodule import Examples
from lightning_module.studies.activation.config import ActivationConfig
from lightning_module.studies.framework.checkpoint import Scratch
from lightning_module.studies.framework.data import Draw, frozen
from lightning_module.studies.methods.activation.functions import BASELINES, Function, piecewise, straightened
from lightning_module.studies.methods.activation.learned_activation import LearnedActivation
from lightning_module.studies.methods.activation.meta_activation import OuterStep, meta_train, reference_draws

EXAMPLES = 10_000  # of a draw: 8000 to train on
KEEP_EVERY = 10  # outer steps between two states that are kept


def functions_of(config: ActivationConfig, scratch: Scratch, *names: str) -> dict[str, Function]:
    """Returns activation functions by name; the learned one is that of the published run."""
    fixed: dict[str, Function] = {**BASELINES, "piecewise": piecewise}
    if set(names) <= fixed.keys():
        return {name: fixed[name] for name in names}
    learned = LearnedActivation(meta_training(config, 0, scratch)[-1].function)
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

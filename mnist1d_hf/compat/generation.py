"""The reference's data from the reference's global random state, which is left as the reference leaves it."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from mnist1d_hf.compat.arguments import Arguments
from mnist1d_hf.compat.one_signal import transform
from mnist1d_hf.generator.recipe import REFERENCE_CAPACITY, RecipeError
from mnist1d_hf.generator.reference_stream import make_reference
from mnist1d_hf.generator.stages import check_spread
from mnist1d_hf.generator.templates import Templates


def generate(arguments: Arguments, templates: Templates) -> dict[str, Any]:
    """Returns the arrays x, x_test, y, y_test and t; seeds the global random state and draws from it."""
    seed_as_the_reference(arguments.seed)
    recipe = arguments.recipe(len(templates.y))
    if recipe is None:
        return _one_by_one(arguments, templates)
    with _global_stream() as stream:
        arrays = make_reference(recipe, templates, trace=False, latents=False, random=stream).as_dict()
    return {name: np.ascontiguousarray(array) for name, array in arrays.items() if name != "templates"}


def seed_as_the_reference(seed: int | None) -> None:
    """Seeds ``random`` and ``numpy``, and nothing else."""
    random.seed(seed)
    np.random.seed(seed)


@contextmanager
def untouched() -> Iterator[None]:
    """Lets the global random state move within the block, and puts it back at the end."""
    states = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


@contextmanager
def _global_stream() -> Iterator[np.random.RandomState]:
    """Yields a generator in the global one's state; the global one takes over its state at the end."""
    stream = np.random.RandomState(0)
    stream.set_state(np.random.get_state())
    yield stream
    np.random.set_state(stream.get_state())


def _one_by_one(arguments: Arguments, templates: Templates) -> dict[str, Any]:
    """Returns the arrays of arguments without a recipe: signal by signal, a good twenty times slower."""
    if arguments.num_samples > REFERENCE_CAPACITY:
        raise RecipeError(
            f"num_samples={arguments.num_samples} is more than can be shuffled in memory; ask for {REFERENCE_CAPACITY} "
            "at most"
        )
    each = arguments.num_samples // len(templates.y)
    made = [transform(curve, templates.t, arguments) for curve in templates.x for _ in range(each)]
    y = np.repeat(templates.y, each)
    order = np.random.permutation(len(y))
    x, y = np.stack([signal for signal, _ in made])[order], y[order]
    if arguments.shuffle_seq:
        x = x[:, np.random.permutation(arguments.final_seq_length)]
    std = float(x.std())
    check_spread(std)
    x = np.ascontiguousarray((x - x.mean()) / std)
    split = int(len(y) * arguments.train_split)
    return {"x": x[:split], "x_test": x[split:], "y": y[:split], "y_test": y[split:], "t": made[0][1] / std}

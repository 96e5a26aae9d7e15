"""The examples that studies share: the frozen data set, fresh draws of a recipe, and a large fresh test set."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch

import mnist1d_hf
from lightning_module.datamodule import Examples
from lightning_module.studies.framework.records.json_files import as_json
from lightning_module.studies.framework.training import sha256
from mnist1d_hf import Recipe, Split, make_mnist1d, make_slice
from mnist1d_hf.cache.golden import has_same_records
from mnist1d_hf.generator.fast_stream import FastStream

# Draws of the fast stream that no study trains on. Training draws have the seeds from 0.
TEST_SEED = 2**31 - 1
CHEAP = 200_000  # examples; a second or two
LONG = 1000  # points of a signal; the longest of the studies have 120


@dataclass(frozen=True)
class Draw:
    """A data set, and the record of what it is.

    Attributes:
        train: Training examples.
        test: Test examples.
        mean: What was subtracted from the raw signals.
        std: What they were then divided by.
        what: Recipe, stream, version and digests, for the record.
    """

    train: Examples
    test: Examples
    mean: float
    std: float
    what: dict[str, Any]


@cache
def frozen(config: str = "default", **changes: Any) -> Draw:
    """Returns a config as it is published, such as the 2020 data set for "default", float32."""
    arrays = make_mnist1d(config, dtype=np.float32, **changes)
    train, test = examples_of(arrays.train), examples_of(arrays.test)
    return Draw(train, test, arrays.mean, arrays.std, _description(config, changes, arrays.stream, train, test))


@cache
def fresh(seed: int, config: str = "default", *, tests: int = 20_000, **changes: Any) -> Draw:
    """Returns a new draw of a config by the fast stream, the training examples by `seed` and the test set by none.

    Both are normalised by the exact mean and standard deviation of the recipe. The test examples are the same for every
    `seed`; of a shuffled config, the points of both are in the order that `seed` decides.
    """
    recipe = _recipe(config).replace(**changes, seed=seed)
    count = int(recipe.num_samples * recipe.train_split)
    train = examples_of(make_slice(recipe, "train", 0, count))
    x, y = _test(recipe, tests)
    test = Examples(x[:, torch.from_numpy(FastStream.of(recipe).order.copy())], y)
    mean, std = _population(recipe)
    what = _description(config, {**changes, "seed": seed, "tests": tests}, "fast", train, test)
    return Draw(train, test, mean, std, what)


def fresh_test(of: Draw, config: str = "default", *, count: int = 20_000, **changes: Any) -> Examples:
    """Returns `count` new examples of a config, normalised by the constants of another draw of it.

    Raises:
        ValueError: If the config is shuffled: the order of the points is not one of the draw's constants.
    """
    recipe = _recipe(config).replace(**changes)
    if recipe.shuffle_seq:
        raise ValueError(
            f"config={config!r} is shuffled, and the order of the points of a draw is not known; draw the points in "
            "their own order, and shuffle them by Replica(points=...)"
        )
    x, y = _test(recipe, count)
    mean, std = _population(recipe)
    return Examples(((x.flip(1) if recipe.flip_seq else x) * std + mean - of.mean) / of.std, y)


def _test(recipe: Recipe, count: int) -> Examples:
    """Returns test examples that no training draw has, the points in their own order."""
    own_order = recipe.replace(seed=TEST_SEED, shuffle_seq=False, flip_seq=False)
    return examples_of(make_slice(own_order, "test", 0, count))


def is_same_data(what: Any) -> bool | None:
    """Returns whether a data set, made anew, is the one that `Draw.what` describes; None if that is not worth its time.

    Args:
        what: A description as it comes from a saved result; None is returned for one of other data, or of a version
            of ours with another MAJOR, whose records may be others.
    """
    if not isinstance(what, dict) or what.get("config") not in list(mnist1d_hf.RECIPES):
        return None
    if not has_same_records(what.get("version")):
        return None
    try:
        changes: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in what["changes"].items()
        }
        is_fresh, tests = "tests" in changes, changes.pop("tests", 0)  # also a fresh draw may have no tests
        recipe = _recipe(what["config"]).replace(**changes)
        signal = max(recipe.final_seq_length, recipe.template_len + max(recipe.padding))
        if not 0 <= tests <= CHEAP or tests + recipe.num_samples > CHEAP or signal > LONG:
            return None
        draw = fresh(config=what["config"], tests=tests, **changes) if is_fresh else frozen(what["config"], **changes)
    except (ValueError, TypeError, LookupError, AttributeError):
        return False  # nothing that this package ever wrote
    return bool(as_json({**draw.what, "version": what["version"]}) == as_json(what))


def examples_of(split: Split) -> Examples:
    """Returns a split as tensors."""
    x = torch.tensor(split.x, dtype=torch.float32, device="cpu")
    return Examples(x, torch.tensor(split.y, dtype=torch.int64, device="cpu"))


def _recipe(config: str) -> Recipe:
    return mnist1d_hf.RECIPES[config].recipe


@cache
def _population(recipe: Recipe) -> tuple[float, float]:
    from mnist1d_hf.generator.population import population_mean_and_std

    return population_mean_and_std(recipe, mnist1d_hf.digit_templates())


def _description(config: str, changes: dict[str, Any], stream: str, train: Examples, test: Examples) -> dict[str, Any]:
    return {
        "config": config,
        "changes": changes,
        "stream": stream,
        "version": mnist1d_hf.DATA_VERSION,
        "sha256": {"train": sha256(train), "test": sha256(test)},
    }

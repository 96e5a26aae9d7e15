"""The code that makes the data on the page: what is copied, typed elsewhere, and gives the same bits."""

from typing import Any

from lightning_module.explorer.make.fields import changes
from mnist1d_hf import RECIPES, Recipe

ROWS = "rows = [np.flatnonzero({labels} == digit)[{index}] for digit in range(10)]"


def snippets(config: str, recipe: Recipe, stream: str, index: int) -> dict[str, str]:
    """Returns the code by what it uses: datasets, NumPy, the command line.

    Args:
        config: The named config that the numbers started from.
        recipe: The numbers.
        stream: The stream.
        index: Which example of each digit is shown.
    """
    given = changes(config, recipe)
    if stream != RECIPES[config].stream:
        given["stream"] = stream
    keywords = "".join(f", {name}={value!r}" for name, value in given.items())
    labels = "y_clean" if recipe.label_noise > 0 else "y"
    return {
        "load_dataset": _load(config, keywords, labels, index),
        "make_mnist1d": _make(config, keywords, recipe, stream, index),
        "command line": _command(config, given),
    }


def _load(config: str, keywords: str, labels: str, index: int) -> str:
    return f"""\
import numpy as np
from datasets import load_dataset
from mnist1d_hf import as_numpy

data = load_dataset("mnist1d", "{config}"{keywords})
train = as_numpy(data["train"])
# the ten signals of the page
{ROWS.format(labels=f'train["{labels}"]', index=index)}
shown = train["x"][rows]
"""


def _make(config: str, keywords: str, recipe: Recipe, stream: str, index: int) -> str:
    if stream == "fast":
        call = f'train = make_slice("{config}", "train", 0, {_needed(recipe, index)}{_without_stream(keywords)})'
        imported, labels, x = "make_slice", "train.y_clean", "train.x[rows]"
    else:
        call = f'data = make_mnist1d("{config}"{keywords}, dtype="float32")'
        imported, labels, x = "make_mnist1d", "data.train.y_clean", "data.train.x[rows]"
    return f"""\
import numpy as np
from mnist1d_hf import {imported}

{call}
# the ten signals of the page
{ROWS.format(labels=labels, index=index)}
shown = {x}
"""


def _without_stream(keywords: str) -> str:
    return keywords.removesuffix(", stream='fast'")


def _needed(recipe: Recipe, index: int) -> int:
    """Returns how many examples of the fast stream hold the one asked for of each digit: whole blocks of 1,000."""
    return min(1000 * (10 * index // 1000 + 1), recipe.split_sizes("fast")["train"])


def _command(config: str, given: dict[str, Any]) -> str:
    options = "".join(f" {_option(name, value)}" for name, value in given.items())
    if not options:
        return f"mnist1d data export mnist1d-{config} --config {config}\n"
    return f"mnist1d data export my-mnist1d --new-config mine --base {config}{options}\n"


def _option(name: str, value: Any) -> str:
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return f"{flag} {str(value).lower()}"
    if isinstance(value, tuple):
        return f"{flag} '[{value[0]}, {value[1]}]'"
    return f"{flag} {value}"

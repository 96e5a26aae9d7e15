"""What a data module checks: its arguments, and the columns that it reads."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mnist1d_hf.checks import items, number, shown, whole_number

MOST_CLASSES = 1_000_000


def check_examples(what: str, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> None:
    """Refuses what is not signals of one length and a label for each: anybody may have written it."""
    if x.ndim != 2 or not np.issubdtype(x.dtype, np.number):
        raise ValueError(f"{what}: column 'x' must hold a list of numbers in each row, all of one length")
    if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer) or (len(y) and y.min() < 0):
        raise ValueError(f"{what}: column 'y' must hold a label in each row, an integer from 0")
    if not len(y):
        raise ValueError(f"{what} has no rows; take another config or split")


def checked_classes(classes: Sequence[int] | None) -> tuple[int, ...] | None:
    """Returns the digits that are kept, or None for all.

    Raises:
        ValueError: If they are not different whole numbers from 0.
    """
    if classes is None:
        return None
    what = "different digits, such as classes=(0, 1, 2), or None for all"
    try:  # also of numpy and torch
        digits = [whole_number("classes", each, 0) for each in items("classes", classes, what, MOST_CLASSES)]
    except ValueError:
        digits = []
    if not digits or len(set(digits)) < len(digits):
        raise ValueError(f"classes={shown(classes)} must be {what}")
    return tuple(digits)


def checked_val(val: float | Literal["test"] | None) -> float | Literal["test"] | None:
    """Returns what is validated on: a fraction, "test", or None for nothing.

    Raises:
        ValueError: If it is none of these.
    """
    if val is None:
        return None
    if isinstance(val, str) and str.__str__(val) == "test":
        return "test"
    try:
        return number("val", val, 0, 1, above=True, below=True)
    except ValueError:
        raise ValueError(
            f'val={shown(val)} must be a fraction between 0 and 1, "test" for the test split, or None for nothing'
        ) from None


def checked_recipe(recipe: dict[str, Any] | None) -> dict[str, Any] | None:
    """Returns numbers of a recipe by name, or None for none.

    Raises:
        ValueError: If they are no mapping with names.
    """
    if recipe is None:
        return None
    if not isinstance(recipe, Mapping) or not all(isinstance(name, str) for name in recipe):
        raise ValueError(
            f'recipe={shown(recipe)} must be a mapping of numbers by name, such as {{"iid_noise_scale": 0.1}}'
        )
    return dict(recipe)

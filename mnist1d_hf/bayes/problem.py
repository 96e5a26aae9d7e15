"""From the arguments of the public functions to raw signals and tables: which recipe, which constants, which order."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import datasets
import numpy as np
import numpy.typing as npt

from mnist1d_hf.bayes.special import require_scipy
from mnist1d_hf.bayes.tables import Curves, Tables, tables_of
from mnist1d_hf.checks import kind_of, number
from mnist1d_hf.generator.arithmetic import FloatArray, IntArray
from mnist1d_hf.generator.columns import as_numpy
from mnist1d_hf.generator.fast_stream import FastStream
from mnist1d_hf.generator.generate import chosen_recipe
from mnist1d_hf.generator.recipe import Recipe, Stream
from mnist1d_hf.generator.reference_stream import mean_std_and_order
from mnist1d_hf.generator.templates import Templates, digit_templates

LARGEST: Final = 1e100  # of a signal and its constants: its squares are still finite
DIVISOR: Final = ": it is what the raw signals were divided by"


@dataclass(frozen=True, eq=False)
class Problem:
    """A recipe and a normalisation, by which signals are explained.

    Attributes:
        recipe: The numbers of the generator.
        tables: The tables of its components.
        mean: What was subtracted from the raw signals.
        std: What they were then divided by.
        order: Which raw point each point of a signal is, ``(length,)``.
        labels: The different labels in ascending order, ``(classes,)``.
        class_of: Position in ``labels`` of the label of each row of the templates, ``(rows,)``.
    """

    recipe: Recipe
    tables: Tables
    mean: float
    std: float
    order: IntArray
    labels: IntArray
    class_of: IntArray

    @classmethod
    def of(
        cls,
        recipe: str | Recipe,
        stream: str | None,
        changes: Mapping[str, Any],
        *,
        mean: float | None = None,
        std: float | None = None,
        permutation: npt.ArrayLike | None = None,
        templates: Templates | None = None,
    ) -> "Problem":
        """Returns the problem that the arguments of `log_posterior` describe.

        Raises:
            RecipeError: If recipe or stream cannot be used, or the recipe has no posterior.
            ValueError: If the constants cannot be those of a data set.
        """
        require_scipy()
        chosen, of_stream = chosen_recipe(recipe, stream, changes, templates)
        curves = templates or digit_templates()
        tables = tables_of(chosen, curves)
        if (mean is None) != (std is None):
            raise ValueError(f"mean={mean!r}, std={std!r}: give both or neither; make_mnist1d returns them together")
        if mean is None or std is None or (permutation is None and chosen.shuffle_seq):
            own_mean, own_std, own_order = _constants(chosen, of_stream, Curves.of(curves))
        else:
            own_mean, own_std, own_order = mean, std, _unshuffled(chosen)
        labels, class_of = np.unique(curves.y, return_inverse=True)
        return cls(
            recipe=chosen,
            tables=tables,
            mean=number("mean", own_mean if mean is None else mean, -LARGEST, LARGEST),
            std=number("std", own_std if std is None else std, 0, LARGEST, above=True, also=DIVISOR),
            order=own_order if permutation is None else _permutation(permutation, chosen.final_seq_length),
            labels=labels,
            class_of=class_of,
        )

    def raw(self, x: Any) -> FloatArray:
        """Returns signals before normalisation, their points in the order in which they were made, ``(n, length)``.

        Raises:
            ValueError: If they are not a matrix of finite numbers with the recipe's length.
        """
        signals = _matrix(x, self.recipe.final_seq_length)
        raw = np.empty_like(signals)
        raw[:, self.order] = signals * self.std + self.mean
        return raw

    def by_class(self, joint: FloatArray) -> FloatArray:
        """Returns, in logs, the sums over the templates' rows with equal labels, ``(n, rows)`` to ``(n, classes)``."""
        if len(self.labels) == len(self.class_of):
            return joint[:, np.argsort(self.class_of)]
        rows = [joint[:, self.class_of == which] for which in range(len(self.labels))]
        return np.stack([np.logaddexp.reduce(some, axis=1) for some in rows], axis=1)


@lru_cache(maxsize=8)
def _constants(recipe: Recipe, stream: Stream, curves: Curves) -> tuple[float, float, IntArray]:
    if stream == "reference":
        return mean_std_and_order(recipe, curves.templates)
    fast = FastStream.of(recipe)
    return fast.mean, fast.std, fast.order


def _unshuffled(recipe: Recipe) -> IntArray:
    order = np.arange(recipe.final_seq_length)
    return order[::-1] if recipe.flip_seq else order


def _matrix(x: Any, length: int) -> FloatArray:
    if isinstance(x, dict) and "x" in x:  # rows of a data set, ds[:10]
        x = x["x"]
    if isinstance(x, (datasets.Dataset, dict)):
        x = as_numpy(x)["x"]  # a dictionary of splits is an error there, which says what to do
    signals = as_array("x", x)
    if signals.dtype.kind not in "fiu":
        raise ValueError(f"x must be numbers, but is {signals.dtype}; of a data set: as_numpy(dataset)['x']")
    if signals.ndim != 2 or signals.shape[1] != length:
        remedy = "; of one signal: x[None]" if signals.shape == (length,) else ""
        raise ValueError(f"x of shape {signals.shape} must be (n, {length}), the recipe's final_seq_length{remedy}")
    signals = signals.astype(np.float64)
    bad = np.flatnonzero(~(np.abs(signals) <= LARGEST).all(axis=1))
    if len(bad):
        raise ValueError(f"x has {len(bad)} signals that are not finite, the first in row {bad[0]}; leave them out")
    return signals


def as_array(name: str, values: Any) -> npt.NDArray[Any]:
    """Returns any array, tensor or nested list as an array.

    Raises:
        ValueError: If it is ragged, masked or something else that has no array.
    """
    if np.ma.is_masked(values):
        raise ValueError(f"{name} has masked values, which no posterior is known for; leave these rows out")
    try:
        if hasattr(values, "detach"):  # a tensor of torch: of a device, with a gradient, of a type that NumPy lacks
            values = values.detach().cpu()
            values = values.double() if values.is_floating_point() else values
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} must be an array, all rows of one length; it is a {kind_of(values)}") from error


def _permutation(order: npt.ArrayLike, length: int) -> IntArray:
    given = as_array("permutation", order)
    if (
        given.shape != (length,)
        or given.dtype.kind not in "iu"
        or not np.array_equal(np.sort(given), np.arange(length))
    ):
        raise ValueError(
            f"permutation must hold each of 0 to {length - 1} once: the raw point that each point of a signal is"
        )
    return given.astype(np.int64)

"""Where a curve over the number of parameters crosses a bound, and where it has its peak; and what of that is not seen.

Between two sizes a curve is a straight line over the logarithm of the number of parameters; around its largest point
it is a parabola. A curve that is below the bound at the smallest size has crossed it somewhere below, one that is above
it at the largest size will cross it somewhere above, if at all: that is what is said, and no number is made up.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lightning_module.studies.framework.quantities import Quantity, Scalar, Tables, Value

if TYPE_CHECKING:
    import pandas as pd

Seen = Literal["here", "below", "above"]


@dataclass(frozen=True)
class Place:
    """A number of parameters at which a curve turns, or the end beyond which it lies.

    Attributes:
        at: The number, or the end of the curve beyond which it lies.
        seen: Whether it is here, or somewhere below or above.
    """

    at: float
    seen: Seen = "here"


def crossing(parameters: Sequence[float], values: Sequence[float], bound: float, *, log: bool = False) -> Place:
    """Returns where a curve first reaches a bound from above.

    Args:
        parameters: Sizes, ascending.
        values: The curve; nan, of a training that diverged, counts as above.
        bound: The bound.
        log: Whether the curve is a straight line between two sizes in its logarithm, as a loss nearly is.
    """
    for i, value in enumerate(values):
        if value <= bound:
            if i == 0:
                return Place(float(parameters[0]), "below")
            share = _share(values[i - 1], value, bound, log=log)
            return Place(float(parameters[i - 1] * (parameters[i] / parameters[i - 1]) ** share))
    return Place(float(parameters[-1]), "above")


def _share(before: float, after: float, bound: float, *, log: bool) -> float:
    """Returns the fraction of the way from one value to the next at which the bound is; 1 if the first is infinite."""
    if not math.isfinite(before):
        return 1.0
    if log:
        tiny = 1e-30  # a loss may be 0 to the last bit
        before, after, bound = (math.log(max(each, tiny)) for each in (before, after, bound))
    return (before - bound) / (before - after)


def peak(parameters: Sequence[float], values: Sequence[float]) -> Place:
    """Returns where a curve is largest; at one of its ends, that it lies below or above."""
    known = [(math.log(p), v) for p, v in zip(parameters, values, strict=True) if math.isfinite(v)]
    if not known:
        return Place(float(parameters[-1]), "above")
    top = max(range(len(known)), key=lambda i: known[i][1])
    if top in (0, len(known) - 1):
        return Place(math.exp(known[top][0]), "below" if top == 0 else "above")
    (x0, y0), (x1, y1), (x2, y2) = known[top - 1 : top + 2]
    left, right = (y1 - y0) / (x1 - x0), (y2 - y1) / (x2 - x1)  # slopes, which are not negative and not positive
    if left == right:
        return Place(math.exp(x1))
    middle = (x0 + x1) / 2, (x1 + x2) / 2  # where a parabola has these slopes
    return Place(math.exp(middle[0] + (middle[1] - middle[0]) * left / (left - right)))


def prominent_peak(parameters: Sequence[float], values: Sequence[float], least: float) -> float:
    """Returns where a curve has the peak that it rises to and falls from the most; nan if there is none.

    A curve that is largest at its first size may have a peak further on, and one that only falls has none: neither has
    one below the first size.

    Args:
        parameters: Sizes, ascending.
        values: The curve; nan, of a training that diverged, is left out.
        least: By how much at least a peak lies above the lowest place before it, and above the lowest behind it.
    """
    known = [(p, v) for p, v in zip(parameters, values, strict=True) if math.isfinite(v)]
    sizes, heights = [p for p, _ in known], [v for _, v in known]
    prominence = {i: heights[i] - max(min(heights[:i]), min(heights[i + 1 :])) for i in range(1, len(heights) - 1)}
    top = max(prominence, key=prominence.__getitem__, default=0)
    if not top or prominence[top] <= least:
        return math.nan
    return peak(sizes[top - 1 : top + 2], heights[top - 1 : top + 2]).at


@dataclass(frozen=True)
class At(Quantity, kind="at"):
    """The number of parameters at which a curve has its peak, or first reaches a bound, for each unit.

    Not a number for a unit whose curve does not show it: then there is no verdict.

    Attributes:
        curve: A column of a table that has a column "parameters".
        bound: The bound; None for the peak.
        over: What the number is divided by.
    """

    curve: Value
    bound: float | None = None
    over: float = 1.0

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the numbers, by unit."""
        return _by_unit(self.curve, tables, self._of_one)

    def _of_one(self, rows: "pd.DataFrame") -> float:
        means = rows.groupby("parameters")[self.curve.column].mean().sort_index()
        sizes, values = means.index.tolist(), means.tolist()
        place = peak(sizes, values) if self.bound is None else crossing(sizes, values, self.bound)
        return place.at / self.over if place.seen == "here" else math.nan


@dataclass(frozen=True)
class PeakAbove(Quantity, kind="peak-above-valley"):
    """The number of parameters at which a curve has its peak behind a valley, for each unit; nan if there is no peak.

    The largest number of the whole curve would often be that of the smallest network. So only sizes above the valley
    are looked at; and as of several numbers one is always the largest, it is a peak only if it is higher than the
    valley by more than chance, and not at the curve's end.

    Attributes:
        curve: A column of a table that has the columns "parameters" and `size`.
        valley: The sizes of the valley; the peak is above the largest of them.
        rise: By how much a peak is higher than the valley's mean.
        size: The column of the sizes.
        over: What the number is divided by.
    """

    curve: Value
    valley: tuple[int, ...]
    rise: float
    size: str = "width"
    over: float = 1.0

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the numbers, by unit."""
        return _by_unit(self.curve, tables, self._of_one)

    def _of_one(self, rows: "pd.DataFrame") -> float:
        column = self.curve.column
        valley = float(rows[rows[self.size].isin(self.valley)][column].mean())  # nan if all of it is missing
        last = max(self.valley)
        behind = rows[rows[self.size] > last].groupby("parameters")[column].mean().sort_index()
        if behind.empty or not behind.max() > valley + self.rise:
            return math.nan
        # For the parabola a peak at the first size behind the valley has the valley's last size on its left.
        left = rows[rows[self.size] == last].groupby("parameters")[column].mean().clip(upper=behind.max() - 1e-12)
        place = peak([*left.index, *behind.index], [*left, *behind])
        return place.at / self.over if place.seen == "here" else math.nan


@dataclass(frozen=True)
class Log(Quantity, kind="logarithm"):
    """The logarithm of a quantity to a base: by how many factors of the base it differs from 1.

    Attributes:
        of: The quantity.
        base: The base.
    """

    of: Quantity
    base: float = 10.0

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the logarithms, by unit."""
        return self.of.per_unit(tables).map(lambda number: math.log(number, self.base))


@dataclass(frozen=True)
class Turn(Quantity, kind="turn"):
    """How far a curve over epochs rises after it has fallen, or how far it then falls again until the last epoch.

    The rise is the largest from any epoch to a later one; so chance alone makes it positive, and a margin is needed.

    Attributes:
        curve: A column of a table that has a column "epoch".
        kind: "rise", or the "fall" after it.
    """

    curve: Value
    kind: Literal["rise", "fall"]

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the differences, by unit."""
        return _by_unit(self.curve, tables, self._of_one)

    def _of_one(self, rows: "pd.DataFrame") -> float:
        values = rows.groupby("epoch")[self.curve.column].mean().sort_index().tolist()
        lowest, rise, top = values[0], 0.0, values[-1]
        for value in values:
            lowest = min(lowest, value)
            if value - lowest > rise:
                rise, top = value - lowest, value
        return rise if self.kind == "rise" else float(top - values[-1])


def _by_unit(curve: Value, tables: Tables, number: "Callable[[pd.DataFrame], float]") -> "pd.Series[float]":
    import pandas as pd

    groups = curve.rows(tables).groupby(curve.unit)
    return pd.Series({unit: number(rows) for unit, rows in groups}, dtype="float64")


def matching(rows: "pd.DataFrame", **where: Scalar | tuple[Any, ...]) -> "pd.DataFrame":
    """Returns the rows of a table in which columns have certain values, or one of several."""
    masks = (
        (rows[name].isin(wanted) if isinstance(wanted, tuple) else rows[name] == wanted).to_numpy(bool)
        for name, wanted in where.items()
    )
    return rows[np.logical_and.reduce([*masks])] if where else rows

"""What a claim is about, as data: a column of a study's rows under conditions, and differences and ratios of such.

    cnn = value("accuracy", network="cnn", step=6000)
    mlp = value("accuracy", network="mlp", step=6000)
    cnn - mlp                     # one number for each seed: the runs are paired

A quantity has one number for each unit, which is a seed unless it says otherwise. Nothing is computed before
`per_unit` is given the tables of a result, so a claim can be written, and fixed, before there is one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Scalar = str | int | float | bool
Tables = Mapping[str, "pd.DataFrame"]


class NoRowsError(ValueError):
    """A result has no rows that a quantity could be computed from."""


class Quantity(ABC):
    """Something that has a number for each unit of a study."""

    @abstractmethod
    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the numbers, by unit.

        Raises:
            NoRowsError: If the tables do not have them.
        """

    def __sub__(self, other: "Quantity | float") -> "Combined":
        return Combined("-", self, _quantity(other))

    def __rsub__(self, other: float) -> "Combined":
        return Combined("-", _quantity(other), self)

    def __truediv__(self, other: "Quantity | float") -> "Combined":
        return Combined("/", self, _quantity(other))


@dataclass(frozen=True)
class Value(Quantity):
    """A column where other columns have certain values; the mean of the rows of a unit."""

    column: str
    where: Mapping[str, Scalar | tuple[Scalar, ...]]
    table: str = "rows"
    unit: str | None = "seed"  # None: all rows are one unit, and the number is a constant

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the numbers, by unit; one number by no name without units."""
        rows = self.rows(tables)
        by = (lambda _: CONSTANT) if self.unit is None else self.unit
        return rows.groupby(by)[self.column].mean().astype("float64")

    def rows(self, tables: Tables) -> "pd.DataFrame":
        """Returns the rows that the conditions leave."""
        if self.table not in tables:
            raise NoRowsError(f"there is no table {self.table!r}")
        rows = tables[self.table]
        for column in [self.column, *self.where, *([self.unit] if self.unit else [])]:
            if column not in rows:
                raise NoRowsError(f"table {self.table!r} has no column {column!r}, but {', '.join(rows)}")
        for column, wanted in self.where.items():
            rows = rows[rows[column].isin(wanted if isinstance(wanted, tuple) else [wanted])]
        rows = rows[rows[self.column].notna()]
        if rows.empty:
            raise NoRowsError(f"no rows with {', '.join(f'{k}={v!r}' for k, v in self.where.items())}")
        return rows


def value(column: str, /, *, table: str = "rows", unit: str | None = "seed", **where: Any) -> Value:
    """Returns the quantity that is a column of a table where other columns have certain values.

    Args:
        column: What is measured.
        table: The table of the result.
        unit: The column that tells the units, of which there is an independent number each; None for a constant.
        **where: Columns and their values, or tuples of values.
    """
    return Value(column, dict(sorted(where.items())), table, unit)  # sorted: their order decides nothing


@dataclass(frozen=True)
class Proportion(Quantity):
    """Hits out of trials that are independent of each other: its interval is Wilson's."""

    hits: Value
    trials: Value

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the proportion, by no name."""
        return self.hits.per_unit(tables) / self.trials.per_unit(tables)

    def counts(self, tables: Tables) -> tuple[int, int]:
        """Returns hits and trials."""
        return int(self.hits.rows(tables)[self.hits.column].sum()), int(
            self.trials.rows(tables)[self.trials.column].sum()
        )


def proportion(hits: str, trials: str, /, *, table: str = "rows", **where: Any) -> Proportion:
    """Returns the quantity that is a column of hits over a column of trials, each summed over the rows."""
    return Proportion(value(hits, table=table, unit=None, **where), value(trials, table=table, unit=None, **where))


@dataclass(frozen=True)
class Unpaired(Quantity):
    """The difference of two quantities that have nothing in common, each with the uncertainty of its own."""

    left: Quantity
    right: Quantity

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the difference of the means, by no name."""
        import pandas as pd

        return pd.Series({CONSTANT: self.left.per_unit(tables).mean() - self.right.per_unit(tables).mean()})


@dataclass(frozen=True)
class Constant(Quantity):
    """A number."""

    number: float

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the number, by no name."""
        import pandas as pd

        return pd.Series({CONSTANT: self.number})


@dataclass(frozen=True)
class Exact(Quantity):
    """A quantity without chance, such as the points of a signal: one number, which is known and has no interval."""

    of: Quantity

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the number, by no name.

        Raises:
            ValueError: If there are several numbers.
        """
        series = self.of.per_unit(tables)
        if len(series) != 1:
            raise ValueError(
                f"of={self.of} has {len(series)} numbers, and must have one to be known without an interval"
            )
        return series


@dataclass(frozen=True)
class Combined(Quantity):
    """A difference or a ratio, unit by unit."""

    operation: Literal["-", "/"]
    left: Quantity
    right: Quantity

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the numbers, by unit.

        Raises:
            NoRowsError: If there are no rows.
            ValueError: If the two sides have different units, and neither is a constant.
        """
        left, right = _aligned([self.left.per_unit(tables), self.right.per_unit(tables)])
        return left - right if self.operation == "-" else left / right


@dataclass(frozen=True)
class Across(Quantity):
    """The largest, the smallest or the mean of several, unit by unit."""

    kind: Literal["largest", "smallest", "mean"]
    parts: tuple[Quantity, ...]

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the numbers, by unit."""
        columns = _aligned([part.per_unit(tables) for part in self.parts])
        series = columns[0].copy()
        series[:] = ACROSS[self.kind]([column.to_numpy() for column in columns], axis=0)
        return series


def largest(*parts: Quantity) -> Across:
    """Returns the largest of several quantities, unit by unit."""
    return Across("largest", parts)


def smallest(*parts: Quantity) -> Across:
    """Returns the smallest of several quantities, unit by unit."""
    return Across("smallest", parts)


def mean_of(*parts: Quantity) -> Across:
    """Returns the mean of several quantities, unit by unit."""
    return Across("mean", parts)


CONSTANT = "constant"
ACROSS: dict[str, Callable[..., Any]] = {"largest": np.max, "smallest": np.min, "mean": np.mean}


def is_constant(series: "pd.Series[float]") -> bool:
    """Returns whether the numbers of a quantity are one number without a unit."""
    return list(series.index) == [CONSTANT]


def _quantity(other: Quantity | float) -> Quantity:
    return other if isinstance(other, Quantity) else Constant(float(other))


def _aligned(series: "list[pd.Series[float]]") -> "list[pd.Series[float]]":
    import pandas as pd

    units = next((each.index for each in series if not is_constant(each)), series[0].index)
    aligned = []
    for each in series:
        if is_constant(each):
            each = pd.Series(float(each.iloc[0]), index=units)
        if set(each.index) != set(units):
            raise ValueError(
                f"units {sorted(each.index.tolist())} and {sorted(units.tolist())} must be the same: "
                "a difference is taken unit by unit"
            )
        aligned.append(each.reindex(units))
    return aligned

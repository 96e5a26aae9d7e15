"""What a claim is about, as data: a column of a study's rows under conditions, and differences and ratios of such.

    cnn = value("accuracy", network="cnn", step=6000)
    mlp = value("accuracy", network="mlp", step=6000)
    cnn - mlp                     # one number for each seed: the runs are paired

A quantity has one number for each unit, which is a seed unless it says otherwise. Nothing is computed before
`per_unit` is given the tables of a result, so a claim can be written, and fixed, before there is one.

`cnn - mlp > 0.1` is a `Finding`: the contrast, and where it has to lie.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Scalar = str | int | float | bool
Tables = Mapping[str, "pd.DataFrame"]


class NoRowsError(ValueError):
    """A result has no rows that a quantity could be computed from."""


class NoColumnError(NoRowsError):
    """A result has no such table, or a table no such column."""


class Quantity(ABC):
    """Something that has a number for each unit of a study.

    A quantity of one's own is a frozen dataclass that names its kind: `class Median(Quantity, kind="median")`. The
    kind, its version and the fields are what the digest of a claim is made of. So a class may be renamed or moved; and
    where `per_unit` comes to compute something else from the same fields, the version is raised: `version=2`.
    """

    _kind: ClassVar[str]
    _version: ClassVar[int]

    def __init_subclass__(cls, *, kind: str = "", version: int = 1, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls._kind, cls._version = kind, version

    @abstractmethod
    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the numbers, by unit.

        Raises:
            NoRowsError: If the tables do not have them.
        """

    def left_out(self, tables: Tables) -> set[Any]:
        """Returns the units that have no number on purpose, by a rule of the quantity or of one that it is made of."""
        own: list[Any] = [getattr(self, field.name) for field in fields(self)] if is_dataclass(self) else []
        parts = [part for each in own for part in (each if isinstance(each, tuple) else (each,))]
        return set().union(*(part.left_out(tables) for part in parts if isinstance(part, Quantity)))

    def definition(self) -> dict[str, Any]:
        """Returns everything that decides the numbers, as JSON has it: kind, version and fields.

        Raises:
            ValueError: If it has no kind, is no dataclass, or a field is neither a quantity nor plain data.
        """
        name = type(self).__name__
        if not self._kind:
            raise ValueError(
                f"{name} has no kind, by which the digest of a claim knows it; "
                f'write class {name}(Quantity, kind="{name.lower()}")'
            )
        if not is_dataclass(self):
            raise ValueError(f"{name} must be a frozen dataclass: its fields are what the digest of a claim is made of")
        own = {field.name: plain(getattr(self, field.name)) for field in fields(self)}
        return {"kind": self._kind, "version": self._version, "fields": own}

    def __gt__(self, margin: float) -> "Finding":
        return Finding(of=self, above=_margin(margin))

    def __lt__(self, margin: float) -> "Finding":
        return Finding(of=self, below=_margin(margin))

    def __sub__(self, other: "Quantity | float") -> "Combined":
        return Combined("-", self, _quantity(other))

    def __rsub__(self, other: float) -> "Combined":
        return Combined("-", _quantity(other), self)

    def __truediv__(self, other: "Quantity | float") -> "Combined":
        return Combined("/", self, _quantity(other))


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A contrast and where it has to lie.

    Attributes:
        of: The contrast.
        above: It has to be larger than this.
        below: It has to be smaller than this.

    Raises:
        ValueError: If there is no margin, or nothing between the two.
    """

    of: Quantity
    above: float | None = None
    below: float | None = None

    def __post_init__(self) -> None:
        if self.above is None and self.below is None:
            raise ValueError("above=None, below=None leaves nothing to be found out; give the margin, above=0.0")
        if self.above is not None and self.below is not None and self.above >= self.below:
            raise ValueError(f"above={self.above} must be less than below={self.below}")

    def __bool__(self) -> bool:
        """Refuses to be true or false: of `0.1 < contrast < 0.2` Python would keep the second half alone.

        Raises:
            ValueError: Always.
        """
        raise ValueError(
            "a finding is neither true nor false before it is judged; for two margins write "
            "Finding(of=contrast, above=0.1, below=0.2), for several statements a tuple of findings"
        )

    @property
    def margins(self) -> list[float]:
        """Returns the margins that there are."""
        return [margin for margin in (self.above, self.below) if margin is not None]

    def violated(self, estimate: float) -> list[float]:
        """Returns the margins on whose wrong side an estimate lies."""
        wrong = [self.above] if self.above is not None and estimate <= self.above else []
        return wrong + ([self.below] if self.below is not None and estimate >= self.below else [])


@dataclass(frozen=True)
class Value(Quantity, kind="value"):
    """A column where other columns have certain values; the mean of the rows of a unit.

    Attributes:
        column: The column.
        where: The values that other columns have, one or several of each.
        table: The table of the result.
        unit: The column that names the units; None if all rows are one unit, and the number is a constant.
    """

    column: str
    where: Mapping[str, Scalar | tuple[Scalar, ...]]
    table: str = "rows"
    unit: str | None = "seed"

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the numbers, by unit; one number if there are no units."""
        rows = self.rows(tables)
        by = (lambda _: CONSTANT) if self.unit is None else self.unit
        return rows.groupby(by)[self.column].mean().astype("float64")

    def rows(self, tables: Tables) -> "pd.DataFrame":
        """Returns the rows that the conditions leave."""
        if self.table not in tables:
            raise NoColumnError(f"there is no table {self.table!r}")
        rows = tables[self.table]
        for column in [self.column, *self.where, *([self.unit] if self.unit else [])]:
            if column not in rows:
                raise NoColumnError(f"table {self.table!r} has no column {column!r}, but {', '.join(rows)}")
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


class Counted(Quantity, kind="counted"):
    """A share of things that each are a hit or not, independent of each other: its interval is Wilson's."""

    @abstractmethod
    def counts(self, tables: Tables) -> tuple[int, int]:
        """Returns hits and trials."""


@dataclass(frozen=True)
class Proportion(Counted, kind="proportion"):
    """Hits out of trials that are independent of each other: its interval is Wilson's.

    Attributes:
        hits: The column of hits.
        trials: The column of trials.
    """

    hits: Value
    trials: Value

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the proportion, one number without a unit."""
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
class Unpaired(Quantity, kind="unpaired-difference"):
    """The difference of two quantities that have nothing in common, each with the uncertainty of its own.

    Attributes:
        left: The quantity from which the other one is subtracted.
        right: The quantity that is subtracted.
    """

    left: Quantity
    right: Quantity

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the difference of the means, one number without a unit."""
        import pandas as pd

        return pd.Series({CONSTANT: self.left.per_unit(tables).mean() - self.right.per_unit(tables).mean()})


@dataclass(frozen=True)
class Constant(Quantity, kind="constant"):
    """A number.

    Attributes:
        number: The number.
    """

    number: float

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the number, without a unit."""
        import pandas as pd

        return pd.Series({CONSTANT: self.number})


@dataclass(frozen=True)
class Exact(Quantity, kind="exact"):
    """A quantity without chance, such as the points of a signal: one number, which is known and has no interval.

    Attributes:
        of: The quantity, which has one number.
    """

    of: Quantity

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the number, without a unit.

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
class Combined(Quantity, kind="combined"):
    """A difference or a ratio of two quantities, unit by unit.

    Attributes:
        operation: "-" or "/".
        left: The quantity before the sign.
        right: The quantity behind it.
    """

    operation: Literal["-", "/"]
    left: Quantity
    right: Quantity

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the numbers, by unit; those of units that neither side leaves out.

        Raises:
            NoRowsError: If there are no rows.
            ValueError: If the two sides have different units, and neither is a constant.
        """
        left, right = _aligned([self.left, self.right], tables)
        return left - right if self.operation == "-" else left / right


@dataclass(frozen=True)
class Across(Quantity, kind="across"):
    """The largest, the smallest or the mean of several quantities, unit by unit.

    Attributes:
        kind: What is taken of the quantities.
        parts: The quantities.
    """

    kind: Literal["largest", "smallest", "mean"]
    parts: tuple[Quantity, ...]

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the numbers, by unit."""
        columns = _aligned(self.parts, tables)
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


def plain(value: Any) -> Any:
    """Returns a field of a quantity as JSON has it; of a dataclass that is no quantity, its fields.

    Raises:
        ValueError: If JSON does not have it: a function, say, whose code no digest could see.
    """
    if isinstance(value, Quantity):
        return value.definition()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(entry) for name, entry in value.items()}
    if isinstance(value, tuple | list):
        return [plain(entry) for entry in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(
        f"a quantity has a field of type {type(value).__name__}, which a claim's digest cannot be made of; "
        "use numbers, texts, quantities and dataclasses of such"
    )


def _margin(margin: float) -> float:
    if isinstance(margin, Quantity):
        raise ValueError("a quantity is compared with a number; for two quantities write a - b > 0.0")
    return float(margin)


def _quantity(other: Quantity | float) -> Quantity:
    return other if isinstance(other, Quantity) else Constant(float(other))


def _aligned(quantities: "Sequence[Quantity]", tables: Tables) -> "list[pd.Series[float]]":
    """Returns the numbers of several quantities for the units that all of them have.

    Raises:
        NoRowsError: If there is no such unit.
        ValueError: If one lacks a unit of another one, and does not leave it out by its rule.
    """
    import pandas as pd

    series = [quantity.per_unit(tables) for quantity in quantities]
    several = [place for place, each in enumerate(series) if not is_constant(each)]
    units = (series[several[0]] if several else series[0]).index
    for place in several:
        here, there = set(series[place].index.tolist()), set(units.tolist())
        if here != there:
            gone = quantities[place].left_out(tables), quantities[several[0]].left_out(tables)
            if not (there - here <= gone[0] and here - there <= gone[1]):
                raise ValueError(
                    f"units {sorted(here)} and {sorted(there)} must be the same: a difference is taken unit by unit"
                )
    shared = units[[all(unit in series[place].index for place in several) for unit in units]]
    if shared.empty:
        raise NoRowsError("no unit has all of these numbers")
    return [
        each.reindex(shared) if place in several else pd.Series(float(each.iloc[0]), index=shared)
        for place, each in enumerate(series)
    ]


# `Slope`: how fast quantities change along an axis, unit by unit, as a quantity that a claim can be about.


@dataclass(frozen=True)
class Slope(Quantity, kind="slope"):
    """The slope of the straight line nearest in squares through several quantities, for each unit a line of its own.

    Attributes:
        at: Where on the axis each quantity is.
        of: The quantities, of the same units.

    Raises:
        ValueError: If there are not as many places as quantities, or fewer than two places.
    """

    at: tuple[float, ...]
    of: tuple[Quantity, ...]

    def __post_init__(self) -> None:
        if len(self.at) != len(self.of) or len(set(self.at)) < 2:
            raise ValueError(
                f"at={self.at} must be a place for each of the {len(self.of)} quantities, and two of them apart"
            )

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the slopes, by unit.

        Raises:
            NoRowsError: If the tables lack one of the quantities.
            ValueError: If the quantities have different units.
        """
        series = _aligned(self.of, tables)
        away = np.array(self.at) - np.mean(self.at)
        slope = series[0].copy()
        slope[:] = away @ np.array(series) / (away @ away)
        return slope

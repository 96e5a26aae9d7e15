"""Quantities for what a mean hides: the share of units of which something is so, one kind of them, living networks.

A mean over units of which some have another minimum, no peak, or a network that never learned is a number of none of
them. So the share is reported, and each cluster by itself.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lightning_module.studies.framework.quantities import CONSTANT, Counted, NoRowsError, Quantity, Tables, Value

if TYPE_CHECKING:
    import pandas as pd

# A network of ten classes whose error is above this answers by chance, or always the same. Fixed for all studies.
DEAD: Final = 0.85


@dataclass(frozen=True)
class Share(Counted, kind="share-of-units"):
    """The share of the units whose number lies where it should; a unit without a number, such as no peak, is none.

    Attributes:
        of: The quantity.
        above: Its number has to be larger than this.
        below: Its number has to be smaller than this.

    Raises:
        ValueError: If there is no bound.
    """

    of: Quantity
    above: float | None = None
    below: float | None = None

    def __post_init__(self) -> None:
        if self.above is None and self.below is None:
            raise ValueError("above=None, below=None is true of every unit; give the bound, above=0.0")

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the share, one number without a unit."""
        import pandas as pd

        hits, trials = self.counts(tables)
        return pd.Series({CONSTANT: hits / trials})

    def counts(self, tables: Tables) -> tuple[int, int]:
        """Returns how many units, and of how many."""
        series = self.of.per_unit(tables)
        return int(_within(series, self.above, self.below).sum()), len(series)


@dataclass(frozen=True)
class Among(Quantity, kind="among-units"):
    """A quantity for those units alone for which another one lies somewhere: one cluster of several.

    Attributes:
        of: The quantity.
        by: What decides; a unit for which it is no number is left out.
        above: It has to be larger than this.
        below: It has to be smaller than this.
    """

    of: Quantity
    by: Quantity
    above: float | None = None
    below: float | None = None

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the numbers, by unit.

        Raises:
            NoRowsError: If there is no such unit.
        """
        series, by = self.of.per_unit(tables), self.by.per_unit(tables)
        chosen = [unit for unit, here in _within(by, self.above, self.below).items() if here and unit in series.index]
        if not chosen:
            raise NoRowsError("there is no unit of this kind")
        return series.loc[chosen]


@dataclass(frozen=True)
class Living(Value, kind="living-value"):
    """A value without the rows of dead networks, which have learned nothing: their error is that of chance.

    A unit all of whose networks are dead is left out of what is made of it.

    Attributes:
        dead: The error above which a network is dead; its table has a column "error".
    """

    dead: float = DEAD

    def rows(self, tables: Tables) -> "pd.DataFrame":
        """Returns the rows of living networks that the conditions leave."""
        rows = super().rows(tables)
        if "error" not in rows:
            raise NoRowsError(f"table {self.table!r} has no column 'error', by which dead networks are known")
        living = rows[rows["error"] <= self.dead]
        if living.empty:
            raise NoRowsError("no network is alive")
        return living

    def left_out(self, tables: Tables) -> set[Any]:
        """Returns the units all of whose networks are dead."""
        return set() if self.unit is None else {*super().rows(tables)[self.unit]} - {*self.rows(tables)[self.unit]}


@dataclass(frozen=True)
class Dead(Counted, kind="dead-networks"):
    """The share of networks that are dead.

    Attributes:
        error: Their errors, a row for each network.
        dead: The error above which a network is dead.
    """

    error: Value
    dead: float = DEAD

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the share, one number without a unit."""
        import pandas as pd

        hits, trials = self.counts(tables)
        return pd.Series({CONSTANT: hits / trials})

    def counts(self, tables: Tables) -> tuple[int, int]:
        """Returns how many networks, and of how many."""
        errors = self.error.rows(tables)[self.error.column]
        return int((errors > self.dead).sum()), len(errors)


def _within(series: "pd.Series[float]", above: float | None, below: float | None) -> "pd.Series[bool]":
    low, high = (-math.inf if above is None else above), (math.inf if below is None else below)
    return (series > low) & (series < high)  # of nan both are false

"""Curves over the number of examples, and what laws say about them, as quantities that a claim can be about."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from lightning_module.studies.framework.quantities import NoRowsError, Quantity, Tables
from lightning_module.studies.scaling.laws import Law, floored_law, power_law

if TYPE_CHECKING:
    import pandas as pd

Of = Literal["excess", "raw"]
COLUMNS: dict[Of, str] = {"excess": "divergence", "raw": "label_loss"}


@dataclass(frozen=True)
class Curve:
    """A curve over the number of examples.

    Attributes:
        recipe: The recipe.
        network: The network.
        width: One of the widths; None for the envelope: at each n the width with the lowest loss on validation.
    """

    recipe: str
    network: str
    width: float | None = None

    def rows(self, tables: Tables) -> "pd.DataFrame":
        """Returns a row for each seed and n, in rising order.

        Raises:
            NoRowsError: If there are none.
        """
        if "rows" not in tables:
            raise NoRowsError("there is no table 'rows'")
        rows = tables["rows"]
        rows = rows[(rows.recipe == self.recipe) & (rows.network == self.network)]
        if self.width is not None:
            rows = rows[rows.width == self.width]
        if rows.empty:
            raise NoRowsError(f"no rows of {self}")
        return rows.loc[rows.groupby(["seed", "n"]).validation_loss.idxmin()].sort_values(["seed", "n"])


@dataclass(frozen=True)
class Fitted(Quantity, kind="scaling-fit"):
    """A number of the law that is fitted to a curve, by seed.

    Attributes:
        curve: The curve.
        number: "exponent"; "floor", fitted minus true; or "floor-share", the fitted floor over the loss at the last n.
        of: "excess", the divergence from the posterior; or "raw", the loss on labels, whose true floor is the
            posterior's own on the same labels.
        floor: Whether the law has a floor that is fitted.
        low: The smallest n that is fitted to
        high: and the largest.
    """

    curve: Curve
    number: Literal["exponent", "floor", "floor-share"]
    of: Of = "excess"
    floor: bool = False
    low: int = 250
    high: int = 64_000

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the numbers, by unit."""
        return _by_seed(self.curve, tables, self._of_one)

    def _of_one(self, rows: "pd.DataFrame") -> float:
        law = fit(rows, self.of, floor=self.floor, low=self.low, high=self.high)
        if self.number == "exponent":
            return law.exponent
        if self.number == "floor":
            return law.floor - (float(rows.floor_loss.mean()) if self.of == "raw" else 0.0)
        return law.floor / float(rows[COLUMNS[self.of]].iloc[-1])


@dataclass(frozen=True)
class Miss(Quantity, kind="scaling-miss"):
    """By how much the law of smaller n misses a loss that it was not fitted to, over the excess loss there; by seed.

    Attributes:
        curve: The curve.
        of: "excess", with a law without a floor; or "raw", with a floor that is fitted.
        at: The n that is predicted.
        low: The smallest n that is fitted to
        high: and the largest.
        absolute: Whether the sign is dropped.
    """

    curve: Curve
    of: Of
    at: int = 1_024_000
    low: int = 250
    high: int = 64_000
    absolute: bool = False

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the misses, by unit."""
        return _by_seed(self.curve, tables, self._of_one)

    def _of_one(self, rows: "pd.DataFrame") -> float:
        law = fit(rows, self.of, floor=self.of == "raw", low=self.low, high=self.high)
        there = rows[rows.n == self.at]
        if there.empty:
            raise NoRowsError(f"no rows of {self.curve} at n={self.at}")
        seen = float(there[COLUMNS[self.of]].iloc[0])
        miss = (law(self.at) - seen) / float(there.divergence.iloc[0])
        return abs(miss) if self.absolute else miss


@dataclass(frozen=True)
class Local(Quantity, kind="scaling-local-exponent"):
    """The exponent between two n alone, by seed.

    Attributes:
        curve: The curve.
        low: The smaller n.
        high: The larger one.
    """

    curve: Curve
    low: int
    high: int

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the exponents, by unit."""
        return _by_seed(self.curve, tables, self._of_one)

    def _of_one(self, rows: "pd.DataFrame") -> float:
        return power_law(*_points(rows, "excess", (self.low, self.high))).exponent


@dataclass(frozen=True)
class Excess(Quantity, kind="scaling-excess"):
    """The excess loss at an n, by seed.

    Attributes:
        curve: The curve.
        n: The number of examples.
    """

    curve: Curve
    n: int

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the losses, by unit."""
        return _by_seed(self.curve, tables, lambda rows: _points(rows, "excess", (self.n,))[1][0])


def fit(rows: "pd.DataFrame", of: Of, *, floor: bool, low: int, high: int) -> Law:
    """Returns the law of one seed's curve between two n.

    Raises:
        NoRowsError: If it has too few points there.
    """
    chosen = [n for n in rows.n.tolist() if low <= n <= high]
    needed = 4 if floor else 3  # one more than the law has numbers
    if len(chosen) < needed:
        raise NoRowsError(f"{len(chosen)} numbers of examples from {low} to {high}, and a fit needs {needed}")
    return (floored_law if floor else power_law)(*_points(rows, of, chosen))


def _points(rows: "pd.DataFrame", of: Of, sizes: "tuple[int, ...] | list[int]") -> tuple[list[float], list[float]]:
    at = rows.set_index("n")[COLUMNS[of]]
    if missing := set(sizes) - set(at.index):
        raise NoRowsError(f"no rows at n={min(missing)}")
    return [float(n) for n in sizes], [float(at[n]) for n in sizes]


def _by_seed(curve: Curve, tables: Tables, number: "Callable[[pd.DataFrame], float]") -> "pd.Series[float]":
    import pandas as pd

    of_seeds = {seed: number(rows) for seed, rows in curve.rows(tables).groupby("seed")}
    return pd.Series(of_seeds, dtype=np.float64)

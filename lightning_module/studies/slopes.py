"""`Slope`: how fast quantities change along an axis, unit by unit, as a quantity that a claim can be about."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lightning_module.studies.quantities import Quantity, Tables

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Slope(Quantity, kind="slope"):
    """The slope of the straight line nearest in squares through several quantities, for each unit a line of its own.

    Args:
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
        series = [quantity.per_unit(tables) for quantity in self.of]
        units = series[0].index
        for each in series:
            if set(each.index) != set(units):
                raise ValueError(f"units {sorted(each.index)} and {sorted(units)} must be the same: each has one line")
        away = np.array(self.at) - np.mean(self.at)
        slope = series[0].copy()
        slope[:] = away @ np.array([each.reindex(units) for each in series]) / (away @ away)
        return slope

"""A correlation over digits has ten units, the digits, and not as many as there are seeds.

The interval over seeds said how much another training changes it, and nothing of ten digits being few. Now the errors
of the CNN are means over the seeds, and the interval is Tukey's jackknife over digits: Student's t over ten
pseudo-values. Written with the committed tables known, from which the verdict comes too.

Source: J. Tukey (1958), "Bias and confidence in not-quite large samples"; B. Efron (1982), "The Jackknife".
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from lightning_module.studies.dataset.claims import CLAIMS
from lightning_module.studies.framework.amendments import Amendment
from lightning_module.studies.framework.quantities import Quantity, Tables, Value, value

if TYPE_CHECKING:
    import pandas as pd

DATE: Final = "2026-11-28"


@dataclass(frozen=True)
class Correlation(Quantity, kind="jackknifed-correlation"):
    """The correlation of two values over their units, as a pseudo-value for each unit, whose mean estimates it.

    Attributes:
        left: One value; its unit is what is correlated over.
        right: The other, of the same units.
    """

    left: Value
    right: Value

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the pseudo-values, by unit."""
        left, right = self.left.per_unit(tables), self.right.per_unit(tables)
        pairs = np.array([left.to_numpy(), right.reindex(left.index).to_numpy()])
        count = pairs.shape[1]
        whole = np.corrcoef(pairs)[0, 1]
        without = [np.corrcoef(np.delete(pairs, i, axis=1))[0, 1] for i in range(count)]
        pseudo = left.astype("float64").copy()
        pseudo[:] = [count * whole - (count - 1) * each for each in without]
        return pseudo


_OLD: Final = {claim.name: claim for claim in CLAIMS}

AMENDMENTS: Final = (
    Amendment(
        claim=replace(
            _OLD["similar-digits"],
            number=None,
            finding=Correlation(
                value("cnn", table="digits", unit="digit"), value("human", table="digits", unit="digit")
            )
            > 0.5,
        ),
        date=DATE,
        reason="the unit was the seed, of which there are several; that ten digits are few was not in the interval",
        known="the committed tables, from which the new verdict comes too",
    ),
    *(
        Amendment(
            claim=replace(_OLD[name], not_tested=f"it is tested elsewhere: see {name} among the amendments of {study}"),
            date="2026-11-29",
            reason=reason,
            known="no run of it",
        )
        for name, study, reason in (
            ("fashion-harder", "comparison", "Debian packages the images"),
            ("peak-at-50-units", "double-descent", "the protocol of the figure is known, though its notebook is gone"),
        )
    ),
)

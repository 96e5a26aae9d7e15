"""Rules of the thresholds that were wrong, and those that now stand beside them; the committed curves decide them anew.

**Peaks.** The threshold by test loss or test error was the largest value of the whole curve. Where that was the first
size, the fit was told that the threshold lies below it: 67 times in 354 of the test error, which was no such thing, but
a small network that is bad. Now a peak is what the curve rises to and falls from: by 2 points of error, by 0.05 in the
logarithm of the loss. A curve without one has no threshold by this rule: it is left out, and how many are is shown. A
seed's exponent is fitted to what is there, if that is two thirds of its curves.

**No power law.** An exponent of K says how a threshold grows if it grows alike everywhere. So both local slopes, from 2
to 5 and from 5 to 10 classes, each have to lie within the margin.

**Bits.** On random labels there are n log2 K bits to be kept; how many a parameter keeps is asked beside.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from lightning_module.studies.framework.amendments import Amendment
from lightning_module.studies.framework.claims import Claim, Finding
from lightning_module.studies.framework.quantities import (
    Combined,
    Constant,
    NoRowsError,
    Quantity,
    Tables,
    mean_of,
)
from lightning_module.studies.framework.shares import Among
from lightning_module.studies.framework.turning_points import Log, matching, prominent_peak
from lightning_module.studies.thresholds.claims import (
    CLAIMS,
    MARGIN,
    OWN,
    Exponent,
    Kind,
    Shared,
    Threshold,
)
from lightning_module.studies.thresholds.config import CLASSES, LOSSES, NAMES, PREDICTED, SIZES

if TYPE_CHECKING:
    import pandas as pd

DATE: Final = "2026-11-28"
KNOWN: Final = "all verdicts, and the committed curves, from which the new ones come too"
PEAKED: Final = {"test loss": ("test_loss", 0.05), "test error": ("test_error", 0.02)}  # column, and how high
ENOUGH: Final = 2 / 3  # of a seed's curves
BITS: Final = (1.5, 2.5)  # a parameter; two are what a perceptron keeps (Cover, 1965)


@dataclass(frozen=True)
class PeakThreshold(Quantity, kind="threshold-at-a-peak"):
    """The number of parameters where test loss or test error have a peak, by seed; nan for a curve without one.

    Attributes:
        kind: What was trained.
        n: Training signals.
        classes: Number of classes.
        rule: "test loss" or "test error".
    """

    kind: Kind
    n: int
    classes: int
    rule: str

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the numbers, by unit."""
        import pandas as pd

        rows = _curves(tables, self.kind, n=self.n, classes=self.classes)
        return pd.Series({seed: _peak(of, self.rule) for seed, of in rows.groupby("seed")}, dtype="float64")


@dataclass(frozen=True)
class PeakExponent(Quantity, kind="threshold-exponent-of-peaks"):
    """The power of n or K with which the peak moves, by seed: a fit to the curves that have one, if enough have.

    Attributes:
        of: "n" or "K".
        kind: What was trained.
        rule: "test loss" or "test error".
        sizes: Training signals that are fitted.
    """

    of: Literal["n", "K"]
    kind: Kind
    rule: str
    sizes: tuple[int, ...]

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the exponents, by unit."""
        import pandas as pd

        rows = _curves(tables, self.kind, n=self.sizes)
        return pd.Series({seed: self._of_one(group) for seed, group in rows.groupby("seed")}, dtype="float64")

    def _of_one(self, rows: "pd.DataFrame") -> float:
        places = [(n, k, _peak(of, self.rule)) for (n, k), of in rows.groupby(["n", "classes"])]
        seen = [place for place in places if math.isfinite(place[2])]
        design = np.array([[1.0, math.log(n), math.log(k)] for n, k, _ in seen])
        if len(seen) < ENOUGH * len(places) or np.linalg.matrix_rank(design) < 3:
            return math.nan
        fit = np.linalg.lstsq(design, np.log([at for _, _, at in seen]), rcond=None)[0]
        return float(fit[{"n": 1, "K": 2}[self.of]])


def _curves(tables: Tables, kind: Kind, **where: Any) -> "pd.DataFrame":
    if "rows" not in tables:
        raise NoRowsError("there is no table 'rows'")
    of: dict[str, Any] = {"network": kind.network, "loss": kind.loss, "labels": kind.labels, "times": kind.times}
    rows = matching(tables["rows"], **of, **where)
    if rows.empty:
        raise NoRowsError(f"no curves of {kind} with {where}")
    return rows


def _peak(rows: "pd.DataFrame", rule: str) -> float:
    column, least = PEAKED[rule]
    values = rows.groupby("parameters")[column].mean().sort_index()
    if rule == "test loss":
        values = np.log(values.where(values > 0))
    return prominent_peak(values.index.tolist(), values.tolist(), least)


def amended_quantity(of: Quantity) -> Quantity:
    """Returns a quantity with peaks by the new rule in place of those by the old one, wherever they are in it."""
    if isinstance(of, Threshold) and of.rule in PEAKED:
        return PeakThreshold(of.kind, of.n, of.classes, of.rule)
    if isinstance(of, Exponent) and of.rule in PEAKED:
        return PeakExponent(of.of, of.kind, of.rule, of.sizes)
    if isinstance(of, Log):
        return Log(amended_quantity(of.of), of.base)
    if isinstance(of, Shared):
        return Shared(amended_quantity(of.left), amended_quantity(of.right))
    if isinstance(of, Combined):
        return Combined(of.operation, amended_quantity(of.left), amended_quantity(of.right))
    parts = getattr(of, "parts", None)
    return mean_of(*map(amended_quantity, parts)) if parts else of


def _known(finding: Finding) -> Finding:
    """Returns the finding by the new rule, about the seeds that have a number."""
    of = amended_quantity(finding.of)
    return Finding(of=Among(of, of), above=finding.above, below=finding.below)


def local_slope(loss: Any, first: int, second: int) -> Quantity:
    """Returns the power of K with which the threshold grows from one number of classes to another, by seed."""
    kind = Kind(loss, "random")
    return mean_of(*(Log(Threshold(kind, n, second) / Threshold(kind, n, first), base=second / first) for n in SIZES))


def bits(loss: Any, classes: int, n: int = SIZES[-1]) -> Quantity:
    """Returns the bits of random labels that a parameter keeps at the threshold, by seed."""
    return Combined("/", Constant(n * math.log2(classes)), Threshold(Kind(loss, "random"), n, classes))


_OLD: Final = {claim.name: claim for claim in CLAIMS}
PEAK: Final = "the largest value of a curve is often that of its smallest network; then the fit was told a falsehood"
LAW: Final = "one exponent hides that the threshold grows fast from 2 to 5 classes and slowly from 5 to 10"


def _amended(name: str, reason: str, *findings: Finding) -> Amendment:
    old = _OLD[name]
    claim = Claim(name=name, text=old.text, source=old.source, finding=findings, exploratory=old.exploratory)
    return Amendment(claim=claim, date=DATE, reason=reason, known=KNOWN)


def _slopes(loss: Any, predicted: float) -> tuple[Finding, ...]:
    slopes = (local_slope(loss, first, second) for first, second in pairwise(CLASSES))
    return tuple(Finding(of=of, above=predicted - MARGIN, below=predicted + MARGIN) for of in slopes)


def _is_by_a_peak(of: Quantity) -> bool:
    return amended_quantity(of) != of


AMENDMENTS: Final = (
    _amended("likelihood-not-with-k", LAW, *_slopes("cross_entropy", PREDICTED["cross_entropy"])),
    _amended("squared-error-grows-with-k", LAW, *_slopes("mse", PREDICTED["mse"])),
    *(
        _amended(claim.name, PEAK, *map(_known, claim.findings))
        for claim in CLAIMS
        if any(_is_by_a_peak(finding.of) for finding in claim.findings)
    ),
    *(
        Amendment(
            claim=Claim(
                name=f"{loss.replace('_', '-')}-bits",
                text=f"{NAMES[loss].capitalize()}, {SIZES[-1]:,} random labels: does a parameter keep about 2 bits at "
                f"the threshold, {BITS[0]:g} to {BITS[1]:g}, whether there are 2, 5 or 10 classes?",
                source=OWN,
                finding=tuple(Finding(of=bits(loss, k), above=BITS[0], below=BITS[1]) for k in CLASSES),
                exploratory=True,
            ),
            date=DATE,
            reason="a threshold in bits says more than a power of K that is none",
            known=KNOWN,
        )
        for loss in LOSSES
    ),
)

"""What a verdict's word leaves open: why a finding is inconclusive, and whether what is inside could be outside.

Neither changes a verdict: the words of the first rules stay as they are, and these stand beside them.
"""

import math
from typing import Final, Literal

import numpy as np

from lightning_module.studies.framework.claims import SIGNIFICANT, Verdict
from lightning_module.studies.framework.linter import in_units
from lightning_module.studies.framework.quantities import Across, Combined, Constant, Quantity, Tables, Value
from lightning_module.studies.framework.statistics import Interval, mean_interval

Cause = Literal["clusters", "correction", "power"]
# What a column can be at all; of others it is not known.
RANGES: Final = {"accuracy": (0.0, 1.0), "error": (0.0, 1.0), "correlation": (-1.0, 1.0), "agreement": (0.0, 1.0)}


def why_inconclusive(verdict: Verdict, tables: Tables) -> Cause | None:
    """Returns why a finding is inconclusive; None if it is not.

    Clusters: the units of a contrast fall into two groups, or one is far from all others. Correction: the claim alone
    would be told, and is not as one of several. Power: the interval is too wide, and more seeds would make it narrower.

    Args:
        verdict: The verdict.
        tables: The tables that it was made from.
    """
    if verdict.finding != "inconclusive":
        return None
    found = {fault.kind for part in verdict.parts for fault in in_units(verdict.claim, part.finding.of, tables)}
    if found & {"clusters", "one unit apart"}:
        return "clusters"
    return "correction" if verdict.p is not None and verdict.p < SIGNIFICANT else "power"


def range_of(quantity: Quantity) -> tuple[float, float]:
    """Returns what a quantity can be at all; from minus to plus infinity where that is not known."""
    if isinstance(quantity, Value):
        return RANGES.get(quantity.column, (-math.inf, math.inf))
    if isinstance(quantity, Constant):
        return quantity.number, quantity.number
    if isinstance(quantity, Combined) and quantity.operation == "-":
        (low, high), (least, most) = range_of(quantity.left), range_of(quantity.right)
        return low - most, high - least
    if isinstance(quantity, Across):
        lows, highs = zip(*map(range_of, quantity.parts), strict=True)
        return min(lows), max(highs)
    return -math.inf, math.inf


def is_uninformative(verdict: Verdict) -> bool:
    """Returns whether a published number is inside an interval that is as wide as what the quantity can be at all."""
    if verdict.number != "inside" or verdict.claim.number is None or verdict.prediction is None:
        return False
    low, high = range_of(verdict.claim.number.of)
    return verdict.prediction.high - verdict.prediction.low >= high - low


def with_test_sampling(shares: list[float], tests: int) -> Interval:
    """Returns the mean of shares of hits with a 95 % interval that knows of the sampling of the test set they share.

    Where all seeds are scored on the same examples, their spread says nothing of what other examples would give: so its
    variance, of a mean over so many examples, is added to that over seeds.

    Args:
        shares: An accuracy or an error for each seed.
        tests: Examples that all were scored on.
    """
    mean, low, high = mean_interval(shares)
    sampled = 1.96 * math.sqrt(max(mean * (1 - mean), 0.0) / tests)
    half = float(np.hypot((high - low) / 2, sampled))
    return Interval(mean, mean - half, mean + half)

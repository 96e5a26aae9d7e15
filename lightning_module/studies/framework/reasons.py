"""What a verdict's word leaves open: why a finding is inconclusive, what is inside anyhow, and what other tests say.

None of them changes a verdict: the words of the first rules stay as they are, and these stand beside them.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np

from lightning_module.studies.framework.cells import SharedTests
from lightning_module.studies.framework.claims import SIGNIFICANT, Part, Verdict
from lightning_module.studies.framework.linter import in_units
from lightning_module.studies.framework.quantities import Across, Combined, Constant, Quantity, Tables, Value
from lightning_module.studies.framework.statistics import Interval, mean_interval

Cause = Literal["clusters", "correction", "power"]
NORMAL: Final = 1.96  # standard errors on each side of 95 %
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


def causes(verdicts: Sequence[Verdict], tables: Tables) -> dict[str, Cause]:
    """Returns why findings are inconclusive, by claim.

    Args:
        verdicts: The verdicts.
        tables: The tables that they were made from.
    """
    found = {verdict.claim.name: why_inconclusive(verdict, tables) for verdict in verdicts}
    return {name: cause for name, cause in found.items() if cause is not None}


SHARES: Final = ("accuracy", "error")  # columns that are shares of test examples


def on_other_tests(
    part: Part, tables: Tables, shared: Sequence[SharedTests], numbers: Mapping[str, Any]
) -> Interval | None:
    """Returns a contrast's 95 % interval with the sampling of the tests that all seeds share; None if they share none.

    What the sampling adds to a difference is not known without the answers to each example. It is taken to be what it
    is for networks that err independently of each other; as they err on the same hard examples, the interval is rather
    too wide than too narrow.

    Args:
        part: The contrast as it was measured.
        tables: The tables that it was measured in.
        shared: Test sets that all seeds have in common.
        numbers: Those that the result was made with.
    """
    sizes = [(each.where, numbers.get(str(each.examples), each.examples)) for each in shared]
    variance = _of_tests(part.finding.of, tables, sizes)
    if not variance or part.units < 2:
        return None
    estimate, low, high = part.interval
    half = float(np.hypot((high - low) / 2, NORMAL * math.sqrt(variance)))
    return Interval(estimate, estimate - half, estimate + half)


def is_told(part: Part, interval: Interval) -> bool:
    """Returns whether an interval tells a contrast from each of its margins."""
    return not any(interval.low <= margin <= interval.high for margin in part.finding.margins)


def _of_tests(of: Quantity, tables: Tables, sizes: Sequence[tuple[Mapping[str, Any], Any]]) -> float | None:
    """Returns the variance of a mean over seeds by the sampling of shared tests, at most; None if it is not known."""
    if isinstance(of, Constant):
        return 0.0
    if isinstance(of, Value) and of.column in SHARES:
        for where, examples in sizes:
            if isinstance(examples, int) and where.items() <= of.where.items():
                share = float(of.per_unit(tables).mean())
                return max(share * (1 - share), 0.0) / examples
        return None
    parts = of.parts if isinstance(of, Across) else ()
    if isinstance(of, Combined) and of.operation == "-":
        parts = (of.left, of.right)
    variances = [_of_tests(part, tables, sizes) for part in parts]
    known = [variance for variance in variances if variance is not None]
    if not known or len(known) < len(variances):
        return None
    return sum(known) if isinstance(of, Combined) else max(known)


def with_test_sampling(shares: list[float], tests: int) -> Interval:
    """Returns the mean of shares of hits with a 95 % interval that knows of the sampling of the test set they share.

    Where all seeds are scored on the same examples, their spread says nothing of what other examples would give: so its
    variance, of a mean over so many examples, is added to that over seeds.

    Args:
        shares: An accuracy or an error for each seed.
        tests: Examples that all were scored on.
    """
    mean, low, high = mean_interval(shares)
    sampled = NORMAL * math.sqrt(max(mean * (1 - mean), 0.0) / tests)
    half = float(np.hypot((high - low) / 2, sampled))
    return Interval(mean, mean - half, mean + half)

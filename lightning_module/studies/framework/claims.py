"""Claims as data, and the two verdicts on each: does the published number fit ours, and does the statement hold?

- The **number** fits if it lies inside our 95 % prediction interval: where one more run like ours would come out.
- The **finding** is the source's statement as a contrast with a margin. It holds, or fails, if the 95 % interval lies
  wholly on one side of the margin, also after Holm's correction for all claims of the study; else it is inconclusive.

A claim that says several things holds only if all of them do. A claim is written before the study is run, and the
result records a digest of all claims, so that a rule that was changed later is seen.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from lightning_module.studies.framework.quantities import (
    Counted,
    Exact,
    NoColumnError,
    NoRowsError,
    Quantity,
    Tables,
    Unpaired,
    plain,
)
from lightning_module.studies.framework.quantities import Finding as Finding  # a claim is read where it is written
from lightning_module.studies.framework.statistics import (
    Estimate,
    Interval,
    difference_interval,
    difference_p,
    holm,
    known_p,
    mean_estimate,
    mean_interval,
    mean_p,
    prediction_interval,
    proportion_estimate,
    wilson_interval,
    wilson_p,
)

SIGNIFICANT = 0.05
NO_RUNS = "this result has no runs to test it on"
RULES = 1  # of how verdicts are made from what is found; raised when `judge` comes to decide otherwise


@dataclass(frozen=True, kw_only=True)
class Number:
    """A published number, and the quantity that it is a value of.

    Attributes:
        of: Our quantity.
        published: The number.
        rounding: Half a unit of its last printed digit: it may have been anything this far from what was printed.
        runs: The number of runs that it is the mean of.
    """

    of: Quantity
    published: float
    rounding: float = 0.0
    runs: int = 1


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a source says, and how it is put to the test.

    Attributes:
        name: Names the claim within its study.
        text: The statement, in a sentence.
        source: Where it is made.
        finding: The contrast that decides; several if the statement says several things.
        number: The published number, if there is one.
        not_tested: Why the claim is not tested, if it is not.
        needs: What a result has to be made with so that the claim can be tested, if that is not the usual.
        exploratory: Whether the claim is our own question: it has an interval and no part in Holm's correction.

    Raises:
        ValueError: If there is nothing to test and no reason.
    """

    name: str
    text: str
    source: str = "our own question"
    finding: Finding | tuple[Finding, ...] = ()
    number: Number | None = None
    not_tested: str | None = None
    needs: str = ""
    exploratory: bool = False

    def __post_init__(self) -> None:
        if not self.findings and self.number is None and self.not_tested is None:
            raise ValueError(f"claim {self.name!r} has no finding and no number; say why in not_tested")

    @property
    def is_number(self) -> bool:
        """Returns whether the claim is a published number without a statement."""
        return not self.findings and self.not_tested is None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Returns the contrasts, which all have to lie where they should."""
        return self.finding if isinstance(self.finding, tuple) else (self.finding,)


FindingWord = Literal["holds", "fails", "inconclusive", "not tested"]
NumberWord = Literal["inside", "outside", "none published", "not tested"]


class Part(NamedTuple):
    """One contrast of a claim, as it was measured.

    Attributes:
        finding: The contrast, and where it has to lie.
        interval: Its estimate and 95 % interval.
        units: The units that the estimate is made from; 0 if the contrast is exact.
        p: The p-value of the margin being the truth, two-sided.
        left_out: How many units have no number by a rule of the contrast, such as one about dead networks.
    """

    finding: Finding
    interval: Interval
    units: int
    p: float
    left_out: int = 0

    @property
    def lies_right(self) -> bool:
        """Returns whether the estimate lies where it should."""
        return not self.finding.violated(self.interval.estimate)


@dataclass(frozen=True)
class Verdict:
    """The two verdicts on a claim: does the statement hold, and does the published number fit ours?

    Attributes:
        claim: The claim.
        finding: Whether the statement holds.
        number: Whether the published number fits ours.
        parts: The contrasts of the statement; none if it was not tested.
        p: The p-value of the whole claim, before Holm's correction.
        p_holm: The p-value after it.
        prediction: Where one more of our runs would come out.
        units: The units that the prediction is made from; 0 if the number is exact.
        reason: Why the finding or the number is "not tested".
    """

    claim: Claim
    finding: FindingWord
    number: NumberWord
    parts: tuple[Part, ...] = ()
    p: float | None = None
    p_holm: float | None = None
    prediction: Interval | None = None
    units: int = 0
    reason: str = ""

    def __str__(self) -> str:
        found = f"{self.finding}, {self.reason}" if self.reason else self.finding
        intervals = ("{:.4g} [{:.4g}, {:.4g}]".format(*part.interval) for part in self.parts)
        return ", ".join([f"{self.claim.name}: {found}", *intervals])


def judge(claims: Sequence[Claim], tables: Tables) -> list[Verdict]:
    """Returns the two verdicts on each claim.

    Raises:
        ValueError: If a contrast pairs units that differ.
    """
    outcomes = [_measure(claim, tables) for claim in claims]
    family = [i for i, (parts, _) in enumerate(outcomes) if parts and not claims[i].exploratory]
    p_values = [_p_of_all(outcomes[i][0]) for i in family]
    corrected = dict(zip(family, holm(p_values), strict=True))
    return [
        _verdict(claim, parts, reason, corrected.get(i), tables)
        for i, (claim, (parts, reason)) in enumerate(zip(claims, outcomes, strict=True))
    ]


def rules_of(claims: Sequence[Claim]) -> dict[str, Any]:
    """Returns everything that decides the verdicts, and no wording, as JSON has it.

    Raises:
        ValueError: If a quantity does not say what it is; see `Quantity.definition`.
    """
    return {
        "rules": RULES,
        "claims": [
            {
                "name": claim.name,
                "findings": [plain(finding) for finding in claim.findings],
                "number": plain(claim.number),
                "tested": claim.not_tested is None,
                "exploratory": claim.exploratory,
            }
            for claim in claims
        ],
    }


def claims_digest(claims: Sequence[Claim]) -> str:
    """Returns the SHA-256 of the rules, as JSON with sorted keys and no spaces.

    Raises:
        ValueError: If a quantity does not say what it is.
    """
    text = json.dumps(rules_of(claims), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _measure(claim: Claim, tables: Tables) -> tuple[tuple[Part, ...], str]:
    """Returns the contrasts as they were measured, or why they could not be."""
    if claim.not_tested is not None:
        return (), claim.not_tested
    try:
        return tuple(_part(finding, tables) for finding in claim.findings), ""
    except NoColumnError as error:
        return (), str(error)
    except NoRowsError:
        return (), f"{NO_RUNS}; it needs {claim.needs}" if claim.needs else NO_RUNS
    except NoIntervalError as error:
        return (), str(error)


class NoIntervalError(ValueError):
    """A quantity with one unit, or one that is not a number for some unit, has no interval."""


def _part(finding: Finding, tables: Tables) -> Part:
    if isinstance(finding.of, Counted):
        hits, trials = finding.of.counts(tables)
        interval, units = wilson_interval(hits, trials), trials
        p_values = {margin: wilson_p(hits, trials, margin) for margin in finding.margins}
    elif isinstance(finding.of, Unpaired):
        left, right = _estimate(finding.of.left, tables), _estimate(finding.of.right, tables)
        interval, units = difference_interval(left, right), 1 + int(min(left.freedom, right.freedom))
        p_values = {margin: difference_p(left, right, margin) for margin in finding.margins}
    elif isinstance(finding.of, Exact):
        (known,) = _finite(finding.of, tables)
        interval, units = Interval(known, known, known), 0
        p_values = {margin: known_p(known, margin) for margin in finding.margins}
    else:
        values = _finite(finding.of, tables)
        units = len(values)
        if units < 2:
            raise NoIntervalError("there is one run, and a single number has no interval")
        interval = mean_interval(values)
        p_values = {margin: mean_p(values, margin) for margin in finding.margins}
    # To hold it must be told from every margin; to fail, from one on whose wrong side it lies.
    wrong = finding.violated(interval.estimate)
    p = min(p_values[margin] for margin in wrong) if wrong else max(p_values.values())
    return Part(finding, interval, units, p, len(finding.of.left_out(tables)))


def _estimate(quantity: Quantity, tables: Tables) -> Estimate:
    if isinstance(quantity, Counted):
        return proportion_estimate(*quantity.counts(tables))
    return mean_estimate(_finite(quantity, tables))


def _finite(quantity: Quantity, tables: Tables) -> list[float]:
    series = quantity.per_unit(tables)
    numbers = [float(number) for number in series]
    if missing := sum(not math.isfinite(number) for number in numbers):
        raise NoIntervalError(f"in {missing} of {len(numbers)} runs there is no such number, and so no mean")
    return numbers


def _p_of_all(parts: Sequence[Part]) -> float:
    """Returns the p-value of a claim: all parts have to hold, and one has to fail."""
    wrong = [part.p for part in parts if not part.lies_right]
    return min(1.0, len(parts) * min(wrong)) if wrong else max(part.p for part in parts)


def _verdict(claim: Claim, parts: tuple[Part, ...], reason: str, p_holm: float | None, tables: Tables) -> Verdict:
    number, prediction, units = _number_verdict(claim.number, tables)
    if not parts:
        missing = number == "not tested"
        reason = reason or ("the result does not have it" if missing else "the source states a number only")
        return Verdict(claim, "not tested", number, prediction=prediction, units=units, reason=reason)
    p = _p_of_all(parts)
    finding: FindingWord = "holds" if all(part.lies_right for part in parts) else "fails"
    if not (p if p_holm is None else p_holm) < SIGNIFICANT:
        finding = "inconclusive"
    return Verdict(claim, finding, number, parts, p, p_holm, prediction, units)


def _number_verdict(number: Number | None, tables: Tables) -> tuple[NumberWord, Interval | None, int]:
    if number is None:
        return "none published", None, 0
    try:
        values = _finite(number.of, tables)
    except (NoRowsError, NoIntervalError):
        return "not tested", None, 0
    # A single number has no spread: what is published must be what it rounds to.
    interval = prediction_interval(values, runs=number.runs) if len(values) > 1 else Interval(*3 * values)
    slack = number.rounding + 1e-9
    inside = interval.low - slack <= number.published <= interval.high + slack
    units = 0 if isinstance(number.of, Exact) else len(values)
    return ("inside" if inside else "outside"), interval, units

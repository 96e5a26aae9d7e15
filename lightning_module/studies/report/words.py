"""Verdicts in words: symbols that do not rely on colour, intervals with as many digits as they deserve, contrasts."""

import dataclasses
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from lightning_module.studies.framework.amendments import OTHER_SETTING
from lightning_module.studies.framework.claims import Claim, Finding, Part, Verdict
from lightning_module.studies.framework.quantities import (
    Across,
    Combined,
    Constant,
    Exact,
    Proportion,
    Quantity,
    Unpaired,
    Value,
)
from lightning_module.studies.framework.reasons import Cause, is_uninformative
from lightning_module.studies.framework.result import Result
from lightning_module.studies.framework.statistics import Interval
from lightning_module.studies.framework.study import Study

if TYPE_CHECKING:
    import pandas as pd

# The symbols are text, not emoji, and in every font.
FINDINGS: Final = {
    "holds": "✓ holds",
    "fails": "✗ fails",
    "inconclusive": "? inconclusive",
    "not tested": "○ not tested",
}
NUMBERS: Final = {
    "inside": "✓ inside",
    "outside": "✗ outside",
    "none published": "· none published",
    "not tested": "○ not tested",
}
CAUSES: Final[dict[Cause, str]] = {"power": "too few runs", "correction": "many claims", "clusters": "clusters"}
UNINFORMATIVE: Final = "uninformative"
MOST_DECIMALS: Final = 6


def finding_words(verdict: Verdict, cause: Cause | None = None) -> str:
    """Returns the verdict on the statement, with the reason if it was not tested.

    Args:
        verdict: The verdict.
        cause: Why it is inconclusive, where that is to be said.
    """
    if verdict.reason.startswith(OTHER_SETTING):
        return f"? {verdict.reason}"
    label = FINDINGS[verdict.finding]
    if cause is not None:
        return f"{label}: {CAUSES[cause]}"
    return f"{label}: {verdict.reason}" if verdict.reason and verdict.finding == "not tested" else label


def number_words(verdict: Verdict) -> str:
    """Returns the verdict on the published number, with the reason if it was not tested."""
    label = NUMBERS[verdict.number]
    if verdict.number != "not tested":
        return f"{label}: {UNINFORMATIVE}" if is_uninformative(verdict) else label
    return f"{label}: {verdict.claim.not_tested or verdict.reason or 'the result does not have it'}"


def interval_words(interval: Interval, *, units: int) -> str:
    """Returns an estimate and its interval, to two digits of the interval's half width.

    Args:
        interval: The interval.
        units: The number of units it was made from; one has no interval, and none is a number without chance.
    """
    if units == 0:
        return f"{number(interval.estimate)} (exact)"
    if units == 1:
        return f"{number(interval.estimate)} (one run)"
    half = (interval.high - interval.low) / 2
    if _is_nothing(half, interval.estimate):
        return f"{number(interval.estimate)} (no spread)"
    estimate, low, high = (number(each, half=half) for each in interval)
    return f"{estimate} ({low} to {high})"


def number(value: float, *, half: float = 0.0) -> str:
    """Returns a number to two digits of the half width of its interval, or to four digits if there is none."""
    if not math.isfinite(value):
        return "undefined"
    if not math.isfinite(half) or _is_nothing(half, value):
        return f"{value:.4g}"
    decimals = max(0, 1 - math.floor(math.log10(half)))
    # In steps of the last decimal; zero has no sign.
    text = f"{value:.{decimals}f}" if decimals <= MOST_DECIMALS else f"{value:.3g}"
    return text if float(text) else text.lstrip("-")


def _is_nothing(half: float, value: float) -> bool:
    """Returns whether an interval is there by rounding alone."""
    return half <= 1e-9 * abs(value)


def p_words(p: float | None) -> str:
    """Returns a p-value."""
    if p is None:
        return "-"
    return "undefined" if math.isnan(p) else "< 0.0001" if p < 1e-4 else f"{p:.2g}"


def needed(finding: Finding) -> str:
    """Returns where a contrast has to lie: "> 0.04", or "> -1 and < 1"."""
    above = [f"> {finding.above:g}"] if finding.above is not None else []
    below = [f"< {finding.below:g}"] if finding.below is not None else []
    return " and ".join(above + below)


def quantity_words(quantity: Quantity) -> str:
    """Returns a quantity in words, such as "accuracy [network=cnn] - accuracy [network=mlp]"."""
    if isinstance(quantity, Value):
        return _value_words(quantity)
    if isinstance(quantity, Proportion):
        where = _where(quantity.hits)
        return f"{quantity.hits.column} of {quantity.trials.column}{where}"
    if isinstance(quantity, Constant):
        return f"{quantity.number:g}"
    if isinstance(quantity, Combined):
        if isinstance(quantity.left, Value) and isinstance(quantity.right, Value):
            return _two_values_words(quantity.left, quantity.operation, quantity.right)
        return f"{_operand(quantity.left)} {quantity.operation} {_operand(quantity.right)}"
    if isinstance(quantity, Exact):
        return quantity_words(quantity.of)
    if isinstance(quantity, Unpaired):
        return f"{_operand(quantity.left)} - {_operand(quantity.right)}, unpaired"
    if isinstance(quantity, Across):
        return f"{quantity.kind} of: {_several_words(quantity.parts)}"
    return _any_words(quantity)


def _value_words(quantity: Value) -> str:
    unit = {"seed": "", None: ""}.get(quantity.unit, f", by {quantity.unit}")
    table = "" if quantity.table == "rows" else f", table {quantity.table}"
    return quantity.column + _where(quantity) + table + unit


def _two_values_words(left: Value, operation: str, right: Value) -> str:
    """Returns a contrast of two values, with the conditions that both have said once."""
    both = {name: wanted for name, wanted in left.where.items() if right.where.get(name) == wanted}
    if not both or (left.table, left.unit) != (right.table, right.unit):
        return f"{_value_words(left)} {operation} {_value_words(right)}"
    own = [
        each.column + _where(replace(each, where={k: v for k, v in each.where.items() if k not in both}))
        for each in (left, right)
    ]
    rest = _value_words(replace(left, column="", where=both))
    return f"{own[0]} {operation} {own[1]}, both{rest}"


def _several_words(parts: tuple[Quantity, ...]) -> str:
    """Returns several quantities; values of one column have the conditions that all share said once."""
    values = [part for part in parts if isinstance(part, Value)]
    first = values[0] if values else None
    alike = {(each.column, each.table, each.unit) for each in values}
    if first is None or len(values) < max(2, len(parts)) or len(alike) > 1:
        return "; ".join(map(quantity_words, parts))
    shared = {k: v for k, v in first.where.items() if all(each.where.get(k) == v for each in values)}
    own = [{k: v for k, v in each.where.items() if k not in shared} for each in values]
    if not shared or not all(own):
        return "; ".join(map(quantity_words, parts))
    listed = "; ".join(first.column + _where(replace(first, where=where)) for where in own)
    return f"{listed}, all{_value_words(replace(first, column='', where=shared))}"


def _where(quantity: Value) -> str:
    conditions = (
        f"{column}={' or '.join(map(str, wanted)) if isinstance(wanted, tuple) else wanted}"
        for column, wanted in quantity.where.items()
    )
    return f" [{', '.join(conditions)}]" if quantity.where else ""


def _operand(quantity: Quantity) -> str:
    words = quantity_words(quantity)
    return words if isinstance(quantity, Value | Constant | Proportion) else f"({words})"


def _any_words(value: Any) -> str:
    """Returns a quantity of a study's own in words, by the names of its fields."""
    if isinstance(value, Quantity) and dataclasses.is_dataclass(value):
        fields = ", ".join(f"{f.name}: {_field_words(getattr(value, f.name))}" for f in dataclasses.fields(value))
        return f"{type(value).__name__} ({fields})"
    return str(value) if not isinstance(value, Quantity) else type(value).__name__


def _field_words(value: Any) -> str:
    if isinstance(value, Quantity):
        return quantity_words(value)
    if dataclasses.is_dataclass(value):
        return ", ".join(f"{f.name} {_field_words(getattr(value, f.name))}" for f in dataclasses.fields(value))
    return "; ".join(map(_field_words, value)) if isinstance(value, tuple) else str(value)


# `verdict_table`: the verdicts on a result's claims in words, as a table for a notebook.


def verdict_table(study: Study[Any], result: Result) -> "pd.DataFrame":
    """Returns a row for each claim of a study, by the claim's name, all columns texts.

    | column | what it is |
    |---|---|
    | kind | "statement" of a source, printed "number" without one, or "question" of our own |
    | statement | what the claim says |
    | finding | whether it holds |
    | contrast | what decides that, each part with its 95 % interval |
    | needed | where each part has to lie |
    | n | independent runs |
    | published | the published number |
    | ours | the mean, and where one more run would come out 95 times out of 100 |
    | number | whether the published number is inside |
    | source | where the claim is made |

    Args:
        study: The study.
        result: A result of it, of any preset.
    """
    import pandas as pd

    verdicts = study.judge(result)
    rows = [{"kind": kind(verdict.claim), **in_words(verdict)} for verdict in verdicts]
    return pd.DataFrame(rows, index=pd.Index([verdict.claim.name for verdict in verdicts], name="claim"))


def units_words(part: Part) -> str:
    """Returns how many units a contrast has, and how many were left out; nothing for one without chance."""
    return f"{part.units or ''}{f' ({part.left_out} left out)' if part.left_out else ''}"


def kind(claim: Claim) -> str:
    """Returns "question" for our own, "number" for a printed number without a statement, else "statement"."""
    return "question" if claim.exploratory else "number" if claim.is_number else "statement"


def in_words(verdict: Verdict) -> dict[str, str]:
    """Returns the columns of `verdict_table` but the kind."""
    claim, parts = verdict.claim, verdict.parts
    units = dict.fromkeys([str(verdict.units or ""), *map(units_words, parts)])
    return {
        "statement": claim.text,
        "finding": finding_words(verdict),
        "contrast": "; ".join(interval_words(part.interval, units=part.units) for part in parts) or "-",
        "needed": "; ".join(needed(part.finding) for part in parts) or "-",
        "n": " / ".join(words for words in units if words) or "-",
        "published": number(claim.number.published) if claim.number else "-",
        "ours": interval_words(verdict.prediction, units=verdict.units) if verdict.prediction else "-",
        "number": number_words(verdict),
        "source": claim.source,
    }

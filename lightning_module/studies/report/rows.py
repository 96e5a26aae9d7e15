"""Verdicts as rows of tables, all of which stand in the same columns on every page."""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Final

from lightning_module.studies.framework.amendments import Amended
from lightning_module.studies.framework.claims import Verdict
from lightning_module.studies.framework.statistics import Interval
from lightning_module.studies.report.entries import Entry
from lightning_module.studies.report.markdown import escape
from lightning_module.studies.report.places import Places, link
from lightning_module.studies.report.words import (
    FINDINGS,
    finding_words,
    in_words,
    interval_words,
    kind,
    needed,
    number,
    number_words,
)
from mnist1d_hf.markdown import table

Judged = Sequence[tuple[Entry, Verdict]]

COLUMNS: Final = (
    "claim",
    "finding",
    "contrast (95 %), has to be",
    "number",
    "published, ours (95 % for one more)",
    "n",
)
NO_STATEMENT: Final = "· no statement"
TO_BE_RUN: Final = "to be run"


def every_row(found: Iterable[Entry], places: Places) -> str:
    """Returns the table of all claims of all studies."""
    rows = [
        [link(entry.title, places.verdicts, places.study(entry)), kind(verdict.claim), *row(entry, verdict)]
        for entry in found
        for verdict in entry.verdicts
    ]
    return table(["study", "kind", *map(escape, COLUMNS)], rows)


def rows_of(entry: Entry, verdicts: Iterable[Verdict]) -> str:
    """Returns the table of some claims of a study."""
    return table([escape(name) for name in COLUMNS], [row(entry, verdict) for verdict in verdicts])


def row(entry: Entry, verdict: Verdict) -> list[str]:
    """Returns a row: what is said and by whom, whether it holds and why, and the published number with ours."""
    claim, words = verdict.claim, in_words(verdict)
    reason = verdict.reason if verdict.finding == "not tested" and not claim.is_number else ""
    amended = entry.amended.get(claim.name)
    later = f" **Amended {amended.amendment.date}**: {escape(amended_words(entry, amended))}" if amended else ""
    return [
        f"**{escape(claim.name)}**: {escape(claim.text)} *{escape(claim.source)}*{later}",
        escape(NO_STATEMENT if claim.is_number else _label(entry, verdict)),
        "; ".join(contrasts(entry, verdict)) or escape(reason) or "-",
        escape(number_words(verdict)),
        escape(_numbers(verdict)),
        escape(words["n"]),
    ]


def _label(entry: Entry, verdict: Verdict) -> str:
    """Returns the finding with the cause of an inconclusive one; why a claim was not tested stands elsewhere."""
    cause = entry.causes.get(verdict.claim.name)
    return FINDINGS[verdict.finding] if cause is None else finding_words(verdict, cause)


def contrasts(entry: Entry, verdict: Verdict) -> list[str]:
    """Returns the estimate, its intervals and where it has to be, for each contrast of a claim."""
    others = entry.on_other_tests.get(verdict.claim.name, ()) or (None,) * len(verdict.parts)
    return [
        f"{escape(interval_words(part.interval, units=part.units))}{_ends(other)}, {escape(needed(part.finding))}"
        for part, other in zip(verdict.parts, others, strict=True)
    ]


def _ends(other: Interval | None) -> str:
    """Returns the interval that knows of the sampling of the tests; nothing if there is none."""
    if other is None:
        return ""
    low, high = (escape(number(each, half=(other.high - other.low) / 2)) for each in other[1:])
    return f", on other tests {low} to {high}"


def _numbers(verdict: Verdict) -> str:
    """Returns the published number and ours."""
    if verdict.claim.number is None:
        return "-"
    words = in_words(verdict)
    return words["published"] + (f", {words['ours']} ours" if verdict.prediction else "")


def amended_words(entry: Entry, amended: Amended) -> str:
    """Returns the verdict by the amended rule."""
    cause = entry.amended_causes.get(amended.amendment.claim.name)
    return finding_words(amended.new, cause) if amended.new else TO_BE_RUN


def statements(found: Iterable[Entry]) -> list[tuple[Entry, Verdict]]:
    """Returns the verdicts on what is stated; not those on printed numbers, nor on exploratory questions.

    A statement whose rule was amended is there once, by the old one.
    """
    first = [entry for entry in found if not entry.decides_amendments]
    return [(entry, v) for entry in first for v in entry.verdicts if kind(v.claim) == "statement"]


def linked(entry: Entry, page: PurePosixPath, places: Places) -> str:
    """Returns a link from a page to that of a study."""
    return link(entry.title, page, places.study(entry))

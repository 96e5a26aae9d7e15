"""Amended rules: by reason on the first page, and each with both verdicts on a page of its own."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, Literal

from lightning_module.studies.framework.amendments import Amended
from lightning_module.studies.report.entries import Entry
from lightning_module.studies.report.markdown import escape
from lightning_module.studies.report.places import Page, Places, link
from lightning_module.studies.report.rows import amended_words, linked
from lightning_module.studies.report.words import FINDINGS
from mnist1d_hf.markdown import table

State = Literal["same", "changed", "to be run"]

WHAT: Final = (
    "Rules that turned out wrong after their study had been run. They stay, with their verdicts; beside each stands "
    "the rule that should have been, when and why it was written, and what was known by then."
)
NONE: Final = "There is none: every rule is the one that was written down before its study was run."
STATES: Final[dict[State, str]] = {"same": "as before", "to be run": "to be run"}
COLUMNS: Final = ("date", "study", "claim as amended", "reason", "known then", "old verdict", "new verdict")


def amendments(found: Sequence[Entry], places: Places) -> Iterator[str]:
    """Yields why rules were amended and which verdicts are others now, and where a rule was changed without that."""
    changed = [
        linked(entry, places.index, places)
        for entry in found
        if entry.study and entry.result
        if entry.study.claims_sha256_of(entry.result.preset) != entry.result.claims_sha256
    ]
    if changed:
        yield f"The rules are not those that were recorded before the run in: {', '.join(changed)}."
    rows = [
        [escape(date), linked(entry, places.index, places), escape(reason), _verdicts(entry, list(group))]
        for entry in found
        for (date, reason), group in groupby(sorted(entry.amended.values(), key=_why), key=_why)
    ]
    if rows:
        yield f"{WHAT} {link('Each of them', places.index, places.amendments)}."
        yield table(("date", "study", "reason", "verdicts, old and new"), rows)
    elif not changed:
        yield NONE


def _why(amended: Amended) -> tuple[str, str]:
    return amended.amendment.date, amended.amendment.reason


def _verdicts(entry: Entry, group: Sequence[Amended]) -> str:
    """Returns which verdicts are others now, and how many are not."""
    others = [
        f"**{escape(each.amendment.claim.name)}**: {FINDINGS[each.old.finding]}, now {amended_words(entry, each)}"
        for each in group
        if each.state == "changed"
    ]
    count: Counter[State] = Counter(each.state for each in group)
    return "; ".join([*others, *(f"{count[state]} {words}" for state, words in STATES.items() if count[state])])


def has_amendments(found: Sequence[Entry]) -> bool:
    """Returns whether any rule was amended."""
    return any(entry.amended for entry in found)


def amendments_page(found: Sequence[Entry], places: Places) -> Page:
    """Returns the page with each amended rule."""
    path = places.amendments
    rows = [_row(entry, amended, places) for entry in found for amended in entry.amended.values()]
    parts = ["# Amendments", link("All studies", path, places.index), WHAT, table(COLUMNS, rows)]
    return Page(path=path, text="\n\n".join(parts) + "\n")


def _row(entry: Entry, amended: Amended, places: Places) -> list[str]:
    amendment = amended.amendment
    return [
        escape(amendment.date),
        linked(entry, places.amendments, places),
        f"**{escape(amendment.claim.name)}**: {escape(amendment.claim.text)}",
        escape(amendment.reason),
        escape(amendment.known),
        escape(FINDINGS[amended.old.finding]),
        escape(amended_words(entry, amended)),
    ]

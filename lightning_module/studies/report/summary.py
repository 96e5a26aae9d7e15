"""What a report comes to in a few sentences and small tables, made from the verdicts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from lightning_module.studies.framework.claims import Claim, FindingWord, Verdict
from lightning_module.studies.framework.reasons import is_told, is_uninformative
from lightning_module.studies.report.entries import NO_RESULT, Entry
from lightning_module.studies.report.markdown import escape
from lightning_module.studies.report.places import Places
from lightning_module.studies.report.rows import linked, statements
from lightning_module.studies.report.words import CAUSES, FINDINGS, NUMBERS
from mnist1d_hf.markdown import table

NAMED: Final[dict[FindingWord, str]] = {"fails": "These fail:", "inconclusive": "These are inconclusive:"}
SINGULAR: Final[dict[FindingWord, str]] = {"holds": "holds", "fails": "fails", "inconclusive": "is inconclusive"}
PLURAL: Final[dict[FindingWord, str]] = {"holds": "hold", "fails": "fail", "inconclusive": "are inconclusive"}


def summary(found: Sequence[Entry], places: Places) -> str:
    """Returns how many statements hold, fail and are open, and which those are that do not hold."""
    judged = statements(found)
    parts = [_counts_of_statements(verdict for _, verdict in judged), _numbers(found)]
    parts += [_open_on_other_tests(judged, places), _changed(found), waiting(found, places)]
    for word, title in NAMED.items():
        named = [(entry, verdict) for entry, verdict in judged if verdict.finding == word]
        if named:
            parts += [title, "\n".join(_line(entry, verdict, places) for entry, verdict in named)]
    return "\n\n".join(part for part in parts if part)


def _counts_of_statements(judged: Iterable[Verdict]) -> str:
    published = [verdict for verdict in judged if verdict.claim.source != Claim.source]  # not of somebody's study
    stated = [verdict for verdict in published if verdict.claim.findings or verdict.claim.number is None]
    count = Counter(verdict.finding for verdict in stated)
    without_run = sum(verdict.reason == NO_RESULT for verdict in stated)
    text = (
        f"Of {len(stated)} statements in the blog post, the paper and their notebooks, **{count['holds']} hold, "
        f"{count['fails']} fail and {count['inconclusive']} are inconclusive**"
    )
    if left := count["not tested"] - without_run:
        text += f"; {left} could not be tested, each for a reason that is given"
    if without_run:
        text += f"; {without_run} wait for a study to be run"
    return text + "."


def _numbers(found: Sequence[Entry]) -> str:
    """Returns how many of all published numbers one more of our runs could give."""
    first = [entry for entry in found if not entry.decides_amendments]
    verdicts = [v.number for entry in first for v in entry.verdicts if v.claim.number and not v.claim.exploratory]
    count = Counter(verdicts)
    tested = count["inside"] + count["outside"]
    if not tested:
        return ""
    studies = Counter(
        entry.title
        for entry in first
        for v in entry.verdicts
        if v.claim.number and not v.claim.exploratory and v.number in ("inside", "outside")
    )
    most, of_most = studies.most_common(1)[0]
    nothing = sum(map(is_uninformative, (v for entry in first for v in entry.verdicts if not v.claim.exploratory)))
    said = f"Of those inside {nothing} are so in a range as wide as what the number can be at all, which says nothing. "
    return (
        f"Of {tested} published numbers {count['inside']} lie where one more of our runs would end 95 times out of "
        f"100, and {count['outside']} do not; by luck alone it would be about {round(tested / 20)} on average. "
        f"{said * bool(nothing)}These are not {tested} independent trials: {of_most} are of {escape(most)} alone, and "
        "the numbers of a study are of the same few runs on the same test signals, so they miss together. How far from "
        "the average luck alone would be is therefore not known."
    )


def _open_on_other_tests(judged: Iterable[tuple[Entry, Verdict]], places: Places) -> str:
    """Returns which verdicts the sampling of the tests that all seeds share would leave open; nothing if none."""
    names = [
        f"{linked(entry, places.index, places)}, {escape(verdict.claim.name)}"
        for entry, verdict in judged
        if verdict.finding in ("holds", "fails")
        if any(
            other is not None and is_told(part, part.interval) and not is_told(part, other)
            for part, other in zip(verdict.parts, entry.on_other_tests.get(verdict.claim.name, ()), strict=False)
        )
    ]
    if not names:
        return ""
    listed = "; ".join(names)
    return f"On other test signals these verdicts might be open, by an interval that is rather too wide: {listed}."


def _changed(found: Sequence[Entry]) -> str:
    """Returns how many verdicts are others by amended rules; nothing if no rule was amended."""
    states = Counter(amended.state for entry in found for amended in entry.amended.values())
    if not states:
        return ""
    return (
        "These verdicts are by the rules that were written before the runs. Rules that were amended later: "
        f"{states.total()}. By them {states['changed']} verdicts are others, {states['same']} are the same, and "
        f"{states['to be run']} wait for a run; see [Amendments](#amendments)."
    )


def waiting(found: Sequence[Entry], places: Places) -> str:
    """Returns which studies have not been run; nothing if all have."""
    links = [linked(entry, places.index, places) for entry in found if entry.result is None]
    if not links:
        return ""
    return f"Not run yet: {', '.join(links)}. What each will be judged by is on its page."


def _line(entry: Entry, verdict: Verdict, places: Places) -> str:
    link = linked(entry, places.index, places)
    cause = entry.causes.get(verdict.claim.name)
    why = f" ({CAUSES[cause]})" if cause else ""
    return f"- {FINDINGS[verdict.finding][0]} {link}, {escape(verdict.claim.name)}: {escape(verdict.claim.text)}{why}"


def counted(verdicts: Sequence[Verdict]) -> str:
    """Returns how many verdicts there are of each kind: "11 hold, 1 fails and 2 are inconclusive"."""
    count = Counter(verdict.finding for verdict in verdicts)
    words = [f"{count[word]} {SINGULAR[word] if count[word] == 1 else PLURAL[word]}" for word in PLURAL if count[word]]
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]])) or "no verdict"


def counts(found: Sequence[Entry], places: Places) -> str:
    """Returns how many verdicts there are of each kind, by study and in all."""
    judged = [entry for entry in found if entry.verdicts and not entry.decides_amendments]
    rows = [
        (linked(entry, places.index, places), [v for v in entry.verdicts if not v.claim.exploratory])
        for entry in judged
    ]
    every = ("**all**", [verdict for _, verdicts in rows for verdict in verdicts])
    header = ["study", "claims", *(f"finding {word}" for word in FINDINGS.values())]
    header += [f"number {word}" for word in NUMBERS.values()]
    listed = []
    for label, verdicts in [*rows, every]:
        findings, numbers = Counter(v.finding for v in verdicts), Counter(v.number for v in verdicts)
        cells = [len(verdicts), *(findings[word] for word in FINDINGS), *(numbers[word] for word in NUMBERS)]  # type: ignore[index]
        listed.append([label, *map(str, cells)])
    return table([escape(name) for name in header], listed)

"""What a report comes to in a few sentences, made from the verdicts."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from lightning_module.studies.framework.claims import Claim, FindingWord, Verdict
from lightning_module.studies.markdown_text import escape, slug
from lightning_module.studies.report_entries import NO_RESULT, Entry
from lightning_module.studies.verdict_rows import kind
from lightning_module.studies.verdict_text import FINDINGS

NAMED: Final[dict[FindingWord, str]] = {"fails": "These fail:", "inconclusive": "These are inconclusive:"}

Judged = list[tuple[Entry, Verdict]]


def statements(found: Sequence[Entry]) -> Judged:
    """Returns the verdicts on what is stated; not those on printed numbers, nor on exploratory questions."""
    return [(entry, v) for entry in found for v in entry.verdicts if kind(v.claim) == "statement"]


def summary(found: Sequence[Entry]) -> str:
    """Returns how many statements hold, fail and are open, and which those are that do not hold."""
    judged = statements(found)
    parts = [_counts(judged), _numbers(found)]
    for word, title in NAMED.items():
        named = [(entry, verdict) for entry, verdict in judged if verdict.finding == word]
        if named:
            parts += [title, "\n".join(_line(entry, verdict) for entry, verdict in named)]
    return "\n\n".join(part for part in parts if part)


def _counts(judged: Judged) -> str:
    published = [verdict for _, verdict in judged if verdict.claim.source != Claim.source]  # not of somebody's study
    stated = [verdict for verdict in published if verdict.claim.findings or verdict.claim.number is None]
    count = Counter(verdict.finding for verdict in stated)
    waiting = sum(verdict.reason == NO_RESULT for verdict in stated)
    text = (
        f"Of {len(stated)} statements in the blog post, the paper and their notebooks, **{count['holds']} hold, "
        f"{count['fails']} fail and {count['inconclusive']} are inconclusive**"
    )
    if left := count["not tested"] - waiting:
        text += f"; {left} could not be tested, each for a reason that is given"
    if waiting:
        text += f"; {waiting} wait for a study to be run"
    return text + "."


def _numbers(found: Sequence[Entry]) -> str:
    """Returns how many of all published numbers one more of our runs could give."""
    verdicts = [v.number for entry in found for v in entry.verdicts if v.claim.number and not v.claim.exploratory]
    count = Counter(verdicts)
    tested = count["inside"] + count["outside"]
    if not tested:
        return ""
    return (
        f"Of {tested} published numbers {count['inside']} lie where one more of our runs would end 95 times out of "
        f"100, and {count['outside']} do not; by luck alone it would be about {round(tested / 20)}."
    )


def _line(entry: Entry, verdict: Verdict) -> str:
    link = f"[{escape(entry.title)}](#{slug(entry.title)})"
    return f"- {FINDINGS[verdict.finding][0]} {link}, {escape(verdict.claim.name)}: {escape(verdict.claim.text)}"

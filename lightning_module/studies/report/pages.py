"""`write_report`: every claim of every study with its two verdicts, then each study, as Markdown and as one HTML page.

Nothing is computed again but the verdicts, and nothing of today is in it: the same results give the same bytes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lightning_module.studies.framework.claims import Claim, FindingWord, Verdict
from lightning_module.studies.framework.study import Study
from lightning_module.studies.report.entries import NO_RESULT, Entry, entries
from lightning_module.studies.report.html import page
from lightning_module.studies.report.markdown import escape, slug
from lightning_module.studies.report.section import FRONT, answer, section
from lightning_module.studies.report.times import INTRODUCTION, has_times, run_times
from lightning_module.studies.report.words import FINDINGS, NUMBERS, in_words, interval_words, kind, needed
from mnist1d_hf.atomic import replace
from mnist1d_hf.markdown import table

TITLE: Final = "MNIST-1D: which of the published findings hold?"

HOW_TO_READ: Final = """## How to read this page

A **claim** is a sentence of the blog post or the paper on MNIST-1D. Before a study was run, each claim was written down
as a rule, and the rule, not a person, gives the two verdicts. They answer different questions.

**Number: could our runs have given the published number?** Two trainings that differ only by chance, such as the random
numbers they start from, end in somewhat different places. From the spread of our n runs follows the range in which one
more run would end 95 times out of 100; or the mean of several, if the published number is such a mean. The published
number is {inside} this range, as far as its rounding lets one say, or {outside} it. This says whether we measure the
same thing as the source, and not yet whether its statement is true.

**Finding: is the statement true?** It is written as a contrast and a margin: "the CNN is better than the MLP" becomes
"accuracy of the CNN - accuracy of the MLP > 0". The 95 % interval of the contrast's mean holds the values that our n
runs leave plausible.

- {holds}: the whole interval lies where the statement says.
- {fails}: the whole interval lies on the other side. The statement is not true here.
- {inconclusive}: the margin lies within the interval. There are too few runs, or too small a difference, to tell. This
  is no evidence for either.
- {untested}: with the reason.

What is *exact*, such as the number of points of a signal, has no interval: it is true or not.

A claim that says several things holds only if all of them do, and fails if one of them fails.

**Many claims, some luck.** p is the chance of a contrast at least as far from the margin as ours if the truth lay
just on it. Of twenty such claims one would get p below 0.05 by luck, so the p-values of a study are corrected for their
number (Holm's method), and "holds" and "fails" need a corrected p below 0.05. Hence a claim can be inconclusive
although its interval lies on one side. *Exploratory* claims are questions of our own, outside this correction.

**n** is the number of independent runs (seeds), or of trials where something is counted. In the *frozen arm* all runs
share the published data set and differ in their start only, as the published ones do. In the *fresh arm* each run also
has newly drawn data. Accuracies are fractions: 0.94 is 94 %. *Regression bands* say whether our code still does what it
did. They are no findings.
"""

HEADER: Final = (
    "claim",
    "finding",
    "contrast (95 % interval), and where it has to be; or why it was not tested",
    "published number, and ours (95 % for one more run)",
    "n",
)

IN_SHORT: Final = "In short"
EVERY: Final = (
    "What the sources state, by study, with its source in italics. Where several contrasts stand, separated by "
    "semicolons, the statement says several things."
)
FURTHER: Final = (
    "Published numbers that come without a statement, such as each point of a figure, are in the sections of their "
    "studies, and so are our own questions. Of numbers with 95 % intervals one in twenty is outside by luck."
)


def write_report(folder: Path, output: Path, *, studies: Mapping[str, Study[Any]] | None = None) -> list[Path]:
    """Returns the files of a report on all results below a folder, after writing them.

    Figures are linked from the Markdown, and are within the HTML page, which needs nothing else. Those that a result's
    folder does not hold are drawn and saved there.

    Args:
        folder: Where the results are, each in a folder of its own.
        output: A folder, which gets `report.md` and `report.html`; or the file, if only one of the two is wanted.
        studies: The studies by name; all that this package has by default. Results of others have no verdicts.

    Raises:
        ValueError: If there is no result.
    """
    folder, output = Path(folder).resolve(), Path(output).resolve()
    files = [output] if output.suffix in (".md", ".html") else [output / "report.md", output / "report.html"]
    found = entries(folder, _known() if studies is None else studies)
    files[0].parent.mkdir(parents=True, exist_ok=True)
    text = report(found, files[0].parent)
    for file in files:
        content = page(text, title=TITLE, beside=file.parent) if file.suffix == ".html" else text
        # Bytes, so that the lines end in the same way everywhere.
        replace(file, lambda part, content=content: part.write_bytes(content.encode()))  # type: ignore[misc]
    return files


def report(found: Sequence[Entry], beside: Path) -> str:
    """Returns the report in Markdown.

    Args:
        found: What it is about.
        beside: The folder of the page, which figures are linked from.
    """
    unknown = [entry.title for entry in found if entry.study is None]
    parts = [f"# {escape(TITLE)}", _contents(found), f"## {IN_SHORT}", summary(found), *_front(found), _how_to_read()]
    parts += ["## Every claim", EVERY, _every_claim(found)]
    parts += ["## Run times", INTRODUCTION, run_times(found)] if has_times(found) else []
    parts += ["## Further numbers", FURTHER, _further(found)] if _has_further(found) else []
    parts += ["## Verdicts by number", "Exploratory claims are not counted.", _counts(found)]
    if unknown:
        names = ", ".join(map(escape, unknown))
        parts.append(f"Without verdicts, since the studies are not known here, but with their tables: {names}.")
    return "\n\n".join([*parts, *(section(entry, beside) for entry in found)]) + "\n"


def _contents(found: Sequence[Entry]) -> str:
    names = [IN_SHORT, "How to read this page", "Every claim", *(["Run times"] if has_times(found) else [])]
    links = [f"[{escape(name)}](#{slug(name)})" for name in names]
    return " · ".join([*links, *map(_link, found)])


def _front(found: Sequence[Entry]) -> list[str]:
    """Returns the remarks of some studies on how to read the others."""
    said = [(entry, text) for entry in found if (text := answer(entry, FRONT))]
    return [f"What {_link(entry)} adds to all of this:\n\n{text}" for entry, text in said]


def _how_to_read() -> str:
    words = {**FINDINGS, "untested": FINDINGS["not tested"], "inside": NUMBERS["inside"], "outside": NUMBERS["outside"]}
    return HOW_TO_READ.format(**{name: f"**{word}**" for name, word in words.items()}).strip()


def _every_claim(found: Sequence[Entry]) -> str:
    """Returns the table of all statements of the sources; our own questions are in the sections."""
    return table([escape(name) for name in HEADER], [_row(entry, verdict) for entry, verdict in statements(found)])


def _has_further(found: Sequence[Entry]) -> bool:
    return any(verdict.claim.is_number for entry in found for verdict in entry.verdicts)


def _further(found: Sequence[Entry]) -> str:
    """Returns how many of the printed numbers that come without a statement are inside, by study."""
    rows = []
    for entry in found:
        numbers = Counter(verdict.number for verdict in entry.verdicts if verdict.claim.is_number)
        if numbers:
            rows.append([_link(entry), *(str(numbers[word]) for word in ("inside", "outside", "not tested"))])
    return table(["study", *(escape(NUMBERS[word]) for word in ("inside", "outside", "not tested"))], rows)


def _row(entry: Entry, verdict: Verdict) -> list[str]:
    claim, words = verdict.claim, in_words(verdict)
    contrasts = [
        f"{escape(interval_words(part.interval, units=part.units))}, {escape(needed(part.finding))}"
        for part in verdict.parts
    ]
    reason = verdict.reason if verdict.finding == "not tested" else ""
    return [
        f"{_link(entry)}, **{escape(claim.name)}**: {escape(claim.text)} *{escape(claim.source)}*",
        escape(FINDINGS[verdict.finding]),
        "; ".join(contrasts) or escape(reason) or "-",
        escape(_number(verdict, words)),
        escape(words["n"]),
    ]


def _number(verdict: Verdict, words: Mapping[str, str]) -> str:
    """Returns the verdict on the published number with both numbers; a reason stands beside the finding."""
    if verdict.claim.number is None:
        return NUMBERS[verdict.number]
    ours = f", {words['ours']} ours" if verdict.prediction else ""
    return f"{NUMBERS[verdict.number]}: {words['published']} published{ours}"


def _counts(found: Sequence[Entry]) -> str:
    """Returns how many verdicts there are of each kind, by study and in all."""
    judged = [entry for entry in found if entry.verdicts]
    counted = [(_link(entry), [v for v in entry.verdicts if not v.claim.exploratory]) for entry in judged]
    every = ("**all**", [verdict for _, verdicts in counted for verdict in verdicts])
    header = ["study", "claims", *(f"finding {word}" for word in FINDINGS.values())]
    header += [f"number {word}" for word in NUMBERS.values()]
    rows = []
    for label, verdicts in [*counted, every]:
        findings, numbers = Counter(v.finding for v in verdicts), Counter(v.number for v in verdicts)
        counts = [len(verdicts), *(findings[word] for word in FINDINGS), *(numbers[word] for word in NUMBERS)]  # type: ignore[index]
        rows.append([label, *map(str, counts)])
    return table([escape(name) for name in header], rows)


def _link(entry: Entry) -> str:
    return f"[{escape(entry.title)}](#{slug(entry.title)})"


def _known() -> Mapping[str, Study[Any]]:
    """Returns the studies of this package by name."""
    from lightning_module.studies import STUDIES  # which imports all of them

    return STUDIES


# What a report comes to in a few sentences, made from the verdicts.


NAMED: Final[dict[FindingWord, str]] = {"fails": "These fail:", "inconclusive": "These are inconclusive:"}

Judged = list[tuple[Entry, Verdict]]


def statements(found: Sequence[Entry]) -> Judged:
    """Returns the verdicts on what is stated; not those on printed numbers, nor on exploratory questions."""
    return [(entry, v) for entry in found for v in entry.verdicts if kind(v.claim) == "statement"]


def summary(found: Sequence[Entry]) -> str:
    """Returns how many statements hold, fail and are open, and which those are that do not hold."""
    judged = statements(found)
    parts = [_counts_of_summary(judged), _numbers(found)]
    for word, title in NAMED.items():
        named = [(entry, verdict) for entry, verdict in judged if verdict.finding == word]
        if named:
            parts += [title, "\n".join(_line(entry, verdict) for entry, verdict in named)]
    return "\n\n".join(part for part in parts if part)


def _counts_of_summary(judged: Judged) -> str:
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

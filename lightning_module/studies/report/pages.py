"""`write_report`: a first page, a page for each study, all verdicts in one table, what was computed; or one HTML page.

Nothing is computed again but the verdicts, and nothing of today is in it: the same results give the same bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from lightning_module.studies.framework.study import Study
from lightning_module.studies.report.amended import amendments, amendments_page, has_amendments
from lightning_module.studies.report.answers import FRONT, answer
from lightning_module.studies.report.entries import Entry, entries
from lightning_module.studies.report.forest import drawn, forest
from lightning_module.studies.report.html import one_page
from lightning_module.studies.report.markdown import escape, slug
from lightning_module.studies.report.places import Page, Places, link
from lightning_module.studies.report.rows import every_row, linked
from lightning_module.studies.report.study_page import forest_link, study_page
from lightning_module.studies.report.summary import counted, counts, summary
from lightning_module.studies.report.supplement import supplement
from lightning_module.studies.report.times import INTRODUCTION, has_times, run_times
from lightning_module.studies.report.words import FINDINGS, NUMBERS
from mnist1d_hf.atomic import replace

TITLE: Final = "MNIST-1D: which of the published findings hold?"

HOW_TO_READ: Final = """
A **claim** is a sentence of the blog post or the paper on MNIST-1D. Before a study was run, each claim was written down
as a rule, and the rule, not a person, gives the two verdicts. They answer different questions.

**Number: could our runs have given the published number?** Two trainings that differ only by chance, such as the random
numbers they start from, end in somewhat different places. From the spread of our n runs follows the range in which one
more run would end 95 times out of 100; or the mean of several, if the published number is such a mean. The published
number is {inside} this range, as far as its rounding lets one say, or {outside} it. This says whether we measure the
same thing as the source, and not yet whether its statement is true. *Uninformative* is a range as wide as what the
number can be at all: anything is inside.

**Finding: is the statement true?** It is written as a contrast and a margin: "the CNN is better than the MLP" becomes
"accuracy of the CNN - accuracy of the MLP > 0". The 95 % interval of the contrast's mean holds the values that our n
runs leave plausible.

- {holds}: the whole interval lies where the statement says.
- {fails}: the whole interval lies on the other side. The statement is not true here.
- {inconclusive}: this is no evidence for either. The words behind it say why. *Too few runs*: the margin lies within
  the interval, and more runs would make it narrower. *Many claims*: alone the claim would be told, as one of many it is
  not. *Clusters*: the runs fall into groups, or one is far from all others, so that their mean describes none.
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

**On other tests.** Where all seeds are scored on the same test signals, their spread says how much another training
changes a number, and not how much other test signals would. The interval that knows of both stands behind these words.
Its part from the test signals is that of networks that err independently, so it is rather too wide than too narrow. The
verdicts are by the interval over seeds, as their rules were written.

**The pictures** have a row for each contrast of a claim: the dot is our estimate, the bar its 95 % interval, the dashed
line the margin, and the grey field is where the whole bar has to lie. The bar's colour says where it lies by itself,
the verdict beside the name is on the whole claim, after the correction. A diamond is a published number, with a thin
line for what may have been rounded to it; the grey bar below it is where one more run of ours would end. Each row has a
scale of its own, because the contrasts are in different units.
"""

EVERY: Final = (
    "All claims of all studies: statements of the sources, numbers that they print without one, and questions of our "
    "own. The source is in italics. A contrast stands with its 95 % interval and where it has to be; where there is "
    "none, why the claim was not tested. A claim that says several things has several contrasts."
)


def write_report(folder: Path, output: Path, *, studies: Mapping[str, Study[Any]] | None = None) -> list[Path]:
    """Returns the files of a report on all results below a folder, after writing them.

    As Markdown it is a first page, and beside it a folder of its name in small letters, with a page for each study.
    Figures are linked. The HTML page has all of that within, and needs nothing else. Figures that a result's folder
    does not hold are drawn and saved there.

    Args:
        folder: Where the results are, each in a folder of its own.
        output: A folder, which gets `report.md`, its pages and `report.html`; or the file of the first page, ending in
            `.md`, or of the HTML page, if only one of the two is wanted.
        studies: The studies by name; all that this package has by default. Results of others have no verdicts.

    Raises:
        ValueError: If there is no result.
    """
    folder, output = Path(folder).resolve(), Path(output).resolve()
    files = [output] if output.suffix in (".md", ".html") else [output / "report.md", output / "report.html"]
    beside = files[0].parent
    found = entries(folder, _known() if studies is None else studies)
    beside.mkdir(parents=True, exist_ok=True)  # ways from it to figures are followed
    contents = report(found, beside, f"{files[0].stem}.md")
    written = {}
    for file in files:
        if file.suffix == ".html":
            written[file] = one_page(contents, title=TITLE, beside=beside)
        else:
            written |= {beside / path: text for path, text in contents.items()}
    for file, text in written.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        # Bytes, so that the lines end in the same way everywhere.
        replace(file, lambda part, text=text: part.write_bytes(text.encode()))  # type: ignore[misc]
    return list(written)


def report(found: Sequence[Entry], beside: Path, index: str) -> dict[PurePosixPath, str]:
    """Returns the report's files, the first page first: pages in Markdown, and pictures as SVG.

    Args:
        found: What it is about.
        beside: The folder of the first page, which the files are in and figures are linked from.
        index: The name of the first page.
    """
    places = Places(found, beside, index)
    pages = [_first_page(found, places), _every_verdict(found, places)]
    pages += [amendments_page(found, places)] if has_amendments(found) else []
    for entry in found:
        pages.append(study_page(entry, places, found))
        if entry.result is not None:
            pages.append(supplement(entry, entry.result, places))
    drawings = {places.forest(entry): forest(_title(entry), entry.verdicts) for entry in found if drawn(entry.verdicts)}
    return {page.path: page.text for page in pages} | drawings


def _title(entry: Entry) -> str:
    return f"{entry.title}: {counted(drawn(entry.verdicts))}"


def _first_page(found: Sequence[Entry], places: Places) -> Page:
    sections = {
        "In short": [summary(found, places), *_front(found, places)],
        "How to read the verdicts": [_how_to_read()],
        "The studies": list(_studies(found, places)),
        "Run times": [INTRODUCTION, run_times(found, places)] if has_times(found) else [],
        "Verdicts by number": ["Our own questions are not counted.", counts(found, places), *_unknown(found)],
        "Amendments": list(amendments(found, places)),
    }
    links = [f"[{escape(name)}](#{slug(name)})" for name, parts in sections.items() if parts]
    links.insert(3, link("Every claim in one table", places.index, places.verdicts))
    parts = [f"# {escape(TITLE)}", " · ".join(links)]
    for name, inside in sections.items():
        parts += [f"## {name}", *inside] if inside else []
    return Page(path=places.index, text="\n\n".join(parts) + "\n")


def _front(found: Sequence[Entry], places: Places) -> list[str]:
    """Returns the remarks of some studies on how to read the others."""
    said = [(entry, text) for entry in found if (text := answer(entry, found, FRONT))]
    return [f"What {linked(entry, places.index, places)} adds to all of this:\n\n{text}" for entry, text in said]


def _how_to_read() -> str:
    words = {**FINDINGS, "untested": FINDINGS["not tested"], "inside": NUMBERS["inside"], "outside": NUMBERS["outside"]}
    return HOW_TO_READ.format(**{name: f"**{word}**" for name, word in words.items()}).strip()


def _studies(found: Sequence[Entry], places: Places) -> Iterator[str]:
    """Yields what each study asks, its verdicts as a picture, and where its page is."""
    for entry in found:
        yield f"### {escape(entry.title)}"
        if entry.study is not None:
            yield escape(entry.study.question)
        more = link(f"all of {entry.title}", places.index, places.study(entry))
        if entry.result is None:
            yield f"Not run yet: {more}."
            continue
        computed = link("how it was computed", places.index, places.supplement(entry))
        yield f"{_sentence(entry)}: {more}, {computed}."
        if picture := forest_link(entry, places.index, places):
            yield picture


def _sentence(entry: Entry) -> str:
    shown = drawn(entry.verdicts)
    return f"Of {len(shown)} claims with an interval, {counted(shown)}" if shown else "Without verdicts"


def _unknown(found: Sequence[Entry]) -> list[str]:
    titles = ", ".join(escape(entry.title) for entry in found if entry.study is None)
    if not titles:
        return []
    return [f"Without verdicts, since the studies are not known here, but with their tables: {titles}."]


def _every_verdict(found: Sequence[Entry], places: Places) -> Page:
    path = places.verdicts
    parts = ["# Every verdict", link("All studies", path, places.index), EVERY, every_row(found, places)]
    return Page(path=path, text="\n\n".join(parts) + "\n")


def _known() -> Mapping[str, Study[Any]]:
    """Returns the studies of this package by name."""
    from lightning_module.studies import STUDIES  # which imports all of them

    return STUDIES

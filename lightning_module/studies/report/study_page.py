"""A study's page: what was asked, answered, found and drawn, and its protocol."""

import inspect
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from lightning_module.studies.framework.study import Study
from lightning_module.studies.report.answers import answer
from lightning_module.studies.report.entries import Entry
from lightning_module.studies.report.forest import drawn
from lightning_module.studies.report.markdown import escape, lowered
from lightning_module.studies.report.places import Page, Places, link
from lightning_module.studies.report.rows import rows_of
from lightning_module.studies.report.summary import counted
from lightning_module.studies.report.words import kind

# The tables of a page, by the kind of claim that is in them.
TABLES = {
    "statement": ("What the sources state", ""),
    "question": (
        "Our own questions",
        "They have intervals, and no part in the correction for many claims: of twenty such verdicts one may be luck.",
    ),
    "number": (
        "Published numbers without a statement",
        "Of numbers with 95 % intervals one in twenty is outside by luck.",
    ),
}


def study_page(entry: Entry, places: Places, found: Sequence[Entry] = ()) -> Page:
    """Returns the page of a study.

    Args:
        entry: The study.
        places: Where the pages are.
        found: All entries of the report, of which its answer may name findings.
    """
    path = places.study(entry)
    return Page(path=path, text="\n\n".join([f"# {escape(entry.title)}", *_parts(entry, path, places, found)]) + "\n")


def _parts(entry: Entry, path: PurePosixPath, places: Places, found: Sequence[Entry]) -> Iterator[str]:
    study, result = entry.study, entry.result
    links = [link("All studies", path, places.index), link("Every verdict", path, places.verdicts)]
    if result is not None:
        links.append(link("Supplement: how it was computed", path, places.supplement(entry)))
    yield " · ".join(links)
    if study is not None:
        yield f"**Question.** {escape(study.question)}"
    if result is None:
        yield "**Not run yet.** What it will be judged by was written down before, and stands below."
    elif result.preset != "paper":
        yield f"**Note.** This is a run of the preset {escape(result.preset)}, not of the published protocol's size."
    if text := answer(entry, found):
        yield f"**Answer.**\n\n{text}"
    yield from _figures(entry, path, places)
    yield from _verdicts(entry, path, places)
    if study is not None and study.protocol.strip():
        yield "## Protocol"
        yield lowered(study.protocol, 3)


def _figures(entry: Entry, path: PurePosixPath, places: Places) -> Iterator[str]:
    if entry.figures:
        yield "## Figures"
    for name, file in entry.figures.items():
        caption = _caption(entry.study, name)
        yield f"![{escape(f'{entry.title}: {caption or name}')}]({places.to_file(path, file)})"
        if caption:
            yield f"*{escape(caption)}*"


def _caption(study: Study[Any] | None, name: str) -> str:
    """Returns the caption of a figure: the first paragraph of its function's docstring, which says what is returned."""
    if study is None:
        return ""
    draw = {**study.figures, **study.amended_figures}[name]
    paragraph = " ".join((inspect.getdoc(draw) or "").split("\n\n")[0].split())
    text = paragraph.removeprefix("Returns ").removeprefix("Draws ")
    return text[:1].upper() + text[1:]


def _verdicts(entry: Entry, path: PurePosixPath, places: Places) -> Iterator[str]:
    if not entry.verdicts:
        yield "No verdicts: the study is not known here, or has no claims." if entry.study is None else "No claims."
        return
    if picture := forest_link(entry, path, places):
        yield "## Verdicts at a glance"
        yield picture
    for name, (heading, remark) in TABLES.items():
        if verdicts := [verdict for verdict in entry.verdicts if kind(verdict.claim) == name]:
            yield f"## {heading}"
            yield from [remark] * bool(remark)
            yield rows_of(entry, verdicts)


def forest_link(entry: Entry, path: PurePosixPath, places: Places) -> str:
    """Returns a study's forest plot in Markdown, with its content in words; nothing if there is nothing to draw."""
    verdicts = drawn(entry.verdicts)
    if not verdicts:
        return ""
    words = f"Forest plot of {entry.title}, intervals against margins: {counted(verdicts)}; the table has the numbers"
    return f"![{escape(words)}]({places.to_file(path, places.beside / places.forest(entry))})"

"""A study's section of the report, in Markdown: what was asked, done, drawn and found, and how to make it again.

In `answer.md` of a result's folder `{claim}` stands for the estimate of a claim's first contrast with its 95 %
interval, `{claim[1]}` for that of the second, `{claim:points}` for one in points of 100, `{claim:factor}` for 10 to its
power, and `{claim:word}` for the finding. So no number is copied, and none is out of date.

What changes how the other studies are read is said on the first page: that is in `front.md`, in the same way.
"""

import inspect
import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from lightning_module.studies.framework.cells import Band
from lightning_module.studies.framework.claims import Verdict
from lightning_module.studies.framework.quantities import NoRowsError, Tables
from lightning_module.studies.framework.result import Result
from lightning_module.studies.framework.statistics import Interval
from lightning_module.studies.framework.study import Study
from lightning_module.studies.report.entries import Entry
from lightning_module.studies.report.markdown import escape, lowered
from lightning_module.studies.report.words import (
    finding_words,
    interval_words,
    needed,
    number,
    number_words,
    p_words,
    quantity_words,
)
from mnist1d_hf.markdown import table

ROWS_SHOWN = 10  # of a table of an unknown study
DATA_SHOWN = 12  # data sets
SHA256 = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


def section(entry: Entry, beside: Path) -> str:
    """Returns the section of an entry.

    Args:
        entry: What it is about.
        beside: The folder of the page, which figures are linked from.
    """
    return "\n\n".join([f"## {escape(entry.title)}", *_parts(entry, beside)])


def _parts(entry: Entry, beside: Path) -> Iterator[str]:
    study, result = entry.study, entry.result
    if study is not None:
        yield f"**Question.** {escape(study.question)}"
    if result is not None and result.preset != "paper":
        yield f"**Note.** This is a run of the preset {escape(result.preset)}, not of the published protocol's size."
    if found := answer(entry):
        yield f"**Answer.**\n\n{found}"
    if study is not None and study.protocol.strip():
        yield f"### Protocol of {escape(entry.title)}"
        yield lowered(study.protocol, 4)
    yield from _figures(entry, beside)
    yield from _verdicts(entry)
    if result is None:
        return
    if study is None:
        yield from _tables(entry, result)
    elif study.bands:
        yield from _bands(entry.title, study, result)
    yield from _making(entry.title, study, result)


def _figures(entry: Entry, beside: Path) -> Iterator[str]:
    for name, file in entry.figures.items():
        where = Path(os.path.relpath(file, beside)).as_posix().replace(" ", "%20")
        caption = _caption(entry.study, name)
        yield f"![{escape(f'{entry.title}: {caption or name}')}]({where})"
        if caption:
            yield f"*{escape(caption)}*"


def _caption(study: Study[Any] | None, name: str) -> str:
    """Returns the caption of a figure: the first paragraph of its function's docstring, which says what is returned."""
    if study is None:
        return ""
    paragraph = " ".join(
        (inspect.getdoc({**study.figures, **study.amended_figures}[name]) or "").split("\n\n")[0].split()
    )
    text = paragraph.removeprefix("Returns ").removeprefix("Draws ")
    return text[:1].upper() + text[1:]


def _verdicts(entry: Entry) -> Iterator[str]:
    if not entry.verdicts:
        yield "No verdicts: the study is not known here, or has no claims." if entry.study is None else "No claims."
        return
    tested = [verdict for verdict in entry.verdicts if verdict.parts]
    published = [verdict for verdict in entry.verdicts if verdict.claim.number is not None]
    untested = [v for v in entry.verdicts if not v.parts and not v.claim.is_number]
    if tested:
        yield f"### Findings of {escape(entry.title)}"
        header = ["claim", "contrast", "has to be", "is (95 % interval)", "n", "p", "p after Holm", "finding"]
        yield table(header, [row for verdict in tested for row in _finding_rows(verdict)])
    if published:
        yield f"### Published numbers of {escape(entry.title)}"
        header = ["claim", "quantity", "published", "ours (95 % for one more)", "n", "number"]
        yield table(header, map(_number_row, published))
    if untested:
        yield f"### Claims without a finding in {escape(entry.title)}"
        yield "\n".join(
            f"- **{escape(v.claim.name)}**: {escape(v.claim.text)} Why: {escape(v.reason)}" for v in untested
        )


def _finding_rows(verdict: Verdict) -> Iterator[list[str]]:
    """Yields a row for each contrast; the first has the claim's own entries."""
    for i, part in enumerate(verdict.parts):
        first = i == 0
        claim = verdict.claim
        # A statement of the source is in the first table; our own question is only here.
        name = escape(f"{claim.name}: {claim.text}" if claim.exploratory else claim.name)
        name += " *(exploratory)*" if claim.exploratory else ""
        yield [
            name if first else "and",
            escape(quantity_words(part.finding.of)),
            escape(needed(part.finding)),
            escape(interval_words(part.interval, units=part.units)),
            str(part.units or "-"),
            escape(p_words(part.p if part.units else None)),
            escape(p_words(verdict.p_holm if part.units else None)) if first else "",
            escape(finding_words(verdict)) if first else "",
        ]


def _number_row(verdict: Verdict) -> list[str]:
    claimed = verdict.claim.number
    assert claimed is not None  # for the type checker: the caller has looked
    return [
        escape(verdict.claim.name),
        escape(quantity_words(claimed.of)),
        escape(number(claimed.published)),
        escape(interval_words(verdict.prediction, units=verdict.units)) if verdict.prediction else "-",
        str(verdict.units) if verdict.units else "-",
        escape(number_words(verdict)),
    ]


def _bands(title: str, study: Study[Any], result: Result) -> Iterator[str]:
    yield f"### Regression bands of {escape(title)}"
    yield "Checks that the code still does what it did; no findings."
    yield table(("number", "from", "to", "mean", "check"), [_band_row(band, result.tables) for band in study.bands])


def _band_row(band: Band, tables: Tables) -> list[str]:
    try:
        mean = float(band.of.per_unit(tables).mean())
    except NoRowsError as error:
        mean, check = float("nan"), f"○ not checked: {error}"
    else:
        check = "✓ within" if band.low <= mean <= band.high else "✗ beyond"
    return [escape(text) for text in (band.name, number(band.low), number(band.high), number(mean), check)]


def _making(title: str, study: Study[Any] | None, result: Result) -> Iterator[str]:
    yield f"### How {escape(title)} was made"
    made = result.provenance
    facts: dict[str, Any] = {
        "preset": result.preset,
        **{name: json.dumps(value, ensure_ascii=False) for name, value in result.config.items()},
        "command": made.get("command"),
        "wall time": _duration(made.get("wall_seconds")),
        "work of all processes": _duration(made.get("cell_seconds")),
        "machine": made.get("machine"),
        "finished": made.get("finished"),
        **({"rounded": made["rounded"]} if "rounded" in made else {}),
        "versions": ", ".join(f"{name} {version}" for name, version in result.versions.items()),
        "rules of the claims": _rules(study, result),
    }
    yield table(("what", "value"), [(escape(name), escape(value or "-")) for name, value in facts.items()])
    if result.data:
        shown = list(result.data.items())[:DATA_SHOWN]
        yield table(("data set", "what it is"), [(escape(label), escape(_flat(what))) for label, what in shown])
    if len(result.data) > DATA_SHOWN:
        yield f"And {len(result.data) - DATA_SHOWN} more data sets, in result.json with whole digests."


def _rules(study: Study[Any] | None, result: Result) -> str:
    recorded = result.claims_sha256[:12]
    if study is None:
        return f"digest {recorded} recorded before the run"
    if result.claims_sha256 == study.claims_sha256:
        return f"✓ the same as recorded before the run (digest {recorded})"
    return f"✗ changed since the run began: digest {recorded} was recorded, and is {study.claims_sha256[:12]} now"


def _tables(entry: Entry, result: Result) -> Iterator[str]:
    """Yields the beginning of each table of a study that nobody here knows."""
    for name, rows in result.tables.items():
        yield f"### Table {escape(name)} of {escape(entry.title)}"
        shown = [[_cell(value) for value in row] for row in rows.head(ROWS_SHOWN).itertuples(index=False)]
        yield table([escape(column) for column in rows], shown)
        if len(rows) > ROWS_SHOWN:
            yield f"The first {ROWS_SHOWN} of {len(rows)} rows; all are in {escape(name)}.csv."


def _cell(value: Any) -> str:
    if pd.isna(value):
        return ""
    return escape(number(value) if isinstance(value, float) else value)


def _flat(what: Any) -> str:
    """Returns nested entries on one line, digests by their first 12 digits."""
    if isinstance(what, Mapping):
        return ", ".join(
            f"{name} ({_flat(value)})" if isinstance(value, Mapping) else f"{name} {_flat(value)}"
            for name, value in what.items()
            if value not in ({}, None)
        )
    return SHA256.sub(r"\1", str(what))


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest} s"


# A study's answer in a few sentences, a line each: written by hand beside its result, with numbers from the verdicts.


FILE: Final = "answer.md"
FRONT: Final = "front.md"
SCALES: Final[dict[str, Callable[[float], float]]] = {
    "": lambda value: value,
    "points": lambda value: 100 * value,
    "factor": lambda value: math.pow(10, value),
}


def answer(entry: Entry, name: str = FILE) -> str:
    """Returns the answer beside an entry's result, as a list in Markdown; nothing if there is none.

    Args:
        entry: The study with its result.
        name: Of the file.

    Raises:
        ValueError: If it names a claim or a contrast that there is none of.
    """
    if entry.folder is None or not (file := entry.folder / name).is_file():
        return ""
    findings = {verdict.claim.name: _Finding(verdict) for verdict in entry.verdicts if verdict.parts}
    try:
        sentences = file.read_text(encoding="utf-8").strip().format_map(findings).splitlines()
    except (LookupError, ValueError) as error:
        raise ValueError(
            f"{file} has {error}; write {{claim}}, {{claim[1]}}, {{claim:points}}, {{claim:factor}} or "
            f"{{claim:word}}, for a claim with a finding: {', '.join(findings) or 'there is none'}"
        ) from error
    return "\n".join(f"- {sentence}" for sentence in sentences)


class _Finding:
    def __init__(self, verdict: Verdict, contrast: int = 0) -> None:
        self._verdict, self._contrast = verdict, contrast

    def __getitem__(self, contrast: int) -> "_Finding":
        return _Finding(self._verdict, contrast)

    def __format__(self, how: str) -> str:
        if how == "word":
            return self._verdict.finding
        _, interval, units, _ = self._verdict.parts[self._contrast]
        estimate, _, rest = interval_words(Interval(*map(SCALES[how], interval)), units=units).partition(" ")
        return " ".join([estimate, *["points"] * (how == "points"), *[rest] * (units > 0)])

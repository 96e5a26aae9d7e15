"""What was computed for a study, and how: contrasts by columns, p-values, regression bands, versions, digests."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from lightning_module.studies.framework.cells import Band
from lightning_module.studies.framework.claims import Part, Verdict
from lightning_module.studies.framework.quantities import NoRowsError, Tables
from lightning_module.studies.framework.result import Result
from lightning_module.studies.framework.study import Study
from lightning_module.studies.report.entries import Entry
from lightning_module.studies.report.markdown import escape
from lightning_module.studies.report.places import Page, Places, link
from lightning_module.studies.report.words import (
    finding_words,
    interval_words,
    needed,
    number,
    number_words,
    p_words,
    quantity_words,
    units_words,
)
from mnist1d_hf.markdown import table

NO_VARIANCE: Final = "no variance"
ROWS_SHOWN: Final = 10  # of a table of an unknown study
DATA_SHOWN: Final = 12  # data sets
SHA256: Final = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


def supplement(entry: Entry, result: Result, places: Places) -> Page:
    """Returns the page.

    Args:
        entry: What it is about.
        result: Its result.
        places: Where the pages are.
    """
    path, study = places.supplement(entry), entry.study
    parts = [f"# Supplement to {escape(entry.title)}"]
    back = link(f"The study {entry.title}", path, places.study(entry))
    parts.append(f"{back} · {link('All studies', path, places.index)}")
    parts += _verdicts(entry)
    if study is None:
        parts += _tables(result)
    elif study.bands:
        parts += _bands(study, result)
    return Page(path=path, text="\n\n".join([*parts, *_making(study, result)]) + "\n")


def _verdicts(entry: Entry) -> Iterator[str]:
    tested = [verdict for verdict in entry.verdicts if verdict.parts]
    published = [verdict for verdict in entry.verdicts if verdict.claim.number is not None]
    if tested:
        yield "## Findings as computed"
        header = ["claim", "contrast", "has to be", "is (95 % interval)", "n", "p", "p after Holm", "finding"]
        yield table(header, [row for verdict in tested for row in _finding_rows(verdict)])
    if published:
        yield "## Published numbers as computed"
        header = ["claim", "quantity", "published", "ours (95 % for one more)", "n", "number"]
        yield table(header, map(_number_row, published))


def _finding_rows(verdict: Verdict) -> Iterator[list[str]]:
    """Yields a row for each contrast; the verdict is on all of them, and stands in the first."""
    name = escape(verdict.claim.name) + (" *(exploratory)*" if verdict.claim.exploratory else "")
    for i, part in enumerate(verdict.parts):
        yield [
            f"{name}, {i + 1}" if i else name,
            escape(quantity_words(part.finding.of)),
            escape(needed(part.finding)),
            escape(interval_words(part.interval, units=part.units)),
            units_words(part) or "-",
            escape(_p_words(part.p, [part])),
            "" if i else escape(_p_words(verdict.p_holm, _deciding(verdict))),
            "" if i else escape(finding_words(verdict)),
        ]


def _deciding(verdict: Verdict) -> list[Part]:
    """Returns the contrasts that decide: those on the wrong side of their margin, or all if there is none."""
    return [part for part in verdict.parts if not part.lies_right] or list(verdict.parts)


def _p_words(p: float | None, parts: Sequence[Part]) -> str:
    """Returns a p-value; from numbers that are the same in all runs comes none."""
    if all(part.units > 1 and part.interval.low == part.interval.high for part in parts):
        return NO_VARIANCE
    return p_words(p if all(part.units for part in parts) else None)


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


def _bands(study: Study[Any], result: Result) -> Iterator[str]:
    yield "## Regression bands"
    yield "Checks that the code still does what it did; no findings."
    yield table(("quantity", "from", "to", "mean", "check"), [_band_row(band, result.tables) for band in study.bands])


def _band_row(band: Band, tables: Tables) -> list[str]:
    try:
        mean = float(band.of.per_unit(tables).mean())
    except NoRowsError:
        mean, check = float("nan"), "○ not checked: the result has no such runs"
    else:
        check = "✓ within" if band.low <= mean <= band.high else "✗ beyond"
    return [escape(text) for text in (band.name, number(band.low), number(band.high), number(mean), check)]


def _making(study: Study[Any] | None, result: Result) -> Iterator[str]:
    yield "## How it was made"
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
        yield "## Data sets"
        yield table(("data set", "what it is"), [(escape(label), escape(_flat(what))) for label, what in shown])
    if len(result.data) > DATA_SHOWN:
        yield f"And {len(result.data) - DATA_SHOWN} more data sets, in result.json with whole digests."


def _rules(study: Study[Any] | None, result: Result) -> str:
    recorded = result.claims_sha256[:12]
    if study is None:
        return f"digest {recorded} recorded before the run"
    now = study.claims_sha256_of(result.preset)
    if result.claims_sha256 == now:
        return f"✓ the same as recorded before the run (digest {recorded})"
    return f"✗ changed since the run began: digest {recorded} was recorded, and is {now[:12]} now"


def _tables(result: Result) -> Iterator[str]:
    """Yields the beginning of each table of a study that nobody here knows."""
    for name, rows in result.tables.items():
        yield f"## Table {escape(name)}"
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

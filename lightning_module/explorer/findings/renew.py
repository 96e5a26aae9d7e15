"""The verdicts of all committed results, kept for the page, which need not judge them anew: that takes seconds.

``python -m lightning_module.explorer.findings.renew docs/results`` writes the packaged file; it belongs to each change
of a result or a claim.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lightning_module.explorer.findings.rows import FILE
from lightning_module.studies import STUDIES
from lightning_module.studies.framework.claims import Verdict
from lightning_module.studies.report.entries import Entry, entries
from lightning_module.studies.report.forest import bars_of
from lightning_module.studies.report.places import Places
from lightning_module.studies.report.rows import amended_words
from lightning_module.studies.report.words import finding_words, in_words, kind, quantity_words
from mnist1d_hf.atomic import replace


def row(entry: Entry, verdict: Verdict) -> dict[str, Any]:
    """Returns a claim with its verdict, in the words of the report, and its figure's numbers."""
    words, cause = in_words(verdict), entry.causes.get(verdict.claim.name)
    amended = entry.amended.get(verdict.claim.name)
    # As on the report's first page: a printed number that could not be tested is none of the statements.
    is_number = kind(verdict.claim) == "statement" and not verdict.claim.findings and bool(verdict.claim.number)
    bars = [asdict(bar) for bar in bars_of(verdict, 0)]
    told: dict[str, Any] = {
        "claim": verdict.claim.name,
        "text": words["statement"],
        "source": words["source"],
        "kind": "number" if is_number else kind(verdict.claim),
        "finding": verdict.finding,
        "words": finding_words(verdict, cause) if cause else words["finding"],
        "of": "; ".join(quantity_words(part.finding.of) for part in verdict.parts),
        "contrast": words["contrast"],
        "needed": words["needed"],
        "n": words["n"],
        "published": words["published"],
        "ours": words["ours"],
        "number": words["number"],
    }
    later = {"amended": f"{amended.amendment.date}: {amended_words(entry, amended)}"} if amended else {}
    return told | later | ({"bars": bars} if bars else {})


def content(found: Sequence[Entry]) -> list[dict[str, Any]]:
    """Returns each study with its verdicts.

    Args:
        found: The entries of a report.
    """
    places = Places(found, Path(), "REPORT.md")
    return [
        {
            "study": entry.title,
            "question": entry.study.question,
            "again": entry.decides_amendments,
            "page": places.study(entry).with_suffix("").as_posix(),
            "claims": [row(entry, verdict) for verdict in entry.verdicts],
        }
        for entry in found
        if entry.study is not None and entry.result is not None
    ]


def text(studies: Sequence[dict[str, Any]]) -> str:
    """Returns the file's text: a line for each claim, so that a change of one is a change of a line."""
    parts = []
    for study in studies:
        head = json.dumps({name: each for name, each in study.items() if name != "claims"}, ensure_ascii=False)
        claims = ",\n".join(json.dumps(claim, ensure_ascii=False) for claim in study["claims"])
        parts.append(f'{head[:-1]}, "claims": [\n{claims}\n]}}')
    return "[\n" + ",\n".join(parts) + "\n]\n"


if __name__ == "__main__":
    written = text(content(entries(Path(sys.argv[1]), STUDIES)))
    replace(Path(__file__).with_name(FILE), lambda part: part.write_text(written, encoding="utf-8"))

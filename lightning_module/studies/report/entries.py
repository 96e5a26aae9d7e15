"""What a report is about: the results of a folder with their verdicts, and the known studies that have none yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightning_module.studies.framework.claims import Verdict
from lightning_module.studies.framework.figures import save_figures
from lightning_module.studies.framework.result import Result
from lightning_module.studies.framework.study import Study

NO_RESULT = "this study has no result yet"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A section of the report.

    Attributes:
        title: Of the section; no other one has it.
        study: The study, if it is known.
        result: Its result, if there is one.
        folder: Where the result is.
        verdicts: On the study's claims, in their order.
        figures: PNG files by name.
    """

    title: str
    study: Study[Any] | None = None
    result: Result | None = None
    folder: Path | None = None
    verdicts: list[Verdict] = field(default_factory=list)
    figures: dict[str, Path] = field(default_factory=dict)


def entries(folder: Path, studies: Mapping[str, Study[Any]]) -> list[Entry]:
    """Returns an entry for each result below a folder, and for each study without one; in the order of the studies.

    Results of unknown studies come last. Figures that a result's folder does not hold are drawn and saved there.

    Raises:
        ValueError: If there is no result.
    """
    found = sorted(file.parent for file in folder.rglob("result.json"))
    if not found:
        raise ValueError(f"folder={str(folder)!r} holds no result.json; run a study first: mnist1d study run NAME")
    results = {place: Result.load(place) for place in found}
    names = [*studies, *sorted({result.study for result in results.values()} - set(studies))]
    listed = []
    for name in names:
        places = [place for place, result in results.items() if result.study == name]
        listed += [_found(place, results[place], studies.get(name), alone=len(places) == 1) for place in places]
        if not places:
            listed.append(_missing(studies[name]))
    return listed


def _found(folder: Path, result: Result, study: Study[Any] | None, *, alone: bool) -> Entry:
    title = result.study if alone else f"{result.study}, {result.preset}, in {folder.name}"
    if study is None:
        figures = {file.stem: file for file in sorted(folder.glob("*.png"))}
        return Entry(title=title, result=result, folder=folder, figures=figures)
    verdicts, figures = study.judge(result), save_figures(study, result, folder)
    return Entry(title=title, study=study, result=result, folder=folder, verdicts=verdicts, figures=figures)


def _missing(study: Study[Any]) -> Entry:
    verdicts = [
        Verdict(
            claim,
            "not tested",
            "none published" if claim.number is None else "not tested",
            reason=claim.not_tested or NO_RESULT,
        )
        for claim in study.claims
    ]
    return Entry(title=study.name, study=study, verdicts=verdicts)

"""What a report is about: the results of a folder with their verdicts, and the known studies that have none yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lightning_module.studies.framework.amendments import SMOKE, Amended
from lightning_module.studies.framework.claims import Verdict
from lightning_module.studies.framework.figures import save_figures
from lightning_module.studies.framework.quantities import Tables
from lightning_module.studies.framework.reasons import Cause, causes, on_other_tests
from lightning_module.studies.framework.result import Result
from lightning_module.studies.framework.statistics import Interval
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
        amended: Amendments of the study with old and new verdicts, by claim.
        decides_amendments: Whether this is a run that was made to decide amendments, and whose claims are in another
            entry by their old rules.
        causes: Why findings are inconclusive, by claim.
        amended_causes: The same by the amended rules.
        on_other_tests: For each contrast of a claim the interval with the sampling of the tests that all seeds share;
            None where they share none.
    """

    title: str
    study: Study[Any] | None = None
    result: Result | None = None
    folder: Path | None = None
    verdicts: list[Verdict] = field(default_factory=list)
    figures: dict[str, Path] = field(default_factory=dict)
    amended: dict[str, Amended] = field(default_factory=dict)
    decides_amendments: bool = False
    causes: dict[str, Cause] = field(default_factory=dict)
    amended_causes: dict[str, Cause] = field(default_factory=dict)
    on_other_tests: dict[str, tuple[Interval | None, ...]] = field(default_factory=dict)


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
        study = studies.get(name)
        places = {place: result for place, result in results.items() if result.study == name}
        deciding = {place: result for place, result in places.items() if _decides_amendments(study, result)}
        usual = {place: result for place, result in places.items() if place not in deciding}
        runs = tuple(deciding.values())
        for place, result in usual.items():
            listed.append(_found(place, result, study, runs, alone=len(usual) == 1))
        if not usual and study is not None:
            listed.append(_missing(study))
        for place, result in deciding.items():
            # The amendments that it decides stand in the usual entry, once.
            entry = _found(place, result, study, alone=False)
            listed.append(replace(entry, decides_amendments=True, amended={}, amended_causes={}))
    return listed


def _decides_amendments(study: Study[Any] | None, result: Result) -> bool:
    presets = {amendment.decided_by for amendment in study.amendments} if study else set()
    return result.preset.removesuffix(SMOKE) in presets - {""}


def _found(
    folder: Path, result: Result, study: Study[Any] | None, runs: Sequence[Result] = (), *, alone: bool
) -> Entry:
    place = "" if folder.name == result.preset else f", in {folder.name}"
    title = result.study if alone else f"{result.study}, {result.preset}{place}"
    if study is None:
        figures = {file.stem: file for file in sorted(folder.glob("*.png"))}
        return Entry(title=title, result=result, folder=folder, figures=figures)
    verdicts, figures = study.judge(result), save_figures(study, result, folder)
    amended = (
        {each.amendment.claim.name: each for each in study.amended(result, runs, verdicts)} if study.amendments else {}
    )
    return Entry(
        title=title,
        study=study,
        result=result,
        folder=folder,
        verdicts=verdicts,
        figures=figures,
        amended=amended,
        causes=causes(verdicts, result.tables),
        amended_causes=_amended_causes(amended, {"": result.tables, **{run.preset: run.tables for run in runs}}),
        on_other_tests={
            verdict.claim.name: tuple(
                on_other_tests(part, result.tables, study.shared_tests, result.config) for part in verdict.parts
            )
            for verdict in verdicts
        },
    )


def _amended_causes(amended: Mapping[str, Amended], tables: Mapping[str, Tables]) -> dict[str, Cause]:
    """Returns why findings are inconclusive by amended rules; the tables are those of each run by its preset."""
    found: dict[str, Cause] = {}
    for each in amended.values():
        if each.new is not None:
            found |= causes([each.new], tables[each.amendment.decided_by])
    return found


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

"""``mnist1d study list | new | run | plot | verify | report``. Torch is imported when a study is."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import jsonargparse
from rich.console import Console
from rich.table import Table

from lightning_module.commands.group import CommandGroup, Parser
from lightning_module.commands.options import Option
from lightning_module.studies import STUDIES
from mnist1d_hf.extras import MissingExtraError

if TYPE_CHECKING:
    from lightning_module.studies.framework.cells import Config
    from lightning_module.studies.framework.claims import Verdict
    from lightning_module.studies.framework.proof.checks import Check
    from lightning_module.studies.framework.result import Result
    from lightning_module.studies.framework.study import Study

console = Console()

FOLDER: Final = "outputs/studies"
PRESET: Final = "quick"
EXIT: Final = {"ok": 0, "not verified": 3, "DIFFERS": 1}  # from the best to the worst
ROOMY: Final = 100  # columns of a terminal from which on the published numbers have one of the table
MOST_NUMBERS: Final = 8  # published numbers without a statement that are printed one by one

Name = Annotated[
    str, "name of a study, see mnist1d study list; or a Python file with a STUDY, or a folder with a study.py"
]
Preset = Annotated[str, "smoke (seconds), quick (minutes) or paper"]
RECOMPUTE: Final = (
    "compute N cells again, chosen by chance, after saying how long they took: the same to the last bit where "
    "processor and versions are, elsewhere within what rounding explains, which is not verified"
)
Folder = Annotated[str | None, f"of the result; {FOLDER}/NAME-PRESET if not given"]


def list_studies() -> int:
    """List the studies."""
    table = Table(box=None, pad_edge=False)
    for column in ("study", "what it measures"):
        table.add_column(column)
    for name in STUDIES:
        table.add_row(name, STUDIES.summary(name))
    console.print(table)
    return 0


def new(
    name: Annotated[str, "the folder to write; lower-case letters, digits and underscores, as my_study"],
) -> int:
    """Write a folder with a small study that runs, to be made one's own."""
    from lightning_module.studies.framework.listing.new_study import write_study
    from lightning_module.studies.framework.running.stopping import Stopped, stopping

    words = "stopped; nothing is written"
    try:
        with stopping(lambda: words):
            written = write_study(Path(name))
    except Stopped as stopped:
        _print_error(words)
        return stopped.status
    for path in written:
        _print(str(path))
    _print(f"a study that runs: mnist1d study run {written[0].parent}{os.sep} --preset smoke")
    return 0


def run(
    name: Name,
    *,
    preset: Preset = PRESET,
    folder: Folder = None,
    workers: Annotated[int | None, "processes; one for each core if not given"] = None,
    restart: Annotated[bool, "begin anew, and delete what the folder holds of it"] = False,
    mnist: Annotated[str | None, Option("the MNIST digits, for the studies that use them", metavar="FILE.npz")] = None,
    changes: Annotated[
        list[str] | None, Option("numbers of the study: seeds=3 steps=500", name="--set", metavar="NAME=VALUE")
    ] = None,
) -> int:
    """Run a study; interrupted, the same command goes on."""
    from lightning_module.studies.framework.environment import cores
    from lightning_module.studies.framework.running.stopping import Stopped, stopping

    places: list[Path] = []  # known once the study is

    def words() -> str:
        return _stopped_words(places[0] if places else None, restart=restart)

    try:
        with stopping(words):
            study = STUDIES.find(name)
            config = _changed(study.config(preset), [*(changes or []), *([f"mnist={mnist}"] if mnist else [])])
            places.append(Path(folder) if folder else study.folder(config))
            return _run(study, config, places[0], cores() if workers is None else workers, restart=restart)
    except Stopped as stopped:
        _print_error(words())
        return stopped.status


def _run(study: "Study[Any]", config: "Config", place: Path, workers: int, *, restart: bool) -> int:
    from lightning_module.studies.framework.running.failures import CellError, WorkerError

    try:
        result = study.run(config, folder=place, workers=workers, progress=True, restart=restart)
    except (CellError, WorkerError) as error:
        _print_error(f"error: {error}")
        if isinstance(error, CellError):
            _print_error(
                f"the same command{' without --restart' if restart else ''} goes on with what is missing; "
                f"{place / 'cells'}{os.sep}CELL.error.txt says where each failed"
            )
            if error.missing:
                raise MissingExtraError(error.missing) from error
        return 1
    _print_verdicts(study, result)
    _draw(study, result, place)
    _print(f"{_minutes(result.provenance['wall_seconds'])}; everything is in {place}{os.sep}")
    return 0


def _stopped_words(place: Path | None, *, restart: bool) -> str:
    """Returns a text that says what is kept of a run that was ended, and how to go on."""
    done = sum(1 for _ in (place / "cells").glob("*.json")) if place else 0
    if place is None or not done:
        return "stopped before a cell was done; the same command begins again"
    begun = any((place / "cells").glob("*.scratch.npz"))
    return (
        f"stopped; {done} finished cell{'' if done == 1 else 's'}{', and how far others were,' if begun else ''} "
        f"{'is' if done == 1 and not begun else 'are'} kept in {place}{os.sep}; the same command"
        f"{' without --restart' if restart else ''} goes on"
    )


def plot(name: Name, *, preset: Preset = PRESET, folder: Folder = None) -> int:
    """Draw the figures of a result again."""
    study, result, place = _saved(name, preset, folder)
    _draw(study, result, place)
    return 0


def verify(
    name: Name,
    *,
    preset: Preset = PRESET,
    folder: Folder = None,
    recompute: Annotated[int, Option(RECOMPUTE, metavar="N")] = 0,
    mnist: Annotated[str | None, Option("the MNIST digits that --recompute needs", metavar="FILE.npz")] = None,
) -> int:
    """Check a result, and print its verdicts. Exit status: 0 ok, 1 something differs, 3 the rows are not verified."""
    from lightning_module.studies.framework.proof.checks import Check, overall
    from lightning_module.studies.framework.proof.verify import findings_of
    from lightning_module.studies.framework.result_head import DamagedResultError

    if recompute < 0:
        raise ValueError(f"--recompute {recompute} must be at least 1, or 0 for no cell")
    try:
        study, result, place = _saved(name, preset, folder)
    except DamagedResultError as error:
        return _print_checks([Check("DIFFERS", str(error))])
    checks = findings_of(study, result, place)
    if overall(checks) != "DIFFERS":
        _print_verdicts(study, result)
    status = _print_checks(checks)
    if not recompute:
        _print_checks([Check("not verified", "no cell was computed again; --recompute N does it with N of them")])
        return status
    if status == EXIT["DIFFERS"]:
        return status
    return max(status, _recompute(study, result, recompute, mnist), key=list(EXIT.values()).index)


def _recompute(study: "Study[Any]", result: "Result", count: int, mnist: str | None) -> int:
    """Computes cells again, after saying which and how long each took; returns the exit status."""
    from lightning_module.studies.framework.json_files import as_json
    from lightning_module.studies.framework.proof.checks import Check
    from lightning_module.studies.framework.proof.recompute import choose, recomputed
    from lightning_module.studies.framework.proof.verify import config_of

    config = config_of(study, result)
    if config is None:
        what = "no cell is computed again: the numbers are none that the study can be run with"
        return _print_checks([Check("not verified", what, essential=True)])
    config = _changed(config, [f"{field}={value}" for field, value in _sources(config, result, mnist).items()])
    record = as_json(config.record())
    if odd := [field for field in record if record[field] != result.config[field]]:
        what = f"no cell is computed again: the result was made with {odd[0]}={result.config[odd[0]]}, not with "
        what += f"{record[odd[0]]}; name the file with --mnist FILE.npz"
        return _print_checks([Check("not verified", what, essential=True)])
    chosen = choose(study, config, result, count)
    names = ", ".join(again.cell.name for again in chosen)
    _print(f"computing {len(chosen)} of {len(study.cells(config))} cells again, chosen by chance: {names}")
    _print(f"when they were computed they took {sum(again.seconds for again in chosen):,.0f} seconds")
    statuses = [_print_checks([recomputed(study, config, result, again)]) for again in chosen]
    return max(statuses, key=list(EXIT.values()).index)


def _sources(config: "Config", result: "Result", mnist: str | None) -> dict[str, Any]:
    """Returns where the data of a result come from, as far as that is no file."""
    from dataclasses import fields

    kept = {field.name: result.config[field.name] for field in fields(config) if not field.compare}
    flags = {name: str(value).lower() for name, value in kept.items() if isinstance(value, bool)}
    return flags | ({"mnist": mnist} if mnist else {})


def _print_checks(checks: "Sequence[Check]") -> int:
    """Prints what was checked, and returns the exit status."""
    from lightning_module.studies.framework.proof.checks import overall

    for check in checks:
        _print(f"{check.answer:14}{check.what}")
    return EXIT[overall(checks)]


def report(
    *,
    folder: Annotated[str, "where the results are, each in a folder of its own"] = FOLDER,
    output: Annotated[str, "folder of report.md and report.html"] = "report",
    studies: Annotated[
        list[str] | None, Option("files and folders of your own studies, for their verdicts", metavar="PLACE")
    ] = None,
) -> int:
    """Write one report of all results, as Markdown and HTML."""
    from lightning_module.studies.report.pages import write_report

    own = {study.name: study for study in map(STUDIES.find, studies or [])}
    for path in write_report(Path(folder), Path(output), studies={**STUDIES, **own}):
        _print(str(path))
    return 0


def _saved(name: str, preset: str, folder: str | None) -> "tuple[Study[Any], Result, Path]":
    """Returns a study, its result, and the result's folder.

    Raises:
        ValueError: If the folder holds no result, or one of another study.
    """
    from lightning_module.studies.framework.result import Result

    study = STUDIES.find(name)
    place = Path(folder) if folder else study.folder(preset)
    result = Result.load(place)
    if result.study != study.name:
        raise ValueError(f"folder={str(place)!r} holds a result of study {result.study!r}, not of {study.name!r}")
    return study, result, place


def _changed(config: "Config", changes: Sequence[str]) -> "Config":
    """Returns the numbers with some of them changed, given as `name=value`, the value in the type of the field.

    Raises:
        ValueError: If there is no such number, or it cannot have this value.
    """
    from dataclasses import fields, replace

    from mnist1d_hf.generator.recipe import nearest

    known = [field.name for field in fields(config)]
    for change in changes:
        if change.partition("=")[0] not in known or "=" not in change:
            raise ValueError(f"--set {change!r} must be NAME=VALUE{nearest(change.partition('=')[0], known)}")
    parser = Parser(exit_on_error=False, allow_abbrev=False)
    parser.add_class_arguments(type(config))
    parser.set_defaults({name: getattr(config, name) for name in known})
    try:
        values = parser.parse_args([f"--{change}" for change in changes])
    except jsonargparse.ArgumentError as error:
        raise ValueError(f"--set {' '.join(changes)}: {' '.join(str(error).split())}") from error
    return replace(config, **{change.partition("=")[0]: values[change.partition("=")[0]] for change in changes})


def _print_verdicts(study: "Study[Any]", result: "Result") -> None:
    """Prints a table of the statements, why some were not tested, and which numbers without a statement are outside."""
    from lightning_module.studies.report.words import FINDINGS

    table = Table(box=None, pad_edge=False)
    roomy = console.width >= ROOMY
    for column in ("claim", "finding", "contrast (95 %)", "has to be", "n", *(["published"] if roomy else [])):
        table.add_column(
            column,
            justify="right" if column == "n" else "left",
            no_wrap=column in ("finding", "contrast (95 %)", "n"),
            min_width=20 if column == "claim" and roomy else None,
            overflow="fold",
        )
    every = study.judge(result)
    numbers = [verdict for verdict in every if verdict.claim.is_number]
    few = len(numbers) <= MOST_NUMBERS
    verdicts = [verdict for verdict in every if few or not verdict.claim.is_number]
    for verdict in verdicts:
        first, *others = _parts(verdict) or [("", "", "")]
        published = _published(verdict)
        table.add_row(verdict.claim.name, FINDINGS[verdict.finding], *first, *([published] if roomy else []))
        for each in others:
            table.add_row("", "", *each)
        if published and not roomy:
            table.add_row("", "published", published)
    _print(study.question)
    console.print(table, highlight=False)
    for verdict in verdicts:
        if verdict.reason and not (verdict.claim.is_number and verdict.number != "not tested"):
            _print(f"{verdict.claim.name} was not tested: {verdict.reason}")
    if not few:
        _print_numbers(numbers)


def _print_numbers(verdicts: "Sequence[Verdict]") -> None:
    """Prints how many published numbers that come without a statement are inside, and those that are not."""
    from lightning_module.studies.report.words import interval_words

    inside = sum(verdict.number == "inside" for verdict in verdicts)
    _print(f"Of {len(verdicts)} further published numbers {inside} are inside the interval for one more run.")
    for verdict in verdicts:
        if verdict.number == "outside" and verdict.prediction:
            ours = interval_words(verdict.prediction, units=verdict.units)
            _print(f"{verdict.claim.name} is outside: published {_published_number(verdict)}, ours {ours}")
        elif verdict.number == "not tested":
            _print(f"{verdict.claim.name} was not tested: {verdict.claim.not_tested or verdict.reason}")


def _published(verdict: "Verdict") -> str:
    """Returns the published number, and whether it is inside our prediction interval."""
    from lightning_module.studies.report.words import NUMBERS

    return f"{_published_number(verdict)} {NUMBERS[verdict.number]}" if verdict.claim.number else ""


def _published_number(verdict: "Verdict") -> str:
    return f"{verdict.claim.number.published:g}" if verdict.claim.number else ""


def _parts(verdict: "Verdict") -> list[tuple[str, str, str]]:
    """Returns the estimate with its interval, the margins and the number of units of each contrast."""
    from lightning_module.studies.report.words import interval_words, needed

    return [
        (interval_words(part.interval, units=part.units), needed(part.finding), str(part.units or "-"))
        for part in verdict.parts
    ]


def _draw(study: "Study[Any]", result: "Result", folder: Path) -> None:
    from lightning_module.studies.framework.figures import save_figures

    for path in save_figures(study, result, folder, again=True).values():
        _print(str(path))


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"


def _print(line: str) -> None:
    console.print(printable(line), highlight=False, markup=False, soft_wrap=True)


def _print_error(line: str) -> None:
    Console(stderr=True).print(printable(line), highlight=False, markup=False, soft_wrap=True)


def printable(text: str) -> str:
    """Returns a text with its control characters written out: somebody's file may hold what moves the cursor."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


GROUP: Final = CommandGroup(
    "mnist1d study",
    "Run studies, and judge what their sources claim.",
    {"list": list_studies, "new": new, "run": run, "plot": plot, "verify": verify, "report": report},
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one study command; returns its exit status.

    0; 1 if a check or a cell failed, 2 if the input cannot be used, 3 if a result is not verified; 130 or 143 if it was
    stopped.
    """
    return GROUP.run(arguments)

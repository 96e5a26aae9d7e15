"""``mnist1d study list | plot | report``: what there is, drawn or written anew."""

from pathlib import Path
from typing import Annotated

from lightning_module.commands.options import Option
from lightning_module.commands.study import printing
from lightning_module.commands.study.options import FOLDER, PRESET, Folder, Name, Preset, saved_result
from lightning_module.commands.study.printing import print_line
from lightning_module.commands.study.verdicts import draw_figures
from lightning_module.studies import STUDIES
from lightning_module.terminal.tables import Column, Table, show


def list_studies() -> int:
    """List the studies."""
    columns = [Column("study"), Column("what it measures", sentence=True)]
    show(Table(columns, [[name, STUDIES.summary(name)] for name in STUDIES]), printing.console)
    return 0


def plot(name: Name, *, preset: Preset = PRESET, folder: Folder = None) -> int:
    """Draw the figures of a result again."""
    study, result, place = saved_result(name, preset, folder)
    draw_figures(study, result, place)
    return 0


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
        print_line(str(path))
    return 0

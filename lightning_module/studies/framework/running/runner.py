"""`run`: the cells of a study, shared among processes, each kept as a file as soon as it is done."""

import logging
import os
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning_module.networks import registering_modules
from lightning_module.studies.framework.cells import Cell, Config
from lightning_module.studies.framework.result import Result
from lightning_module.studies.framework.running.failures import CellError, Failures
from lightning_module.studies.framework.running.journal import Journal
from lightning_module.studies.framework.running.progress import bar
from lightning_module.studies.framework.running.workers import Crew, Job, study_place

if TYPE_CHECKING:
    from lightning_module.studies.framework.study import Study


__all__ = ["CellError", "run"]

logger = logging.getLogger(__name__)

WAIT = 0.2  # seconds between two looks at cells that other processes are at


def run(
    study: "Study[Any]",
    config: Config | str,
    *,
    folder: str | os.PathLike[str] | None,
    workers: int,
    progress: bool,
    restart: bool,
) -> Result:
    """Returns the result of a study; see `Study.run`."""
    if workers < 1:
        raise ValueError(f"workers={workers} must be at least 1")
    numbers = study.config(config) if isinstance(config, str) else config
    place = study_place(study) if workers > 1 else None
    cells = list(study.cells(numbers))
    if len({cell.name for cell in cells}) < len(cells):
        raise ValueError(f"study {study.name!r}: two cells have the same name")
    journal = Journal(study, numbers, study.preset_of(config), Path(folder or study.folder(config)))
    journal.open(restart=restart)
    journal.files.discard_unreadable(cells)
    left = [cell for cell in cells if not journal.files.has(cell)]
    failures = Failures()
    with bar(study.name, cells, left, shown=progress) as advance:
        if place and len(left) > 1:
            job = Job(place, numbers, journal.preset, str(journal.folder), registering_modules())
            _share(journal, job, left, workers, failures, advance)
        _compute_cells(journal, [cell for cell in left if not failures.gave_up(cell)], failures, advance)
    if failed := [cell for cell in cells if failures.gave_up(cell) and not journal.files.has(cell)]:
        _note(journal, failed, failures)
        raise failures.error(done=sum(map(journal.files.has, cells)), of=len(cells))
    journal.check_mine()
    result = journal.assemble(cells)
    result.save(journal.folder)
    return result


def _compute_cells(journal: Journal, cells: list[Cell], failures: Failures, advance: Callable[[Cell], object]) -> None:
    """Computes the cells that no other process is computing, then waits for those that another one is."""
    waiting = cells
    while waiting:
        left, tried = [], False
        for cell in waiting:
            again = False
            with journal.files.claim(cell) as mine:
                if mine and not journal.files.has(cell):
                    tried = True
                    try:
                        journal.compute(cell)
                    except Exception as error:
                        again = failures.add(cell, f"{type(error).__name__}: {error}", error)
            if journal.files.has(cell):
                failures.forget(cell)
                advance(cell)
            elif again or not failures.gave_up(cell):
                left.append(cell)
        if left and not tried:
            time.sleep(WAIT)
        waiting = left


def _share(
    journal: Journal, job: Job, cells: list[Cell], workers: int, failures: Failures, advance: Callable[[Cell], object]
) -> None:
    """Lets processes compute the cells, the most expensive first."""

    def done(cell: Cell) -> None:
        if journal.files.has(cell):  # otherwise another run is at it
            failures.forget(cell)
            advance(cell)

    with Crew(job, min(workers, len(cells))) as crew:
        crew.do(sorted(cells, key=lambda cell: -cell.cost), failures, done)


def _note(journal: Journal, failed: list[Cell], failures: Failures) -> None:
    """Keeps the whole story of each cell that failed beside the cells' files."""
    for cell in failed:
        cause = failures.causes[cell.name]
        text = cause if isinstance(cause, str) else "".join(traceback.format_exception(cause))
        if text:
            file = journal.files.note_failure(cell, text)
            logger.info("%s says why cell %s failed", file, cell.name)

"""`run`: the cells of a study, shared among processes and machines, each kept as a file as soon as it is done."""

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning_module.studies.framework.cells import Cell, Config
from lightning_module.studies.framework.result import Result
from lightning_module.studies.framework.running.cell_files import CellContent
from lightning_module.studies.framework.running.cell_job import CellJob, study_place
from lightning_module.studies.framework.running.failures import CellError, UnfinishedError
from lightning_module.studies.framework.running.journal import Journal
from lightning_module.studies.framework.running.leases import Leases
from lightning_module.studies.framework.running.progress import bar
from mnist1d_hf.engine.answers import Answer
from mnist1d_hf.engine.engine import Engine, TasksError, Turn
from mnist1d_hf.engine.local import LocalEngine

if TYPE_CHECKING:
    from lightning_module.studies.framework.study import Study


__all__ = ["CellError", "UnfinishedError", "run"]

logger = logging.getLogger(__name__)

LOOK = 5.0  # seconds between two looks at which cells others have done
LATE = 90.0  # seconds that a file may take until it is seen here that another machine wrote into a network folder


def run(
    study: "Study[Any]",
    config: Config | str,
    *,
    folder: str | os.PathLike[str] | None,
    engine: Engine,
    progress: bool,
    restart: bool,
    wait: bool,
) -> Result:
    """Returns the result of a study; see `Study.run`."""
    numbers = study.config(config) if isinstance(config, str) else config
    is_here = isinstance(engine, LocalEngine) and engine.workers == 1
    place = None if is_here else study_place(study)
    cells = list(study.cells(numbers))
    if len({cell.name for cell in cells}) < len(cells):
        raise ValueError(f"study {study.name!r}: two cells have the same name")
    journal = Journal(study, numbers, study.preset_of(config), Path(folder or study.folder(config)))
    journal.open(restart=restart)
    left = journal.files.left(cells)
    with Leases(journal.files.folder).kept() as leases, bar(study.name, cells, left, shown=progress) as advance:
        work = _Work(journal, cells, leases, advance, wait)
        while left:
            job = _Here(journal, cells) if place is None else CellJob.of(journal, place)
            work.do(left if is_here else sorted(left, key=lambda cell: -cell.cost), engine, job)
            left = work.left()
            if left and not wait:
                raise UnfinishedError(done=len(cells) - len(left), of=len(cells), owners=leases.others())
    journal.check_mine()
    result = journal.assemble(cells)
    result.save(journal.folder)
    journal.files.tidy()
    return result


@dataclass(frozen=True)
class _Here:
    """What computes cells in this process, which has the study already, importable or not."""

    journal: Journal
    cells: Sequence[Cell]

    def __call__(self, task: tuple[int, str]) -> CellContent | None:
        return self.journal.compute(self.cells[task[0]])


@dataclass
class _Work:
    """What is done to compute cells that nobody else computes."""

    journal: Journal
    cells: Sequence[Cell]
    leases: Leases
    advance: Callable[[Cell], object]
    wait: bool
    _done: set[str] = field(default_factory=set)  # by this process, and those that it gave tasks
    _looked: float = 0.0

    def do(self, order: Sequence[Cell], engine: Engine, job: Callable[[tuple[int, str]], CellContent | None]) -> None:
        """Lets cells be computed, in this order, but not those that another run computes; failed ones again at last.

        Raises:
            CellError: If cells failed, once all others are done.
        """
        number = {cell.name: i for i, cell in enumerate(self.cells)}
        tasks = [(number[cell.name], cell.name) for cell in order]
        by_name = {cell.name: cell for cell in order}
        try:
            for i, content in engine.map(
                job, tasks, label=lambda task: f"cell {task[1]}", turn=lambda i: self._turn(order[i])
            ):
                if content is not None:
                    self.journal.keep(order[i], content)
                self._done.add(order[i].name)
                self.leases.give_back(order[i].name)
                self.advance(order[i])
                self._note_others(by_name)
        except TasksError as error:
            self._note_failures([(order[i], answer) for i, answer in error.failures.items()], error)

    def left(self) -> list[Cell]:
        """Returns what is still not done; waits for files of our own that a network folder does not show yet."""
        until = time.monotonic() + LATE
        while True:
            left = self.journal.files.left(self.cells)
            late = [cell for cell in left if cell.name in self._done]
            if not late or time.monotonic() > until:
                self._done -= {cell.name for cell in late}
                return left
            self.journal.check_mine()
            time.sleep(1.0)

    def _turn(self, cell: Cell) -> Turn:
        """Takes a cell, unless it is done, or somebody else is at it."""
        if not self.journal.files.has(cell):
            if not self.leases.take(cell.name):
                return Turn.LATER if self.wait else Turn.NEVER
            if not self.journal.files.has(cell):
                self.journal.files.discard_unreadable(cell)
                return Turn.NOW
            self.leases.give_back(cell.name)  # it was done in between
        self.advance(cell)
        return Turn.NEVER

    def _note_others(self, cells: dict[str, Cell]) -> None:
        """Counts the cells that others have done, now and then."""
        if time.monotonic() - self._looked > LOOK:
            self._looked = time.monotonic()
            for name in self.journal.files.names() & cells.keys():
                self.advance(cells[name])

    def _note_failures(self, failures: Sequence[tuple[Cell, Answer]], error: TasksError) -> None:
        """Keeps the whole story of each cell that failed beside the cells' files, unless another run has done it.

        Raises:
            CellError: If there is one.
        """
        failed = [(cell, answer) for cell, answer in failures if not self.journal.files.has(cell)]
        for cell, answer in failed:
            if answer.trace:
                file = self.journal.files.note_failure(cell.name, answer.trace)
                logger.info("%s says why cell %s failed", file, cell.name)
        if failed:
            done = len(self.cells) - len(self.journal.files.left(self.cells))
            named = {cell.name: answer.what for cell, answer in failed}
            raise CellError(named, done=done, of=len(self.cells)) from error.__cause__

"""Processes that do a study's cells, each alone: one that is killed takes no other with it, and none outlives this one.

`concurrent.futures` ends all of a pool's work when one of its processes is killed, and lets them live on when this one
is.
"""

import importlib
import os
import signal
import sys
import threading
import traceback
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import active_children, get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning_module.studies.framework.cells import Cell
from lightning_module.studies.framework.running.failures import TRIES, Failures, WorkerError
from lightning_module.studies.framework.running.journal import Journal
from lightning_module.studies.framework.study_folder import folder_of, package_of

if TYPE_CHECKING:
    from lightning_module.studies.framework.study import Study


LOOK = 0.5  # seconds after which a process that ended without a word is noticed
CONTEXT = get_context("spawn")  # torch's threads do not survive a fork


@dataclass(frozen=True)
class Job:
    """What a process needs to do any cell of a run: the study by module and name.

    Attributes:
        place: The study's module, and its name there.
        config: Its numbers.
        preset: The name of the preset.
        folder: The folder of the run.
        modules: Modules to import first: those that register networks.
    """

    place: tuple[str, str]
    config: Any
    preset: str
    folder: str
    modules: tuple[str, ...] = ()


@dataclass
class Worker:
    """A process, our end of the pipe to it, and the cell that it computes.

    Attributes:
        process: The process.
        pipe: Our end of the pipe.
        cell: The cell that it was given; None if it has none.
        has_begun: Whether it has said that it can begin.
    """

    process: Any
    pipe: Connection
    cell: Cell | None = None
    has_begun: bool = False


class Crew:
    """Processes that share the cells of a run.

    Args:
        job: What they do cells of.
        size: How many there are.
    """

    def __init__(self, job: Job, size: int) -> None:
        self._job, self._size, self._name = job, size, f"study worker {uuid.uuid4().hex}"
        self._workers: list[Worker] = []
        self._never_began = 0

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def do(self, cells: Sequence[Cell], failures: Failures, done: Callable[[Cell], None]) -> None:
        """Computes the cells in this order, but not those that another run computes; tries failed ones again at last.

        Args:
            cells: What is to be done.
            failures: Gets what failed.
            done: Called for each cell that a process has come back from.

        Raises:
            WorkerError: If no process can begin.
        """
        waiting = deque(cells)
        while waiting or any(worker.cell for worker in self._workers):
            self._fill(waiting)
            ready = set(wait([end for each in self._workers for end in (each.pipe, each.process.sentinel)], LOOK))
            for worker in list(self._workers):
                if worker.pipe in ready or worker.process.sentinel in ready:
                    self._receive_message(worker, waiting, failures, done)

    def kill(self) -> None:
        """Ends all processes at once. What they write is written whole or not at all."""
        mine = [child for child in active_children() if child.name == self._name]  # also one that is just starting
        for child in mine:
            child.kill()
        for child in mine:
            child.join()
        for worker in self._workers:
            worker.pipe.close()
        self._workers = []

    def _fill(self, waiting: deque[Cell]) -> None:
        """Gives each idle process a cell, and starts those that are missing."""
        for worker in self._workers:
            if worker.cell is None and waiting:
                worker.cell = waiting.popleft()
                with suppress(OSError):  # it was killed; that is heard next
                    worker.pipe.send(worker.cell.name)
        while waiting and len(self._workers) < self._size:
            worker = _start(self._job, self._name)
            self._workers.append(worker)
            worker.cell = waiting.popleft()
            with suppress(OSError):
                worker.pipe.send(worker.cell.name)

    def _receive_message(
        self, worker: Worker, waiting: deque[Cell], failures: Failures, done: Callable[[Cell], None]
    ) -> None:
        """Handles the message of a process, or its end."""
        try:
            error, trace = worker.pipe.recv() if worker.pipe.poll() else _ended(worker)
        except (EOFError, OSError):
            error, trace = _ended(worker)
        began, worker.has_begun = worker.has_begun, True
        if not began and error is None:
            return  # it says that it has begun
        cell, worker.cell = worker.cell, None
        if not began or not worker.process.is_alive():
            self._workers.remove(worker)
            worker.process.kill()
            worker.process.join()
            worker.pipe.close()
        if not began:
            self._could_not_begin(error, trace)
        if cell is None:
            return
        if error is None:
            done(cell)
        elif not began or failures.add(cell, error, trace):
            waiting.append(cell)

    def _could_not_begin(self, error: str, trace: str) -> None:
        self._never_began += 1
        if self._never_began >= TRIES:
            raise WorkerError(
                f"{error}, before it did a cell; a script that runs a study with workers needs "
                f'if __name__ == "__main__": around that\n{trace}'.rstrip()
            )


def _ended(worker: Worker) -> tuple[str, str]:
    worker.process.join()
    code = worker.process.exitcode
    name = f"exit status {code}"
    if code < 0:
        known = {each.value: each.name for each in signal.Signals}
        name = f"signal {known.get(-code, -code)}"
    return f"its process ended by {name}", ""


def _start(job: Job, name: str) -> Worker:
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_compute_named_cells, args=(theirs, folder_of(job.place[0])), name=name)
    with _without_interrupts():
        process.start()
    theirs.close()
    with suppress(OSError):  # it was killed; that is heard next
        ours.send(job)
    return Worker(process, ours)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Starts processes that Ctrl-C does not reach: the terminal sends it to all, and this one ends the others."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which would let interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _compute_named_cells(pipe: Connection, folder: Path | None) -> None:
    """Computes the cells that the pipe names, until it ends; the first message names the job.

    Args:
        pipe: To the process that started this one.
        folder: The study's, if it is somebody's own: from then on what the pipe brings can be imported.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        if folder is not None:
            package_of(folder)
        job: Job = pipe.recv()
        for module in job.modules:
            importlib.import_module(module)
        study = study_at(job.place)
        journal = Journal(study, job.config, job.preset, Path(job.folder))
        journal.open(restart=False)
        cells = {cell.name: cell for cell in study.cells(job.config)}
    except Exception as error:
        pipe.send(_error_and_traceback(error))
        return
    pipe.send((None, ""))
    while True:
        try:
            cell = cells[pipe.recv()]
        except EOFError:
            return
        try:
            with journal.files.claim(cell) as mine:
                if mine and not journal.files.has(cell):
                    journal.compute(cell)
        except (Exception, SystemExit) as error:
            pipe.send(_error_and_traceback(error))
        else:
            pipe.send((None, ""))


def _error_and_traceback(error: BaseException) -> tuple[str, str]:
    return f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error))


def _end_with_parent() -> None:
    """Ends this process when the one that started it has ended, however it did."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def study_place(study: "Study[Any]") -> tuple[str, str]:
    """Returns the module and the name under which another process finds a study.

    Raises:
        ValueError: If it has none.
    """
    function = study.run_cell
    module = sys.modules.get(getattr(function, "__module__", ""))
    for name, found in vars(module).items() if module and module.__name__ != "__main__" else ():
        if found is study:
            return module.__name__, name  # type: ignore[union-attr]
    raise ValueError(
        f"workers must be 1 for study {study.name!r}: other processes cannot import it; "
        "put it into a module, beside its run_cell function"
    )


def study_at(place: tuple[str, str]) -> "Study[Any]":
    """Returns the study at a place."""
    module, name = place
    return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]

"""`run`: the cells of a study, shared among processes, each kept as a file as soon as it is done."""

import dataclasses
import importlib
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from filelock import FileLock, Timeout

import mnist1d_hf
from lightning_module.studies.allocation import keep_freed_memory
from lightning_module.studies.base import Cell, Config, Outcome, Study, command_line
from lightning_module.studies.progress import bar
from lightning_module.studies.result import Result, check_arrays, table_of, write_arrays
from lightning_module.studies.scratch import Scratch
from mnist1d_hf.atomic import replace

VERSIONS = ("torch", "pytorch-lightning", "numpy", "datasets")
WAIT = 0.2  # seconds between two looks at cells that other processes are at


class CellError(RuntimeError):
    """A cell of a study raised an exception, which is the cause of this one."""


def run(
    study: Study[Any],
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
    journal = Journal(study, numbers, study.preset_of(config), Path(folder or study.folder(config)))
    journal.open(restart=restart)
    cells = list(study.cells(numbers))
    if len({cell.name for cell in cells}) < len(cells):
        raise ValueError(f"study {study.name!r}: two cells have the same name")
    left = [cell for cell in cells if not journal.has(cell)]
    with bar(study.name, cells, left, shown=progress) as advance:
        if workers > 1 and len(left) > 1:
            _share(study, journal, left, min(workers, len(left)), advance)
        _work(journal, left, advance)
    result = journal.assemble(cells)
    result.save(journal.folder)
    return result


class Journal:
    """The folder of a run: what it is a run of, and a file for each cell that is done."""

    def __init__(self, study: Study[Any], config: Any, preset: str, folder: Path) -> None:
        self.study, self.config, self.preset, self.folder = study, config, preset, folder
        self._cells = folder / "cells"

    def open(self, *, restart: bool) -> None:
        """Says what the folder is a run of, or compares it with what it says.

        Raises:
            ValueError: If it is one of other numbers, or with other versions of the libraries.
        """
        head = {
            "study": self.study.name,
            "config": _as_json(self.config.record()),
            "versions": _versions(),
            "claims_sha256": self.study.claims_sha256,
            "command": command_line(),
        }
        file = self.folder / "run.json"
        if restart:
            (self.folder / "result.json").unlink(missing_ok=True)
            if self._cells.is_dir():
                shutil.rmtree(self._cells)
            file.unlink(missing_ok=True)  # last: what is left after an interruption belongs to it
        if not file.is_file():
            self._cells.mkdir(parents=True, exist_ok=True)
            replace(file, lambda part: part.write_text(json.dumps(head, indent=1) + "\n", encoding="utf-8"))
        self.head: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        for name in ("study", "config", "versions"):
            if self.head[name] != head[name]:
                raise ValueError(
                    f"folder={str(self.folder)!r} holds a run with {name} {self.head[name]}, and this is "
                    f"{head[name]}; choose another folder, or restart=True to begin anew"
                )

    def has(self, cell: Cell) -> bool:
        """Returns whether the cell is done."""
        return self._file(cell).is_file()

    def compute(self, cell: Cell) -> None:
        """Does a cell and keeps what it came to."""
        keep_freed_memory()
        scratch = Scratch(self._file(cell, ".scratch.npz"))
        with _one_thread(), _named(cell):
            outcome = self.study.run_cell(self.config, dataclasses.replace(cell, scratch=scratch))
            if not isinstance(outcome, Outcome):
                outcome = Outcome({"rows": outcome})
            check_arrays(outcome.arrays)
            for rows in outcome.tables.values():
                table_of(rows)  # what no table can hold is an error now, and not after the last cell
        record = {
            "tables": {name: _as_json(rows) for name, rows in outcome.tables.items()},
            "data": _as_json(outcome.data),
            "started": time.time() - scratch.seconds,
            "seconds": scratch.seconds,
        }
        if outcome.arrays:
            replace(self._file(cell, ".npz"), partial(write_arrays, arrays=outcome.arrays))
        replace(self._file(cell), lambda part: part.write_text(json.dumps(record), encoding="utf-8"))
        self._file(cell, ".scratch.npz").unlink(missing_ok=True)

    @contextmanager
    def claim(self, cell: Cell) -> Iterator[bool]:
        """Gives the cell to this process, or says that another one has it; the lock goes with the process."""
        lock = FileLock(self._file(cell, ".lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def assemble(self, cells: list[Cell]) -> Result:
        """Returns the result of all cells, in their order."""
        records = [json.loads(self._file(cell).read_text(encoding="utf-8")) for cell in cells]
        tables: dict[str, list[dict[str, Any]]] = {}
        data: dict[str, Any] = {}
        arrays: dict[str, npt.NDArray[Any]] = {}
        for cell, record in zip(cells, records, strict=True):
            for name, rows in record["tables"].items():
                tables.setdefault(name, []).extend(rows)
            data |= record["data"]
            if (file := self._file(cell, ".npz")).is_file():
                with np.load(file, allow_pickle=False) as held:
                    arrays |= {name: held[name] for name in held}
        return Result(
            study=self.study.name,
            preset=self.preset,
            config=self.head["config"],
            tables={name: table_of(rows) for name, rows in tables.items()},
            arrays=arrays,
            data=data,
            versions=self.head["versions"],
            claims_sha256=self.head["claims_sha256"],
            provenance={
                "command": self.head["command"],
                "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}",
                "finished": datetime.fromtimestamp(max(_end(r) for r in records), UTC).isoformat(timespec="seconds"),
                "wall_seconds": round(_covered(records), 1),
                "cell_seconds": round(sum(record["seconds"] for record in records), 1),
            },
        )

    def _file(self, cell: Cell, suffix: str = ".json") -> Path:
        return self._cells / (cell.name + suffix)


def _work(journal: Journal, cells: list[Cell], advance: Any) -> None:
    """Does the cells that nobody else is at, then waits for those that somebody is."""
    waiting = [cell for cell in cells if not journal.has(cell)]
    while waiting:
        left = []
        for cell in waiting:
            with journal.claim(cell) as mine:
                if mine and not journal.has(cell):
                    journal.compute(cell)
            if journal.has(cell):
                advance(cell)
            else:
                left.append(cell)
        if len(left) == len(waiting):
            time.sleep(WAIT)
        waiting = left


def _share(study: Study[Any], journal: Journal, cells: list[Cell], workers: int, advance: Any) -> None:
    """Lets processes do the cells, the most expensive first."""
    place = study_place(study)
    cells = sorted(cells, key=lambda cell: -cell.cost)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures: dict[Future[None], Cell] = {
            pool.submit(_cell_in_process, place, journal.config, journal.preset, str(journal.folder), cell.name): cell
            for cell in cells
        }
        pending = set(futures)
        try:
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
                    if journal.has(futures[future]):
                        advance(futures[future])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _cell_in_process(place: tuple[str, str], config: Any, preset: str, folder: str, name: str) -> None:
    study = study_at(place)
    journal = Journal(study, config, preset, Path(folder))
    journal.open(restart=False)
    (cell,) = (cell for cell in study.cells(config) if cell.name == name)
    with journal.claim(cell) as mine:
        if mine and not journal.has(cell):
            journal.compute(cell)


def study_place(study: Study[Any]) -> tuple[str, str]:
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


def study_at(place: tuple[str, str]) -> Study[Any]:
    """Returns the study at a place."""
    module, name = place
    return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]


@contextmanager
def _named(cell: Cell) -> Iterator[None]:
    """Says which cell an exception comes from."""
    try:
        yield
    except Exception as error:
        raise CellError(f"cell {cell.name}: {type(error).__name__}: {error}") from error


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread, whose sums do not depend on the number of cores; small networks gain nothing from a second."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _versions() -> dict[str, str]:
    return {
        "mnist1d_hf": mnist1d_hf.__version__,
        "data": mnist1d_hf.DATA_VERSION,
        **{name: version(name) for name in VERSIONS},
    }


def _as_json(value: Any) -> Any:
    """Returns a value as it is after being written as JSON and read again; NumPy's numbers are numbers."""
    if isinstance(value, Mapping):
        return {str(name): _as_json(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and value != value else value


def _end(record: Mapping[str, Any]) -> float:
    return float(record["started"] + record["seconds"])


def _covered(records: list[dict[str, Any]]) -> float:
    """Returns the seconds in which at least one cell was being computed."""
    seconds, until = 0.0, 0.0
    for record in sorted(records, key=lambda record: record["started"]):
        seconds += max(0.0, _end(record) - max(until, record["started"]))
        until = max(until, _end(record))
    return seconds

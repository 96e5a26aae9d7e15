"""The file of each cell that is done: its outcome, what it was computed with, and a digest by which it is known."""

import hashlib
import json
import logging
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy.typing as npt

from lightning_module.studies.framework.cells import Cell, Outcome
from lightning_module.studies.framework.checkpoint import Scratch
from lightning_module.studies.framework.records.environment import processor
from lightning_module.studies.framework.records.json_files import as_json, canonical, read_json
from lightning_module.studies.framework.records.result_head import check_name
from lightning_module.studies.framework.result import check_arrays, read_arrays, table_of, write_arrays
from lightning_module.studies.framework.running.claiming import claim
from mnist1d_hf.atomic import replace
from mnist1d_hf.stored import file_digest

logger = logging.getLogger(__name__)

MOST_BYTES = 2**31  # of a cell's rows; the largest of the packaged studies has 0.3 MB


@dataclass(frozen=True)
class Record:
    """The content of a cell's file.

    Attributes:
        tables: Rows by table.
        data: The data sets it used.
        arrays: Arrays by name.
        started: When, in seconds of the epoch.
        seconds: How long it took.
        processor: What computed it; empty in files of versions up to 0.1.0.
    """

    tables: dict[str, list[dict[str, Any]]]
    data: dict[str, Any]
    arrays: dict[str, npt.NDArray[Any]]
    started: float
    seconds: float
    processor: str = ""

    @property
    def end(self) -> float:
        """Returns when the cell was done."""
        return self.started + self.seconds


class UnreadableError(ValueError):
    """A cell's file is not whole, or not of this run."""


class CellFiles:
    """The files of a run's cells.

    Args:
        folder: Where they are.
        run: The digest of what the run is; a cell of another run is not done.
        older: Whether files of versions up to 0.1.0, which do not say what run they are of, are of this one.
    """

    def __init__(self, folder: Path, *, run: str, older: bool) -> None:
        self.folder, self._run, self._older = folder, run, older
        self._known: dict[str, tuple[object, bool]] = {}

    def has(self, cell: Cell) -> bool:
        """Returns whether the cell is done, and its files are whole; looks at files anew that have changed."""
        stamp = (_stamp(self._file(cell)), _stamp(self._file(cell, ".npz")))
        if stamp[0] is None:
            return False
        if self._known.get(cell.name, (None,))[0] != stamp:
            try:
                self.read(cell)
                self._known[cell.name] = (stamp, True)
            except UnreadableError:
                self._known[cell.name] = (stamp, False)
        return self._known[cell.name][1]

    def read(self, cell: Cell) -> Record:
        """Returns the record of a cell that is done.

        Raises:
            UnreadableError: If its files are not whole, or of another run.
        """
        file, arrays = self._file(cell), self._file(cell, ".npz")
        try:
            found = read_json(file, most=MOST_BYTES)
            if "sha256" in found or not self._older:
                sealed = {name: value for name, value in found.items() if name != "sha256"}
                if found.get("sha256") != hashlib.sha256(canonical(sealed)).hexdigest():
                    raise UnreadableError(f"{file} is not as it was written")
                if found["run"] != self._run:
                    raise UnreadableError(f"{file} is of another run")
                if found["arrays_sha256"] != (file_digest(arrays) if arrays.is_file() else None):
                    raise UnreadableError(f"{arrays} is not the file that belongs to {file.name}")
            return Record(
                tables={str(name): list(rows) for name, rows in found["tables"].items()},
                data=dict(found["data"]),
                arrays=read_arrays(arrays) if arrays.is_file() else {},
                started=float(found["started"]),
                seconds=float(found["seconds"]),
                processor=str(found.get("processor", "")),
            )
        except (OSError, LookupError, TypeError, AttributeError, ValueError) as error:
            # Of a file that is whole the types are right, those of an older one may be anything.
            raise error if isinstance(error, UnreadableError) else UnreadableError(str(error)) from error

    def write(self, cell: Cell, outcome: Outcome, scratch: Scratch) -> None:
        """Writes the outcome of a cell, and deletes its checkpoint."""
        arrays = self._file(cell, ".npz")
        if outcome.arrays:
            replace(arrays, partial(write_arrays, arrays=outcome.arrays))
        else:
            arrays.unlink(missing_ok=True)  # of another run
        record = {
            "run": self._run,
            "tables": {name: as_json(rows) for name, rows in outcome.tables.items()},
            "data": as_json(outcome.data),
            "arrays_sha256": file_digest(arrays) if outcome.arrays else None,
            "started": time.time() - scratch.seconds,
            "seconds": scratch.seconds,
            "processor": processor(),
        }
        record["sha256"] = hashlib.sha256(canonical(record)).hexdigest()
        replace(self._file(cell), lambda part: part.write_text(json.dumps(record), encoding="utf-8"))
        for ending in (".scratch.npz", ".error.txt"):
            self._file(cell, ending).unlink(missing_ok=True)

    def discard_unreadable(self, cells: list[Cell]) -> None:
        """Deletes what cannot be used, unless another process is just computing it, and says so."""
        for cell in cells:
            if self.has(cell) or not self._file(cell).exists():
                continue
            with self.claim(cell) as mine:
                if mine and not self.has(cell) and self._file(cell).exists():
                    try:
                        self.read(cell)
                    except UnreadableError as error:
                        logger.warning("%s: cell %s is computed again", error, cell.name)
                    self._file(cell).unlink(missing_ok=True)

    def claim(self, cell: Cell) -> Any:
        """Gives the cell to this process, or says that another one has it."""
        return claim(self._file(cell, ".lock"))

    def scratch(self, cell: Cell) -> Scratch:
        """Returns the checkpoint of a cell: what it has computed so far."""
        return Scratch(self._file(cell, ".scratch.npz"), run=self._run)

    def note_failure(self, cell: Cell, text: str) -> Path:
        """Returns the file that says why a cell failed."""
        file = self._file(cell, ".error.txt")
        replace(file, lambda part: part.write_text(text, encoding="utf-8", errors="backslashreplace"))
        return file

    def of_another_run(self) -> Path | None:
        """Returns a whole file in the folder that is of another run, if there is one."""
        for file in sorted(self.folder.glob("*.json")):
            try:
                found = read_json(file, most=MOST_BYTES)
                seal = found.pop("sha256")
                if seal == hashlib.sha256(canonical(found)).hexdigest() and found["run"] != self._run:
                    return file
            except (ValueError, LookupError, OSError):
                continue
        return None

    def _file(self, cell: Cell, suffix: str = ".json") -> Path:
        return self.folder / (cell.name + suffix)


def checked(outcome: Any) -> Outcome:
    """Returns what a cell returned, if files can hold it: an error now, and not after the last cell.

    Raises:
        ValueError: If they cannot.
    """
    found = outcome if isinstance(outcome, Outcome) else Outcome({"rows": outcome})
    check_arrays(found.arrays)
    for name, rows in found.tables.items():
        check_name(name)
        table_of(rows)
    return found


def _stamp(file: Path) -> object:
    try:
        about = file.stat()
    except OSError:
        return None
    return about.st_ino, about.st_size, about.st_mtime_ns

"""The file of each cell that is done: its outcome, what it was computed with, and a digest by which it is known."""

import hashlib
import io
import json
import logging
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy.typing as npt

from lightning_module.studies.framework.cells import Cell, Outcome
from lightning_module.studies.framework.checkpoint import Scratch
from lightning_module.studies.framework.records.environment import processor
from lightning_module.studies.framework.records.json_files import as_json, canonical, read_json
from lightning_module.studies.framework.records.result_head import check_name
from lightning_module.studies.framework.result import check_arrays, pack_arrays, read_arrays, table_of
from lightning_module.studies.framework.running.leases import ENDING as LEASE
from mnist1d_hf.atomic import replace
from mnist1d_hf.stored import file_digest

logger = logging.getLogger(__name__)

ENDING: Final = ".json"
LONG: Final = 5.0  # seconds of work that a machine that loses its power must not cost
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
        machine: The name of the machine that did; empty in files of versions up to 0.2.0.
    """

    tables: dict[str, list[dict[str, Any]]]
    data: dict[str, Any]
    arrays: dict[str, npt.NDArray[Any]]
    started: float
    seconds: float
    processor: str = ""
    machine: str = ""

    @property
    def end(self) -> float:
        """Returns when the cell was done."""
        return self.started + self.seconds


@dataclass(frozen=True)
class CellContent:
    """What a cell's files are to hold.

    Attributes:
        record: The JSON file.
        arrays: The NPZ file; None if there is none.
        seconds: What the cell took.
    """

    record: bytes
    arrays: bytes | None
    seconds: float


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

    def names(self) -> set[str]:
        """Returns the names of the cells that have a file, by one look at the folder."""
        with os.scandir(self.folder) as entries:
            return {entry.name.removesuffix(ENDING) for entry in entries if entry.name.endswith(ENDING)}

    def left(self, cells: Sequence[Cell]) -> list[Cell]:
        """Returns the cells that are not done."""
        there = self.names()
        return [cell for cell in cells if cell.name not in there or not self.has(cell)]

    def has(self, cell: Cell) -> bool:
        """Returns whether the cell is done, and its files are whole; looks at files anew that have changed."""
        name = cell.name
        stamp = (_stamp(self._file(name)), _stamp(self._file(name, ".npz")))
        if stamp[0] is None:
            return False
        if self._known.get(name, (None,))[0] != stamp:
            try:
                self.read(cell)
                self._known[name] = (stamp, True)
            except UnreadableError:
                self._known[name] = (stamp, False)
        return self._known[name][1]

    def read(self, cell: Cell) -> Record:
        """Returns the record of a cell that is done.

        Raises:
            UnreadableError: If its files are not whole, or of another run.
        """
        file, arrays = self._file(cell.name), self._file(cell.name, ".npz")
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
                machine=str(found.get("machine", "")),
            )
        except (OSError, LookupError, TypeError, AttributeError, ValueError) as error:
            # Of a file that is whole the types are right, those of an older one may be anything.
            raise error if isinstance(error, UnreadableError) else UnreadableError(str(error)) from error

    def content(self, outcome: Outcome, scratch: Scratch) -> CellContent:
        """Returns what the files of a cell are to hold that was computed just now, here."""
        arrays = None
        if outcome.arrays:
            packed = io.BytesIO()
            pack_arrays(packed, arrays=outcome.arrays)
            arrays = packed.getvalue()
        record = {
            "run": self._run,
            "tables": {name: as_json(rows) for name, rows in outcome.tables.items()},
            "data": as_json(outcome.data),
            "arrays_sha256": hashlib.sha256(arrays).hexdigest() if arrays is not None else None,
            "started": time.time() - scratch.seconds,
            "seconds": scratch.seconds,
            "processor": processor(),
            "machine": platform.node(),
        }
        record["sha256"] = hashlib.sha256(canonical(record)).hexdigest()
        return CellContent(json.dumps(record).encode(), arrays, scratch.seconds)

    def write(self, name: str, content: CellContent) -> None:
        """Writes the files of a cell that is done, and deletes its checkpoint."""
        file, arrays = self._file(name), self._file(name, ".npz")
        # Of ten thousand short cells the disk would take most of the time; one that is half there is computed again.
        to_disk = content.seconds >= LONG
        if content.arrays is not None:
            held = content.arrays
            replace(arrays, lambda part: part.write_bytes(held), to_disk=to_disk)
        else:
            arrays.unlink(missing_ok=True)  # of another run
        replace(file, lambda part: part.write_bytes(content.record), to_disk=to_disk)
        for ending in (".scratch.npz", ".error.txt"):
            self._file(name, ending).unlink(missing_ok=True)

    def discard_unreadable(self, cell: Cell) -> None:
        """Deletes what cannot be used of a cell that this process has, and says so."""
        file = self._file(cell.name)
        if not file.exists():
            return
        try:
            self.read(cell)
        except UnreadableError as error:
            logger.warning("%s: cell %s is computed again", error, cell.name)
            file.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Deletes what is of no use beside cells that are all done: of others that computed one of them as well."""
        for entry in sorted(self.folder.iterdir()):
            if entry.name.endswith((".scratch.npz", ".error.txt", ".lock", LEASE)):
                entry.unlink(missing_ok=True)

    def empty(self) -> None:
        """Deletes everything in the folder, but not the folder: another process may be writing into it."""
        for entry in [*self.folder.iterdir()] if self.folder.is_dir() else []:
            entry.unlink(missing_ok=True)

    def scratch(self, cell: Cell) -> Scratch:
        """Returns the checkpoint of a cell: what it has computed so far."""
        return Scratch(self._file(cell.name, ".scratch.npz"), run=self._run)

    def note_failure(self, name: str, text: str) -> Path:
        """Returns the file that says why a cell failed."""
        file = self._file(name, ".error.txt")
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

    def _file(self, name: str, ending: str = ENDING) -> Path:
        return self.folder / (name + ending)


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

"""`Journal`: the folder of a run, with the cells that are done, and the result put together of them."""

import dataclasses
import hashlib
import json
import logging
import os
import platform
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt
import torch

from lightning_module.studies.framework.cells import Cell, Outcome
from lightning_module.studies.framework.checkpoint import Scratch
from lightning_module.studies.framework.records.environment import versions
from lightning_module.studies.framework.records.json_files import as_json, canonical, read_json
from lightning_module.studies.framework.result import Result, table_of
from lightning_module.studies.framework.running.cell_files import CellContent, CellFiles, Record, checked
from lightning_module.studies.framework.running.leases import Leases, named
from lightning_module.studies.framework.running.memory import keep_freed_memory
from lightning_module.studies.framework.sealing import sealed
from mnist1d_hf import atomic

if TYPE_CHECKING:
    from lightning_module.studies.framework.study import Study


logger = logging.getLogger(__name__)

FORMAT = 2  # of run.json; 2: each cell's file has its digest, and says of which run it is
SAME = ("study", "config", "versions")  # what tells one run from another


class Journal:
    """The folder of a run: which run it is, and files for each cell that is done."""

    def __init__(self, study: "Study[Any]", config: Any, preset: str, folder: Path) -> None:
        self.study, self.config, self.preset, self.folder = study, config, preset, folder
        self._cells = folder / "cells"

    def open(self, *, restart: bool) -> None:
        """Writes into the folder which run it is, or compares this run with the one that is written there.

        Raises:
            ValueError: If it is one of other numbers, or with other versions of the libraries; or if others are at
                cells that a restart would delete.
        """
        head, file = self._head(), self.folder / "run.json"
        if restart:
            self._clear()
        self._cells.mkdir(parents=True, exist_ok=True)
        for place in (self.folder, self._cells):
            atomic.sweep(place)
        self._begin(file, head)
        self.head = self._read(file)
        self._compare(head)
        self._files()

    def join(self, head: dict[str, Any]) -> None:
        """Takes part in a run that another process has opened, perhaps on another machine.

        Raises:
            ValueError: If this process has other numbers, or other versions of the libraries.
        """
        self.head = head
        self._compare(self._head())
        self._files()

    def _head(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "study": self.study.name,
            "config": as_json(self.config.record()),
            "versions": versions(),
            "claims_sha256": self.study.claims_sha256_of(self.preset),
            "command": _command_line(),
        }

    def _clear(self) -> None:
        """Deletes what the folder holds of a run, but not beside others that are computing it."""
        if others := Leases(self._cells).others():
            raise ValueError(
                f"restart=True would delete cells of folder={str(self.folder)!r} that {named(others)} "
                f"{'computes' if len(others) == 1 else 'compute'}; end that first, leave the option out to share the "
                "cells, or choose another folder"
            )
        (self.folder / "result.json").unlink(missing_ok=True)
        CellFiles(self._cells, run="", older=False).empty()
        (self.folder / "run.json").unlink(missing_ok=True)  # last: what is left after an interruption belongs to it

    def _compare(self, head: dict[str, Any]) -> None:
        for name in SAME:
            if self.head[name] != head[name]:
                raise ValueError(
                    f"folder={str(self.folder)!r} holds a run with {name} {self.head[name]}, and this is "
                    f"{head[name]}; choose another folder, or restart=True to begin anew"
                )

    def _files(self) -> None:
        self.files = CellFiles(self._cells, run=_digest(self.head), older="format" not in self.head)

    def _begin(self, file: Path, head: dict[str, Any]) -> None:
        """Writes which run the folder is, unless it is written there already.

        Raises:
            ValueError: If there are cells or a result of something else.
        """
        text = json.dumps(head, indent=1) + "\n"
        try:
            self._read(file)
            return
        except ValueError as error:
            is_there = file.exists()
            if is_there:
                logger.warning("%s: it is written anew", error)
        self._keep_others(head)
        if is_there:
            atomic.replace(file, lambda part: part.write_text(text, encoding="utf-8"))
        else:  # of several processes one begins the run
            atomic.create(file, lambda part: part.write_text(text, encoding="utf-8"))

    def _keep_others(self, head: dict[str, Any]) -> None:
        """Accepts a folder without cells and result of another run, whose head is lost.

        Raises:
            ValueError: If there are some.
        """
        other = CellFiles(self._cells, run=_digest(head), older=False).of_another_run()
        result = self.folder / "result.json"
        if other is None and result.exists():
            try:
                found = read_json(result)
                other = None if all(found.get(name) == head[name] for name in SAME) else result
            except ValueError:
                pass  # unreadable is none
        if other is not None:
            raise ValueError(
                f"folder={str(self.folder)!r} holds {other.relative_to(self.folder)} of another run, and no run.json "
                "that says of which; choose another folder, or restart=True to begin anew"
            )

    def _read(self, file: Path) -> dict[str, Any]:
        head = read_json(file)
        types = {"study": str, "config": dict, "versions": dict, "claims_sha256": str, "command": str}
        for name, kind in types.items():
            if not isinstance(head.get(name), kind):
                raise ValueError(f"{file} does not say its {name}")
        return head

    def check_mine(self) -> None:
        """Accepts a folder that is still the one of this run.

        Raises:
            ValueError: If somebody has begun another run in it.
        """
        file = self.folder / "run.json"
        if not file.exists() or _digest(self._read(file)) != _digest(self.head):
            raise ValueError(f"folder={str(self.folder)!r}: another run was begun there; choose another folder")

    def compute(self, cell: Cell) -> CellContent | None:
        """Computes a cell and keeps what came of it; returns it where the folder is not to be seen from."""
        is_here = self._cells.is_dir()
        if is_here:
            self.check_mine()
        scratch = self.files.scratch(cell) if is_here else Scratch()
        outcome = outcome_of(self.study, self.config, dataclasses.replace(cell, scratch=scratch))
        content = self.files.content(outcome, scratch)
        if not is_here:
            return content
        self.files.write(cell.name, content)
        return None

    def keep(self, cell: Cell, content: CellContent) -> None:
        """Keeps what came of a cell that was computed where the folder is not to be seen."""
        self.check_mine()
        self.files.write(cell.name, content)

    def assemble(self, cells: list[Cell]) -> Result:
        """Returns the result of all cells, in their order.

        Raises:
            ValueError: If two cells gave an array the same name, or a data set that is not the same.
        """
        records = [self.files.read(cell) for cell in cells]
        tables: dict[str, list[dict[str, Any]]] = {}
        data: dict[str, Any] = {}
        arrays: dict[str, npt.NDArray[Any]] = {}
        for cell, record in zip(cells, records, strict=True):
            for name, rows in record.tables.items():
                tables.setdefault(name, []).extend(rows)
            if both := arrays.keys() & record.arrays.keys():
                raise ValueError(f"cell {cell.name}: another cell has an array {min(both)!r} too; give it another name")
            if other := [label for label, what in record.data.items() if data.get(label, what) != what]:
                raise ValueError(
                    f"cell {cell.name}: another cell says something else of the data {other[0]!r}; "
                    "give each data set a label of its own"
                )
            data |= record.data
            arrays |= record.arrays
        result = Result(
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
                "finished": datetime.fromtimestamp(max(r.end for r in records), UTC).isoformat(timespec="seconds"),
                "wall_seconds": round(_covered(records), 1),
                "cell_seconds": round(sum(record.seconds for record in records), 1),
            },
        )
        return sealed(result, [cell.name for cell in cells], records)


def outcome_of(study: "Study[Any]", config: Any, cell: Cell) -> Outcome:
    """Returns the outcome of a cell, computed by one thread."""
    keep_freed_memory()
    with _one_torch_thread():
        return checked(study.run_cell(config, cell))


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    """Lets torch have one thread: no sum depends on the cores then, and small networks need no second."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _digest(head: dict[str, Any]) -> str:
    return hashlib.sha256(canonical({name: head[name] for name in (*SAME, "claims_sha256")})).hexdigest()


def _covered(records: list[Record]) -> float:
    """Returns the seconds in which at least one cell was being computed."""
    seconds, until = 0.0, 0.0
    for record in sorted(records, key=lambda record: record.started):
        seconds += max(0.0, record.end - max(until, record.started))
        until = max(until, record.end)
    return seconds


def _command_line() -> str:
    """Returns how this process was started, without the folders of this machine."""
    program, *arguments = sys.argv or [""]
    named = [re.sub(r"^([\w.-]+=|)/.*/", r"\1", argument) for argument in arguments]
    return shlex.join([program.rsplit("/", 1)[-1], *named])

"""`Result`: what a study found, as tables with everything that is needed to make them again; its files."""

import csv
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lightning_module.studies.framework.records.json_files import as_json
from lightning_module.studies.framework.records.result_head import (
    FORMAT,
    CellSeal,
    DamagedResultError,
    as_entries,
    check_name,
    read_head,
    seals,
)
from mnist1d_hf.atomic import replace
from mnist1d_hf.stored import file_digest

# What a column is, by the name of its numpy kind; missing entries are empty fields.
KINDS = {"b": "bool", "i": "int", "u": "int", "f": "float", "O": "str", "U": "str", "T": "str"}
MOST_BYTES = 2**31  # of all arrays of a result; the largest of the packaged studies has 2 MB
READ = {"bool": "boolean", "int": "Int64", "float": "float64", "str": "str"}

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Result:
    """What a study found.

    Two results are equal if everything is but `provenance` and `cells`: no two runs take the same time.

    Attributes:
        study: The study's name.
        preset: The name of the preset, or "custom".
        config: The numbers of the study, as JSON has them.
        tables: Tidy tables by name, one observation a row; "rows" is the main one.
        arrays: Arrays by name, such as predictions; integers or floats.
        data: The data sets by a label of the study's: config_id, version, and SHA-256 of each column of each split.
        versions: Of the libraries that decide the numbers.
        claims_sha256: The digest of the study's claims as they were before the first run; see `claims_digest`.
        provenance: The command, machine, time, wall time in seconds.
        cells: What each cell contributed; nothing in results of versions up to 0.1.0.

    Raises:
        ValueError: If a column mixes texts and numbers, an array has neither integers nor floats nor truth values, or
            a table has a name that no file can have.
    """

    study: str
    preset: str
    config: dict[str, Any]
    tables: dict[str, pd.DataFrame]
    arrays: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    claims_sha256: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)
    cells: list[CellSeal] = field(default_factory=list)

    def __post_init__(self) -> None:
        tables = {check_name(name): typed(table, column_kinds(table)) for name, table in self.tables.items()}
        object.__setattr__(self, "tables", tables)  # in the form in which they are read again
        check_arrays(self.arrays)

    @property
    def rows(self) -> pd.DataFrame:
        """Returns the main table."""
        return self.tables["rows"]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Result):
            return NotImplemented
        return (
            all(getattr(self, name) == getattr(other, name) for name in ("study", "preset", "config", "data"))
            and self.versions == other.versions
            and self.tables.keys() == other.tables.keys()
            and all(table.equals(other.tables[name]) for name, table in self.tables.items())
            and self.arrays.keys() == other.arrays.keys()
            and all(_same(array, other.arrays[name]) for name, array in self.arrays.items())
        )

    __hash__ = None  # type: ignore[assignment]  # tables can change

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Writes `result.json`, a CSV of each table, and `arrays.npz` if there are arrays; returns the folder.

        Each file is replaced as a whole, `result.json` last: with the digests of the others, by which a mixture of two
        results is told from one.
        """
        folder = Path(folder)
        files = {f"{name}.csv": partial(write_table, table=table) for name, table in self.tables.items()}
        if self.arrays:
            files["arrays.npz"] = partial(write_arrays, arrays=self.arrays)
        head = {
            "format": FORMAT,
            "study": self.study,
            "preset": self.preset,
            "config": as_json(self.config),
            "tables": {name: column_kinds(table) for name, table in self.tables.items()},
            "arrays": sorted(self.arrays),
            "files": {},
            "data": as_json(self.data),
            "versions": self.versions,
            "claims_sha256": self.claims_sha256,
            "provenance": as_json(self.provenance),
            "cells": as_entries(self.cells),
        }
        json.dumps(head)  # what it cannot hold is an error before the first file is replaced
        folder.mkdir(parents=True, exist_ok=True)
        for name, write in files.items():
            replace(folder / name, write)
        head["files"] = {name: file_digest(folder / name) for name in files}
        text = json.dumps(head, indent=1) + "\n"
        replace(folder / "result.json", lambda part: part.write_text(text, encoding="utf-8"))
        return folder

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> "Result":
        """Returns the result that `save` wrote.

        Whatever the files hold, they are taken for data: a result is returned whose parts fit together, or an error
        names the file.

        Raises:
            NoResultError: If there is no result; as all of these, it is a ValueError.
            DamagedResultError: If a file is not the one that belongs to it, or holds something else.
            ValueError: If the result has another format.
        """
        folder = Path(folder)
        head = read_head(folder)
        for name, digest in head["files"].items():
            if not (folder / name).is_file() or file_digest(folder / name) != digest:
                raise DamagedResultError(
                    f"{folder / name} is not the file that result.json belongs to; run the study again"
                )
        names = ("study", "preset", "config", "data", "versions", "claims_sha256", "provenance")
        try:
            tables = {name: read_table(folder / f"{name}.csv", kinds) for name, kinds in head["tables"].items()}
            arrays = read_arrays(folder / "arrays.npz", names=head["arrays"]) if head["arrays"] else {}
            return cls(tables=tables, arrays=arrays, cells=seals(head), **{name: head[name] for name in names})
        except (ValueError, OverflowError) as error:
            raise DamagedResultError(f"{error}; run the study again") from error


def table_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Returns rows as a table in the form that a saved one has when it is read again.

    Raises:
        ValueError: If a column mixes texts and numbers.
    """
    table = pd.DataFrame(rows, dtype=object)  # whole numbers stay whole beside missing ones
    return typed(table, column_kinds(table))


def column_kinds(table: pd.DataFrame) -> dict[str, str]:
    """Returns "bool", "int", "float" or "str" for each column."""
    return {str(name): _kind(table[name]) for name in table}


def typed(table: pd.DataFrame, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Returns the table with columns of these kinds."""
    table = table.astype({name: READ[kind] for name, kind in kinds.items()})
    texts = [name for name, kind in kinds.items() if kind == "str"]
    return table.assign(**{name: table[name].where(table[name] != "") for name in texts}).reset_index(drop=True)


def write_table(path: Path, *, table: pd.DataFrame) -> None:
    """Writes a table as CSV."""
    # What ends a line inside a text must stand in quotation marks; Python's writer forgets that of carriage returns.
    texts = table.select_dtypes("str")
    odd = any(texts[name].str.contains("\r", regex=False).any() for name in texts)
    quoting = csv.QUOTE_NONNUMERIC if odd else csv.QUOTE_MINIMAL
    table.to_csv(path, index=False, lineterminator="\n", quoting=quoting)


def read_table(path: Path, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Returns a table as it was written."""
    if not kinds:
        return pd.DataFrame()
    try:
        # Only an empty field is missing: a class may be called "NA".
        table = pd.read_csv(
            path,
            skip_blank_lines=False,
            # Not every pandas reads floats to the last bit, but all convert texts so.
            dtype={name: READ["str" if kind == "float" else kind] for name, kind in kinds.items()},
            keep_default_na=False,
            na_values={name: [""] for name in kinds},
        )
        if list(table) != list(kinds):
            raise ValueError(f"columns {', '.join(map(str, table))} instead of {', '.join(kinds)}")
        return typed(table, kinds)
    except (ValueError, TypeError, OverflowError, MemoryError) as error:
        raise ValueError(f"{path} is not the table that it should be: {error}") from error


def check_arrays(arrays: Arrays) -> None:
    """Accepts arrays of numbers and truth values, which can be written without pickle.

    Raises:
        ValueError: If there are others.
    """
    for name, array in arrays.items():
        if np.asarray(array).dtype.kind not in "biufc":
            raise ValueError(
                f"array {name!r} has dtype {np.asarray(array).dtype}, and must have numbers; make it a table"
            )


def write_arrays(path: Path, *, arrays: Arrays) -> None:
    """Writes arrays as an NPZ file."""
    with path.open("wb") as file:
        pack_arrays(file, arrays=arrays)


def pack_arrays(file: IO[bytes], *, arrays: Arrays) -> None:
    """Writes arrays into an open file, as NPZ."""
    np.savez_compressed(file, **{name: np.asarray(array) for name, array in arrays.items()})  # type: ignore[arg-type]


def read_arrays(path: Path, *, names: list[str] | None = None) -> dict[str, npt.NDArray[Any]]:
    """Returns arrays as they were written.

    Args:
        path: The file.
        names: Of the arrays that have to be in it, and no others; None for any.

    Raises:
        ValueError: If the file holds something else, or says that it is larger than it may be.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                _check_entry(archive, entry)
            if (total := sum(entry.file_size for entry in archive.infolist())) > MOST_BYTES:
                raise ValueError(f"{total:,} bytes, and there may be {MOST_BYTES:,}")
        with np.load(path, allow_pickle=False) as file:
            if names is not None and sorted(file.files) != sorted(names):
                raise ValueError("other arrays than result.json says")
            arrays = {name: file[name] for name in file.files}
        check_arrays(arrays)
    except (ValueError, LookupError, EOFError, OSError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise ValueError(f"{path} does not hold the arrays that it should: {error}") from error
    except MemoryError as error:
        raise ValueError(f"{path} holds arrays that do not fit into memory") from error
    return arrays


def _check_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Accepts an array whose header tells of as many bytes as there are, before any memory is asked for."""
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        count = 1
        for length in shape:
            count *= int(length)
        if dtype.hasobject or min(shape, default=0) < 0 or file.tell() + count * dtype.itemsize != entry.file_size:
            raise ValueError(f"the header of {entry.filename!r} does not fit its content")


def _same(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> bool:
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def _kind(column: "pd.Series[Any]") -> str:
    present = column.dropna()
    inferred = pd.api.types.infer_dtype(present)
    kinds = {"boolean": "bool", "integer": "int", "floating": "float", "mixed-integer-float": "float", "string": "str"}
    if present.empty:
        return "float"
    if inferred not in kinds:
        raise ValueError(f"column {column.name!r} has {inferred} entries, and must have texts, numbers or truth values")
    if kinds[inferred] == "float" and pd.api.types.is_integer_dtype(present.infer_objects()):
        return "int"
    return kinds[inferred]

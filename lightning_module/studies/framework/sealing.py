"""Digests of what each cell contributed to a result, put there when it is put together, and compared later."""

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lightning_module.studies.framework.records.json_files import canonical
from lightning_module.studies.framework.records.result_head import CellSeal
from lightning_module.studies.framework.result import Result, column_kinds

if TYPE_CHECKING:
    from lightning_module.studies.framework.running.cell_files import Record


def sealed(result: Result, names: Sequence[str], records: "Sequence[Record]") -> Result:
    """Returns a result that says what each of its cells contributed."""
    seals = [
        CellSeal(
            name=name,
            rows={table: len(rows) for table, rows in record.tables.items()},
            arrays=sorted(record.arrays),
            data=sorted(record.data),
            seconds=round(record.seconds, 3),
            processor=record.processor,
            sha256="",
        )
        for name, record in zip(names, records, strict=True)
    ]
    whole = dataclasses.replace(result, cells=seals)
    tables = list(tables_of_cells(whole))
    done = [
        dataclasses.replace(seal, sha256=seal_of(whole, seal, part)) for seal, part in zip(seals, tables, strict=True)
    ]
    return dataclasses.replace(result, cells=done)


def seal_of(result: Result, cell: CellSeal, tables: dict[str, pd.DataFrame]) -> str:
    """Returns the digest of a cell's part of a result, and of what it was computed with.

    Args:
        result: The result.
        cell: The cell.
        tables: Its part of the tables.
    """
    content = {
        "study": result.study,
        "preset": result.preset,
        "config": result.config,
        "versions": result.versions,
        "claims_sha256": result.claims_sha256,
        "cell": cell.name,
        "processor": cell.processor,
        "tables": {name: _content(rows, column_kinds(result.tables[name])) for name, rows in tables.items()},
        "arrays": {name: _array(result.arrays[name]) for name in cell.arrays},
        "data": {label: result.data[label] for label in cell.data},
    }
    return hashlib.sha256(canonical(content)).hexdigest()


def tables_of_cells(result: Result) -> Iterator[dict[str, pd.DataFrame]]:
    """Yields each cell's part of the tables, which stand in the order of the cells."""
    begin = dict.fromkeys(result.tables, 0)
    for cell in result.cells:
        part = {}
        for name, count in cell.rows.items():
            part[name] = result.tables[name].iloc[begin[name] : begin[name] + count]
            begin[name] += count
        yield part


def _content(rows: pd.DataFrame, kinds: dict[str, str]) -> dict[str, Any]:
    """Returns rows as JSON has them: the columns with their kinds, and the entries."""
    columns = [[None if pd.isna(value) else value for value in rows[name].tolist()] for name in kinds]
    return {"columns": list(kinds.items()), "entries": columns}


def _array(array: npt.NDArray[Any]) -> list[Any]:
    stored = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return [stored.dtype.str, list(array.shape), hashlib.sha256(stored.tobytes()).hexdigest()]

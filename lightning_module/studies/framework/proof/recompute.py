"""Cells of a saved result computed again, which shows that its numbers are those of the study, and not made up."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from lightning_module.studies.framework.cells import Cell, Config, Outcome
from lightning_module.studies.framework.proof.checks import Check
from lightning_module.studies.framework.records.environment import processor, versions
from lightning_module.studies.framework.records.json_files import as_json
from lightning_module.studies.framework.records.result_head import CellSeal
from lightning_module.studies.framework.result import Result, column_kinds, typed
from lightning_module.studies.framework.running.journal import outcome_of
from lightning_module.studies.framework.sealing import tables_of_cells
from lightning_module.studies.framework.study import Study

# On another processor a sum is rounded otherwise, and from there trainings drift apart: most of a cell's numbers stay
# near, in units of how far those of the whole table are apart, but not all.
NEAR: Final = 0.05  # of the spread of the column's numbers
ENOUGH: Final = 0.9  # of the cell's numbers


@dataclass(frozen=True)
class Again:
    """A cell that is to be computed again.

    Attributes:
        cell: The cell.
        seal: What the result says of it; None if it says nothing.
        part: Its part of the tables; None if that has to be looked for.
        seconds: What it took then, as far as is known.
    """

    cell: Cell
    seal: CellSeal | None
    part: dict[str, pd.DataFrame] | None
    seconds: float


def choose(study: Study[Any], config: Config, result: Result, count: int) -> list[Again]:
    """Returns cells of a result, chosen by chance, so that nobody can know before which are looked at.

    Args:
        study: The study.
        config: Its numbers, and where its data come from.
        result: The result.
        count: How many; all, if there are not more.

    Raises:
        ValueError: If there are none, or the cells are not those of the result.
    """
    if count < 1:
        raise ValueError(f"recompute={count} must be at least 1")
    cells = list(study.cells(config))
    total = sum(cell.cost for cell in cells)
    if result.cells:
        if [cell.name for cell in cells] != [seal.name for seal in result.cells]:
            raise ValueError("recompute: the cells of the result are not those of its numbers")
        parts = zip(cells, result.cells, tables_of_cells(result), strict=True)
        every = [Again(cell, seal, part, seal.seconds) for cell, seal, part in parts]
    else:
        seconds = float(result.provenance.get("cell_seconds", 0.0))
        every = [Again(cell, None, None, seconds * cell.cost / total) for cell in cells]
    chosen = random.SystemRandom().sample(range(len(every)), min(count, len(every)))
    return [every[i] for i in sorted(chosen)]


def recomputed(study: Study[Any], config: Config, result: Result, again: Again) -> Check:
    """Returns whether a cell gives again what the result has of it; this takes the time that the cell takes."""
    name = again.cell.name
    try:
        outcome = outcome_of(study, config, again.cell)
    except Exception as error:
        return Check("not verified", f"cell {name} cannot be computed: {type(error).__name__}: {error}", essential=True)
    try:
        compared = list(_compared(study, result, again, outcome))
    except _DiffersError as error:
        return Check("DIFFERS", f"cell {name}, computed again: {error}")
    near, numbers, exact = (sum(each[i] for each in compared) for i in range(3))
    if exact == numbers:
        return Check("ok", f"cell {name}, computed again: the same to the last bit")
    share = f"{near} of {numbers} numbers are near"
    if again.seal is not None and again.seal.processor == processor() and result.versions == versions():
        return Check("DIFFERS", f"cell {name}, computed again on the same processor: {exact} of {numbers} are the same")
    there = (again.seal.processor if again.seal else "") or "a processor that it does not name"
    where = f"cell {name}, computed again on {processor()}, and then on {there}: {share}"
    if near < ENOUGH * numbers:
        return Check("DIFFERS", where)
    return Check("not verified", f"{where}, as rounding explains, but not the same", essential=True)


class _DiffersError(ValueError):
    """A cell, computed again, gave something that cannot be the result's."""


def _compared(study: Study[Any], result: Result, again: Again, outcome: Outcome) -> Iterator[tuple[int, int, int]]:
    """Yields how many numbers are near, how many there are, and how many are the same, by column and array."""
    data = as_json(outcome.data)
    if differ := [label for label, what in data.items() if result.data.get(label) != what]:
        raise _DiffersError(f"it used other data: {differ[0]}")
    seal = again.seal
    if seal is not None and (sorted(data), sorted(outcome.arrays)) != (sorted(seal.data), sorted(seal.arrays)):
        raise _DiffersError("it has other arrays or data")
    if again.part is not None and outcome.tables.keys() != again.part.keys():
        raise _DiffersError("it has other tables")
    for name, rows in outcome.tables.items():
        yield from _table(study, result, name, rows, None if again.part is None else again.part[name])
    for name, array in outcome.arrays.items():
        saved = result.arrays.get(name)
        if saved is None or saved.shape != np.shape(array) or saved.dtype != np.asarray(array).dtype:
            raise _DiffersError(f"array {name!r} has another form")
        yield _near(np.asarray(array), saved, saved)


def _table(
    study: Study[Any], result: Result, name: str, rows: list[dict[str, Any]], saved: pd.DataFrame | None
) -> Iterator[tuple[int, int, int]]:
    if not rows and (saved is None or saved.empty):
        return
    if name not in result.tables:
        raise _DiffersError(f"there is no table {name!r}")
    whole = result.tables[name]
    kinds = column_kinds(whole)
    if unknown := {column for row in rows for column in row} - kinds.keys():
        raise _DiffersError(f"table {name!r} has no column {min(unknown)!r}")
    try:
        computed = typed(pd.DataFrame(as_json(rows), columns=list(kinds), dtype=object), kinds)
    except (ValueError, TypeError) as error:
        raise _DiffersError(f"table {name!r} has entries of another kind: {error}") from error
    saved = _found(whole, computed, kinds) if saved is None else saved.reset_index(drop=True)
    if saved is None or len(saved) != len(computed):
        raise _DiffersError(f"table {name!r} has other rows")
    for column, kind in kinds.items():
        if column in study.measured_times.get(name, ()):
            continue
        ours, theirs = computed[column], saved[column]
        if kind in ("str", "bool") and not ours.equals(theirs):
            raise _DiffersError(f"table {name!r} has other entries in column {column!r}")
        if kind in ("int", "float"):
            numbers = (each.to_numpy(dtype="float64", na_value=np.nan) for each in (ours, theirs, whole[column]))
            yield _near(*numbers)


def _found(whole: pd.DataFrame, computed: pd.DataFrame, kinds: dict[str, str]) -> pd.DataFrame | None:
    """Returns the rows of a table that have the texts of those computed, and the integers if some have; or None."""
    for keys in (
        [column for column, kind in kinds.items() if kind != "float"],
        [column for column, kind in kinds.items() if kind in ("str", "bool")],
    ):
        listed, wanted = _entries(whole, keys), _entries(computed, keys)
        for begin in range(len(listed) - len(wanted) + 1):
            if listed[begin] == wanted[0] and listed[begin : begin + len(wanted)] == wanted:
                return whole.iloc[begin : begin + len(wanted)].reset_index(drop=True)
    return None


def _entries(rows: pd.DataFrame, columns: list[str]) -> list[tuple[Any, ...]]:
    """Returns the entries of some columns, row by row; missing ones are None."""
    of = [[None if pd.isna(value) else value for value in rows[column].tolist()] for column in columns]
    return list(zip(*of, strict=True)) if of else [()] * len(rows)


def _near(ours: npt.NDArray[Any], theirs: npt.NDArray[Any], whole: npt.NDArray[Any]) -> tuple[int, int, int]:
    """Returns how many of our numbers are near theirs, how many there are, and how many are the same."""
    exact = (ours == theirs) | ((ours != ours) & (theirs != theirs))
    finite = whole[np.isfinite(whole)]
    spread = float(np.ptp(finite)) if finite.size else 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        near = exact | (np.abs(ours - theirs) <= NEAR * max(spread, float(np.abs(finite).max(initial=0.0)) * 1e-3))
    return int(near.sum()), int(np.size(ours)), int(exact.sum())

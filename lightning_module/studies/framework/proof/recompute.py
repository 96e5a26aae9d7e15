"""Cells of a saved result computed again, which shows that its numbers are those of the study, and not made up."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from lightning_module.studies.framework.cells import Cell, Config, Outcome
from lightning_module.studies.framework.proof.checks import Check
from lightning_module.studies.framework.proof.likeness import Distances, Part, apart, distances, share_near
from lightning_module.studies.framework.proof.otherwise import otherwise
from lightning_module.studies.framework.records.environment import processor, versions
from lightning_module.studies.framework.records.json_files import as_json
from lightning_module.studies.framework.records.result_head import CellSeal
from lightning_module.studies.framework.result import Result, column_kinds, typed
from lightning_module.studies.framework.running.journal import outcome_of
from lightning_module.studies.framework.sealing import tables_of_cells
from lightning_module.studies.framework.study import Study

ENOUGH: Final = 0.9  # of a cell's numbers are near those of a sound result, where nothing says what rounding does
WORST: Final = 3  # columns in a sentence


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


def shuffled(study: Study[Any], config: Config, result: Result) -> list[Again]:
    """Returns the cells of a result in an order of chance, so that nobody can know before which are looked at.

    Args:
        study: The study.
        config: Its numbers, and where its data come from.
        result: The result.

    Raises:
        ValueError: If the cells are not those of the result.
    """
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
    return random.SystemRandom().sample(every, len(every))


def recomputed(study: Study[Any], config: Config, result: Result, again: Again) -> Check | None:
    """Returns whether a cell gives again what the result has of it; this takes the time that the cell takes.

    On the same processor, with the same versions, it must be the same to the last bit. Elsewhere the cell is computed
    once more with other rounding, or up to three times where chance is against it, which shows how far from each other
    sound outcomes are, see `likeness`. A cell that comes to nothing, then as now, says nothing, and None is returned:
    it needs data that were not to be had, say. So does one whose rows only name it.
    """
    name = f"cell {again.cell.name}"
    try:
        outcome = outcome_of(study, config, again.cell)
    except Exception as error:
        return Check("not verified", f"{name} cannot be computed: {type(error).__name__}: {error}", essential=True)
    tables = {table: pd.DataFrame(rows) for table, rows in outcome.tables.items()}
    if not _says_something(study, again.cell, tables) and not outcome.arrays:
        if not _came_to_something(study, result, again):
            return None
        words = "comes to nothing here, and the result has rows of it; are the data that it needs to be had?"
        return Check("not verified", f"{name} {words}", essential=True)
    if unnamed := outcome.data.keys() - result.data.keys():
        words = f"uses data that the result does not name: {min(unnamed)}; were they not to be had then?"
        return Check("not verified", f"{name} {words}", essential=True)
    try:
        ours = _part(study, result, outcome)
        _compare_form(result, again, outcome, ours)
        saved = _saved(study, result, again, ours)
    except _DiffersError as error:
        return Check("DIFFERS", f"{name}, computed again: {error}")
    whole = Part({table: _lasting(study, table, result.tables[table]) for table in ours.tables}, result.arrays)
    far = distances(ours, saved, whole)
    count = sum(gap.far.size for gap in far.values())
    same = count - sum(np.count_nonzero(gap.far) for gap in far.values())
    if not count:
        return Check("not verified", f"{name}, computed again: there is nothing to compare", essential=True)
    if same == count:
        return Check("ok", f"{name}, computed again: the same to the last bit")
    if again.seal is not None and again.seal.processor == processor() and result.versions == versions():
        return Check("DIFFERS", f"{name}, computed again on the same processor: {same} of {count} are the same")
    controls = (_part(study, result, control) for control in otherwise(study, config, again.cell))
    return _judged(f"{name}, computed again {_elsewhere(result, again)}", whole, saved, ours, controls, far)


def _judged(name: str, whole: Part, saved: Part, ours: Part, controls: Iterable[Part], far: Distances) -> Check:
    """Returns whether rounding explains that the saved outcome of a cell is so far from ours.

    Of hundreds of columns one may stand apart by chance; what is false does so whichever way the control is rounded.
    """
    near, odd = f"{share_near(far):.1%} of the entries are near", list(far)
    controlled = False
    for control in controls:
        by_rounding = distances(ours, control, whole)
        if not any(gap.far.any() for gap in by_rounding.values()):
            continue
        found = apart(far, distances(control, saved, whole), by_rounding)
        odd, controlled = [column for column in odd if column in found], True
        if not odd:
            words = "not the same, and no further away than other rounding on this machine"
            return Check("ok", f"{name}: {words} ({near}, and {share_near(by_rounding):.1%})")
    if controlled:
        more = f" and {len(odd) - WORST} more" if len(odd) > WORST else ""
        return Check("DIFFERS", f"{name}: further away than other rounding is in {', '.join(odd[:WORST])}{more}")
    if share_near(far) < ENOUGH or _texts(saved) != _texts(ours):
        return Check("DIFFERS", f"{name}: {near}, and other rounding changes nothing here")
    return Check("not verified", f"{name}: {near}, but what other rounding does is not known here", essential=True)


def _texts(part: Part) -> dict[str, list[tuple[Any, ...]]]:
    """Returns the entries of all columns that hold no numbers, row by row."""
    kinds = {name: column_kinds(table) for name, table in part.tables.items()}
    return {
        name: _entries(table, [column for column, kind in kinds[name].items() if kind in ("str", "bool")])
        for name, table in part.tables.items()
    }


def _came_to_something(study: Study[Any], result: Result, again: Again) -> bool:
    """Returns whether a result has arrays of a cell, or rows that say something, as far as can be told."""
    if again.seal is not None and again.part is not None:
        return bool(again.seal.arrays) or _says_something(study, again.cell, again.part)
    shared = {name: len(again.cell.of.keys() & set(table)) for name, table in result.tables.items()}
    most = max(shared.values(), default=0)  # the others may be tables of what several cells have in common
    tables = {name: table for name, table in result.tables.items() if shared[name] == most}
    of_cell = {name: table[_is_of_cell(table, again.cell)] for name, table in tables.items()}
    return _says_something(study, again.cell, of_cell)


def _says_something(study: Study[Any], cell: Cell, tables: Mapping[str, pd.DataFrame]) -> bool:
    """Returns whether rows hold more than which cell they are of, and what no two runs need share."""
    for name, rows in tables.items():
        lasting = _lasting(study, name, rows)
        more = lasting.drop(columns=[column for column in lasting if column in cell.of])
        if more.notna().any(axis=None) or not _is_of_cell(lasting, cell).all():
            return True
    return False


def _elsewhere(result: Result, again: Again) -> str:
    """Returns where a cell was computed then, and where now, as far as that decides its last bits."""
    here = versions()
    there = (again.seal.processor if again.seal else "") or "one that it does not name"
    odd = [f"{name} {result.versions[name]}" for name in here if result.versions.get(name) not in (None, here[name])]
    return f"on {processor()} instead of {there}{', with ' if odd else ''}{', '.join(odd)}"


class _DiffersError(ValueError):
    """A cell, computed again, gave something that cannot be the result's."""


def _compare_form(result: Result, again: Again, outcome: Outcome, ours: Part) -> None:
    """Compares what no rounding changes.

    Raises:
        _DiffersError: If something differs.
    """
    data = as_json(outcome.data)
    if differ := [label for label, what in data.items() if result.data.get(label) != what]:
        raise _DiffersError(f"it used other data: {differ[0]}")
    seal = again.seal
    if seal is not None and (sorted(data), sorted(outcome.arrays)) != (sorted(seal.data), sorted(seal.arrays)):
        raise _DiffersError("it has other arrays or data")
    if again.part is not None and outcome.tables.keys() != again.part.keys():
        raise _DiffersError("it has other tables")
    for name, array in ours.arrays.items():
        saved = result.arrays.get(name)
        if saved is None or saved.shape != array.shape or saved.dtype != array.dtype:
            raise _DiffersError(f"array {name!r} has another form")


def _part(study: Study[Any], result: Result, outcome: Outcome) -> Part:
    """Returns an outcome with its rows as the result has them, but without what is of the moment.

    Raises:
        _DiffersError: If they cannot be rows of the result.
    """
    tables = {}
    for name, rows in outcome.tables.items():
        if name not in result.tables:
            if rows:
                raise _DiffersError(f"there is no table {name!r}")
            continue
        kinds = column_kinds(result.tables[name])
        if unknown := {column for row in rows for column in row} - kinds.keys():
            raise _DiffersError(f"table {name!r} has no column {min(unknown)!r}")
        try:
            table = typed(pd.DataFrame(as_json(rows), columns=list(kinds), dtype=object), kinds)
        except (ValueError, TypeError) as error:
            raise _DiffersError(f"table {name!r} has entries of another kind: {error}") from error
        tables[name] = _lasting(study, name, table)
    return Part(tables, {name: np.asarray(array) for name, array in outcome.arrays.items()})


def _saved(study: Study[Any], result: Result, again: Again, ours: Part) -> Part:
    """Returns what the result has of a cell."""
    tables = {}
    for name, table in ours.tables.items():
        whole = _lasting(study, name, result.tables[name])
        if again.part is not None:
            tables[name] = _lasting(study, name, again.part[name]).reset_index(drop=True)
        else:
            tables[name] = _found(_of_cell(whole, again.cell), table, column_kinds(whole))
    return Part(tables, {name: result.arrays[name] for name in ours.arrays})


def _lasting(study: Study[Any], name: str, table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns=[column for column in study.of_the_moment.get(name, ()) if column in table])


def _of_cell(whole: pd.DataFrame, cell: Cell) -> pd.DataFrame:
    """Returns the rows that have what the cell says of itself, such as its recipe, in columns of that name."""
    rows = whole[_is_of_cell(whole, cell)]
    return rows if len(rows) else whole


def _is_of_cell(table: pd.DataFrame, cell: Cell) -> npt.NDArray[np.bool_]:
    """Returns of each row whether it has what a cell says of itself; all have, where no column has such a name."""
    found = np.ones(len(table), bool)
    for name, value in cell.of.items():
        if name in table:
            found &= (table[name] == value).fillna(False).to_numpy(bool)
    return found


def _found(whole: pd.DataFrame, computed: pd.DataFrame, kinds: dict[str, str]) -> pd.DataFrame:
    """Returns the rows of a table that have the texts of those computed, and the integers if some have."""
    texts = [column for column, kind in kinds.items() if kind in ("str", "bool")]
    for keys in ([column for column, kind in kinds.items() if kind != "float"], texts):
        listed, wanted = _entries(whole, keys), _entries(computed, keys)
        for begin in range(len(listed) - len(wanted) + 1):
            if listed[begin : begin + 1] == wanted[:1] and listed[begin : begin + len(wanted)] == wanted:
                return whole.iloc[begin : begin + len(wanted)].reset_index(drop=True)
    known = set(_entries(computed, texts))  # a table of what was seen, such as each mistake: not so many rows each time
    return whole[[entry in known for entry in _entries(whole, texts)]].reset_index(drop=True)


def _entries(rows: pd.DataFrame, columns: list[str]) -> list[tuple[Any, ...]]:
    """Returns the entries of some columns, row by row; missing ones are None."""
    of = [[None if pd.isna(value) else value for value in rows[column].tolist()] for column in columns]
    return list(zip(*of, strict=True)) if of else [()] * len(rows)

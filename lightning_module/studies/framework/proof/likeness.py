"""How far two outcomes of a cell are from each other, and whether rounding explains it.

On another processor, or after a change of a program that changes no formula, sums are rounded otherwise. A training
amplifies that: of two networks that began alike, one in four answers may differ at last, as if each had its own seed.
How much that is depends on the study, the network and the column, and is not known before. So it is measured: a cell is
computed with other rounding on this very machine (see `otherwise`). If rounding is all that tells the saved outcome
from ours, the three are alike in kind, and none of them stands apart from the other two.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from lightning_module.studies.framework.result import column_kinds

Numbers = npt.NDArray[np.float64]

# In units of how far the numbers of a whole column are from each other.
NEAR: Final = 0.05  # what no reader of a table would call another number
BULK: Final = 90  # percent of a column's numbers that make its unit: one training that diverged does not
# Times the distance that other rounding makes; of few numbers up to twice as many times, for they say less of it.
MEAN: Final = 2.0
LARGEST: Final = 3.0
MANY: Final = 10  # choices, of which one may be another without a sign that rounding changes any


@dataclass(frozen=True)
class Gap:
    """How far two outcomes are from each other in a column or an array.

    Attributes:
        far: Of each entry, 0 where the two are the same, 1 at most.
        is_choice: Whether entries are words, of which rounding changes few, and each as a whole.
    """

    far: Numbers
    is_choice: bool = False


Distances = Mapping[str, Gap]  # by the name of a column or array


@dataclass(frozen=True)
class Part:
    """What a cell came to.

    Attributes:
        tables: Its rows, typed as the result has them.
        arrays: Its arrays.
    """

    tables: Mapping[str, pd.DataFrame]
    arrays: Mapping[str, npt.NDArray[Any]]


def distances(one: Part, other: Part, whole: Part) -> dict[str, Gap]:
    """Returns how far the entries of two outcomes of a cell are from each other, by column.

    Args:
        one: An outcome.
        other: Another one, with the same tables, columns and arrays.
        whole: All of the result, whose columns give the units.
    """
    found: dict[str, Gap] = {}
    for name, table in one.tables.items():
        columns = _columns(table, other.tables[name], whole.tables[name])
        found |= {f"{name}.{column}" if column else f"the rows of {name}": far for column, far in columns}
    for name, array in one.arrays.items():
        ours, theirs = (np.asarray(each).ravel() for each in (array, other.arrays[name]))
        found[f"array {name}"] = Gap(_numbers(ours, theirs, np.asarray(whole.arrays[name]).ravel()))
    return found


def apart(saved: Distances, ours: Distances, control: Distances) -> list[str]:
    """Returns the columns in which the saved outcome stands apart from two that differ by rounding only.

    Args:
        saved: Between the saved outcome and ours.
        ours: Between the saved outcome and the one with other rounding.
        control: Between ours and the one with other rounding.
    """
    return [name for name in saved if _stands_apart(saved[name], ours[name], control[name])]


def share_near(gaps: Distances) -> float:
    """Returns the share of the entries that are near each other."""
    every = np.concatenate([gap.far for gap in gaps.values()]) if gaps else np.zeros(0)
    return float(np.mean(every <= NEAR)) if every.size else 1.0


def _stands_apart(one: Gap, two: Gap, control: Gap) -> bool:
    """Returns whether both distances are larger than rounding makes them, in the mean or at their largest."""
    size = min(one.far.size, two.far.size)
    if not size:
        return False
    allowed, few = control.far if control.far.size else np.zeros(1), 1 / np.sqrt(size)
    mean = MEAN * (1 + few) * float(allowed.mean())
    found = min(float(one.far.mean()), float(two.far.mean()))
    if one.is_choice:
        return bool(found > max(mean, 1 / size if size >= MANY else 0.0))
    largest = max(LARGEST * (1 + few) * float(allowed.max()), 2 * NEAR)
    return bool(found > max(mean, NEAR * few) or min(float(one.far.max()), float(two.far.max())) > largest)


def _columns(one: pd.DataFrame, other: pd.DataFrame, whole: pd.DataFrame) -> Iterator[tuple[str, Gap]]:
    """Yields distances by column, after those of whole rows: 1 for one that only one of the two tables has."""
    kinds = column_kinds(whole)
    missing = np.zeros(len(one))
    if len(one) != len(other):  # a table of what was seen, such as each mistake: not so many rows each time
        one, other, missing = _shared(one, other, [column for column, kind in kinds.items() if kind != "float"])
    if kinds or missing.any():  # rows that hold nothing that lasts say nothing
        yield "", Gap(missing)
    for column, kind in kinds.items():
        if kind in ("int", "float"):
            numbers = [each[column].to_numpy(dtype="float64", na_value=np.nan) for each in (one, other, whole)]
            yield column, Gap(_numbers(*numbers))
        else:
            texts = [each[column].astype(object).where(each[column].notna(), None).to_numpy() for each in (one, other)]
            yield column, Gap((texts[0] != texts[1]).astype("float64"), is_choice=True)


def _shared(one: pd.DataFrame, other: pd.DataFrame, columns: list[str]) -> tuple[pd.DataFrame, pd.DataFrame, Numbers]:
    """Returns the rows with the same entries in some columns, and for each row of the two 1 if only one has it."""
    if not columns:  # nothing says which rows belong together
        return one.iloc[:0], other.iloc[:0], np.ones(len(one) + len(other))
    keys = [pd.MultiIndex.from_frame(each[columns].astype(object)) for each in (one, other)]
    firsts = [~key.duplicated() for key in keys]
    both = [key.isin(keys[1 - i][firsts[1 - i]]) & firsts[i] for i, key in enumerate(keys)]
    order = keys[1][both[1]].get_indexer(keys[0][both[0]])
    same = other[both[1]].iloc[order].reset_index(drop=True)
    alone = np.ones(len(one) + len(other) - len(same))
    alone[: len(same)] = 0.0
    return one[both[0]].reset_index(drop=True), same, alone


def _numbers(ours: npt.NDArray[Any], theirs: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Numbers:
    """Returns distances: 0 for the same number, 1 for numbers as far apart as the column's, and no more."""
    ours, theirs = (np.asarray(each, dtype="float64") for each in (ours, theirs))
    unit = _unit(np.asarray(whole, dtype="float64"))
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        far = np.nan_to_num(np.abs(ours - theirs) / unit, nan=1.0, posinf=1.0)
    far = np.clip(far, np.finfo("float64").tiny, 1.0)
    return np.where(same, 0.0, far)


def _unit(numbers: Numbers) -> float:
    """Returns how far the numbers of a column are apart, but for the most extreme ones."""
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return 1.0
    low, high = np.percentile(finite, ((100 - BULK) / 2, (100 + BULK) / 2))
    return float((high - low) or np.ptp(finite) or np.abs(finite).max() * 1e-3 or 1.0)

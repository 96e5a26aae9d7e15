"""Shards compared with their records, leaf by leaf, by any number of processes; nothing goes through the cache."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from mnist1d_hf.engine.engine import Engine
from mnist1d_hf.hub.card_records import ConfigRecord
from mnist1d_hf.hub.schema import ContentError
from mnist1d_hf.hub.sharded.config import Tell, untold
from mnist1d_hf.hub.sharded.source import ShardSource
from mnist1d_hf.hub.snapshot import UnavailableError
from mnist1d_hf.one_line import one_line
from mnist1d_hf.shards.cut import LEAF_ROWS
from mnist1d_hf.shards.leaves import Leaf, file_leaves, leaf_digests
from mnist1d_hf.shards.listing import MadeShard
from mnist1d_hf.staged_folder import scratch_folder


@dataclass(frozen=True)
class Found:
    """What was found of a shard.

    Attributes:
        problem: What is wrong with it, in words; empty if nothing is.
        is_here: Whether it could be had.
    """

    problem: str = ""
    is_here: bool = True


@dataclass(frozen=True)
class Checking:
    """A shard that is to be compared.

    Attributes:
        source: Where it is.
        made: What it has to be.
        features: The columns that it has to have.
        scratch: Where it is put if it has to be fetched.
    """

    source: ShardSource
    made: MadeShard
    features: datasets.Features
    scratch: Path

    def __str__(self) -> str:
        """Returns what the task is called in messages."""
        return self.made.shard.path


def compared(task: Checking) -> Found:
    """Returns what is found of a shard: its file, its columns, and each leaf."""
    path = task.made.shard.path
    try:
        with task.source.taken(path, task.made.stored, task.scratch) as file:
            return Found(_problem(task, file))
    except ContentError as error:
        return Found(f"{error}{_which_leaf(task)}")
    except UnavailableError as error:
        return Found(str(error), is_here=False)


def _problem(task: Checking, file: Path) -> str:
    try:
        if datasets.Features.from_arrow_schema(pq.ParquetFile(file).schema_arrow) != task.features:
            return f"{task.made.shard.path} has other columns or types than its record"
        return other_leaf(task.made, file_leaves(file))
    except (pa.ArrowException, OSError, ValueError) as error:
        return f"{task.made.shard.path} cannot be read ({one_line(error, 200)})"


def _which_leaf(task: Checking) -> str:
    """Returns which rows of a wrong file in a folder are wrong, if that can be told."""
    file = task.source.folder / task.made.shard.path
    found = _problem(task, file) if file.is_file() else ""
    return f" ({found})" if found else ""


def other_leaf(made: MadeShard, found: Sequence[Leaf]) -> str:
    """Returns how leaves differ from those of a shard, in words; empty if they do not."""
    if len(found) != len(made.leaves):
        return f"{made.shard.path} has {len(found)} leaves of {LEAF_ROWS:,} rows instead of {len(made.leaves)}"
    for number, (mine, other) in enumerate(zip(made.leaves, found, strict=True)):
        if dict(mine) != dict(other):
            column = min(name for name in {*mine, *other} if mine.get(name) != other.get(name))
            first = made.shard.start + number * LEAF_ROWS
            last = min(first + LEAF_ROWS, made.shard.stop) - 1
            rows = f"rows {first:,} to {last:,} of split {made.shard.split!r}"
            return f"{made.shard.path}: column {column!r} of {rows} has another digest"
    return ""


def problems(
    source: ShardSource, record: ConfigRecord, made: Sequence[MadeShard], engine: Engine, tell: Tell = untold
) -> list[str]:
    """Returns what is wrong with shards, in words; all of them are read.

    Args:
        source: Where they are.
        record: Their config's record.
        made: What they have to be.
        engine: What compares them.
        tell: Is told how many rows were compared, and of how many.

    Raises:
        UnavailableError: If one is not on this machine and cannot be had, and nothing is wrong with the others.
    """
    rows, done = sum(each.shard.rows for each in made), 0
    found: dict[int, Found] = {}
    with scratch_folder("mnist1d-verify") as scratch:
        tasks = [Checking(source, each, record.features, scratch) for each in made]
        for number, outcome in engine.map(compared, tasks):
            found[number] = outcome
            tell(done := done + made[number].shard.rows, rows)
    wrong = [found[number].problem for number in range(len(made)) if found[number].is_here and found[number].problem]
    if not wrong and (away := next((each.problem for each in found.values() if not each.is_here), "")):
        raise UnavailableError(away)
    return wrong


@dataclass(frozen=True)
class Loaded:
    """A shard's rows in a data set that was loaded.

    Attributes:
        rows: The split.
        made: What they have to be.
        features: The columns that they have to have.
    """

    rows: datasets.Dataset
    made: MadeShard
    features: datasets.Features


def loaded_problem(task: Loaded) -> str:
    """Returns how rows that were loaded differ from a shard, in words; empty if they do not."""
    shard = task.made.shard
    if task.rows.features != task.features or len(task.rows) < shard.stop:
        return f"the columns of split {shard.split!r} are of other types, or rows are missing"
    rows = task.rows.with_format("arrow")
    steps = range(shard.start, shard.stop, LEAF_ROWS)
    return other_leaf(task.made, leaf_digests(rows[start : min(start + LEAF_ROWS, shard.stop)] for start in steps))

"""How a split is cut: into leaves of a fixed number of rows, and shards that hold whole leaves.

Leaves decide what a digest is of, and never change; shards are files, and may be as long as anybody likes. So the same
data in other shards have the same digests.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mnist1d_hf.checks import whole_number
from mnist1d_hf.generator.recipe import FAST_CAPACITY, Recipe

LEAF_ROWS: Final = 100_000  # part of what a digest means: never change it
SHARD_BYTES: Final = 270_000_000  # of a shard, about, where nothing else is asked for
POINT_BYTES: Final = 3.375  # of a point of a signal in a file: 135 bytes a row of 40 points, measured with the label
MANY: Final = 64  # shards from which on their number is a multiple of this


@dataclass(frozen=True)
class Shard:
    """A file of a split.

    Attributes:
        config: Name of the config.
        split: Name of the split.
        number: Which of the split's shards it is, from 0.
        count: How many shards the split has.
        start: Its first row.
        stop: The row behind its last.
    """

    config: str
    split: str
    number: int
    count: int
    start: int
    stop: int

    @property
    def path(self) -> str:
        """Returns its path in a folder or repository, as datasets names such files."""
        return f"{self.config}/{self.split}-{self.number:05d}-of-{self.count:05d}.parquet"

    @property
    def rows(self) -> int:
        """Returns the number of its rows."""
        return self.stop - self.start


def usual_rows(recipe: Recipe) -> int:
    """Returns the rows of a shard where nothing is asked for: whole leaves, about `SHARD_BYTES` of them."""
    leaf_bytes = LEAF_ROWS * POINT_BYTES * recipe.final_seq_length
    return LEAF_ROWS * max(1, int(SHARD_BYTES / leaf_bytes))


def checked_rows(rows_per_shard: int) -> int:
    """Returns a number of rows that a shard may have at most, if shards of it hold whole leaves.

    Raises:
        ValueError: If they would not.
    """
    rows = whole_number("rows_per_shard", rows_per_shard, LEAF_ROWS, FAST_CAPACITY)
    if rows % LEAF_ROWS:
        less = rows // LEAF_ROWS * LEAF_ROWS
        raise ValueError(
            f"rows_per_shard={rows} must be a multiple of {LEAF_ROWS}, for a shard holds whole leaves of so many rows; "
            f"write {less} or {less + LEAF_ROWS}"
        )
    return rows


def leaves_in(rows: int) -> int:
    """Returns the number of leaves of so many rows; the last one may be shorter."""
    return -(-rows // LEAF_ROWS)


def cut(config: str, sizes: Mapping[str, int], rows_per_shard: int) -> list[Shard]:
    """Returns the shards of all splits, none longer than asked for.

    Where there are `MANY` and leaves enough, their number is a multiple of `MANY`, so that any usual number of readers
    gets whole shards.

    Args:
        config: Name of the config.
        sizes: Rows of each split.
        rows_per_shard: Most rows of a shard, a multiple of `LEAF_ROWS`.
    """
    shards = []
    for split, rows in sizes.items():
        leaves = leaves_in(rows)
        count = -(-leaves // (rows_per_shard // LEAF_ROWS))
        rounded = -(-count // MANY) * MANY
        count = rounded if count >= MANY and rounded <= leaves else count
        ends = [min(number * leaves // count * LEAF_ROWS, rows) for number in range(count + 1)]
        shards += [Shard(config, split, number, count, ends[number], ends[number + 1]) for number in range(count)]
    return shards

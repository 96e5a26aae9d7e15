"""Digests that compose: one of each leaf, and one of those for a split.

Any leaf can be checked alone, by anybody, in any order; and the digest of a split does not depend on how the split is
cut into files.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mnist1d_hf.generator.columns import column_digests
from mnist1d_hf.shards.cut import LEAF_ROWS

Leaf = Mapping[str, str]  # SHA-256 by column

READ_ROWS = 10_000  # of a file at a time


def leaf_digests(tables: Iterable[pa.Table]) -> list[dict[str, str]]:
    """Returns the SHA-256 of each column of each leaf of consecutive rows, however they are cut into tables.

    Args:
        tables: Rows from the first one of a leaf on.
    """
    rows = _Rows(tables)
    found = []
    while digests := column_digests(rows.of_a_leaf()):
        found.append(digests)
    return found


def composed(leaves: Sequence[Leaf]) -> dict[str, str]:
    """Returns the digest of each column of a split: of one leaf its own, of several that of their digests' 32 bytes."""
    if len(leaves) == 1:
        return dict(leaves[0])
    return {
        name: hashlib.sha256(b"".join(bytes.fromhex(leaf[name]) for leaf in leaves)).hexdigest() for name in leaves[0]
    }


def file_leaves(path: Path) -> list[dict[str, str]]:
    """Returns the digests of the leaves in a Parquet file, of which a small part is in memory at a time."""
    return leaf_digests(pa.Table.from_batches([batch]) for batch in pq.ParquetFile(path).iter_batches(READ_ROWS))


class _Rows:
    """Consecutive rows, given out leaf by leaf."""

    def __init__(self, tables: Iterable[pa.Table]) -> None:
        self._tables = iter(tables)
        self._rest: pa.Table | None = None

    def of_a_leaf(self) -> Iterator[pa.Table]:
        """Yields tables with the rows of the next leaf; none at the end."""
        wanted = LEAF_ROWS
        while wanted:
            table, self._rest = self._rest, None
            table = next(self._tables, None) if table is None else table
            if table is None:
                return
            if len(table) > wanted:
                self._rest = table.slice(wanted)
                table = table.slice(0, wanted)
            wanted -= len(table)
            if len(table):
                yield table

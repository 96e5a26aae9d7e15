"""Parquet files as this package writes them, and shards made straight from the fast stream."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from mnist1d_hf.generator.columns import features_of, table_of
from mnist1d_hf.generator.draws import BLOCK_SIZE
from mnist1d_hf.generator.fast_stream import FastStream
from mnist1d_hf.generator.recipe import Recipe
from mnist1d_hf.shards.cut import LEAF_ROWS, Shard
from mnist1d_hf.shards.leaves import leaf_digests

ROW_GROUP: Final = LEAF_ROWS  # examples a row group of Parquet; the Hub's viewer reads whole groups
# Three quarters of the signals' bytes are noise that nothing compresses. The hardest level takes 1.5 % off what the
# usual one leaves, for a tenth of a second at 5,000 examples; a million would take a minute.
HARDEST_LEVEL: Final = 19
USUAL_LEVEL: Final = 3
CHUNKING: Final = {"min_chunk_size": 256 * 1024, "max_chunk_size": 1024 * 1024, "norm_level": 0}  # bytes; datasets' own
GROUP_BYTES: Final = 1 << 26  # of a row group of long signals in memory; that of 40 points has 16 MB
ONE_THREAD: Final = 10 * BLOCK_SIZE  # rows that the generator makes without threads of its own


@contextmanager
def parquet_writer(
    path: Path, schema: pa.Schema, features: datasets.Features, level: int
) -> Iterator[pq.ParquetWriter]:
    """Yields a writer of one file: signals split by bytes, everything compressed by zstd.

    Pages are cut where the content says so, and listed in an index: of a file that changes in a few rows a few pieces
    are sent to the Hub, and its viewer reads a page instead of a row group. The options are those of datasets itself.

    Args:
        path: The file.
        schema: Columns of the tables that will be written.
        features: The same as datasets has them.
        level: How hard zstd tries.
    """
    floats = [name for name, feature in features.items() if getattr(feature, "dtype", "") == "float32"]
    integers = [name for name in schema.names if name not in {"x", *floats}]
    with pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=level,
        use_dictionary=integers,
        use_byte_stream_split=[_values_of(schema, "x"), *floats],
        use_content_defined_chunking=CHUNKING,
        write_page_index=True,
    ) as writer:
        yield writer
        writer.add_key_value_metadata({"content_defined_chunking": json.dumps(CHUNKING)})  # as datasets tells it


def _values_of(schema: pa.Schema, name: str) -> str:
    """Returns Parquet's path of the values of a list column."""
    return f"{name}.list.{schema.field(name).type.value_field.name.replace('item', 'element')}"


def write_shard(recipe: Recipe, latents: bool, shard: Shard, path: Path, *, threads: bool) -> list[dict[str, str]]:
    """Writes the rows of a shard into a file, of which a row group is in memory at a time; returns its leaves' digests.

    Args:
        recipe: What the fast stream makes.
        latents: Whether latents are columns.
        shard: Which rows.
        path: The file.
        threads: Whether the generator may use all cores; not if other processes do. The bytes do not depend on it.
    """
    features = features_of(recipe, latents)
    stream = FastStream.of(recipe)
    rows = group_rows(recipe)

    def groups() -> Iterator[pa.Table]:
        for start in range(shard.start, shard.stop, rows):
            stop = min(start + rows, shard.stop)
            step = rows if threads else min(ONE_THREAD, rows)
            ends = [*range(start, stop, step), stop]
            parts = [
                table_of(stream.slice(shard.split, first, last, latents=latents), features)
                for first, last in itertools.pairwise(ends)
            ]
            yield pa.concat_tables(parts).combine_chunks()

    with parquet_writer(path, features.arrow_schema, features, USUAL_LEVEL) as writer:

        def written() -> Iterator[pa.Table]:
            for group in groups():
                writer.write_table(group, row_group_size=rows)
                yield group

        return leaf_digests(written())


def group_rows(recipe: Recipe) -> int:
    """Returns the rows of a row group: those of a leaf, or of a whole part of one where signals are long."""
    most = GROUP_BYTES // (4 * recipe.final_seq_length)
    parts = (part for part in range(1, LEAF_ROWS // BLOCK_SIZE + 1) if LEAF_ROWS // BLOCK_SIZE % part == 0)
    return next(
        (LEAF_ROWS // part for part in parts if LEAF_ROWS // part <= most),
        BLOCK_SIZE,
    )

"""A pinned repository streamed: a shard is fetched whole and compared before any of its rows is served.

A process has one shard on the disk at a time, which goes when its rows have been served. What lies in a folder or in
the Hub's cache already is read where it is.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
from datasets.iterable_dataset import ArrowExamplesIterable, IterableDataset

from mnist1d_hf.hub.card_records import ConfigRecord
from mnist1d_hf.hub.schema import ContentError
from mnist1d_hf.hub.sharded.source import ShardSource
from mnist1d_hf.one_line import one_line
from mnist1d_hf.shards.leaves import READ_ROWS
from mnist1d_hf.shards.listing import MadeShard
from mnist1d_hf.staged_folder import scratch_folder
from mnist1d_hf.stored import Stored


def streamed(source: ShardSource, record: ConfigRecord, made: Sequence[MadeShard]) -> dict[str, IterableDataset]:
    """Returns the splits of a config in shards, whose rows come shard by shard, each compared with its record.

    Args:
        source: Where the shards are.
        record: The config's record.
        made: Its shards.
    """
    found = {}
    for split in record.examples:
        shards = [(each.shard.path, each.stored) for each in made if each.shard.split == split]
        examples = ArrowExamplesIterable(
            shard_tables, {"shards": shards, "source": source, "features": record.features}
        )
        info = datasets.DatasetInfo(features=record.features, version=datasets.Version(record.version))
        found[split] = IterableDataset(examples, info=info, split=datasets.NamedSplit(split))
    return found


def shard_tables(
    shards: Sequence[tuple[str, Stored]], source: ShardSource, features: datasets.Features
) -> Iterator[tuple[str, pa.Table]]:
    """Yields the rows of shards as tables, each with a key.

    Args:
        shards: Path and file of each.
        source: Where they are.
        features: Their columns.

    Raises:
        ContentError: If a shard is not the one of its record; nothing of it has been served.
        UnavailableError: If one cannot be had.
    """
    with scratch_folder("mnist1d-stream") as scratch:
        for path, told in shards:
            with source.taken(path, told, scratch) as file, _opened(file, path, source, features) as parquet:
                rows = 0
                for batch in parquet.iter_batches(READ_ROWS):
                    yield f"{path}_{rows}", pa.Table.from_batches([batch])
                    rows += len(batch)


def _opened(file: Path, path: str, source: ShardSource, features: datasets.Features) -> pq.ParquetFile:
    try:
        parquet = pq.ParquetFile(file)
        found = datasets.Features.from_arrow_schema(parquet.schema_arrow)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ContentError(f"{path} of {source.where} cannot be read ({one_line(error, 200)})") from None
    if found != features:
        raise ContentError(f"{path} of {source.where} has other columns or types than its record; tell its owner")
    return parquet

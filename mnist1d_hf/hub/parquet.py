"""Built configs as Parquet: a file for each split, written from the cache and checked against what was built."""

import json
import os
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from mnist1d_hf.generator.columns import column_digests
from mnist1d_hf.hub.card_records import ConfigRecord
from mnist1d_hf.mnist1d import MNIST1D
from mnist1d_hf.stored import Stored, stored

ROW_GROUP: Final = 100_000  # examples a row group of Parquet; the Hub's viewer reads whole groups
# Three quarters of the signals' bytes are noise that nothing compresses. The hardest level takes 1.5 % off what the
# usual one leaves, for a tenth of a second at 5,000 examples; a million would take a minute.
HARDEST_LEVEL: Final = 19
CHUNKING: Final = {"min_chunk_size": 256 * 1024, "max_chunk_size": 1024 * 1024, "norm_level": 0}  # bytes; datasets' own
USUAL_LEVEL: Final = 3


@dataclass(frozen=True, eq=False)
class BuiltConfig:
    """A config that lies in the cache, under the name and version that it is to have elsewhere.

    Attributes:
        builder: Its builder.
        record: Its name, version and digests.
    """

    builder: MNIST1D
    record: ConfigRecord

    @classmethod
    def build(
        cls,
        config: str,
        *,
        name: str | None = None,
        version: str | None = None,
        recipe: Mapping[str, Any] | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Builds a config, or finds it built.

        Args:
            config: One of `RECIPES`.
            name: Another name for it.
            version: Another version for it.
            recipe: Numbers to change, as keywords of `load_dataset`.
            cache_dir: Cache in which it is built or found.

        Raises:
            RecipeError: If the config or a number is not allowed.
        """
        builder = MNIST1D(config_name=config, cache_dir=cache_dir and str(cache_dir), **(recipe or {}))
        builder.download_and_prepare()
        return cls(builder, ConfigRecord.built(builder, name=name, version=version))

    @property
    def name(self) -> str:
        """Returns the name that the config is to have."""
        return self.record.config_name

    def paths(self) -> dict[str, str]:
        """Returns the file of each split, relative to the folder or repository."""
        return {split: f"{self.name}/{split}-00000-of-00001.parquet" for split in self.record.examples}

    def write(self, root: Path) -> datasets.DatasetInfo:
        """Writes the splits into a folder; returns the features and sizes that the card tells.

        Raises:
            ValueError: If the cache does not hold what was built.
        """
        (root / self.name).mkdir()
        splits = self.builder.as_dataset()
        found = {split: column_digests([dataset.with_format("arrow")[:]]) for split, dataset in splits.items()}
        if found != self.record.digests:
            raise ValueError(
                f"the cached config {self.builder.config_id!r} does not hold what was built; run "
                f"`mnist1d data build {self.builder.config.name} --force` with the same numbers, then try again"
            )
        paths = {split: root / path for split, path in self.paths().items()}
        for split, path in paths.items():
            write_parquet(splits[split], path)
        return self.info(sum(path.stat().st_size for path in paths.values()))

    def stored_in(self, root: Path) -> dict[str, Stored]:
        """Returns the size and digests of each file that was written."""
        return {path: stored(root / path) for path in self.paths().values()}

    def info(self, download_size: int) -> datasets.DatasetInfo:
        """Returns the features and sizes that the card tells, of files of this size."""
        info = deepcopy(self.builder.info)
        info.download_size = download_size
        return info


def write_parquet(dataset: datasets.Dataset, path: Path) -> None:
    """Writes one split as a Parquet file: signals split by bytes, everything compressed by zstd.

    Pages are cut where the content says so, and listed in an index: of a file that changes in a few rows a few pieces
    are sent to the Hub, and its viewer reads a page instead of a row group. The options are those of datasets itself.
    """
    table = dataset.with_format("arrow")[:].replace_schema_metadata(dataset.features.arrow_schema.metadata)
    floats = [name for name, feature in dataset.features.items() if getattr(feature, "dtype", "") == "float32"]
    integers = [name for name in table.column_names if name not in {"x", *floats}]
    with pq.ParquetWriter(
        path,
        table.schema,
        compression="zstd",
        compression_level=HARDEST_LEVEL if len(table) <= ROW_GROUP else USUAL_LEVEL,
        use_dictionary=integers,
        use_byte_stream_split=[_leaf(table, "x"), *floats],
        use_content_defined_chunking=CHUNKING,
        write_page_index=True,
    ) as writer:
        writer.write_table(table, row_group_size=ROW_GROUP)
        writer.add_key_value_metadata({"content_defined_chunking": json.dumps(CHUNKING)})  # as datasets tells it


def _leaf(table: pa.Table, name: str) -> str:
    """Returns Parquet's path of the values of a list column."""
    return f"{name}.list.{table.schema.field(name).type.value_field.name.replace('item', 'element')}"

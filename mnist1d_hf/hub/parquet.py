"""Built configs as Parquet: a file for each split, written from the cache and checked against what was built."""

import os
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import datasets

from mnist1d_hf.generator.columns import column_digests
from mnist1d_hf.hub.card_records import ConfigRecord
from mnist1d_hf.mnist1d import MNIST1D
from mnist1d_hf.shards.writing import HARDEST_LEVEL, ROW_GROUP, USUAL_LEVEL, parquet_writer
from mnist1d_hf.stored import Stored, stored


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
    """Writes one split as a Parquet file, see `mnist1d_hf.shards.writing.parquet_writer`."""
    table = dataset.with_format("arrow")[:].replace_schema_metadata(dataset.features.arrow_schema.metadata)
    level = HARDEST_LEVEL if len(table) <= ROW_GROUP else USUAL_LEVEL
    with parquet_writer(path, table.schema, dataset.features, level) as writer:
        writer.write_table(table, row_group_size=ROW_GROUP)

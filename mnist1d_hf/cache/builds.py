"""What the cache of datasets holds of this data set: listing it, checking it, filling it ahead of time."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa

from mnist1d_hf.cache import golden
from mnist1d_hf.generator.columns import as_numpy
from mnist1d_hf.generator.recipe import RECIPES
from mnist1d_hf.manifest import MANIFEST, content_problems, read_manifest, split_tables
from mnist1d_hf.mnist1d import DATA_VERSION, MNIST1D
from mnist1d_hf.register import NAME
from mnist1d_hf.tidy import PREFERRED, UNFINISHED, make_newest, tidy


@dataclass(frozen=True)
class CachedBuild:
    """A built data set in the cache.

    Attributes:
        folder: Where it lies.
        config_id: The config's name, with what differs from it.
        data_version: The version it was built as.
        num_bytes: Size of its files.
    """

    folder: Path
    config_id: str
    data_version: str
    num_bytes: int

    def problems(self) -> list[str]:
        """Returns each difference of the content from what was built or what the version contains; reads all of it."""
        found = content_problems(self.folder)
        if found or self.config_id not in RECIPES or self.data_version != DATA_VERSION:
            return found
        return golden.differences(self.config_id, golden.committed()[self.config_id], self._content())

    def _content(self) -> dict[str, golden.Golden]:
        record = read_manifest(self.folder)
        if record["stream"] == "reference":
            return dict(record["digests"])
        content = {}
        for split in record["digests"]:
            columns = as_numpy(datasets.Dataset(pa.concat_tables(split_tables(self.folder, split))))
            rows = np.array(golden.PROBE_ROWS)
            content[split] = golden.probes(columns["x"][rows], columns["y"][rows], columns["x"][: golden.MOMENT_ROWS])
        return content


def cached_builds(cache_dir: str | os.PathLike[str] | None = None) -> list[CachedBuild]:
    """Returns all data sets that the builder has put into the cache, by name and age.

    Args:
        cache_dir: The cache; by default that of datasets (``HF_DATASETS_CACHE``).
    """
    root = Path(cache_dir or datasets.config.HF_DATASETS_CACHE).expanduser() / NAME
    found = (path for path in root.glob(f"*/*/*/{MANIFEST}") if path.parent.suffix != UNFINISHED)  # being built
    manifests = sorted(found, key=lambda path: (path.parts[-4], path.stat().st_mtime))
    return [
        CachedBuild(
            folder=path.parent,
            config_id=path.parts[-4],
            data_version=path.parts[-3],
            num_bytes=sum(entry.stat().st_size for entry in path.parent.iterdir()),
        )
        for path in manifests
    ]


def install(configs: Sequence[str], cache_dir: str | None = None) -> list[Path]:
    """Builds these configs where `load_dataset` finds them without importing this package; returns their folders.

    Such a load takes the newest folder of a config's name, so these are made the newest; and for the bare name the
    newest of all, so `default` is built with them and made newer than any.

    Raises:
        RecipeError: If a config does not exist.
        OSError: If the cache cannot be written to.
    """
    builders = [MNIST1D(config_name=name, cache_dir=cache_dir) for name in dict.fromkeys([*configs, PREFERRED])]
    for builder in builders:
        builder.download_and_prepare()
        try:
            make_newest(builder.cache_dir)
        except OSError as error:
            raise OSError(
                f"The cache {builder.cache_root} cannot be written to ({error}), and the library alone reads no such "
                "cache: import mnist1d_hf, which does; or set HF_DATASETS_CACHE to a folder of your own"
            ) from error
    tidy(builders[0].cache_root)
    folders = {builder.config.name: Path(builder.cache_dir) for builder in builders}
    return [folders[name] for name in configs]

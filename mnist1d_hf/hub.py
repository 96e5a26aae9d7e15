"""Data sets as folders that others can load without this package, and checks of what the cache holds."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import datasets
import numpy as np
import pyarrow.parquet as pq

from mnist1d_hf import golden
from mnist1d_hf.card import dataset_card
from mnist1d_hf.columns import as_numpy, column_digests
from mnist1d_hf.manifest import MANIFEST, content_problems, read_manifest
from mnist1d_hf.mnist1d import DATA_VERSION, MNIST1D
from mnist1d_hf.recipe import RECIPES
from mnist1d_hf.register import NAME

ROW_GROUP: Final = 100_000  # examples a row group of Parquet; the Hub's viewer reads whole groups


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
        """Every way in which the content is not what was built, or not what the version contains; reads all of it."""
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
            paths = sorted(str(path) for path in self.folder.glob(f"{NAME}-{split}*.arrow"))
            columns = as_numpy(datasets.concatenate_datasets([datasets.Dataset.from_file(path) for path in paths]))
            rows = np.array(golden.PROBE_ROWS)
            content[split] = golden.probes(columns["x"][rows], columns["y"][rows], columns["x"][: golden.MOMENT_ROWS])
        return content


def cached_builds(cache_dir: str | os.PathLike[str] | None = None) -> list[CachedBuild]:
    """All data sets that the builder has put into the cache, by name and age.

    Args:
        cache_dir: The cache; by default that of datasets (``HF_DATASETS_CACHE``).
    """
    root = Path(cache_dir or datasets.config.HF_DATASETS_CACHE).expanduser() / NAME
    found = (path for path in root.glob(f"*/*/*/{MANIFEST}") if path.parent.suffix != ".incomplete")  # being built
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
    """Build these configs where `load_dataset` finds them without importing this package; returns their folders.

    Such a load takes the newest folder of a config's name, so these are made the newest.

    Raises:
        RecipeError: If a config does not exist.
    """
    folders = []
    for builder in [MNIST1D(config_name=name, cache_dir=cache_dir) for name in configs]:
        builder.download_and_prepare()
        os.utime(builder.cache_dir)
        folders.append(Path(builder.cache_dir))
    return folders


def export(
    folder: str | os.PathLike[str],
    configs: Sequence[str] = (),
    *,
    overwrite: bool = False,
    cache_dir: str | None = None,
) -> list[Path]:
    """Write configs as Parquet with a card, loadable by ``load_dataset(folder, config)`` without this package.

    All is written beside the folder under another name and moved into place at the end.

    Args:
        folder: Where to; must not exist, or be empty, unless ``overwrite``.
        configs: Names; by default all that the reference stream makes.
        overwrite: Whether an existing folder is replaced, once the new one is complete.
        cache_dir: Cache in which the configs are built or found.

    Returns:
        The files written.

    Raises:
        RecipeError: If a config does not exist.
        FileExistsError: If the folder holds files and may not be overwritten.
        ValueError: If a cached config does not contain what its version says.
    """
    target = Path(folder).expanduser().absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())) and not overwrite:
        raise FileExistsError(
            f"{target} exists and is not empty; name another folder, or pass overwrite=True to replace it"
        )
    names = list(dict.fromkeys(configs)) or [name for name, named in RECIPES.items() if named.stream == "reference"]
    builders = [MNIST1D(config_name=name, cache_dir=cache_dir) for name in names]
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        described = [_write_config(builder, staging) for builder in builders]
        digests = {builder.config.name: read_manifest(builder.cache_dir)["digests"] for builder in builders}
        card = dataset_card(described, digests, path=target.name, with_files=True)
        (staging / "README.md").write_text(card, encoding="utf-8")
        staging.chmod(0o755)
        _move_into_place(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return sorted(path for path in target.rglob("*") if path.is_file())


def _write_config(builder: MNIST1D, root: Path) -> Any:
    """Write one config's splits; returns a copy of the builder that knows their sizes."""
    builder.download_and_prepare()
    name = builder.config.name
    (root / name).mkdir()
    splits = builder.as_dataset()
    for split, dataset in splits.items():
        write_parquet(dataset, root / name / f"{split}-00000-of-00001.parquet")
    found = {split: column_digests([dataset.with_format("arrow")[:]]) for split, dataset in splits.items()}
    if found != read_manifest(builder.cache_dir)["digests"]:
        raise ValueError(
            f"the cached config {name!r} does not hold what was built; run `mnist1d data build {name} --force`, "
            "then try again"
        )
    described = deepcopy(builder)
    described.info.download_size = sum(path.stat().st_size for path in (root / name).iterdir())
    return described


def write_parquet(dataset: datasets.Dataset, path: Path) -> None:
    """One split as a Parquet file: signals split by bytes, everything compressed by zstd."""
    table = dataset.with_format("arrow")[:].replace_schema_metadata(dataset.features.arrow_schema.metadata)
    floats = [name for name, feature in dataset.features.items() if getattr(feature, "dtype", "") == "float32"]
    integers = [name for name in table.column_names if name not in {"x", *floats}]
    with pq.ParquetWriter(
        path,
        table.schema,
        compression="zstd",
        use_dictionary=integers,
        use_byte_stream_split=[_leaf(table, "x"), *floats],
    ) as writer:
        writer.write_table(table, row_group_size=ROW_GROUP)


def _leaf(table: Any, name: str) -> str:
    """Parquet's path of the values of a list column."""
    return f"{name}.list.{table.schema.field(name).type.value_field.name.replace('item', 'element')}"


def _move_into_place(staging: Path, target: Path) -> None:
    if not target.exists():
        os.replace(staging, target)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    try:
        os.replace(target, aside / "old")
        os.replace(staging, target)
    except BaseException:  # an interruption too; if the old one cannot be put back, it stays where it is
        if (aside / "old").exists():
            os.replace(aside / "old", target)
        aside.rmdir()
        raise
    shutil.rmtree(aside, ignore_errors=True)

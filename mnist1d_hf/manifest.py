"""What a cache folder must hold: written when it is built, checked by size at each load and by content on request.

datasets itself takes a folder as it finds it: a truncated file is an error that does not say what to do, a bad
``dataset_info.json`` cannot even be rebuilt, and altered bytes are served in silence.
"""

import json
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock  # a dependency of datasets

from mnist1d_hf.generator.columns import column_digests
from mnist1d_hf.tidy import INFO

MANIFEST: Final = "manifest.json"

logger = logging.getLogger(__name__)


def write_manifest(folder: str | Path, made_with: dict[str, Any], splits: list[str]) -> None:
    """Records what a freshly built folder was made with, and the sizes and content digests of its split files."""
    paths = {split: _split_files(Path(folder), split) for split in splits}
    record = {
        **made_with,
        "sizes": {path.name: path.stat().st_size for split in splits for path in paths[split]},
        "digests": {split: column_digests(_tables(paths[split])) for split in splits},
    }
    Path(folder, MANIFEST).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """Returns the record of a built folder.

    Raises:
        OSError: If it is not there.
        ValueError: If it is not readable as JSON.
    """
    record = json.loads(Path(folder, MANIFEST).read_text(encoding="utf-8"))
    entries = {"data_version": str, "config_id": str, "sizes": dict, "digests": dict}
    if not isinstance(record, dict) or not all(isinstance(record.get(key), kind) for key, kind in entries.items()):
        raise ValueError(f"{MANIFEST} lacks entries")
    return record


def problem_of(folder: str | Path) -> str | None:
    """Returns why the folder cannot be what was built, judged by names, sizes and version alone; None if it can."""
    folder = Path(folder)
    try:
        record = read_manifest(folder)
        _check_info(folder, record)
        sizes = {name: (folder / name).stat().st_size for name in record["sizes"]}
    except (OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    wrong = [name for name, size in record["sizes"].items() if sizes[name] != size]
    if wrong:
        return f"{wrong[0]} has {sizes[wrong[0]]} bytes instead of {record['sizes'][wrong[0]]}"
    if folder.parent.name != record["data_version"]:
        return f"it holds version {record['data_version']}"
    return None


def _check_info(folder: Path, record: dict[str, Any]) -> None:
    """Raises a ValueError if dataset_info.json is not of these splits; the library would fail over it for good."""
    info = json.loads((folder / INFO).read_text(encoding="utf-8"))
    splits = info.get("splits") if isinstance(info, dict) else None
    if not isinstance(splits, dict) or splits.keys() != record["digests"].keys() or not info.get("features"):
        raise ValueError(f"{INFO} lacks entries")


def content_problems(folder: str | Path) -> list[str]:
    """Returns every difference between the folder's content and its record; reads all of it."""
    problem = problem_of(folder)
    if problem:
        return [problem]
    problems = []
    for split, expected in read_manifest(folder)["digests"].items():
        found = column_digests(_tables(_split_files(Path(folder), split)))
        problems += [
            f"split {split!r}, column {name!r}: the values are not those that were built"
            for name in sorted(expected.keys() | found.keys())
            if expected.get(name) != found.get(name)
        ]
    return problems


def format_of(folder: str | Path) -> str | None:
    """Returns the format of the files that a whole folder holds, "arrow" or "parquet"; None if it is not whole."""
    if problem_of(folder) is not None:
        return None
    kinds = {Path(name).suffix for name in read_manifest(folder)["sizes"]}
    return kinds.pop().removeprefix(".") if len(kinds) == 1 else None


def split_tables(folder: str | Path, split: str) -> Iterator[pa.Table]:
    """Returns the tables of a split of a built folder, whatever kind of files they lie in."""
    return _tables(_split_files(Path(folder), split))


def discard_if_damaged(folder: str | Path) -> None:
    """Removes a cache folder that cannot be what was built, with a warning, so that it is built anew.

    Raises:
        OSError: If it is damaged and cannot be removed; the message says what to do.
    """
    if not os.path.isdir(folder) or not os.listdir(folder) or (problem := problem_of(folder)) is None:
        return
    try:
        with FileLock(f"{folder}_builder.lock"):  # the library's: whoever builds this folder holds it
            if os.path.isdir(folder) and (problem := problem_of(folder)) is not None:  # nobody else has healed it
                logger.warning("The cached data set in %s is damaged (%s): building it anew.", folder, problem)
                shutil.rmtree(folder)
    except OSError as error:
        raise OSError(
            f"The cached data set in {folder} is damaged ({problem}) and cannot be removed ({error}): delete that "
            "folder, or set HF_DATASETS_CACHE or cache_dir= to a folder that you may write to"
        ) from error


def empty_folder(folder: str | Path) -> None:
    """Removes what an interrupted build left in its temporary folder; it would be taken over into the next one."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def _split_files(folder: Path, split: str) -> list[Path]:
    found = [*folder.glob(f"*-{split}.*"), *folder.glob(f"*-{split}-*-of-*.*")]
    return sorted(path for path in found if path.suffix in {".arrow", ".parquet"})


def _tables(paths: list[Path]) -> Iterator[pa.Table]:
    for path in paths:
        if path.suffix == ".parquet":
            for batch in pq.ParquetFile(path).iter_batches():
                yield pa.Table.from_batches([batch])
        else:
            with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as reader:
                for batch in reader:
                    yield pa.Table.from_batches([batch])

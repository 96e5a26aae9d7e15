"""`load`: exactly the revision that was asked for, with the content that its card records, or an error.

``load_dataset(repo, config, revision=...)`` takes the newest cached config of any revision when the Hub cannot be
reached. Here the revision is first turned into a commit, the files come from that commit, and what is loaded from them
is compared with the digests in the card.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

import datasets
import pyarrow.parquet as pq

from mnist1d_hf.checks import flag, one_of, whole_number
from mnist1d_hf.engine.engine import Engine
from mnist1d_hf.engine.local import LocalEngine
from mnist1d_hf.generator.columns import column_digests
from mnist1d_hf.hub.about import told_of
from mnist1d_hf.hub.card_records import ConfigRecord
from mnist1d_hf.hub.door import Opened, opened, say_once
from mnist1d_hf.hub.drift import named_by
from mnist1d_hf.hub.schema import ContentError, IncompleteError
from mnist1d_hf.hub.sharded.checking import Loaded, loaded_problem
from mnist1d_hf.hub.sharded.source import ShardSource, listed
from mnist1d_hf.hub.sharded.streaming import streamed
from mnist1d_hf.hub.snapshot import ONLINE, UnavailableError
from mnist1d_hf.one_line import one_line
from mnist1d_hf.register import NAME
from mnist1d_hf.shards.listing import MadeShard
from mnist1d_hf.stored import file_digest

__all__ = ["ContentError", "IncompleteError", "UnavailableError", "configs_at", "load", "load_from", "pinned_revision"]

ONE: Final = LocalEngine(1)

logger = logging.getLogger(__name__)


def load(
    path: str | os.PathLike[str] = NAME,
    name: str | None = None,
    *,
    revision: str | None = None,
    split: str | None = None,
    streaming: bool = False,
    num_proc: int | None = None,
    token: str | None = None,
    cache_dir: str | None = None,
) -> Any:
    """Returns a config exactly as at a revision, its content verified: a `Dataset` if ``split``, else a `DatasetDict`.

    Works without a network if exactly that revision is on this machine, and fails within seconds if not. What this
    package did not write has no record to compare it with: it is served, and a warning says that it is not verified.

    Args:
        path: "owner/name" on the Hub, a folder, or "mnist1d", which is generated.
        name: The config; by default the only one, or the one that is marked or named "default".
        revision: A tag, branch or commit; of a folder or of "mnist1d" the data version. By default the newest: of a
            repository that cannot be reached, with a warning, the newest that was seen.
        split: "train", "test", or a part such as "train[:10%]"; with ``streaming`` no part.
        streaming: Whether rows are served before all are here, as an `IterableDataset`. Of a config in shards each one
            is fetched whole and compared before a row of it is served, and then deleted; any other is loaded first.
        num_proc: Processes that compare the shards of a config in shards; by default this one does.
        token: Token of the Hub; by default the one that is logged in.
        cache_dir: Cache of datasets.

    Raises:
        UnavailableError: If the revision is not on this machine and cannot be had.
        ContentError: If the files do not hold what the card says, or the card cannot be read.
        IncompleteError: If the card lacks a digest that the content has to be compared with.
        ValueError: If there is no such repository, revision, config or split.
    """
    keywords: dict[str, Any] = {"revision": revision, "split": split, "cache_dir": cache_dir}
    if os.fspath(path) == NAME:
        return datasets.load_dataset(NAME, name or "default", streaming=streaming, **keywords)
    engine = LocalEngine(1 if num_proc is None else whole_number("num_proc", num_proc, 1))
    load = stream_from if flag("streaming", streaming) else load_from
    return load(opened(path, revision, token=token), name, engine=engine, **keywords)


def pinned_revision(path: str, revision: str | None = None, *, token: str | None = None) -> str | None:
    """Returns the commit where a revision of a repository stands now; of a folder, the revision as it was given.

    Raises:
        UnavailableError: If the revision is not on this machine and cannot be had.
        ValueError: If there is no such repository or revision.
    """
    return opened(path, revision, token=token).commit or revision


def configs_at(path: str, *, revision: str | None = None, token: str | None = None) -> dict[str, ConfigRecord]:
    """Returns the records of all configs of a repository or folder at a revision.

    Raises:
        UnavailableError: If the revision is not on this machine and cannot be had.
        ContentError: If a record cannot be used.
        ValueError: If there is no such repository or revision, or its card has no records.
    """
    door = opened(path, revision, token=token)
    found = {name: door.header.record_of(name) for name in door.header.names}
    records = {name: record for name, record in found.items() if record is not None}
    if not records:
        raise ValueError(f"the card of {door.where} records no digests; it was not written by this package")
    return records


def load_from(
    door: Opened,
    name: str | None = None,
    *,
    revision: str | None = None,
    split: str | None = None,
    cache_dir: str | None = None,
    engine: Engine = ONE,
) -> Any:
    """Returns a config of what was opened, as `load` serves it.

    Raises:
        UnavailableError: If its files are not on this machine and cannot be had.
        ContentError: If they do not hold what the card says.
        IncompleteError: If the card lacks a digest that the content has to be compared with.
        ValueError: If there is no such config or split.
    """
    name = door.header.chosen(name)
    record = record_of(door, name, revision)
    if record is None:
        return _load_unrecorded(door, name, split, cache_dir)
    record, made = listed(door, record) if record.shards else (record, [])
    paths = _paths(door, name, record)

    def wrong(loaded: Any) -> str:
        return _wrong_content(record, loaded, made, engine)

    problem = wrong(loaded := _attempt(door, paths, record, cache_dir))
    for again in ({"rebuild": True}, {"rebuild": True, "download": True}):
        if not problem or ("download" in again and not door.source.remote):
            break
        logger.warning("%s, config %r: %s; trying again from the files.", door.where, name, problem)
        problem = wrong(loaded := _attempt(door, paths, record, cache_dir, **again))
    if problem:
        raise ContentError(
            f"{door.where}, config {name!r}: {problem}, so it is not what its card says; {_remedy(door)}"
        )
    served = _part(loaded, paths, door, record, split, cache_dir) if split else loaded
    return told_of(served, record, door.header.data)


def stream_from(
    door: Opened,
    name: str | None = None,
    *,
    revision: str | None = None,
    split: str | None = None,
    cache_dir: str | None = None,
    engine: Engine = ONE,
) -> Any:
    """Returns a config of what was opened, as `load` streams it; raises what `load_from` does, some of it later."""
    name = door.header.chosen(name)
    record = record_of(door, name, revision)
    if record is None or not record.shards:
        loaded = load_from(door, name, revision=revision, split=split, cache_dir=cache_dir, engine=engine)
        if isinstance(loaded, dict):
            return datasets.IterableDatasetDict({which: rows.to_iterable_dataset() for which, rows in loaded.items()})
        return loaded.to_iterable_dataset()
    if split is not None:
        one_of("split", split, record.examples, also=", for parts of one cannot be streamed: .take() and .skip() can")
    record, made = listed(door, record)
    splits = told_of(streamed(ShardSource.of(door), record, made), record, door.header.data)
    return splits[split] if split else datasets.IterableDatasetDict(splits)


def record_of(door: Opened, name: str, revision: str | None) -> ConfigRecord | None:
    """Returns the record of a config, with which its content can be compared; None if another program wrote it.

    Raises:
        IncompleteError: If the card lacks a digest that the content has to be compared with.
        ValueError: If a folder holds another version than the one that is asked for.
    """
    record = door.header.record_of(name)
    _check_version(door, record, revision)
    if record is not None and (lacking := record.missing_digest()):
        raise IncompleteError(
            f"{door.where}, config {name!r}: its record lacks {lacking}, so it cannot be verified, and is not served; "
            "tell its owner to push it again"
        )
    return record


def _remedy(door: Opened) -> str:
    if door.source.remote:
        return "tell its owner"
    if door.commit:
        return f"delete {one_line(door.source.folder)} and load it again with a network"
    return "write the folder again, mnist1d data export --overwrite, or get it again"


def _check_version(door: Opened, record: ConfigRecord | None, revision: str | None) -> None:
    """Refuses a version other than the one that a folder has of a config."""
    if door.commit or revision is None:
        return
    if record is None or revision.removeprefix("data-").removeprefix("v") != record.version:
        has = f"version {record.version}" if record else "no version"
        raise ValueError(f"revision={revision!r}: {door.where} holds {has}; leave revision out, or load from the Hub")


def _paths(door: Opened, name: str, record: ConfigRecord) -> dict[str, list[str]]:
    """Returns the files of each split, as the card names them.

    Raises:
        ContentError: If it does not name those of each split in the record.
        UnavailableError: If they are not there.
    """
    patterns: dict[str, list[str]] = {}
    entries = door.header.configs.get(name, {}).get("data_files", [])
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, Mapping):
            path = entry["path"]
            patterns.setdefault(entry["split"], []).extend(path if isinstance(path, list) else [path])
    if patterns.keys() != record.examples.keys():
        raise ContentError(
            f"{door.where}, config {name!r}: its record has the splits {', '.join(record.examples)}, but `configs` in "
            f"its card name files of {', '.join(patterns) or 'none'}; tell its owner"
        )
    found = {split: named_by(wanted, door.source.files) for split, wanted in patterns.items()}
    if lacking := [split for split, paths in found.items() if not paths]:
        raise UnavailableError(f"the files of split {lacking[0]!r} of {door.where} are not on this machine; {ONLINE}")
    return found


def _attempt(
    door: Opened,
    paths: Mapping[str, list[str]],
    record: ConfigRecord,
    cache_dir: str | None,
    *,
    rebuild: bool = False,
    download: bool = False,
) -> Any:
    """Returns the config from its files; a text instead, if they are other files, or cannot be read."""
    try:
        local = {split: [_fetched(door, path, record, download) for path in found] for split, found in paths.items()}
        for split, files in local.items():
            if problem := _unlike(record, split, files):
                return problem
        return datasets.load_dataset("parquet", **_keywords(local, record, cache_dir, rebuild))
    except (UnavailableError, MemoryError):
        raise
    except ContentError as error:
        return str(error)
    except Exception as error:  # of libraries whose parsers raise anything over bytes that somebody else wrote
        return f"its files cannot be read ({one_line(error.__cause__ or error, 300)})"


def _fetched(door: Opened, path: str, record: ConfigRecord, again: bool = False) -> str:
    if record.files and path not in record.files:
        raise ContentError(f"its record has no file {path!r}")
    local = door.fetch(path, again=again)
    if record.files and file_digest(local) != record.files[path]:
        raise ContentError(f"{path} is another file than the one that its record tells of")
    return str(local)


def _unlike(record: ConfigRecord, split: str, files: list[str]) -> str:
    """Returns how the files' own descriptions differ from the record, in rows and columns, before any is read."""
    rows = 0
    for file in files:
        parquet = pq.ParquetFile(file)
        rows += parquet.metadata.num_rows
        features = datasets.Features.from_arrow_schema(parquet.schema_arrow)
        if features != record.features:
            wrong = [n for n in (*record.features, *features) if features.get(n) != record.features.get(n)]
            return f"column {(wrong or [*features])[0]!r} of split {split!r} is not its record's, or of another type"
    expected = record.examples[split]
    return "" if rows == expected else f"split {split!r} has {rows:,} rows instead of {expected:,}"


def _keywords(
    local: Mapping[str, list[str]], record: ConfigRecord, cache_dir: str | None, rebuild: bool = False
) -> dict[str, Any]:
    return {
        "name": record.config_name,
        "data_files": local,
        "version": datasets.Version(record.version),
        "cache_dir": cache_dir,
        "download_mode": "force_redownload" if rebuild else None,
    }


def _wrong_content(record: ConfigRecord, loaded: Any, made: Sequence[MadeShard], engine: Engine) -> str:
    """Returns how the content differs from the record; empty if it does not.

    Args:
        record: The record.
        loaded: The splits, or why there are none.
        made: The shards of a config in shards.
        engine: What compares these.
    """
    if isinstance(loaded, str):
        return loaded
    if loaded.keys() != record.examples.keys():
        return f"it has the splits {', '.join(loaded)} instead of {', '.join(record.examples)}"
    if made:
        tasks = [Loaded(loaded[each.shard.split], each, record.features) for each in made]
        return next((problem for _, problem in engine.map(loaded_problem, tasks) if problem), "")
    for split in record.examples:
        expected = dict(record.digests[split])
        try:
            found = column_digests([loaded[split].with_format("arrow")[:]])
        except ValueError as error:
            return f"split {split!r}: {error}"
        if found != expected:
            wrong = min(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
            return f"column {wrong!r} of split {split!r} has another digest"
        if loaded[split].features != record.features or len(loaded[split]) != record.examples[split]:
            return f"the columns of split {split!r} are of other types"
    return ""


def _part(
    loaded: Any,
    paths: Mapping[str, list[str]],
    door: Opened,
    record: ConfigRecord,
    split: str,
    cache_dir: str | None,
) -> Any:
    """Returns a split, or a part of one, of what has been verified."""
    if split in loaded:
        return loaded[split]
    local = {which: [str(door.fetch(path)) for path in found] for which, found in paths.items()}
    return datasets.load_dataset("parquet", split=split, **_keywords(local, record, cache_dir))


def _load_unrecorded(door: Opened, name: str, split: str | None, cache_dir: str | None) -> Any:
    """Returns a data set that this package did not write: of the right revision, but with nothing to compare it to."""
    for path in sorted(door.source.files):
        door.fetch(path)
    try:
        found = datasets.load_dataset(str(door.source.folder), name, split=split, cache_dir=cache_dir)
    except MemoryError:
        raise
    except Exception as error:  # of libraries whose parsers raise anything over bytes that somebody else wrote
        raise ContentError(
            f"{door.where}, config {name!r}, which this package did not write, cannot be loaded: "
            f"{one_line(error.__cause__ or error, 400)}"
        ) from error
    say_once(
        f"The card of {door.where} records no digests of {one_line(repr(name))}: this package did not write it, and "
        "its content is not verified."
    )
    return found

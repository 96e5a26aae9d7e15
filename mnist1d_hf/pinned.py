"""`load`: exactly the revision that was asked for, with the content that its card records, or an error.

``load_dataset(repo, config, revision=...)`` takes the newest cached config of any revision when the Hub cannot be
reached. Here the revision is first turned into a commit, the files come from that commit, and what is loaded from them
is compared with the digests in the card.
"""

import fnmatch
import logging
import os
from collections.abc import Mapping
from typing import Any

import datasets
import pyarrow as pa
from datasets.exceptions import DatasetsError

from mnist1d_hf.card import CARD, configs_of, parsed
from mnist1d_hf.columns import column_digests
from mnist1d_hf.recipe import nearest
from mnist1d_hf.records import ConfigRecord, read_records
from mnist1d_hf.register import NAME
from mnist1d_hf.snapshot import ONLINE, Source, UnavailableError, source_of

logger = logging.getLogger(__name__)


class ContentError(ValueError):
    """The files do not hold what their card says."""


def load(
    path: str | os.PathLike[str] = NAME,
    name: str | None = None,
    *,
    revision: str | None = None,
    split: str | None = None,
    token: str | None = None,
    cache_dir: str | None = None,
) -> Any:
    """A config exactly as it is at a revision, its content verified; a `Dataset` with ``split``, else a `DatasetDict`.

    Works without a network if exactly that revision is on this machine, and fails within seconds if not.

    Args:
        path: "owner/name" on the Hub, a folder, or "mnist1d", which is generated.
        name: The config; by default the only one, or the one that is marked or named "default".
        revision: A tag, branch or commit; of a folder or of "mnist1d" the data version. By default the newest: of a
            repository that cannot be reached, with a warning, the newest that was seen.
        split: "train", "test", or a part such as "train[:10%]".
        token: Token of the Hub; by default the one that is logged in.
        cache_dir: Cache of datasets.

    Raises:
        UnavailableError: If the revision is not on this machine and cannot be had.
        ContentError: If the files do not hold what the card says.
        ValueError: If there is no such repository, revision, config or split.
    """
    if os.fspath(path) == NAME:
        return datasets.load_dataset(NAME, name or "default", revision=revision, split=split, cache_dir=cache_dir)
    return _load(source_of(path, revision, token), name, revision, split, cache_dir)


def pinned_revision(path: str, revision: str | None = None, *, token: str | None = None) -> str | None:
    """The commit where a revision of a repository stands now; of a folder, the revision as it was given.

    Raises:
        UnavailableError: If the revision is not on this machine and cannot be had.
        ValueError: If there is no such repository or revision.
    """
    return source_of(path, revision, token).commit or revision


def configs_at(path: str, *, revision: str | None = None, token: str | None = None) -> dict[str, ConfigRecord]:
    """The records of all configs of a repository or folder at a revision.

    Raises:
        UnavailableError: If the revision is not on this machine and cannot be had.
        ValueError: If there is no such repository or revision, or its card has no records.
    """
    source = source_of(path, revision, token)
    records = read_records(parsed(source.fetch(CARD).read_text("utf-8")).data) if CARD in source.files else {}
    if not records:
        raise ValueError(f"the card of {source.where} records no digests; it was not written by this package")
    return records


def _load(source: Source, name: str | None, revision: str | None, split: str | None, cache_dir: str | None) -> Any:
    text = source.fetch(CARD).read_text("utf-8") if CARD in source.files else None
    configs = configs_of(text)
    name = name or configs.get_default_config_name() or "default"
    if configs and name not in configs:
        raise ValueError(f"{source.where} has no config {name!r}{nearest(name, configs)}")
    record = read_records(parsed(text).data).get(name) if text else None
    _check_version(source, record, revision)
    if record is None or not record.digests:
        return _load_unrecorded(source, name, split, cache_dir)
    paths = _paths(source, configs.get(name, {}))
    problem = _wrong_content(record, loaded := _attempt(source, paths, record, cache_dir))
    for again in ({"rebuild": True}, {"rebuild": True, "download": True}):
        if not problem:
            break
        logger.warning("%s, config %r: %s; trying again from the files.", source.where, name, problem)
        problem = _wrong_content(record, loaded := _attempt(source, paths, record, cache_dir, **again))
    if problem:
        raise ContentError(
            f"{source.where}, config {name!r}: {problem}, so it is not what its card says; "
            + ("tell its owner" if source.remote else f"delete {source.folder} and load it again with a network")
        )
    return _part(loaded, paths, source, record, split, cache_dir) if split else loaded


def _check_version(source: Source, record: ConfigRecord | None, revision: str | None) -> None:
    """A folder has one version of each config; asking for another one is an error."""
    if source.commit or revision is None:
        return
    if record is None or revision.removeprefix("data-").removeprefix("v") != record.version:
        has = f"version {record.version}" if record else "no version"
        raise ValueError(f"revision={revision!r}: {source.where} holds {has}; leave revision out, or load from the Hub")


def _paths(source: Source, metadata: Mapping[str, Any]) -> dict[str, list[str]]:
    """The files of each split, as the card names them."""
    found = {
        entry["split"]: sorted(path for path in source.files if fnmatch.fnmatchcase(path, entry["path"]))
        for entry in metadata.get("data_files", [])
    }
    if not found or not all(found.values()):
        lacking = next((split for split, paths in found.items() if not paths), "any")
        raise UnavailableError(f"the files of split {lacking!r} of {source.where} are not on this machine; {ONLINE}")
    return found


def _attempt(
    source: Source,
    paths: Mapping[str, list[str]],
    record: ConfigRecord,
    cache_dir: str | None,
    *,
    rebuild: bool = False,
    download: bool = False,
) -> Any:
    """The config from its files; a text instead, if they cannot be read."""
    try:
        local = {split: [str(source.fetch(path, again=download)) for path in found] for split, found in paths.items()}
        return datasets.load_dataset("parquet", **_keywords(local, record, cache_dir, rebuild))
    except (DatasetsError, pa.ArrowException, pa.ArrowInvalid) as error:
        return f"its files cannot be read ({error.__cause__ or error})"


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


def _wrong_content(record: ConfigRecord, loaded: Any) -> str:
    """How the content differs from the record; empty if it does not."""
    if isinstance(loaded, str):
        return loaded
    for split, expected in record.digests.items():
        if split not in loaded:
            return f"the split {split!r} is missing"
        found = column_digests([loaded[split].with_format("arrow")[:]])
        if found != expected:
            wrong = min(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
            return f"column {wrong!r} of split {split!r} has another digest"
    return ""


def _part(
    loaded: Any,
    paths: Mapping[str, list[str]],
    source: Source,
    record: ConfigRecord,
    split: str,
    cache_dir: str | None,
) -> Any:
    """A split, or a part of one, of what has been verified."""
    if split in loaded:
        return loaded[split]
    local = {which: [str(source.fetch(path)) for path in found] for which, found in paths.items()}
    return datasets.load_dataset("parquet", split=split, **_keywords(local, record, cache_dir))


def _load_unrecorded(source: Source, name: str, split: str | None, cache_dir: str | None) -> Any:
    """A data set that this package did not write: of the right revision, but there is nothing to compare it with."""
    logger.warning("The card of %s records no digests of %r: its content is not verified.", source.where, name)
    for path in source.files:
        source.fetch(path)
    return datasets.load_dataset(str(source.folder), name, split=split, cache_dir=cache_dir)

"""Whether configs in a repository are what their records say, and what is to be done about those that are pushed.

What the Hub lists of a file is compared with the record. Only where that is too little, as with records of earlier
releases, are files read, and their content compared with the digests of columns.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from datasets.utils.metadata import MetadataConfigs

from mnist1d_hf.cache.golden import TOLERANCE
from mnist1d_hf.generator.columns import as_numpy, column_digests
from mnist1d_hf.hub.card import CARD, parsed
from mnist1d_hf.hub.card_records import ConfigRecord, read_records
from mnist1d_hf.hub.drift import Drift, drift_of, matching, named_twice, recorded_files, usual_paths
from mnist1d_hf.hub.parquet import BuiltConfig
from mnist1d_hf.hub.publish import RefusedError
from mnist1d_hf.hub.remote import Head, Remote
from mnist1d_hf.hub.schema import ContentError
from mnist1d_hf.stored import Stored, file_digest, stored

if TYPE_CHECKING:
    from mnist1d_hf.hub.sharded.config import ShardedConfig


@dataclass(frozen=True)
class Present:
    """The content of a repository at a commit.

    Attributes:
        head: The commit.
        text: Its card.
        configs: The entries of all configs in the card.
        records: The records of those that this package wrote.
        drift: How each of these differs from its record.
    """

    head: Head
    text: str | None
    configs: Mapping[str, Any]
    records: Mapping[str, ConfigRecord]
    drift: Mapping[str, Drift]


@dataclass(frozen=True)
class Verdict:
    """The verdict on a config: what is to be done about it.

    Attributes:
        record: Its record then; without files, if they are yet to be written.
        write: Whether its files are written.
        restate: Whether its entries in the card are.
        holds_content: Whether the repository serves its content now.
        repaired: What is put right by that.
    """

    record: ConfigRecord
    write: bool = False
    restate: bool = False
    holds_content: bool = True
    repaired: tuple[str, ...] = ()


class Judge:
    """The judge of a repository's configs; remembers what it had to download for that."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self._read: dict[tuple[str, str], Mapping[str, Stored]] = {}

    def present(self, head: Head) -> Present:
        """Returns the content of the repository at a commit.

        Raises:
            RemoteError: If it cannot be read.
            CardError: If its card cannot be read.
        """
        text = self.remote.text(CARD, head)
        if not text:
            return Present(head, text, {}, {}, {})
        data = parsed(text).data  # once: YAML is read slowly, and a card of all configs takes a fifth of a second
        configs = MetadataConfigs.from_dataset_card_data(data)
        records = {name: self._listed(record, head) for name, record in read_records(data).items()}
        infos, twice = data.get("dataset_info"), named_twice(data.get("configs"), data.get("dataset_info"))
        drift = {name: drift_of(record, configs, infos, head.stored, twice=twice) for name, record in records.items()}
        return Present(head, text, configs, records, drift)

    def _listed(self, record: ConfigRecord, head: Head) -> ConfigRecord:
        """Returns a record with the files of its shards, if their list is there and is the right one."""
        if record.shards not in head.files:
            return record
        with suppress(ContentError):  # what is wrong with it shows as drift
            return record.with_shards(record.read_shards(self.remote.download(record.shards, head.commit).read_bytes()))
        return record

    def of_pushed(self, config: "BuiltConfig | ShardedConfig", present: Present) -> Verdict:
        """Returns the verdict on a config that is pushed: what is to be done about it.

        Raises:
            RefusedError: If other content is there, which must not be replaced.
        """
        name, record = config.name, present.records.get(config.name)
        if record is None:
            if name in present.configs or any(path.startswith(f"{name}/") for path in present.head.files):
                raise RefusedError(
                    f"the repository has a config or a folder {name!r} that this package did not write; push under "
                    f"another name (new_config=), or take it out first (remove={name!r})"
                )
            return Verdict(config.record, write=True, holds_content=False)
        if record.shards or not isinstance(config, BuiltConfig):
            return self._of_shards(config.record, record, present.drift[name])
        expected = _with_digests(record, config.record)
        drift, files = self._examined(expected, present, told=expected == record)
        newer = _version(config.record) > _version(record)
        if self._same_content(config, expected, drift, present.head):
            best = config.record if newer else expected
            if drift.lost:
                fresh = replace(config.record, version=best.version)
                return Verdict(fresh, write=True, holds_content=False, repaired=drift.found)
            kept = replace(best, digests=expected.digests, data_files=expected.data_files).with_files(files)
            restate = bool(newer or drift.card)
            return Verdict(kept, restate=restate, holds_content=not (restate or drift.extra), repaired=drift.found)
        if not newer:
            raise RefusedError(self._other_content(config.record, record))
        return Verdict(config.record, write=True, holds_content=False)

    def _of_shards(self, pushed: ConfigRecord, record: ConfigRecord, drift: Drift) -> Verdict:
        """Returns the verdict on a config of which one side is in shards.

        The same numbers make the same rows, however they are cut, so nothing is made to be compared.
        """
        if _version(pushed) > _version(record):
            return Verdict(pushed, write=True, holds_content=False)
        if not pushed.made_alike(record):
            raise RefusedError(self._other_content(pushed, record))
        if drift.lost:
            fresh = replace(pushed, version=record.version)
            return Verdict(fresh, write=True, holds_content=False, repaired=drift.found)
        restate = bool(drift.card)
        return Verdict(record, restate=restate, holds_content=not (restate or drift.extra), repaired=drift.found)

    def _other_content(self, pushed: ConfigRecord, record: ConfigRecord) -> str:
        return (
            f"the config {record.config_name!r} has version {record.version} in {self.remote.repo_id}, with other "
            f"content than what is pushed as version {pushed.version}; published records never change under their "
            "version: raise it (version=), or push under another name"
        )

    def of_others(
        self, present: Present, names: Iterable[str]
    ) -> tuple[dict[str, ConfigRecord], dict[str, Sequence[str]]]:
        """Returns, of configs that are not pushed, records that can be completed, and what is wrong with any files."""
        completed: dict[str, ConfigRecord] = {}
        wrong: dict[str, Sequence[str]] = {}
        for name in sorted(names):
            record = present.records[name]
            if lacking := record.missing_digest():
                what = f"its record lacks {lacking}, so its content is not verified"
                wrong[name] = (*replace(present.drift[name], card=()).found, what)
                continue
            drift, files = self._examined(record, present)
            wrong[name] = replace(drift, card=()).found
            if not wrong[name] and files != record.stored:
                completed[name] = record.with_files(files)
        return completed, wrong

    def _examined(
        self, record: ConfigRecord, present: Present, *, told: bool = True
    ) -> tuple[Drift, Mapping[str, Stored]]:
        """Returns the drift of a config, and its files, which are read if the record tells too little of them."""
        drift = present.drift[record.config_name]
        if drift.lost or (told and not drift.unproven):
            return drift, record.stored
        paths = tuple(recorded_files(record) or usual_paths(record).values())
        key = (present.head.commit, record.config_name)
        if key not in self._read:
            local = {path: self.remote.download(path, present.head.commit) for path in paths}
            if record.shards:
                proven = all(file_digest(file) == record.files[path] for path, file in local.items())
            else:
                proven = _digests_of(record, local) == record.digests
            self._read[key] = {path: stored(file) for path, file in local.items()} if proven else {}
        if not self._read[key]:
            return replace(drift, unproven=(), changed=paths), record.stored
        return replace(drift, unproven=()), self._read[key]

    def _same_content(self, config: BuiltConfig, present: ConfigRecord, drift: Drift, head: Head) -> bool:
        """Returns whether the files hold what was built: bit for bit, or within `TOLERANCE` if the stream is fast."""
        if config.record.digests == present.digests:
            return True
        if "fast" not in {config.record.stream} & {present.stream} or not config.record.made_alike(present):
            return False
        if drift.lost:  # the same numbers under the same name make the same content, and there is nothing to compare
            return config.record.version == present.version
        tables = {split: self.remote.download(path, head.commit) for split, path in config.paths().items()}
        splits = config.builder.as_dataset()
        return all(_close(splits[split].with_format("arrow")[:], pq.read_table(path)) for split, path in tables.items())


def _digests_of(record: ConfigRecord, local: Mapping[str, Path]) -> Any:
    """Returns the digests of each split's columns in files that were downloaded; None if they cannot be read."""
    try:
        return {
            split: column_digests(pq.read_table(local[path]) for path in matching(record, local, split))
            for split in record.examples
        }
    except (pa.ArrowException, OSError, ValueError):
        return None


def _with_digests(record: ConfigRecord, built: ConfigRecord) -> ConfigRecord:
    """Returns the record with the digests that it lacks, if those that it has are those of what was built."""
    pairs = [(split, column, digest) for split, columns in record.digests.items() for column, digest in columns.items()]
    if not record.missing_digest() or any(
        built.digests.get(s, {}).get(column) != digest for s, column, digest in pairs
    ):
        return record
    return replace(record, digests=built.digests, examples=built.examples)


def _version(record: ConfigRecord) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", record.version))


def _close(left: pa.Table, right: pa.Table) -> bool:
    """Returns whether two tables hold the same columns, integers equal and numbers within `TOLERANCE`."""
    ours, theirs = (as_numpy(datasets.Dataset(table)) for table in (left, right))
    return ours.keys() == theirs.keys() and all(
        ours[name].shape == theirs[name].shape and bool(np.allclose(ours[name], theirs[name], rtol=0, atol=TOLERANCE))
        for name in ours
    )

"""What has to change in a repository so that it holds these configs, by what its card records of its content."""

import difflib
import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from huggingface_hub import CommitOperationAdd, CommitOperationDelete

from mnist1d_hf.card import CARD, FIGURE, CardError, configs_of, figure, merged_card, new_card, parsed
from mnist1d_hf.columns import as_numpy
from mnist1d_hf.golden import TOLERANCE
from mnist1d_hf.parquet import BuiltConfig
from mnist1d_hf.publish import Plan, RefusedError
from mnist1d_hf.records import ConfigRecord, read_records
from mnist1d_hf.remote import Head, Operation, Remote

_TABLES: Final = frozenset({".arrow", ".csv", ".json", ".jsonl", ".parquet", ".tsv", ".txt", ".zip"})


class Planner:
    """What has to change at a commit so that it holds these configs; remembers the last answer.

    Parquet files are written when they are first needed: pushing what is there already writes none.
    """

    def __init__(self, remote: Remote, built: Sequence[BuiltConfig], remove: Sequence[str], folder: Path) -> None:
        self.remote, self.built, self.remove, self.folder = remote, built, remove, folder
        self._infos: dict[str, datasets.DatasetInfo] = {}
        self._additions: dict[str, bytes | Path] = {}
        self._deletions: list[str] = []
        self._cards = ("", "")

    def title(self) -> str:
        """Title of the commit."""
        added = ", ".join(f"{config.name} {config.record.version}" for config in self.built)
        removed = f"remove {', '.join(self.remove)}" if self.remove else ""
        title = "; ".join(filter(None, [f"MNIST-1D: {added}" if added else "MNIST-1D", removed]))
        return (
            title if len(title) <= 72 else f"MNIST-1D: {len(self.built)} configs" + (f"; {removed}" if removed else "")
        )

    def plan_at(self, head: Head) -> Plan:
        """What has to change.

        Raises:
            RemoteError: If the repository cannot be read.
            RefusedError: If content would change under its version, or what others wrote would be lost.
        """
        existing = self.remote.text(CARD, head)
        try:
            records = read_records(parsed(existing).data) if existing else {}
            configs = configs_of(existing)
            _refuse_unnamed(head, existing, configs)
            written = [config for config in self.built if self._must_be_written(config, head, records, configs)]
            updated = [config for config in self.built if config not in written and _is_newer(config, records)]
            card = self._card(existing, records, written, updated)
        except CardError as error:
            raise RefusedError(str(error)) from None
        self._additions = {path: self.folder / path for config in written for path in config.paths().values()}
        self._deletions = self._stale(head, written, configs)
        if card != existing:
            self._additions[CARD] = card.encode()
        if FIGURE not in head.files and self.built:
            self._additions[FIGURE] = figure()
        self._cards = (existing or "", card)
        content = any(path not in {CARD, FIGURE} for path in self._additions) or self._deletions
        return Plan(self._operations(), holds_content=not content and not updated)

    def described(self, changed: bool, tag: str | None) -> dict[str, Any]:
        """The last plan, for people."""
        before, after = (text.splitlines(keepends=True) for text in self._cards)
        first = min((config.name for config in self.built), key=lambda name: name != "default", default="default")
        diff = "".join(difflib.unified_diff(before, after, f"{CARD} (now)", f"{CARD} (then)"))
        return {
            "files": {path: _size(content) for path, content in sorted(self._additions.items())} if changed else {},
            "removed": tuple(self._deletions) if changed else (),
            "card_diff": diff if changed else "",
            "load_line": f'load_dataset("{self.remote.repo_id}", "{first}"' + (f', revision="{tag}")' if tag else ")"),
        }

    def _operations(self) -> list[Operation]:
        additions = [
            CommitOperationAdd(path, str(content) if isinstance(content, Path) else content)
            for path, content in self._additions.items()
        ]
        return [*additions, *(CommitOperationDelete(path) for path in self._deletions)]

    def _card(
        self,
        existing: str | None,
        records: Mapping[str, ConfigRecord],
        written: Sequence[BuiltConfig],
        updated: Sequence[BuiltConfig],
    ) -> str:
        for config in written:
            if config.name not in self._infos:
                self._infos[config.name] = config.write(self.folder)
        infos = {config.name: self._infos[config.name] for config in written}
        changed = {config.name: config.record for config in written}
        for config in updated:  # the digests stay those of the files, which stay
            changed[config.name] = replace(config.record, digests=records[config.name].digests)
        if existing is None:
            return new_card(changed, infos, path=self.remote.repo_id)
        return merged_card(existing, changed, infos, removed=self.remove, path=self.remote.repo_id)

    def _must_be_written(
        self, config: BuiltConfig, head: Head, records: Mapping[str, ConfigRecord], configs: Mapping[str, Any]
    ) -> bool:
        """Whether the config's files are not there yet.

        Raises:
            RefusedError: If others are, which must not be replaced.
        """
        name, present = config.name, records.get(config.name)
        if present is None:
            if name in configs or any(path.startswith(f"{name}/") for path in head.files):
                raise RefusedError(
                    f"the repository has a config or a folder {name!r} that this package did not write; push under "
                    f"another name (new_config=), or take it out first (remove={name!r})"
                )
            return True
        complete = name in configs and set(config.paths().values()) <= head.files
        if complete and self._same_content(config, present, head):
            return False
        if config.record.digests == present.digests:  # somebody deleted files, or their entry
            return True
        if _version(config.record) <= _version(present):
            raise RefusedError(
                f"the config {name!r} has version {present.version} in {self.remote.repo_id}, with other content than "
                f"what is pushed as version {config.record.version}; published records never change under their "
                "version: raise it (version=), or push under another name"
            )
        return True

    def _same_content(self, config: BuiltConfig, present: ConfigRecord, head: Head) -> bool:
        """Whether the files hold what was built: bit for bit, or within `TOLERANCE` of it if the stream is fast."""
        if config.record.digests == present.digests:
            return True
        if "fast" not in {config.record.stream} & {present.stream} or not config.record.made_alike(present):
            return False
        tables = {split: self.remote.download(path, head.commit) for split, path in config.paths().items()}
        splits = config.builder.as_dataset()
        return all(_close(splits[split].with_format("arrow")[:], pq.read_table(path)) for split, path in tables.items())

    def _stale(self, head: Head, written: Sequence[BuiltConfig], configs: Mapping[str, Any]) -> list[str]:
        """Files of removed configs, and files of written ones that are not written again."""
        own = {path for config in written for path in config.paths().values()}
        stale = {path for config in written for path in head.files if path.startswith(f"{config.name}/")} - own
        kept = {path for name in configs if name not in self.remove for path in _files_of(configs[name], head)}
        for name in self.remove:
            stale |= _files_of(configs.get(name, {}), head) - kept
        return sorted(stale)


def _refuse_unnamed(head: Head, existing: str | None, configs: Mapping[str, Any]) -> None:
    """Refuse to name configs in a card where datasets finds data by itself now: it no longer would."""
    tables = sorted(path for path in head.files if PurePosixPath(path).suffix in _TABLES and not _is_notice(path))
    if tables and not configs:
        raise RefusedError(
            f"the repository holds {tables[0]}, but its {'card names no configs' if existing else 'has no card'}: once "
            f"a card names some, that file could no longer be loaded; first add it to `configs` in {CARD}"
        )


def _is_notice(path: str) -> bool:
    return PurePosixPath(path).stem.lower().startswith(("license", "licence", "notice", "requirements"))


def _files_of(metadata: Mapping[str, Any], head: Head) -> set[str]:
    """The files of a config, as its entry in the card tells."""
    entries = metadata.get("data_files", [])
    patterns: list[str] = []
    for entry in entries if isinstance(entries, list) else [entries]:
        path = entry["path"] if isinstance(entry, dict) else entry
        patterns += path if isinstance(path, list) else [path]
    return {path for path in head.files for pattern in patterns if fnmatch.fnmatchcase(path, pattern)}


def _is_newer(config: BuiltConfig, records: Mapping[str, ConfigRecord]) -> bool:
    return _version(config.record) > _version(records[config.name])


def _version(record: ConfigRecord) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", record.version))


def _close(left: pa.Table, right: pa.Table) -> bool:
    """Whether two tables hold the same columns, integers equal and numbers within `TOLERANCE`."""
    ours, theirs = (as_numpy(datasets.Dataset(table)) for table in (left, right))
    return ours.keys() == theirs.keys() and all(
        ours[name].shape == theirs[name].shape and bool(np.allclose(ours[name], theirs[name], rtol=0, atol=TOLERANCE))
        for name in ours
    )


def _size(content: bytes | Path) -> int:
    return content.stat().st_size if isinstance(content, Path) else len(content)

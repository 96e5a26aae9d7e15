"""What has to change in a repository so that it holds these configs: judged by its files, not by what its card claims.

The card's records tell what was written. Where the repository no longer holds that, a push puts it right; a record of
an earlier release, which does not tell of files, is completed once the files' content has been compared with it.
"""

import difflib
import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from huggingface_hub import CommitOperationAdd, CommitOperationDelete

from mnist1d_hf.card import CARD, FIGURE, CardError, configs_of, figure, merged_card, new_card, parsed
from mnist1d_hf.columns import as_numpy, column_digests
from mnist1d_hf.drift import Drift, drifts, matching, usual_paths
from mnist1d_hf.golden import TOLERANCE
from mnist1d_hf.parquet import BuiltConfig
from mnist1d_hf.publish import Plan, RefusedError
from mnist1d_hf.records import ConfigRecord, read_records
from mnist1d_hf.remote import Head, Operation, Remote
from mnist1d_hf.stored import Stored, stored

_TABLES: Final = frozenset({".arrow", ".csv", ".json", ".jsonl", ".parquet", ".tsv", ".txt", ".zip"})
_NEVER_REMOVED: Final = frozenset({CARD, FIGURE, ".gitattributes"})  # even if a config's pattern matches them


@dataclass(frozen=True)
class Present:
    """What a repository has at a commit.

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
    """What is to be done about a config.

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


@dataclass(frozen=True)
class Changes:
    """An answer of the planner.

    Attributes:
        additions: Files to be written.
        deletions: Files to be removed.
        cards: The card now and then.
        repaired: How pushed configs had drifted; that is put right.
        drifted: How other configs have; they stay as they are.
    """

    additions: Mapping[str, bytes | Path]
    deletions: Sequence[str]
    cards: tuple[str, str]
    repaired: Mapping[str, Sequence[str]]
    drifted: Mapping[str, Sequence[str]]

    def operations(self) -> list[Operation]:
        """What a commit has to do."""
        additions = [
            CommitOperationAdd(path, str(content) if isinstance(content, Path) else content)
            for path, content in self.additions.items()
        ]
        return [*additions, *(CommitOperationDelete(path) for path in self.deletions)]


class Planner:
    """What has to change at a commit so that it holds these configs; remembers the last answer, and the last change.

    Parquet files are written when they are first needed: pushing what is there already writes none.
    """

    def __init__(self, remote: Remote, built: Sequence[BuiltConfig], remove: Sequence[str], folder: Path) -> None:
        self.remote, self.built, self.remove, self.folder = remote, built, remove, folder
        self._infos: dict[str, datasets.DatasetInfo] = {}
        self._read: dict[tuple[str, str], Mapping[str, Stored]] = {}
        self._last = self._change = Changes({}, (), ("", ""), {}, {})

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
        try:
            present = self._present(head)
            verdicts = {config.name: self._judged(config, present) for config in self.built}
            completed, others = self._others(present)
            card = self._card(present, verdicts, completed)
            then = drifts(card, head.stored)
        except CardError as error:
            raise RefusedError(str(error)) from None
        written = [config for config in self.built if verdicts[config.name].write]
        additions: dict[str, bytes | Path] = {
            path: self.folder / path for config in written for path in config.paths().values()
        }
        deletions = self._stale(present, written)
        if card != present.text:
            additions[CARD] = card.encode()
        if FIGURE not in head.files and self.built:
            additions[FIGURE] = figure()
        repaired = {name: verdict.repaired for name, verdict in verdicts.items() if verdict.repaired}
        found = {name: (*problems, *then[name].card) for name, problems in others.items()}
        drifted = {name: problems for name, problems in found.items() if problems} | self._staying(present, deletions)
        self._last = Changes(additions, deletions, (present.text or "", card), repaired, drifted)
        if operations := self._last.operations():
            self._change = self._last
        holds = not deletions and all(verdict.holds_content for verdict in verdicts.values())
        return Plan(operations, holds_content=holds, untaggable=self._untaggable(drifted))

    def described(self, changed: bool, tag: str | None) -> dict[str, Any]:
        """For people: the last change, or that there was none."""
        change = self._change
        before, after = (text.splitlines(keepends=True) for text in change.cards)
        diff = "".join(difflib.unified_diff(before, after, f"{CARD} (now)", f"{CARD} (then)"))
        return {
            "files": {path: _size(content) for path, content in sorted(change.additions.items())} if changed else {},
            "removed": tuple(change.deletions) if changed else (),
            "card_diff": diff if changed else "",
            "load_line": self._load_line(tag),
            "repaired": change.repaired if changed else {},
            "drifted": self._last.drifted,
        }

    def _load_line(self, tag: str | None) -> str:
        """How to load the first config that was pushed, else the first one that is there."""
        names = [config.name for config in self.built] or sorted(configs_of(self._last.cards[1]))
        if not names:
            return ""
        first = min(names, key=lambda name: name != "default")
        return f'load_dataset("{self.remote.repo_id}", "{first}"' + (f', revision="{tag}")' if tag else ")")

    def _present(self, head: Head) -> Present:
        text = self.remote.text(CARD, head)
        configs = configs_of(text)
        _refuse_unnamed(head, text, configs)
        records = read_records(parsed(text).data) if text else {}
        return Present(head, text, configs, records, drifts(text, head.stored))

    def _judged(self, config: BuiltConfig, present: Present) -> Verdict:
        """What is to be done about a config that is pushed.

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
            raise RefusedError(
                f"the config {name!r} has version {record.version} in {self.remote.repo_id}, with other content than "
                f"what is pushed as version {config.record.version}; published records never change under their "
                "version: raise it (version=), or push under another name"
            )
        return Verdict(config.record, write=True, holds_content=False)

    def _others(self, present: Present) -> tuple[dict[str, ConfigRecord], dict[str, Sequence[str]]]:
        """Of configs that are not pushed: records that can be completed, and what is wrong with files of any."""
        names = present.records.keys() - {config.name for config in self.built} - set(self.remove)
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

    def _staying(self, present: Present, deletions: Sequence[str]) -> dict[str, Sequence[str]]:
        """Files that would have to go from a pushed config, and must not, for another one names them."""
        drifts = {config.name: present.drift.get(config.name, Drift()) for config in self.built}
        staying = {name: sorted(set(drift.extra) - set(deletions)) for name, drift in drifts.items()}
        return {
            name: [
                f"the file {path!r} is loaded too, and another config names it; take it out of one" for path in paths
            ]
            for name, paths in staying.items()
            if paths
        }

    def _untaggable(self, drifted: Mapping[str, Sequence[str]]) -> str:
        """Why a tag would mark what the card does not tell, and what to do about it."""
        if not drifted:
            return ""
        name, found = next(iter(drifted.items()))
        return (
            f"a tag marks all of {self.remote.repo_id} for good, but its config {name!r} is not what its record says: "
            f"{found[0]}. Push that config too, which puts it right, or take it out (remove={name!r})"
        )

    def _examined(
        self, record: ConfigRecord, present: Present, *, told: bool = True
    ) -> tuple[Drift, Mapping[str, Stored]]:
        """How a config has drifted, and what its files are; they are read if the record tells too little of them."""
        drift = present.drift[record.config_name]
        if drift.lost or (told and not drift.unproven):
            return drift, record.stored
        paths = tuple(record.stored or usual_paths(record).values())
        key = (present.head.commit, record.config_name)
        if key not in self._read:
            local = {path: self.remote.download(path, present.head.commit) for path in paths}
            proven = _digests_of(record, local) == record.digests
            self._read[key] = {path: stored(file) for path, file in local.items()} if proven else {}
        if not self._read[key]:
            return replace(drift, unproven=(), changed=paths), record.stored
        return replace(drift, unproven=()), self._read[key]

    def _same_content(self, config: BuiltConfig, present: ConfigRecord, drift: Drift, head: Head) -> bool:
        """Whether what was written is what was built: bit for bit, or within `TOLERANCE` if the stream is fast."""
        if config.record.digests == present.digests:
            return True
        if "fast" not in {config.record.stream} & {present.stream} or not config.record.made_alike(present):
            return False
        if drift.lost:  # the same numbers under the same name make the same content, and there is nothing to compare
            return config.record.version == present.version
        tables = {split: self.remote.download(path, head.commit) for split, path in config.paths().items()}
        splits = config.builder.as_dataset()
        return all(_close(splits[split].with_format("arrow")[:], pq.read_table(path)) for split, path in tables.items())

    def _card(self, present: Present, verdicts: Mapping[str, Verdict], others: Mapping[str, ConfigRecord]) -> str:
        changed, completed, infos = {}, dict(others), {}
        for config in self.built:
            verdict = verdicts[config.name]
            if verdict.write:
                if config.name not in self._infos:
                    self._infos[config.name] = config.write(self.folder)
                infos[config.name] = self._infos[config.name]
                changed[config.name] = verdict.record.with_files(config.stored_in(self.folder))
            elif verdict.restate:
                infos[config.name] = config.info(sum(file.size or 0 for file in verdict.record.stored.values()))
                changed[config.name] = verdict.record
            else:
                completed[config.name] = verdict.record
        if present.text is None:
            return new_card(changed, infos, path=self.remote.repo_id)
        return merged_card(
            present.text, changed, infos, removed=self.remove, completed=completed, path=self.remote.repo_id
        )

    def _stale(self, present: Present, written: Sequence[BuiltConfig]) -> list[str]:
        """Files of removed configs; files of pushed ones that would be loaded and are none of theirs any more."""
        paths = present.head.files
        own = {path for config in written for path in config.paths().values()}
        stale = set()
        for config in self.built:
            if (record := present.records.get(config.name)) is None:
                continue
            stale |= set(present.drift[config.name].extra)
            if config in written:
                stale |= {*record.stored, *matching(record, paths), *matching(config.record, paths)} & paths - own
        for name in self.remove:
            record = present.records.get(name)
            stale |= _files_of(present.configs.get(name, {}), paths)
            stale |= {*record.stored, *matching(record, paths)} & paths if record else set()
        kept = {
            path
            for name in present.configs
            if name not in {*self.remove, *(config.name for config in self.built)}
            for path in _files_of(present.configs[name], paths)
        }
        return sorted(stale - own - kept - _NEVER_REMOVED)


def _refuse_unnamed(head: Head, existing: str | None, configs: Mapping[str, Any]) -> None:
    """Refuse to name configs in a card where datasets finds data by itself now: it no longer would."""
    tables = sorted(path for path in head.files if PurePosixPath(path).suffix in _TABLES and not _is_notice(path))
    if tables and not configs:
        raise RefusedError(
            f"the repository holds {tables[0]!r}, but its {'card names no configs' if existing else 'has no card'}: "
            f"once a card names some, that file could no longer be loaded; first add it to `configs` in {CARD}"
        )


def _is_notice(path: str) -> bool:
    return PurePosixPath(path).stem.lower().startswith(("license", "licence", "notice", "requirements"))


def _files_of(metadata: Mapping[str, Any], paths: frozenset[str]) -> set[str]:
    """The files of a config, as its entry in the card tells."""
    entries = metadata.get("data_files", [])
    patterns: list[str] = []
    for entry in entries if isinstance(entries, list) else [entries]:
        path = entry["path"] if isinstance(entry, dict) else entry
        patterns += path if isinstance(path, list) else [path]
    return {path for path in paths for pattern in patterns if fnmatch.fnmatchcase(path, pattern)}


def _digests_of(record: ConfigRecord, local: Mapping[str, Path]) -> Any:
    """The digests of each split's columns in files that were downloaded; None if they cannot be read."""
    try:
        return {
            split: column_digests(pq.read_table(local[path]) for path in matching(record, local, split))
            for split in record.examples
        }
    except (pa.ArrowException, OSError, ValueError):
        return None


def _with_digests(record: ConfigRecord, built: ConfigRecord) -> ConfigRecord:
    """The record with the digests that it lacks, if those that it has are those of what was built."""
    pairs = [(split, column, digest) for split, columns in record.digests.items() for column, digest in columns.items()]
    if not record.missing_digest() or any(
        built.digests.get(s, {}).get(column) != digest for s, column, digest in pairs
    ):
        return record
    return replace(record, digests=built.digests, examples=built.examples)


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

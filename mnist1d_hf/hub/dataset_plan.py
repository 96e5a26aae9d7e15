"""What has to change in a repository so that it holds these configs: judged by its files, not by what its card claims.

The card's records tell what was written. Where the repository no longer holds that, a push puts it right; a record of
an earlier release, which does not tell of files, is completed once the files' content has been compared with it.
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

import datasets
from huggingface_hub import CommitOperationAdd, CommitOperationDelete

from mnist1d_hf.hub.card import CARD, FIGURE, CardError, configs_of, figure, merged_card, new_card
from mnist1d_hf.hub.card_records import ConfigRecord
from mnist1d_hf.hub.drift import Drift, drifts, matching, named_by
from mnist1d_hf.hub.judge import Judge, Present, Verdict
from mnist1d_hf.hub.parquet import BuiltConfig
from mnist1d_hf.hub.publish import Plan, RefusedError, tag_stands
from mnist1d_hf.hub.remote import Head, Operation, Remote
from mnist1d_hf.hub.sharded.config import ShardedConfig
from mnist1d_hf.hub.sharded.sending import SentConfig
from mnist1d_hf.hub.sharded.uploads import sent_operation
from mnist1d_hf.shards.journal import Entry

_TABLES: Final = frozenset({".arrow", ".csv", ".json", ".jsonl", ".parquet", ".tsv", ".txt", ".zip"})
Content = bytes | Path | Entry | int  # of a file that is added: what, where, as it was sent, or its size in a rehearsal
_NEVER_REMOVED: Final = frozenset({CARD, FIGURE, ".gitattributes"})  # even if a config's pattern matches them


@dataclass(frozen=True)
class Changes:
    """The changes to a repository that a planner answers with.

    Attributes:
        additions: Files to be written.
        deletions: Files to be removed.
        cards: The card now and then.
        repaired: How pushed configs had drifted; that is put right.
        drifted: How other configs have; they stay as they are.
    """

    additions: Mapping[str, Content]
    deletions: Sequence[str]
    cards: tuple[str, str]
    repaired: Mapping[str, Sequence[str]]
    drifted: Mapping[str, Sequence[str]]

    def operations(self) -> list[Operation]:
        """Returns the operations of a commit that makes the changes."""
        additions = [_operation(path, content) for path, content in self.additions.items()]
        return [*additions, *(CommitOperationDelete(path) for path in self.deletions)]


class Planner:
    """The planner of what has to change at a commit so that it holds these configs; remembers what it answered.

    Parquet files are written when they are first needed: pushing what is there already writes none. Shards are sent
    then as well.

    Args:
        remote: The repository.
        built: The configs.
        remove: Names of others that are taken out.
        folder: Where files are written.
        tag: The tag that will be asked for.
        send: Sends the shards of a config; None for a rehearsal, in which none are made.
    """

    def __init__(
        self,
        remote: Remote,
        built: Sequence[BuiltConfig | ShardedConfig],
        remove: Sequence[str],
        folder: Path,
        *,
        tag: str | None = None,
        send: Callable[[ShardedConfig], SentConfig] | None = None,
    ) -> None:
        self.remote, self.built, self.remove, self.folder = remote, built, remove, folder
        self.tag, self.send = tag, send
        self._infos: dict[str, datasets.DatasetInfo] = {}
        self._sent: dict[str, SentConfig] = {}
        self._judge = Judge(remote)
        self._last = self._change = Changes({}, (), ("", ""), {}, {})

    def title(self) -> str:
        """Returns the title of the commit."""
        added = ", ".join(f"{config.name} {config.record.version}" for config in self.built)
        removed = f"remove {', '.join(self.remove)}" if self.remove else ""
        title = "; ".join(filter(None, [f"MNIST-1D: {added}" if added else "MNIST-1D", removed]))
        return (
            title if len(title) <= 72 else f"MNIST-1D: {len(self.built)} configs" + (f"; {removed}" if removed else "")
        )

    def plan_at(self, head: Head) -> Plan:
        """Returns the plan for a commit: what has to change there.

        Raises:
            RemoteError: If the repository cannot be read.
            RefusedError: If content would change under its version, or what others wrote would be lost.
        """
        try:
            present = self._judge.present(head)
            _refuse_unnamed(present)
            verdicts = {config.name: self._judge.of_pushed(config, present) for config in self.built}
            self._send_shards(head, verdicts)
            pushed = {*verdicts, *self.remove}
            completed, others = self._judge.of_others(present, sorted(present.records.keys() - pushed))
            card = self._card(present, verdicts, completed)
            then = present.drift if card == present.text else drifts(card, head.stored)
        except CardError as error:
            raise RefusedError(str(error)) from None
        written = [config for config in self.built if verdicts[config.name].write]
        additions = {path: content for config in written for path, content in self._contents(config).items()}
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

    def _send_shards(self, head: Head, verdicts: Mapping[str, Verdict]) -> None:
        """Uploads the shards that a commit will name, once, unless the tag for it stands elsewhere."""
        for config in self.built:
            if self.send is None or config.name in self._sent or not isinstance(config, ShardedConfig):
                continue
            if (verdict := verdicts[config.name]).write:
                if self.tag and head.commit and (commit := self.remote.tagged(self.tag)):
                    raise RefusedError(tag_stands(self.tag, commit))
                self._sent[config.name] = self.send(replace(config, record=verdict.record))

    def _contents(self, config: BuiltConfig | ShardedConfig) -> dict[str, Content]:
        """Returns what is written of a config, by path; of shards that are not made, how large they are about."""
        if isinstance(config, BuiltConfig):
            return {path: self.folder / path for path in config.paths().values()}
        if config.name in self._sent:
            return dict(self._sent[config.name].contents())
        return {shard.path: config.estimated_bytes(shard) for shard in config.shards}

    def described(self, changed: bool, tag: str | None) -> dict[str, Any]:
        """Returns a text for people: the last change, or that there was none."""
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
        """Returns the line of code that loads the first config that was pushed, else the first one that is there."""
        names = [config.name for config in self.built] or sorted(configs_of(self._last.cards[1]))
        if not names:
            return ""
        first = min(names, key=lambda name: name != "default")
        return f'load_dataset("{self.remote.repo_id}", "{first}"' + (f', revision="{tag}")' if tag else ")")

    def _staying(self, present: Present, deletions: Sequence[str]) -> dict[str, Sequence[str]]:
        """Returns files that would have to go from a pushed config, and must not, for another one names them."""
        drifts = {config.name: present.drift.get(config.name, Drift()) for config in self.built}
        staying = {name: sorted(set(drift.extra) - set(deletions)) for name, drift in drifts.items()}
        why = "would be loaded too; it stays, for another config names it, or it lies outside of the config's folder"
        return {name: [f"the file {path!r} {why}" for path in paths] for name, paths in staying.items() if paths}

    def _untaggable(self, drifted: Mapping[str, Sequence[str]]) -> str:
        """Returns why a tag would mark what the card does not tell, and what to do about it."""
        if not drifted:
            return ""
        name, found = next(iter(drifted.items()))
        return (
            f"a tag marks all of {self.remote.repo_id} for good, but its config {name!r} is not what its record says: "
            f"{found[0]}. Push that config too, which puts it right, or take it out (remove={name!r})"
        )

    def _card(self, present: Present, verdicts: Mapping[str, Verdict], others: Mapping[str, ConfigRecord]) -> str:
        changed, completed, infos = {}, dict(others), {}
        for config in self.built:
            verdict = verdicts[config.name]
            if verdict.write and isinstance(config, ShardedConfig):
                sent = self._sent.get(config.name)
                infos[config.name] = sent.info if sent else config.info(config.record)
                changed[config.name] = sent.record if sent else verdict.record
            elif verdict.write and isinstance(config, BuiltConfig):
                if config.name not in self._infos:
                    self._infos[config.name] = config.write(self.folder)
                infos[config.name] = self._infos[config.name]
                changed[config.name] = verdict.record.with_files(config.stored_in(self.folder))
            elif verdict.restate:
                infos[config.name] = deepcopy(config.builder.info)
                infos[config.name].download_size = verdict.record.download_size
                changed[config.name] = verdict.record
            else:
                completed[config.name] = verdict.record
        if present.text is None:
            return new_card(changed, infos, path=self.remote.repo_id)
        return merged_card(
            present.text, changed, infos, removed=self.remove, completed=completed, path=self.remote.repo_id
        )

    def _stale(self, present: Present, written: Sequence[BuiltConfig | ShardedConfig]) -> list[str]:
        """Returns files of removed configs, and files of pushed ones that would be loaded though no longer theirs."""
        paths = present.head.files
        own = {path for config in written for path in self._contents(config)}
        stale: set[str] = set()
        for config in self.built:
            if (record := present.records.get(config.name)) is None:
                continue
            stale |= {path for path in present.drift[config.name].extra if path.startswith(f"{config.name}/")}
            if config in written:
                stale |= {*_own_files(record, paths), *matching(config.record, paths)}
        for name in self.remove:
            stale |= _files_of(present.configs.get(name, {}), paths)
            if record := present.records.get(name):
                stale |= _own_files(record, paths)
        kept = {
            path
            for name in present.configs
            if name not in {*self.remove, *(config.name for config in self.built)}
            for path in _files_of(present.configs[name], paths)
        }
        return sorted(stale - own - kept - _NEVER_REMOVED)


def _refuse_unnamed(present: Present) -> None:
    """Refuses to name configs in a card where datasets finds data by itself now: it no longer would."""
    paths = sorted(present.head.files)
    tables = [path for path in paths if PurePosixPath(path).suffix in _TABLES and not _is_notice(path)]
    if tables and not present.configs:
        lacking = "its card names no configs" if present.text else "it has no card"
        raise RefusedError(
            f"the repository holds {tables[0]!r}, but {lacking}: once a card names some, that file could no longer be "
            f"loaded; first add it to `configs` in {CARD}"
        )


def _is_notice(path: str) -> bool:
    return PurePosixPath(path).stem.lower().startswith(("license", "licence", "notice", "requirements"))


def _files_of(metadata: Mapping[str, Any], paths: frozenset[str]) -> set[str]:
    """Returns the files of a config, as its entry in the card tells."""
    entries = metadata.get("data_files", [])
    patterns: list[str] = []
    for entry in entries if isinstance(entries, list) else [entries]:
        path = entry["path"] if isinstance(entry, dict) else entry
        patterns += path if isinstance(path, list) else [path]
    return set(named_by(patterns, paths))


def _own_files(record: ConfigRecord, paths: frozenset[str]) -> set[str]:
    """Returns the files of a config, as its record tells; one outside of its folder may be anybody's."""
    folder = f"{record.config_name}/"
    recorded = {path for path in record.stored if path.startswith(folder)} & paths
    return recorded | {path for path in matching(record, paths) if path.startswith(folder)}


def _size(content: Content) -> int:
    if isinstance(content, Entry):
        return content.made.stored.size or 0
    if isinstance(content, int):
        return content
    return content.stat().st_size if isinstance(content, Path) else len(content)


def _operation(path: str, content: Content) -> CommitOperationAdd:
    if isinstance(content, Entry):
        return sent_operation(content)
    if isinstance(content, int):  # of a rehearsal
        return CommitOperationAdd(path, b"")
    return CommitOperationAdd(path, str(content) if isinstance(content, Path) else content)

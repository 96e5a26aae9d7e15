"""Shards on their way to the Hub: each is made, sent and deleted by one process, and noted in the journal.

No more than `MOST_AT_ONCE` are on the disk at a time. A push that is killed goes on where it was: what was sent is not
sent again, what was made is not made again, and the repository has no commit before all of it is there.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import datasets
from huggingface_hub import CommitOperationAdd

from mnist1d_hf.hub.card_records import ConfigRecord
from mnist1d_hf.hub.remote import Kind, Remote, RemoteError
from mnist1d_hf.hub.sharded.config import ShardedConfig
from mnist1d_hf.hub.sharded.uploads import LFS, lacking, upload
from mnist1d_hf.shards.journal import Entry
from mnist1d_hf.shards.listing import list_path
from mnist1d_hf.shards.make import Making, Refused, made

PLACE: Final = "mnist1d-push"  # in the cache of datasets
MOST_AT_ONCE: Final = 3  # shards on the disk


@dataclass(frozen=True)
class Sending:
    """A shard that is to be made and sent.

    Attributes:
        making: How it is made.
        repo_id: Where to.
        token: Token of the Hub.
        patience: Seconds for each request but the upload itself.
    """

    making: Making
    repo_id: str
    token: str | bool | None = field(repr=False)
    patience: float

    def __str__(self) -> str:
        """Returns what the task is called in messages."""
        return self.making.shard.path


@dataclass(frozen=True)
class _Failed(Refused):
    """A `RemoteError` on its way from another process."""

    kind: Kind
    status: int | None

    def error(self, kept: str) -> Exception:
        """Returns the exception to be raised for it, see `Refused.error`."""
        return RemoteError(f"{self.why}; {kept}", self.kind, status=self.status)


@dataclass(frozen=True)
class SentConfig:
    """A config in shards that the Hub has, but for the commit.

    Attributes:
        record: Its record.
        info: What the card tells of it.
        entries: Its shards.
        content: The list of them.
        files: Where shards are that a commit itself has to send.
    """

    record: ConfigRecord
    info: datasets.DatasetInfo
    entries: Sequence[Entry]
    content: bytes
    files: Path

    def contents(self) -> dict[str, Entry | Path | bytes]:
        """Returns what a commit has to add, by path."""
        added: dict[str, Entry | Path | bytes] = {list_path(self.record.config_name): self.content}
        for entry in self.entries:
            path = entry.made.shard.path
            added[path] = entry if entry.sent else self.files / path
        return added


def workplace(remote: Remote, config: ShardedConfig) -> Path:
    """Returns the folder where the shards of a push and their journal are until the commit is made."""
    root = Path(config.builder.cache_root).expanduser() / PLACE
    about = f"{remote.url} {config.name} {config.record.version} {len(config.shards)}"
    return root / hashlib.sha256(about.encode()).hexdigest()[:16]


def send(remote: Remote, config: ShardedConfig, place: Path, *, patience: float) -> SentConfig:
    """Makes and sends all shards of a config that the Hub does not have yet.

    Args:
        remote: The repository.
        config: The config.
        place: See `workplace`.
        patience: Seconds for each request but the uploads themselves.

    Raises:
        RemoteError: If one cannot be sent; those that were stay known.
    """
    journal, files = config.journal(place / "journal"), place / "files"
    journal.sweep(config.shards, files)
    tasks = [Sending(making, remote.repo_id, remote.token, patience) for making in config.makings(files, journal)]
    entries = {number: entry for number, task in enumerate(tasks) if (entry := journal.read_sent(task.making.shard))}
    # Asked once, of what was sent by a command before this one: if the Hub drops more, it refuses the commit.
    known = list(entries)
    for each in lacking(remote, list(entries.values())):
        del entries[known[each]]
    waiting = [number for number in range(len(tasks)) if number not in entries]
    done = sum(entry.made.shard.rows for entry in entries.values())
    entries |= zip(waiting, _sent(config, [tasks[number] for number in waiting], done), strict=True)
    remote.renew()
    in_order = [entries[number] for number in range(len(tasks))]
    record, content = config.completed([entry.made for entry in in_order])
    return SentConfig(record, config.info(record), in_order, content, files)


def _sent(config: ShardedConfig, tasks: Sequence[Sending], done: int) -> list[Entry]:
    """Returns the journal's entries of shards, in order, once the Hub has them."""

    def noted(entry: Entry) -> None:
        if entry.sent:  # by a machine that may have no journal
            tasks[0].making.journal.write(entry)

    return config.outcomes(sent, tasks, done, noted)


def sent(task: Sending) -> Entry | Refused:
    """Returns the journal's entry of a shard that the Hub has now; it is made unless its file is there."""
    entry = made(task.making)
    if isinstance(entry, Refused):
        return entry
    path = task.making.files / task.making.shard.path
    remote = Remote(task.repo_id, token=task.token, patience=task.patience)
    try:
        mode = upload(remote, CommitOperationAdd(task.making.shard.path, str(path)))
    except RemoteError as error:
        return _Failed(str(error), error.kind, error.status)
    if mode == LFS:  # any other is sent by the commit alone, and the file must stay until then
        entry = replace(entry, sent=True)
        task.making.journal.write(entry)
        os.unlink(path)
    return entry

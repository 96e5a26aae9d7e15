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
from mnist1d_hf.shards.make import Making, made

PLACE: Final = "mnist1d-push"  # in the cache of datasets
MOST_AT_ONCE: Final = 3  # shards on the disk
ROUNDS: Final = 3  # of asking whether the Hub still has all that was sent


@dataclass(frozen=True)
class Sending:
    """A shard that is to be made and sent.

    Attributes:
        making: How it is made.
        repo_id: Where to.
        token: Token of the Hub.
        patience: Seconds for each request but the upload itself.
        again: Whether it is sent even if the journal says that it was.
    """

    making: Making
    repo_id: str
    token: str | bool | None = field(repr=False)
    patience: float
    again: bool = False


@dataclass(frozen=True)
class _Failed:
    """A `RemoteError` on its way from another process."""

    message: str
    kind: Kind
    status: int | None


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
    entries = _entries(config, tasks)
    for _ in range(ROUNDS):
        remote.renew()
        sent = [number for number, entry in enumerate(entries) if entry.sent]
        gone = [sent[number] for number in lacking(remote, [entries[number] for number in sent])]
        if not gone:
            break
        again = [replace(tasks[number], again=True) for number in gone]
        for number, entry in zip(gone, _entries(config, again), strict=True):
            entries[number] = entry
    remote.renew()
    record, content = config.completed([entry.made for entry in entries])
    return SentConfig(record, config.info(record), entries, content, files)


def _entries(config: ShardedConfig, tasks: Sequence[Sending]) -> list[Entry]:
    """Returns the journal's entries of shards that were sent, in order."""
    found: dict[int, Entry] = {}
    done = 0
    for number, outcome in config.engine.map(sent, tasks):
        if isinstance(outcome, _Failed):
            raise RemoteError(outcome.message, outcome.kind, status=outcome.status)
        found[number] = outcome
        done += outcome.made.shard.rows
        config.tell(done, sum(task.making.shard.rows for task in tasks))
    return [found[number] for number in range(len(tasks))]


def sent(task: Sending) -> Entry | _Failed:
    """Returns the journal's entry of a shard that the Hub has now; it is made and sent if need be."""
    known = task.making.journal.read(task.making.shard)
    if known is not None and known.sent and not task.again:
        return known
    entry = made(task.making)
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

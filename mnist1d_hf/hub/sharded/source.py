"""Where shards come from that are read: a folder, a copy of a repository, or the Hub, one at a time and compared."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mnist1d_hf.hub.card_records import ConfigRecord
from mnist1d_hf.hub.door import Opened
from mnist1d_hf.hub.remote import Remote, RemoteError
from mnist1d_hf.hub.schema import ContentError
from mnist1d_hf.hub.snapshot import ONLINE, UnavailableError
from mnist1d_hf.shards.listing import LARGEST, MadeShard
from mnist1d_hf.shards.make import is_file
from mnist1d_hf.stored import Stored


def listed(door: Opened, record: ConfigRecord) -> tuple[ConfigRecord, list[MadeShard]]:
    """Returns the record of a config in shards with their files, and the shards.

    Raises:
        ContentError: If their list is not the one that the record tells of.
        UnavailableError: If it is not on this machine and cannot be had.
    """
    for again in (False, True):
        try:
            made = record.read_shards(door.fetch(record.shards, most=LARGEST, again=again).read_bytes())
        except ContentError as error:
            if again or not door.source.remote:
                raise ContentError(
                    f"{door.where}, config {record.config_name!r}: {error}, so it is not what its card says"
                ) from None
        else:
            break
    return record.with_shards(made), made


@dataclass(frozen=True)
class ShardSource:
    """A place of shards that any process can be told of.

    Attributes:
        where: What to call it in messages.
        folder: The folder, or the copy of a repository on this machine.
        repo_id: The repository; empty if there is none that can be reached.
        commit: The commit.
        token: Token of the Hub.
    """

    where: str
    folder: Path
    repo_id: str = ""
    commit: str = ""
    token: str | bool | None = field(default=None, repr=False)

    @classmethod
    def of(cls, door: Opened) -> "ShardSource":
        """Returns the source of what was opened."""
        if remote := door.source.remote:
            return cls(door.where, door.source.folder, remote.repo_id, door.commit, remote.token)
        return cls(door.where, door.source.folder)

    def take(self, path: str, told: Stored, scratch: Path) -> Path:
        """Returns a shard's file: from here if it is the right one, else fetched whole, and compared.

        Args:
            path: The shard's path.
            told: What its file has to be.
            scratch: Where it is put if it is fetched; `forget` deletes it.

        Raises:
            ContentError: If it is another file; the message names it.
            UnavailableError: If it is not on this machine and cannot be had.
        """
        local = self.folder / path
        if local.is_file() and (not self.repo_id or is_file(local, told)):
            found = local
        else:
            found = self._fetched(path, scratch)
        if found != local or not self.repo_id:
            self._compare(found, path, told)
        return found

    def forget(self, found: Path, scratch: Path) -> None:
        """Deletes a file that was fetched; one that lies in a folder or in the cache stays."""
        if scratch in found.parents:
            shutil.rmtree(scratch / found.relative_to(scratch).parts[0], ignore_errors=True)

    @contextmanager
    def taken(self, path: str, told: Stored, scratch: Path) -> Iterator[Path]:
        """Yields what `take` returns, which is forgotten at the end."""
        found = self.take(path, told, scratch)
        try:
            yield found
        finally:
            self.forget(found, scratch)

    def _fetched(self, path: str, scratch: Path) -> Path:
        if not self.repo_id:
            raise UnavailableError(f"{path} of {self.where} is not on this machine; {ONLINE}")
        place = tempfile.mkdtemp(dir=scratch)
        try:
            return Remote(self.repo_id, token=self.token, cache_dir=place).download(path, self.commit)
        except RemoteError as error:
            raise UnavailableError(f"{path} of {self.where}: {error}") from None

    def _compare(self, found: Path, path: str, told: Stored) -> None:
        if not is_file(found, told):
            raise ContentError(
                f"{path} of {self.where} is another file than the one that its record tells of; "
                + ("tell its owner" if self.repo_id else "write the folder again, or get it again")
            )

"""A shard made: written beside its place, renamed, and noted in the journal. A task for any engine."""

import errno
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mnist1d_hf import atomic
from mnist1d_hf.generator.recipe import Recipe
from mnist1d_hf.shards.cut import Shard
from mnist1d_hf.shards.journal import HEAD, Entry, Journal
from mnist1d_hf.shards.listing import MadeShard
from mnist1d_hf.shards.writing import write_shard
from mnist1d_hf.stored import Stored, file_digest, stored

# What the system does not allow, however often it is tried.
FINAL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})


@dataclass(frozen=True)
class Making:
    """A shard that is to be made.

    Attributes:
        recipe: What the fast stream makes.
        latents: Whether latents are columns.
        shard: Which rows.
        files: The folder in which its path is.
        journal: Where it is noted.
        threads: Whether it may take all cores.
    """

    recipe: Recipe = field(repr=False)
    latents: bool = field(repr=False)
    shard: Shard
    files: Path
    journal: Journal = field(repr=False)
    threads: bool = field(repr=False)

    def __str__(self) -> str:
        """Returns what the task is called in messages."""
        return self.shard.path


@dataclass(frozen=True)
class Refused:
    """Why no shard can be made, as text that any process can pass on.

    Attributes:
        why: The text.
    """

    why: str

    def error(self, kept: str) -> Exception:
        """Returns the exception to be raised for it.

        Args:
            kept: What of the work is not lost, in words.
        """
        return OSError(f"{self.why}; {kept}")


def made(task: Making) -> Entry | Refused:
    """Returns the entry of a shard, after making it unless it is there already, byte by byte as its entry says."""
    path = task.files / task.shard.path
    known = task.journal.read(task.shard)
    if known is not None and is_file(path, known.made.stored):
        return known
    try:
        return _made(task, path)
    except OSError as error:
        if error.errno not in FINAL:
            raise
        return Refused(str(error))


def _made(task: Making, path: Path) -> Entry:
    path.parent.mkdir(parents=True, exist_ok=True)
    leaves: list[dict[str, str]] = []

    def write(part: Path) -> None:
        leaves[:] = write_shard(task.recipe, task.latents, task.shard, part, threads=task.threads)

    atomic.replace(path, write)
    with path.open("rb") as file:
        head = file.read(HEAD)
    entry = Entry(MadeShard(task.shard, stored(path), leaves), head)
    task.journal.write(entry)
    return entry


def is_file(path: Path, told: Stored) -> bool:
    """Returns whether a file is there with this content."""
    return path.is_file() and path.stat().st_size == told.size and file_digest(path) == told.sha256

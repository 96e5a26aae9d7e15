"""Shards made by any number of processes: each one written beside its place, renamed, and noted in the journal."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from mnist1d_hf import atomic
from mnist1d_hf.generator.recipe import Recipe
from mnist1d_hf.shards.cut import Shard
from mnist1d_hf.shards.journal import HEAD, Entry, Journal
from mnist1d_hf.shards.listing import MadeShard
from mnist1d_hf.shards.writing import write_shard
from mnist1d_hf.stored import file_digest, stored

T = TypeVar("T")
R = TypeVar("R")


class Engine(Protocol):
    """What computes tasks: in this process, in several, on several machines."""

    def map(self, function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[tuple[int, R]]:
        """Yields the number of each task and its result, in the order in which they are finished."""


@dataclass(frozen=True)
class Processes:
    """Processes of this machine.

    Attributes:
        number: How many; with 1 the work is done in this process.
    """

    number: int = 1

    def map(self, function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[tuple[int, R]]:
        """Yields the number of each task and its result, in the order in which they are finished."""
        if self.number == 1 or len(tasks) <= 1:
            yield from enumerate(map(function, tasks))
            return
        context = multiprocessing.get_context("spawn")
        others = {*multiprocessing.active_children()}
        pool = ProcessPoolExecutor(min(self.number, len(tasks)), mp_context=context, initializer=_end_with_parent)
        try:
            waiting = {pool.submit(function, task): number for number, task in enumerate(tasks)}
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        except BaseException:  # an interruption too: nothing is waited for
            for child in {*multiprocessing.active_children()} - others:
                child.terminate()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _end_with_parent() -> None:
    """Lets this process end when the one that started it does, however that ends; Ctrl-C is that one's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


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

    recipe: Recipe
    latents: bool
    shard: Shard
    files: Path
    journal: Journal
    threads: bool


def made(task: Making) -> Entry:
    """Returns the entry of a shard, after making it unless it is there already, byte by byte as its entry says."""
    path = task.files / task.shard.path
    known = task.journal.read(task.shard)
    if known is not None and is_file(path, known):
        return known
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


def is_file(path: Path, entry: Entry) -> bool:
    """Returns whether a file is the one of an entry."""
    told = entry.made.stored
    return path.is_file() and path.stat().st_size == told.size and file_digest(path) == told.sha256

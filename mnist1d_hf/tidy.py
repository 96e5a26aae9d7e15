"""A tidy cache after each build: nothing of killed builds stays, and `default` is found without an import."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Final

from filelock import FileLock, Timeout  # a dependency of datasets
from multiprocess import current_process  # what datasets has its processes from

NAME: Final = "mnist1d"
PREFERRED: Final = "default"
INFO: Final = "dataset_info.json"
UNFINISHED: Final = ".incomplete"
# No longer than the "pymp-" of multiprocess: a socket's whole path may have 107 characters (104 on macOS).
TEMPORARY: Final = "m1d-"
ALIVE: Final = "alive.lock"
UNWRITABLE: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def is_unwritable(error: OSError) -> bool:
    """Returns whether an error says that a place cannot be written to."""
    return error.errno in UNWRITABLE


def tidy(root: str | os.PathLike[str]) -> None:
    """Removes what killed builds of any config left, and makes `default` the newest; of others' folders, nothing."""
    try:
        remove_abandoned(Path(root))
        prefer_default(Path(root))
    except OSError as error:
        if not is_unwritable(error):
            raise


def remove_abandoned(root: Path) -> None:
    """Removes what killed builds left of any config and version.

    datasets, on its own, would take such a folder for a build: then it finds no data set at all in the cache.
    """
    for unfinished in sorted(root.glob(f"{NAME}/*/*/*{UNFINISHED}")):
        try:
            with FileLock(f"{unfinished.with_suffix('')}_builder.lock", timeout=0):
                shutil.rmtree(unfinished, ignore_errors=True)
        except Timeout:
            continue  # it is being built just now


def prefer_default(root: Path) -> None:
    """Makes the newest build of `default` newer than every other: without an import, the bare name means the newest."""
    builds = [info.parent for info in root.glob(f"{NAME}/*/*/*/{INFO}") if info.parent.suffix != UNFINISHED]
    ages = {build: build.stat().st_mtime_ns for build in builds if build.exists()}
    defaults = [build for build in ages if build.parts[-3] == PREFERRED]
    if not defaults:
        return
    preferred = max(defaults, key=ages.__getitem__)
    newest = max(ages.values())
    if ages[preferred] < newest or sum(age == newest for age in ages.values()) > 1:
        make_newest(preferred, newest)


def make_newest(folder: str | os.PathLike[str], other: int = 0) -> None:
    """Gives a folder the present time, or one after another's if that lies in the future, as after a clock's change."""
    status = os.stat(folder)
    os.utime(folder)
    if os.stat(folder).st_mtime_ns <= other:
        os.utime(folder, ns=(status.st_atime_ns, other + 10**6))


@contextmanager
def children_end_with_this_process() -> Iterator[None]:
    """Lets processes that are forked within the block end when this one does, however it ends.

    Else a killed build's workers would write on into the next one's folder, and then wait for ever. What they put into
    the system's folder for temporary files is removed by the next block, if this process is killed.
    """
    if not hasattr(os, "register_at_fork"):  # nothing is forked there
        yield
        return
    with _temporary_folder():
        yield from _with_lifeline()


def _with_lifeline() -> Iterator[None]:
    _register()
    lifeline = os.pipe()  # of which only this process holds the end that is written to
    _LIFELINES.append(lifeline)
    try:
        yield
    finally:
        _LIFELINES.remove(lifeline)
        for end in lifeline:
            os.close(end)


@contextmanager
def _temporary_folder() -> Iterator[None]:
    """Lets the processes of a build have a folder for their sockets that shows whether somebody still needs it.

    The one that they would make themselves stays for ever if all of them are killed at once.
    """
    config = current_process()._config  # where they look for it, and no public way
    try:
        folder = None if "tempdir" in config else _claimed_folder()
    except OSError:  # a place for temporary files that is full, or cannot be locked
        folder = None
    if folder is None:
        yield
        return
    path, lock = folder
    config["tempdir"] = str(path)
    try:
        yield
    finally:
        config.pop("tempdir", None)
        shutil.rmtree(path, ignore_errors=True)
        lock.release()


def _claimed_folder() -> tuple[Path, FileLock]:
    """Returns a new folder for temporary files and its lock, after removing those whose process is gone."""
    for left in Path(tempfile.gettempdir()).glob(f"{TEMPORARY}*"):
        with suppress(OSError, Timeout), FileLock(left / ALIVE, timeout=0):  # another user's, or in use
            shutil.rmtree(left, ignore_errors=True)
    path = Path(tempfile.mkdtemp(prefix=TEMPORARY))
    lock = FileLock(path / ALIVE)
    try:
        lock.acquire(timeout=0)
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise
    return path, lock


_LIFELINES: Final[list[tuple[int, int]]] = []


@cache
def _register() -> None:
    os.register_at_fork(after_in_child=_hold_lifelines)


def _hold_lifelines() -> None:
    for reader, writer in _LIFELINES:
        os.close(writer)
        Thread(target=_end_with, args=(reader,), daemon=True).start()


def _end_with(reader: int) -> None:
    os.read(reader, 1)  # returns when the other end is closed, as the system does for a process that has ended
    os._exit(1)

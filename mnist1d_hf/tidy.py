"""Keeps the cache tidy after each build: nothing of killed builds stays, and `default` is found without an import."""

import errno
import os
import shutil
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Final

import multiprocess  # a dependency of datasets, whose workers these are
from filelock import FileLock, Timeout  # a dependency of datasets

NAME: Final = "mnist1d"
PREFERRED: Final = "default"
INFO: Final = "dataset_info.json"
UNFINISHED: Final = ".incomplete"
UNWRITABLE: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def is_unwritable(error: OSError) -> bool:
    """Whether an error says that a place cannot be written to."""
    return error.errno in UNWRITABLE


def tidy(root: str | os.PathLike[str]) -> None:
    """Remove what killed builds of any config left, and make `default` the newest; of others' folders, nothing."""
    try:
        remove_abandoned(Path(root))
        prefer_default(Path(root))
    except OSError as error:
        if not is_unwritable(error):
            raise


def remove_abandoned(root: Path) -> None:
    """Remove what killed builds left of any config and version.

    datasets, on its own, would take such a folder for a build: then it finds no data set at all in the cache.
    """
    for unfinished in sorted(root.glob(f"{NAME}/*/*/*{UNFINISHED}")):
        try:
            with FileLock(f"{unfinished.with_suffix('')}_builder.lock", timeout=0):
                shutil.rmtree(unfinished, ignore_errors=True)
        except Timeout:
            continue  # it is being built just now


def prefer_default(root: Path) -> None:
    """Make the newest build of `default` newer than every other: without an import, the bare name means the newest."""
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
    """Give a folder the present time, or one after another's if that lies in the future, as after a clock's change."""
    status = os.stat(folder)
    os.utime(folder)
    if os.stat(folder).st_mtime_ns <= other:
        os.utime(folder, ns=(status.st_atime_ns, other + 10**6))


def end_with_parent() -> None:
    """Let a worker of a pool end when the process does that started it: else it writes on, and then waits for ever."""
    if multiprocess.current_process().daemon:
        _watch_parent(os.getpid())


@cache
def _watch_parent(_: int) -> None:
    parent = multiprocess.parent_process()
    Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()

"""Locks by which processes share cells; each goes with the process that has it."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

# What file systems answer that have no locks, such as some network folders without a lock server.
NO_LOCKS = {
    number
    for name in ("ENOSYS", "ENOTSUP", "EOPNOTSUPP", "ENOLCK", "EINVAL", "EPROTONOSUPPORT")
    if (number := getattr(errno, name, None)) is not None
}


@contextmanager
def claim(file: Path) -> Iterator[bool]:
    """Gives a lock to this process, or says that another one has it.

    Raises:
        ValueError: If the file system has no locks; one that is a mere file would outlive a process that is killed.
    """
    check_locks(file)
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def check_locks(file: Path) -> None:
    """Accepts a file that can be locked. Where it cannot, `filelock` would take a mere file for a lock, or wait.

    Raises:
        ValueError: If it cannot be locked.
    """
    try:
        import fcntl
    except ImportError:  # Windows, whose files always have locks
        return
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            return  # another process has it
        raise ValueError(
            f"{file} cannot be locked ({error.strerror}): the file system of this folder has no locks, without which "
            "processes cannot share cells; choose a folder on a local disk, or mount this one with locks "
            "(NFS: not with nolock; Lustre: -o flock)"
        ) from error
    finally:
        os.close(handle)

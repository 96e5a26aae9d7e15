"""Files that are written whole or not at all, also where several machines write into one folder."""

import os
import re
import shutil
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

OLD: Final = 3600.0  # seconds; no file of this project takes nearly as long to write
# The second form is that of versions up to 0.1.0, which had the process's number, and two containers the same one.
_LEFTOVER: Final = re.compile(r"\..+\.(?:[0-9a-f]{32}|\d+)\.part")
_LONGEST: Final = 150  # bytes of a name that its temporary one repeats; most file systems allow 255 in all
_swept: set[str] = set()


def replace(path: Path, write: Callable[[Path], object], *, to_disk: bool = True) -> None:
    """Writes a file beside `path` and puts it in its place: whoever reads sees the old one or the new one.

    What is in place has reached the disk, as far as the file system tells. A file that is there keeps its permissions,
    and a link to a file stays a link. The first file that a process writes into a folder also takes away what killed
    processes left there, see `sweep`.

    Args:
        path: The file.
        write: Writes the file that it is given the path of, which has another ending.
        to_disk: Whether to wait until the file has reached the disk, which takes tens of milliseconds where that is
            busy. Else a machine that loses its power may leave half a file; a process that is killed never does.
    """
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    part = _written(path, write, to_disk=to_disk)
    try:
        if path.exists():
            shutil.copymode(path, part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    if to_disk:
        _sync_folder(path.parent)


def create(path: Path, write: Callable[[Path], object]) -> bool:
    """Writes a file unless there is one, as `replace` does; returns whether it did.

    Of several processes that do it at once, on any machines, exactly one does.
    """
    if path.exists():
        return False
    part = _written(path, write)
    try:
        os.link(part, path)  # unlike a rename it never takes the place of another
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        if path.exists():
            return False
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return True


def sweep(folder: Path, *, older_than: float = OLD) -> list[Path]:
    """Returns the unfinished files that killed processes left in a folder, after deleting them.

    Args:
        folder: The folder; not those in it.
        older_than: Seconds since the last write, by the file system's clock: younger ones may still be written.
    """
    try:
        found = [folder / entry.name for entry in os.scandir(folder) if _LEFTOVER.fullmatch(entry.name)]
    except OSError:  # a folder that is not there
        return []
    return remove_old(folder, [path for path in found if path.is_file()], older_than=older_than)


def remove_old(folder: Path, found: Sequence[Path], *, older_than: float = OLD) -> list[Path]:
    """Returns the paths in a folder that were old enough to be deleted, after deleting them.

    Args:
        folder: The folder.
        found: Files, or folders, which go with all that they hold.
        older_than: Seconds since the last write, as in `sweep`.
    """
    if not found:
        return []
    probe = folder / f".{uuid.uuid4().hex}"
    try:
        probe.touch()
        now = probe.stat().st_mtime  # another machine's clock may decide the times of this folder
    except OSError:  # nothing can be deleted there
        return []
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
    deleted = []
    for path in found:
        with suppress(OSError):  # somebody else was faster, or it is not ours to delete
            if now - path.lstat().st_mtime >= older_than:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
                deleted.append(path)
    return deleted


def _written(path: Path, write: Callable[[Path], object], *, to_disk: bool = True) -> Path:
    """Returns a new file beside `path`, which has reached the disk if it is to."""
    folder = os.path.realpath(path.parent)
    if folder not in _swept:
        _swept.add(folder)
        sweep(path.parent)
    name = os.fsdecode(os.fsencode(path.name)[:_LONGEST])
    # Not the process's number: in every container there is a process 1.
    part = path.with_name(f".{name}.{uuid.uuid4().hex}.part")
    try:
        write(part)
        if to_disk:
            with part.open("rb+") as file:
                os.fsync(file.fileno())
    except BaseException:  # an interruption too
        part.unlink(missing_ok=True)
        raise
    return part


def _sync_folder(folder: Path) -> None:
    """Lets the folder's new entry reach the disk, where the system can do that."""
    with suppress(OSError):  # Windows opens no folders, and some network file systems sync none
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

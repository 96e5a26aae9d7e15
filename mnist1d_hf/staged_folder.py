"""Folders that are written beside their place and moved there whole; what a killed process left is swept away.

A folder that is being written is locked by its process, so that nobody else takes it for one that was left.
"""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

STALE: Final = 24 * 3600.0  # seconds after which a folder is taken for left where there are no locks
KEPT: Final = "old"  # the folder that was in the place, until the new one is there
UNFINISHED: Final = ".unfinished"  # behind the name of a folder that is gone on with
CONTENT: Final = "content"  # the folder in it that is moved to its place
GONE: Final = "replaced"  # the same afterwards


@contextmanager
def staged_folder(target: Path) -> Iterator[Path]:
    """Yields a new folder to write into, which takes the target's place at the end; after an error it is removed.

    First, what killed processes left of the same target is swept away, and a target that one of them had just moved
    aside is put back.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    recover(target)
    with _locked_folder(target, "new") as staging:
        yield staging
        staging.chmod(0o755)
        _move_into_place(staging, target)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yields a new folder inside one that exists, never in the place of something: of several writers one wins.

    Raises:
        FileExistsError: If something is there, at the beginning or at the end.
    """
    if os.path.lexists(target):
        raise FileExistsError(f"{target} is there already")
    recover(target)
    with _locked_folder(target, "new") as staging:
        yield staging
        staging.chmod(0o755)
        try:
            os.rename(staging, target)
        except OSError as error:
            if not os.path.lexists(target):
                raise
            raise FileExistsError(f"{target} is there already") from error


@contextmanager
def kept_folder(place: Path, what: str) -> Iterator[Path]:
    """Yields a folder that the next call finds as this one left it, if this one does not end well; else it is removed.

    Args:
        place: The folder.
        what: What is written by it, for the message.

    Raises:
        OSError: If another process has it.
    """
    place.mkdir(parents=True, exist_ok=True)
    with _lock(place, unknown=True) as locked:
        if not locked:
            raise OSError(f"{what} is being written by another process; wait for that, or end it")
        try:
            yield place
        except BaseException:  # an interruption too
            with contextlib.suppress(OSError):
                place.rmdir()  # if nothing is in it
            raise
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def resumed_folder(target: Path) -> Iterator[Path]:
    """Yields a `kept_folder` beside a target; what is in its folder `CONTENT` takes the target's place at the end.

    Raises:
        OSError: If another process writes it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    recover(target)
    with kept_folder(_unfinished(target), str(target)) as place:
        (place / CONTENT).mkdir(exist_ok=True)
        yield place
        (place / CONTENT).chmod(0o755)
        _move_into_place(place / CONTENT, target)


def sweep_unfinished(target: Path) -> None:
    """Removes what a killed process left in a `resumed_folder` of this target, unless another one writes it."""
    place = _unfinished(target)
    with contextlib.suppress(OSError), _lock(place) as locked:
        if locked:
            shutil.rmtree(place, ignore_errors=True)


def _unfinished(target: Path) -> Path:
    return target.with_name(f".{target.name}{UNFINISHED}")


@contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """Yields a new temporary folder of the system's, removed at the end, after removing those of killed processes.

    Args:
        name: What it is for; only folders of the same name are swept away, and only the user's own.
    """
    place = Path(tempfile.gettempdir(), name)
    recover(place)
    with _locked_folder(place, "new") as made:
        yield made


def recover(target: Path) -> None:
    """Sweeps away what killed processes left of this target, and puts it back if one had just moved it aside."""
    for left in sorted(target.parent.glob(f".{_escaped(target.name)}-*-????????")):
        if left.name.rpartition("-")[0] not in {f".{target.name}-new", f".{target.name}-old"}:
            continue  # of another target, whose name begins alike
        with contextlib.suppress(OSError), _lock(left) as locked:
            if not locked:
                continue
            if (left / KEPT).exists() and not target.exists():
                os.replace(left / KEPT, target)
            shutil.rmtree(left, ignore_errors=True)
    place = _unfinished(target)
    if place.is_dir() and any(place.iterdir()) and not (place / CONTENT).exists():  # that is in its place already
        sweep_unfinished(target)


def _move_into_place(staging: Path, target: Path) -> None:
    if not target.exists():
        os.replace(staging, target)
        return
    with _locked_folder(target, "old") as aside:
        os.replace(target, aside / KEPT)
        try:
            os.replace(staging, target)
        except BaseException:  # an interruption too; if the old one cannot be put back, it stays where it is
            os.replace(aside / KEPT, target)
            raise
        os.replace(aside / KEPT, aside / GONE)  # which nobody puts back


@contextmanager
def _locked_folder(target: Path, kind: str) -> Iterator[Path]:
    """Yields a new folder beside the target, locked; it is removed at the end unless it was moved or is kept."""
    while True:
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}-{kind}-", dir=target.parent))
        with contextlib.ExitStack() as stack:
            try:
                locked = stack.enter_context(_lock(made))
            except FileNotFoundError:
                locked = False
            if not locked or not made.exists():  # another process has taken it for one that was left
                continue
            try:
                yield made
            finally:
                if not (made / KEPT).exists():
                    shutil.rmtree(made, ignore_errors=True)
            return


@contextmanager
def _lock(folder: Path, *, unknown: bool | None = None) -> Iterator[bool]:
    """Yields whether this process has the folder to itself, until the end of the block or of the process.

    Args:
        folder: The folder.
        unknown: The answer where there are no locks; by default whether the folder is old or empty.
    """
    if fcntl is None:
        yield _is_left(folder) if unknown is None else unknown
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        except OSError:  # a file system without locks
            yield _is_left(folder) if unknown is None else unknown
        else:
            yield True
    finally:
        os.close(descriptor)


def _is_left(folder: Path) -> bool:
    return time.time() - folder.stat().st_mtime > STALE or not any(folder.iterdir())


def _escaped(name: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)

"""Leases by which processes share cells, on any machines: files that say who has a cell, touched while that one lives.

A lock of a file system would be simpler, but not every shared folder has locks, and one of a machine that died may be
held for ever. Two processes that have the same cell at once do no harm: each would write the same rows, as a whole.
"""

import json
import logging
import os
import platform
import sys
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

ENDING: Final = ".lease"
BEAT: Final = 15.0  # seconds between two touches
# Seconds without one after which the owner is taken for dead: network folders show others' times up to a minute late.
DEAD: Final = 150.0
ENDED: Final = "ended"  # instead of the time when it was started: it has ended, and nobody has asked how
CLOCK: Final = 10.0  # seconds until the folder's clock is read again


@dataclass(frozen=True)
class Owner:
    """Who has a cell.

    Attributes:
        id: What nobody else has.
        machine: Its name.
        place: What tells whether numbers of processes mean the same processes: a boot of a machine, and a container.
        process: Its number there.
        born: When it was started, in a unit of the place; empty where nothing tells.
    """

    id: str
    machine: str
    place: str
    process: int
    born: str

    def is_gone(self) -> bool:
        """Returns whether it is certain that the process has ended: it was one of this place."""
        if not self.place or self.place != _place() or os.name != "posix":
            return False
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return True
        except OSError:  # somebody else's
            return False
        born = _born(self.process)
        return born == ENDED or bool(self.born and born and born != self.born)

    def __str__(self) -> str:
        return f"process {self.process} on {self.machine}"


def this_process() -> Owner:
    """Returns the owner that this process is, under a new id."""
    number = os.getpid()
    return Owner(uuid.uuid4().hex, platform.node(), _place(), number, _born(number))


class Leases:
    """The leases of a run that this process takes and keeps.

    Args:
        folder: Where they are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.owner = folder, this_process()
        self._held: set[Path] = set()
        self._clock: tuple[float, float] | None = None  # the folder's time less ours, and when that was asked
        self._changed = threading.Lock()

    @contextmanager
    def kept(self) -> Iterator["Leases"]:
        """Touches what is held as long as the block lasts, then gives all of it back."""
        ended = threading.Event()
        thread = threading.Thread(target=self._beat, args=(ended,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            ended.set()
            thread.join()
            for name in [file.name.removesuffix(ENDING) for file in self._held]:
                self.give_back(name)

    def take(self, name: str) -> bool:
        """Returns whether this process has a cell from now on; not if another one has it."""
        file = self._file(name)
        if file in self._held:  # it failed, and is tried again
            return True
        if not self._begun(file):
            other = _owner(file)
            if not self._is_dead(file, other):
                return False
            logger.info("%s was left behind by %s", file, other or "nobody")
            part = self.folder / f".{file.name}.{uuid.uuid4().hex}.part"
            try:
                part.write_text(self._text, encoding="utf-8")
                os.replace(part, file)
            except OSError:
                return False
            finally:
                part.unlink(missing_ok=True)
            if _owner(file) != self.owner:  # somebody else was as fast
                return False
        with self._changed:
            self._held.add(file)
        return True

    def give_back(self, name: str) -> None:
        """Lets others have a cell."""
        file = self._file(name)
        with self._changed:
            self._held.discard(file)
        if _owner(file) == self.owner:
            file.unlink(missing_ok=True)

    def others(self) -> list[Owner]:
        """Returns the other processes that are at cells here."""
        found = [(file, _owner(file)) for file in self.folder.glob(f"*{ENDING}")]
        alive = {owner for file, owner in found if owner and not self._is_dead(file, owner)}
        here = (self.owner.place, self.owner.process)
        return sorted((each for each in alive if (each.place, each.process) != here), key=str)

    def _begun(self, file: Path) -> bool:
        """Returns whether the file of a lease is new, and so ours."""
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            return False
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(self._text)
        return True

    def _is_dead(self, file: Path, owner: Owner | None) -> bool:
        if owner is not None and owner.is_gone():
            return True
        try:
            return self._now() - file.stat().st_mtime > DEAD
        except FileNotFoundError:  # it was given back just now
            return False

    def _now(self) -> float:
        """Returns the time by the clock of the folder, which may be another machine's."""
        if self._clock is None or time.monotonic() - self._clock[1] > CLOCK:
            probe = self.folder / f".clock.{uuid.uuid4().hex}.part"  # which a sweep knows for unfinished
            try:
                probe.touch()
                self._clock = probe.stat().st_mtime - time.time(), time.monotonic()
            finally:
                with suppress(OSError):
                    probe.unlink(missing_ok=True)
        return time.time() + self._clock[0]

    def _beat(self, ended: threading.Event) -> None:
        while not ended.wait(BEAT):
            with self._changed:
                held = sorted(self._held)
            for file in held:
                with suppress(OSError):  # another process took it for dead, or a folder is away for a moment
                    os.utime(file)

    @property
    def _text(self) -> str:
        return json.dumps(asdict(self.owner))

    def _file(self, name: str) -> Path:
        return self.folder / (name + ENDING)


def named(owners: Iterable[Owner], most: int = 3) -> str:
    """Returns some owners in words."""
    listed = [str(owner) for owner in owners]
    more = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {more} more" if more > 0 else "")


def _owner(file: Path) -> Owner | None:
    """Returns who a lease says that has it; None if it is not there, or not written yet."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        kinds = {"id": str, "machine": str, "place": str, "process": int, "born": str}
        if any(type(found[name]) is not kind for name, kind in kinds.items()):
            return None
        return Owner(**{name: found[name] for name in kinds})
    except (OSError, ValueError, LookupError, TypeError):
        return None


@cache
def _place() -> str:
    """Returns what is the same for processes that can see each other's numbers; empty where nothing tells."""
    try:
        if sys.platform == "linux":
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
            return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""
    return f"{platform.node()} {uuid.getnode():x}" if sys.platform == "darwin" else ""


def _born(process: int) -> str:
    """Returns when a process of this place was started, for another one may have its number later; or that it ended."""
    try:
        if os.readlink("/proc/self") != str(os.getpid()):  # the /proc of another container
            return ""
        text = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
        state, *numbers = text.rpartition(")")[2].split()
        return ENDED if state in "ZX" else numbers[18]
    except (OSError, IndexError):
        return ""

"""Cells that fail: tried again, and named in the end. They do not end the others."""

import logging
from collections import Counter
from dataclasses import dataclass, field

from lightning_module.studies.framework.cells import Cell
from mnist1d_hf.extras import MissingExtraError

logger = logging.getLogger(__name__)

_MISSING = f"{MissingExtraError.__name__}: "  # as text, for it may come from another process
TRIES = 3  # a process may be killed for memory that another program needed, a file be away for a moment


class CellError(RuntimeError):
    """Cells of a study failed, each as often as it was tried; the exception of one of them is the cause of this one.

    Attributes:
        failures: What went wrong, by the name of the cell.
        done: How many cells are done.
        of: How many cells there are.
        missing: What installs a package, if the lack of one that an extra brings is all that went wrong.
    """

    def __init__(self, failures: dict[str, str], *, done: int, of: int) -> None:
        self.failures, self.done, self.of = failures, done, of
        each = "\n".join(f"cell {name}: {what}" for name, what in failures.items())
        missing = {what.removeprefix(_MISSING) for what in failures.values() if what.startswith(_MISSING)}
        self.missing = missing.pop() if len(missing) == 1 == len(set(failures.values())) else None
        often = "for want of a package" if self.missing else f"each {TRIES} times"
        kept = f"{len(failures)} of {of} cells failed, {often}; {done} are done and kept"
        super().__init__(f"{each}\n{kept}")


class WorkerError(RuntimeError):
    """An exception in another process, as text."""


@dataclass
class Failures:
    """The cells that have failed so far.

    Attributes:
        last: By cell, what went wrong the last time it was tried.
        causes: By cell, the exception, or the text of one in another process.
    """

    last: dict[str, str] = field(default_factory=dict)
    causes: dict[str, BaseException | str] = field(default_factory=dict)
    _tries: Counter[str] = field(default_factory=Counter)

    def add(self, cell: Cell, what: str, cause: BaseException | str) -> bool:
        """Notes that a cell failed; returns whether it is to be tried again."""
        self._tries[cell.name] = TRIES if what.startswith(_MISSING) else self._tries[cell.name] + 1
        self.last[cell.name], self.causes[cell.name] = what, cause
        again = self._tries[cell.name] < TRIES
        if again:
            logger.warning("cell %s: %s; it is tried again", cell.name, what)
        return again

    def forget(self, cell: Cell) -> None:
        """Forgets the failures of a cell that is done."""
        self.last.pop(cell.name, None)
        self.causes.pop(cell.name, None)

    def gave_up(self, cell: Cell) -> bool:
        """Returns whether a cell has failed as often as it is tried."""
        return self._tries[cell.name] >= TRIES

    def error(self, *, done: int, of: int) -> CellError:
        """Returns an exception that names all cells that failed."""
        error = CellError(self.last, done=done, of=of)
        cause = next(iter(self.causes.values()))
        error.__cause__ = cause if isinstance(cause, BaseException) else WorkerError(cause) if cause else None
        return error

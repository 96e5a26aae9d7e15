"""A bar with the remaining time, for work in few pieces of minutes each."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from lightning_module.studies.framework.cells import Cell
from lightning_module.terminal.progress import Part, ProgressLine, clock_words


@dataclass
class Account:
    """The work that is done and the work that is left.

    Attributes:
        name: Of the work.
        cells: All of it.
        left: What is left of it.
        clock: Seconds from any moment on.
    """

    name: str
    cells: Sequence[Cell]
    left: Sequence[Cell]
    clock: Callable[[], float] = time.monotonic
    _pending: dict[str, Cell] = field(init=False)
    _started: float = field(init=False)
    _newest: float | None = field(init=False, default=None)  # when the newest cell was done
    _whole: float = field(init=False)
    _of_run: float = field(init=False)
    _cost_left: float = field(init=False)

    def __post_init__(self) -> None:
        self._pending = {cell.name: cell for cell in self.left}
        self._whole = sum(cell.cost for cell in self.cells)
        self._of_run = self._cost_left = sum(cell.cost for cell in self.left)
        self._started = self.clock()

    def done(self, cell: Cell) -> bool:
        """Counts a cell as done; returns whether it was not."""
        if self._pending.pop(cell.name, None) is None:
            return False
        # Of ten thousand cells the costs are not added up anew at each: and at the last nothing is left, exactly.
        self._cost_left = self._cost_left - cell.cost if self._pending else 0.0
        self._newest = self.clock()
        return True

    @property
    def count(self) -> int:
        """Returns how many cells are done, those of earlier runs among them."""
        return len(self.cells) - len(self._pending)

    @property
    def share(self) -> float:
        """Returns how much of the work is done, by the cells' costs, from 0 to 1."""
        return 1.0 - self._cost_left / self._whole if self._whole else 1.0

    @property
    def elapsed(self) -> float:
        """Returns the seconds since this run began."""
        return self.clock() - self._started

    @property
    def seconds_left(self) -> float | None:
        """Returns the remaining time, by what this run has done; None before its first cell is."""
        done = self._of_run - self._cost_left
        if self._newest is None or done <= 0:
            return None
        a_unit = (self._newest - self._started) / done
        return max(0.0, a_unit * self._cost_left - (self.clock() - self._newest))

    def parts(self) -> list[Part]:
        """Returns what the bar says: the cells that are done, and the time that is left or, in the end, was taken."""
        parts = [Part(self.name, rank=2), Part(f"{self.count:,}/{len(self.cells):,} cells")]
        if not self._pending:
            return [*parts, Part(f"in {clock_words(self.elapsed)}", rank=1)]
        left = self.seconds_left
        return parts if left is None else [*parts, Part(f"{clock_words(left)} left", rank=1)]


@contextmanager
def bar(name: str, cells: Sequence[Cell], left: Sequence[Cell], *, shown: bool) -> Iterator[Callable[[Cell], object]]:
    """Gives a function to call for every finished cell, which moves a bar if it is to be shown.

    Args:
        name: Of the work.
        cells: All of it.
        left: What is left of it.
        shown: Whether there is a bar.
    """
    account = Account(name, cells, left)
    if not shown or not left:
        yield account.done
        return
    line = ProgressLine(ticking=True)
    line.start(account.count, account.share, account.parts)

    def advance(cell: Cell) -> None:
        if account.done(cell):
            line.tell(account.count, account.share, account.parts)

    try:
        yield advance
        line.finish(account.count, account.share, account.parts)
    finally:
        line.stop()

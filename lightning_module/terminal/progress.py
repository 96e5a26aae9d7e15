"""One line that tells how far work has come: drawn anew in a terminal, elsewhere a new line now and then.

rich draws; this module decides what there is room for, and what belongs in a file, a pipe or a terminal without colour
(the environment variable `NO_COLOR`): lines, at intervals that grow with the work, and no control codes.
"""

import importlib.util
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.progress import Progress, ProgressColumn, Task
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

BETWEEN: Final = " - "
BAR: Final = (8, 40)  # columns of the bar itself: at least, or there is none; and at most
REDRAWN: Final = 0.2  # seconds between two drawings in a terminal
FIRST_LINE: Final = 10.0  # seconds until the first line elsewhere, and at least between two
GROWTH: Final = 0.2  # of the time since the start, until the next line
LONGEST: Final = 300.0  # seconds between two lines, at most
# The logs whose lines would otherwise be written into the line.
LOGS: Final = ("", "lightning", "lightning.pytorch", "lightning.fabric", "pytorch_lightning", "lightning_fabric")


class Part(NamedTuple):
    """A part of the line.

    Attributes:
        text: What it says.
        rank: What goes first where there is no room: the parts of the highest rank. Those of rank 0 never go.
    """

    text: str
    rank: int = 0


Parts = Callable[[], Sequence[Part]]


def joined(parts: Sequence[Part], width: int | None = None) -> str:
    """Returns the parts that fit into a width as one text."""
    shown = list(parts)
    while width is not None and cell_len(text := BETWEEN.join(part.text for part in shown)) > width:
        highest = max(part.rank for part in shown)
        if not highest:
            return text
        shown.remove(next(part for part in reversed(shown) if part.rank == highest))
    return BETWEEN.join(part.text for part in shown)


class ProgressLine:
    """The line, from `start` to `stop`.

    Args:
        console: Where it stands; standard error if not given.
        ticking: Whether it is drawn twice a second, by a thread, also while nothing is told; for work in long pieces.
        clock: Seconds from any moment on.
    """

    def __init__(
        self, console: Console | None = None, *, ticking: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.console = console or progress_console()
        self.is_drawn = can_redraw(self.console)
        self._clock = clock
        self._progress = Progress(
            _Whole(),
            console=self.console,
            auto_refresh=ticking,
            refresh_per_second=2,
            # What is printed goes above the line; but not if it goes into a file or a pipe, where it must arrive.
            redirect_stdout=_is_shown(sys.stdout),
            redirect_stderr=_is_shown(sys.stderr),
            expand=True,
            disable=not self.is_drawn,
            get_time=clock,
        )
        self._first = self._done = 0
        self._next = 0.0
        self._streams: list[tuple[Any, Any]] = []

    @property
    def elapsed(self) -> float:
        """Returns the seconds since the start."""
        return sum(task.elapsed or 0.0 for task in self._progress.tasks)

    @property
    def speed(self) -> float | None:
        """Returns how much was done in a second, of late or else since the start; None if that is not known yet."""
        of_late = next((task.speed for task in self._progress.tasks), None)
        return of_late or ((self._done - self._first) / self.elapsed if self.elapsed else 0.0) or None

    @property
    def is_due(self) -> bool:
        """Returns whether it is time for `tell`; asking costs less than a microsecond."""
        return self._clock() >= self._next

    def start(self, done: int, share: float | None, parts: Parts) -> None:
        """Shows the line in a terminal; elsewhere nothing yet.

        Args:
            done: How much is done already, in any unit.
            share: Of all of it, from 0 to 1, for the bar; None if it is not known, then there is none.
            parts: Returns what the line says; asked whenever it is drawn.
        """
        self._first = self._done = done
        self._progress.add_task("", total=None, completed=done, share=share, parts=parts)
        self._next = self._clock() + (REDRAWN if self.is_drawn else FIRST_LINE)
        before = sys.stdout, sys.stderr
        self._progress.start()
        if self.is_drawn:
            self.console.show_cursor(True)  # rich hides it, and a process that is ended at once would not bring it back
        self._lead_logs(before)

    def tell(self, done: int, share: float | None, parts: Parts) -> None:
        """Says how far the work is: drawn at once in a terminal, elsewhere a line if it is due."""
        self._update(done, share, parts)
        if self.is_drawn:
            self._next = self._clock() + REDRAWN
            self._progress.refresh()
        elif self.is_due:
            self._next = self._clock() + min(max(FIRST_LINE, GROWTH * self.elapsed), LONGEST)
            self._print()

    def finish(self, done: int, share: float | None, parts: Parts) -> None:
        """Leaves the line as it is at the end; elsewhere prints it."""
        self._update(done, share, parts)
        self.stop()
        if not self.is_drawn:
            self._print()

    def stop(self) -> None:
        """Leaves the line as it is."""
        for handler, stream in self._streams:
            handler.setStream(stream)
        self._streams = []
        self._progress.stop()

    def _update(self, done: int, share: float | None, parts: Parts) -> None:
        self._done = done
        self._progress.update(self._progress.task_ids[0], completed=done, share=share, parts=parts)

    def _print(self) -> None:
        text = joined(self._progress.tasks[0].fields["parts"]())
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _lead_logs(self, before: tuple[object, object]) -> None:
        """Lets what is logged appear above the line, as what is printed does."""
        led = dict(zip(map(id, before), (sys.stdout, sys.stderr), strict=True))
        for name in [name for name in LOGS if not name or name in logging.root.manager.loggerDict]:
            for handler in logging.getLogger(name or None).handlers:
                stream = getattr(handler, "stream", None)
                if isinstance(handler, logging.StreamHandler) and led.get(id(stream), stream) is not stream:
                    self._streams.append((handler, stream))
                    handler.setStream(led[id(stream)])


def progress_console() -> Console:
    """Returns where the line stands: standard error, unless only standard output is a terminal or a notebook."""
    out, error = Console(), Console(stderr=True)
    return out if out.is_jupyter or (out.is_terminal and not error.is_terminal) else error


def _is_shown(stream: object) -> bool:
    return Console(file=stream).is_terminal or Console().is_jupyter  # type: ignore[arg-type]


def can_redraw(console: Console) -> bool:
    """Returns whether a line can be drawn anew there, in a terminal that is to be coloured or a notebook."""
    if console.is_jupyter:
        return importlib.util.find_spec("ipywidgets") is not None  # what rich draws with there
    coloured = not os.environ.get("NO_COLOR")
    return console.is_terminal and console.is_interactive and not console.is_dumb_terminal and coloured


def clock_words(seconds: float) -> str:
    """Returns a time as a clock shows it, 0:14 or 1:02:03."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def count_words(done: int, total: int | None, unit: str) -> str:
    """Returns how many are done of how many, 3,400/6,000; or, if that is not known, 3,400 steps."""
    return f"{done:,} {unit}" if total is None else f"{done:,}/{total:,}"


def speed_words(speed: float, unit: str) -> str:
    """Returns a speed: 420 steps/s, 4.2 steps/s, 3.1 s/step.

    Args:
        speed: In units a second.
        unit: In the plural.
    """
    if speed >= 1:
        return f"{speed:,.0f} {unit}/s" if speed >= 10 else f"{speed:.1f} {unit}/s"
    return f"{1 / speed:.1f} s/{unit.removesuffix('s')}"


class _Whole(ProgressColumn):
    """All of the line: the bar, and the parts that there is room for beside it."""

    def render(self, task: Task) -> RenderableType:
        """Returns what is drawn."""
        return _Line(task)


@dataclass(frozen=True)
class _Line:
    task: Task

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(1, options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        text, share = joined(self.task.fields["parts"](), options.max_width), self.task.fields["share"]
        room = min(options.max_width - cell_len(text) - 1, BAR[1])
        if share is None or room < BAR[0]:
            yield Text(text, no_wrap=True, overflow="crop")
            return
        grid = Table.grid(padding=(0, 1, 0, 0), pad_edge=False)
        grid.add_column(width=room)
        grid.add_column(no_wrap=True)
        grid.add_row(ProgressBar(1.0, share, width=room), Text(text))
        yield grid

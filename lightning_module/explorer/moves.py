"""Which move of a visitor is the latest: work for an earlier one is not worth finishing."""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, ClassVar, Final, Generic, TypeVar

from lightning_module.explorer.work import Line

# Seconds without a move of anybody, after which work that can wait is done; how often that is looked at; how long.
QUIET: Final = 0.4
LOOK: Final = 0.1
PATIENCE: Final = 30.0
MOST_VISITORS: Final = 5000  # remembered; whoever comes back after so many others moves anew
# Of every event: no veil over what it changes, no place in a list of calls for programs, and not gradio's queue, for
# whose reason see `work.Line`.
UNSEEN: Final[dict[str, Any]] = {"show_progress": "hidden", "api_visibility": "private", "queue": False}

# The last input of each call that changes what a tab shows: the move that it belongs to. Answers come in any order, and
# the browser leaves out one to an earlier move than what is shown, see `page.js`.
TURN: Final = re.compile(r"turn:[a-z]{1,20}:([0-9]{1,15})")

Move = TypeVar("Move")
Answer = TypeVar("Answer")


def moves(tab: str) -> str:
    """Returns what the browser does before it sends a move: it puts its number in place of the last input."""
    return f'(...values) => [...values.slice(0, -1), mnist1d.move("{tab}")]'


def follows(tab: str) -> str:
    """Returns what the browser does before it asks for more about what is shown: that move's number goes with it."""
    return f'(...values) => [...values.slice(0, -1), mnist1d.shown("{tab}")]'


def number_of(turn: str) -> int:
    """Returns the number of a move.

    Raises:
        ValueError: If it is none.
    """
    if not (found := TURN.fullmatch(turn)):
        raise ValueError("a move has no number; reload the page")
    return int(found[1])


class Moves(Generic[Move]):
    """The latest move of each visitor; safe among threads."""

    moved_last: ClassVar[float] = -float("inf")  # when anybody moved, in any tab

    def __init__(self) -> None:
        self._latest: OrderedDict[str, Move] = OrderedDict()
        self._claimed: dict[str, set[str]] = {}
        self._turn: dict[str, int] = {}
        self._lock = threading.Lock()

    def note(self, visitor: str | None, move: Move, turn: int | None = None) -> bool:
        """Notes a visitor's move, the one before is no longer wanted; returns whether it is the latest.

        Args:
            visitor: Who moves.
            move: What is wanted now.
            turn: Its number, where the browser counts moves: requests may come in another order than they were made.
        """
        name = visitor or ""
        with self._lock:
            if turn is not None and turn < self._turn.get(name, turn):
                return False
            self._turn[name] = self._turn.get(name, 0) + 1 if turn is None else turn
            Moves.moved_last = time.monotonic()
            self._latest[name] = move
            self._latest.move_to_end(name)
            self._claimed.pop(name, None)
            while len(self._latest) > MOST_VISITORS:
                gone, _ = self._latest.popitem(last=False)
                self._claimed.pop(gone, None)
                self._turn.pop(gone, None)
            return True

    async def answer(
        self, visitor: str | None, move: Move, turn: str, *, line: Line, work: Callable[[], Answer], late: Answer
    ) -> Answer:
        """Returns what a move comes to, unless a later one has come before its turn.

        Args:
            visitor: Who moves.
            move: What is wanted.
            turn: Its number, from the browser.
            line: Where the work waits.
            work: Makes the answer.
            late: The answer to a move that is not the latest any more: it changes nothing.
        """
        number = number_of(turn)
        if not self.note(visitor, move, number):
            return late
        return await line.do(work, late=late, wanted=lambda: self.turn(visitor) == number)

    def latest(self, visitor: str | None) -> Move | None:
        """Returns a visitor's latest move; None for somebody who has not moved."""
        with self._lock:
            return self._latest.get(visitor or "")

    def turn(self, visitor: str | None) -> int | None:
        """Returns the number of a visitor's latest move; None for somebody who has not moved."""
        with self._lock:
            return self._turn.get(visitor or "")

    def claim(self, visitor: str | None, move: Move, what: str) -> bool:
        """Returns whether a move is the latest and nobody has claimed this of it before: work to be done once.

        Args:
            visitor: Who moved.
            move: The move.
            what: The work.
        """
        with self._lock:
            name = visitor or ""
            claimed = self._claimed.setdefault(name, set())
            if self._latest.get(name) != move or what in claimed:
                return False
            claimed.add(what)
            return True

    def is_latest(self, visitor: str | None, move: Move) -> bool:
        """Returns whether a visitor has not moved since."""
        with self._lock:
            return self._latest.get(visitor or "") == move

    def has_time_for(self, visitor: str | None, move: Move) -> bool:
        """Waits until nobody has moved for a while, in any tab; returns whether the visitor has not either.

        Work that can wait gives way to what somebody waits for.
        """
        for _ in range(int(PATIENCE / LOOK)):
            if not self.is_latest(visitor, move):
                return False
            if time.monotonic() - Moves.moved_last > QUIET:
                return True
            time.sleep(LOOK)
        return False

"""Which move of a visitor is the latest: work for an earlier one is not worth finishing."""

import threading
from collections import OrderedDict
from typing import Final, Generic, TypeVar

MOST_VISITORS: Final = 5000  # remembered; whoever comes back after so many others moves anew

Move = TypeVar("Move")


class Moves(Generic[Move]):
    """The latest move of each visitor; safe among threads."""

    def __init__(self) -> None:
        self._latest: OrderedDict[str, Move] = OrderedDict()
        self._claimed: dict[str, Move] = {}
        self._lock = threading.Lock()

    def note(self, visitor: str | None, move: Move) -> None:
        """Notes a visitor's move; the one before is no longer wanted."""
        with self._lock:
            self._latest[visitor or ""] = move
            self._latest.move_to_end(visitor or "")
            while len(self._latest) > MOST_VISITORS:
                gone, _ = self._latest.popitem(last=False)
                self._claimed.pop(gone, None)

    def latest(self, visitor: str | None) -> Move | None:
        """Returns a visitor's latest move; None for somebody who has not moved."""
        with self._lock:
            return self._latest.get(visitor or "")

    def claim(self, visitor: str | None, move: Move) -> bool:
        """Returns whether a move is the latest and nobody has claimed it before: work that is to be done once."""
        with self._lock:
            name = visitor or ""
            if self._latest.get(name) != move or self._claimed.get(name) == move:
                return False
            self._claimed[name] = move
            return True

    def is_latest(self, visitor: str | None, move: Move) -> bool:
        """Returns whether a visitor has not moved since."""
        with self._lock:
            return self._latest.get(visitor or "") == move

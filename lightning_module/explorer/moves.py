"""Which move of a visitor is the latest: work for an earlier one is not worth finishing."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

MOST_VISITORS: Final = 5000  # remembered; whoever comes back after so many others moves anew


class Moves:
    """The latest move of each visitor; safe among threads."""

    def __init__(self) -> None:
        self._latest: OrderedDict[str, Hashable] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, visitor: str | None, move: Hashable) -> None:
        """Notes a visitor's move; the one before is no longer wanted."""
        with self._lock:
            self._latest[visitor or ""] = move
            self._latest.move_to_end(visitor or "")
            while len(self._latest) > MOST_VISITORS:
                self._latest.popitem(last=False)

    def is_latest(self, visitor: str | None, move: Hashable) -> bool:
        """Returns whether a visitor has not moved since."""
        with self._lock:
            return self._latest.get(visitor or "") == move

"""Work that is done a few pieces at a time, however many visitors ask for it."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


class Line:
    """A line of work. Who waits in it holds no thread, and steps out of it when nobody wants the answer any more.

    Gradio's own queue is not used. It answers through a stream of events that is closed whenever nothing is asked for;
    what is asked for at this moment is answered never, which happened to one move in a hundred.

    Args:
        most: Pieces of work at a time.
    """

    def __init__(self, most: int = 1) -> None:
        self._free = asyncio.Semaphore(most)

    async def do(self, work: Callable[[], Answer], *, late: Answer, wanted: Callable[[], bool]) -> Answer:
        """Returns the answer.

        Args:
            work: Makes it, in a thread.
            late: The answer if it is not wanted any more when its turn has come.
            wanted: Whether it is.
        """
        async with self._free:
            return await asyncio.to_thread(work) if wanted() else late

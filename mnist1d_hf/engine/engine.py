"""`Engine.map`: independent tasks in, their results out as they are done. What fails is tried again, then named."""

import logging
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Protocol, TypeVar

from mnist1d_hf.engine.answers import Answer

logger = logging.getLogger(__name__)

TRIES: Final = 3  # a process may be killed for memory that another program needed, a file be away for a moment
LOOK: Final = 0.5  # seconds after which the loop looks around although nothing came
WAIT: Final = (0.2, 5.0)  # seconds until a task that was put off is asked about again: at first, and at most
T = TypeVar("T")
R = TypeVar("R")


class Turn(Enum):
    """Whether a task is to begin: now, later, or never, as where somebody else has done it."""

    NOW = "now"
    LATER = "later"
    NEVER = "never"


class WorkerError(RuntimeError):
    """What went wrong in another process, as text; or that none can begin."""


class TasksError(RuntimeError):
    """Tasks failed, each as often as it is tried; all others are done.

    Attributes:
        failures: By the index of the task, what went wrong the last time.
        of: How many tasks there were.
    """

    def __init__(self, failures: dict[int, Answer], *, of: int, labels: Sequence[str]) -> None:
        self.failures, self.of = failures, of
        each = "\n".join(f"{label}: {answer.what}" for label, answer in zip(labels, failures.values(), strict=True))
        super().__init__(f"{each}\n{len(failures)} of {of} tasks failed, each {TRIES} times; all others are done")
        causes = [answer.cause or (WorkerError(answer.trace) if answer.trace else None) for answer in failures.values()]
        self.__cause__ = next((cause for cause in causes if cause is not None), None)


class Crew(Protocol):
    """Those who do the tasks of one call of `Engine.map`."""

    @property
    def has_room(self) -> bool:
        """Returns whether another task may begin."""

    @property
    def is_busy(self) -> bool:
        """Returns whether there is a task whose answer has not come."""

    def begin(self, index: int, task: Any) -> None:
        """Begins a task."""

    def answers(self, seconds: float) -> list[tuple[int, Answer]]:
        """Returns the answers that have come, by index; waits for the first of them so many seconds at most."""


class Engine(ABC):
    """What maps tasks to results. An engine may be used any number of times."""

    @abstractmethod
    def crew(self, function: Callable[[T], R], most: int) -> AbstractContextManager[Crew]:
        """Gives those who do the tasks, until the block ends; then nobody works on.

        Args:
            function: What makes a result of a task.
            most: How many tasks there are.
        """

    def map(
        self,
        function: Callable[[T], R],
        tasks: Sequence[T],
        *,
        label: Callable[[T], str] = str,
        turn: Callable[[int], Turn] = lambda _: Turn.NOW,
    ) -> Iterator[tuple[int, R]]:
        """Yields the index of each task and its result, in the order in which they are done.

        A task whose function raises, or whose process or machine is lost, is tried again after the others, three times
        in all. One that lacks a package is not, see `extra_imports`.

        Args:
            function: What makes a result of a task. For more than one process both of them, and the result, must be
                such that other processes can load them; a script needs `if __name__ == "__main__":` around this.
            tasks: Any objects, in the order in which they begin.
            label: What a task is called in logs and errors.
            turn: Asked in this process just before a task, by its index, begins; also before it is tried again.

        Raises:
            TasksError: At the end, if tasks failed. It names them.
            WorkerError: If no process can begin.
        """
        queue = _Queue(len(tasks), turn, lambda index: label(tasks[index]))
        with self.crew(function, len(tasks)) as crew:
            queue.fill(crew, tasks)
            while crew.is_busy or queue.is_waiting:
                results = [
                    (index, answer.value) for index, answer in queue.next(crew) if not queue.fails(index, answer)
                ]
                queue.fill(crew, tasks)  # first, for what is done with a result may take long
                yield from results
        if queue.failures:
            labels = [label(tasks[index]) for index in queue.failures]
            raise TasksError(queue.failures, of=len(tasks), labels=labels)


@dataclass
class _Queue:
    """The tasks that wait, those that were put off, and those that failed."""

    size: int
    turn: Callable[[int], Turn]
    label: Callable[[int], str]
    failures: dict[int, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._waiting, self._put_off = deque(range(self.size)), list[int]()
        self._tries: Counter[int] = Counter()
        self._wait, self._next_look = WAIT[0], 0.0

    @property
    def is_waiting(self) -> bool:
        """Returns whether any task is still to begin."""
        return bool(self._waiting or self._put_off)

    def fill(self, crew: Crew, tasks: Sequence[Any]) -> None:
        """Begins as many tasks as there is room for."""
        if self._put_off and not self._waiting and time.monotonic() >= self._next_look:
            self._waiting, self._put_off = deque(self._put_off), []
        while self._waiting and crew.has_room:
            index = self._waiting.popleft()
            turn = self.turn(index)
            if turn is Turn.NOW:
                crew.begin(index, tasks[index])
                self._wait = WAIT[0]
            elif turn is Turn.LATER:
                self._put_off.append(index)
        if self._put_off and not self._waiting and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + self._wait
            self._wait = min(2 * self._wait, WAIT[1])

    def next(self, crew: Crew) -> list[tuple[int, Answer]]:
        """Returns the answers that have come; waits, for a while, if there are none."""
        pause = max(0.0, self._next_look - time.monotonic()) if self._put_off and not self._waiting else LOOK
        if crew.is_busy:
            return crew.answers(min(pause, LOOK))
        time.sleep(pause)
        return []

    def fails(self, index: int, answer: Answer) -> bool:
        """Returns whether a task failed; then it waits again, unless that was the last time."""
        if not answer.what:
            self.failures.pop(index, None)
            return False
        self._tries[index] += 1
        if answer.is_final or self._tries[index] >= TRIES:
            self.failures[index] = answer
        else:
            logger.warning("%s: %s; it is tried again", self.label(index), answer.what)
            self._waiting.append(index)
        return True

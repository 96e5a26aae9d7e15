"""`LocalEngine`: tasks in this process, or in several of this machine that are each alone.

One that is killed takes no other with it, and none outlives this one. `concurrent.futures` ends all of a pool's work
when one of its processes is killed, and lets them live on when this one is.
"""

import os
import signal
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import active_children, get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from typing import Any

from mnist1d_hf.engine.answers import Answer, answer_of, failed
from mnist1d_hf.engine.engine import TRIES, Crew, Engine, WorkerError

CONTEXT = get_context("spawn")  # torch's threads do not survive a fork


class LocalEngine(Engine):
    """Processes of this machine; one worker is this process itself.

    Args:
        workers: How many.
        environment: Variables that they have beside those of this process, such as one that a library reads when it is
            loaded; with any, one worker is a process of its own as well.

    Raises:
        ValueError: If there is none.
    """

    def __init__(self, workers: int = 1, *, environment: Mapping[str, str] | None = None) -> None:
        if workers < 1:
            raise ValueError(f"workers={workers} must be at least 1")
        self.workers, self.environment = workers, dict(environment or {})

    def crew(self, function: Callable[[Any], Any], most: int) -> AbstractContextManager[Crew]:
        """Gives this process, or processes; see `Engine.crew`."""
        size = min(self.workers, most)
        return _Processes(function, size, self.environment) if size > 1 or self.environment else _here(function)


@contextmanager
def _here(function: Callable[[Any], Any]) -> Iterator[Crew]:
    yield _ThisProcess(function)


class _ThisProcess:
    """A crew of one, for which nothing is started and nothing has to be loaded again."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self._begun: list[tuple[int, Any]] = []

    @property
    def has_room(self) -> bool:
        """Returns whether no task has begun."""
        return not self._begun

    @property
    def is_busy(self) -> bool:
        """Returns whether one has."""
        return bool(self._begun)

    def begin(self, index: int, task: Any) -> None:
        """Keeps a task until its answer is asked for: what was done before is passed on first."""
        self._begun.append((index, task))

    def answers(self, seconds: float) -> list[tuple[int, Answer]]:
        """Returns the answer of the task, however long it takes."""
        index, task = self._begun.pop()
        try:
            return [(index, Answer(self._function(task)))]
        except Exception as error:
            known = failed(error)
            return [(index, Answer(what=known.what, trace=known.trace, is_final=known.is_final, cause=error))]


@dataclass
class _Worker:
    """A process, our end of the pipe to it, the task that it does, and whether it has said that it can begin."""

    process: Any
    pipe: Connection
    index: int | None = None
    has_begun: bool = False


class _Processes:
    """A crew of processes, each started when there is a task for it."""

    def __init__(self, function: Callable[[Any], Any], size: int, environment: Mapping[str, str]) -> None:
        self._function, self._size, self._environment = function, size, environment
        self._name = f"mnist1d worker {uuid.uuid4().hex}"
        self._workers: list[_Worker] = []
        self._never_began = 0

    def __enter__(self) -> "_Processes":
        return self

    def __exit__(self, *_: object) -> None:
        """Ends all processes at once. What they write is written whole or not at all."""
        mine = [child for child in active_children() if child.name == self._name]  # also one that is just starting
        for child in mine:
            child.kill()
        for child in mine:
            child.join()
        for worker in self._workers:
            worker.pipe.close()
        self._workers = []

    @property
    def has_room(self) -> bool:
        """Returns whether a process is idle, or is still to be started."""
        return len(self._workers) < self._size or any(worker.index is None for worker in self._workers)

    @property
    def is_busy(self) -> bool:
        """Returns whether any process does a task."""
        return any(worker.index is not None for worker in self._workers)

    def begin(self, index: int, task: Any) -> None:
        """Gives a task to an idle process, or to a new one."""
        worker = next((worker for worker in self._workers if worker.index is None), None)
        if worker is None:
            worker = _start(self._function, self._name, self._environment)
            self._workers.append(worker)
        worker.index = index
        with suppress(BrokenPipeError, ConnectionError):  # it was killed; that is heard next
            worker.pipe.send(task)

    def answers(self, seconds: float) -> list[tuple[int, Answer]]:
        """Returns the answers that have come, those of processes that have ended among them."""
        ready = set(wait([end for each in self._workers for end in (each.pipe, each.process.sentinel)], seconds))
        heard = [each for each in self._workers if each.pipe in ready or each.process.sentinel in ready]
        return [answer for worker in heard if (answer := self._answer(worker)) is not None]

    def _answer(self, worker: _Worker) -> tuple[int, Answer] | None:
        """Returns what a process says of its task; None if it says that it has begun, or had none."""
        try:
            answer: Answer = worker.pipe.recv() if worker.pipe.poll() else _ended(worker)
        except (EOFError, OSError):
            answer = _ended(worker)
        began, worker.has_begun = worker.has_begun, True
        if not began and not answer.what:
            return None
        index, worker.index = worker.index, None
        if not began or not worker.process.is_alive():
            self._workers.remove(worker)
            worker.process.kill()
            worker.process.join()
            worker.pipe.close()
        if not began:
            self._could_not_begin(answer)
        return None if index is None else (index, answer)

    def _could_not_begin(self, answer: Answer) -> None:
        self._never_began += 1
        if self._never_began >= TRIES:
            raise WorkerError(
                f"{answer.what}, before it did a task; a script that uses workers needs "
                f'if __name__ == "__main__": around that\n{answer.trace}'.rstrip()
            )


def _ended(worker: _Worker) -> Answer:
    worker.process.join()
    code = worker.process.exitcode
    name = f"exit status {code}"
    if code < 0:
        known = {each.value: each.name for each in signal.Signals}
        name = f"signal {known.get(-code, -code)}"
    return Answer(what=f"its process ended by {name}")


def _start(function: Callable[[Any], Any], name: str, environment: Mapping[str, str]) -> _Worker:
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_work, args=(theirs,), name=name)
    with _without_interrupts(), _variables(environment):
        process.start()
    theirs.close()
    with suppress(BrokenPipeError, ConnectionError):  # it was killed; that is heard next
        ours.send(function)
    return _Worker(process, ours)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Starts processes that Ctrl-C does not reach: the terminal sends it to all, and this one ends the others."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which would let interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _variables(environment: Mapping[str, str]) -> Iterator[None]:
    """Gives this process variables for as long as others are started, which inherit them."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _work(pipe: Connection) -> None:
    """Does the tasks that the pipe brings, until it ends; the first message is the function."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        function: Callable[[Any], Any] = pipe.recv()
    except Exception as error:
        pipe.send(failed(error))
        return
    pipe.send(Answer())
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        except Exception as error:  # what a task is made of cannot be loaded here
            pipe.send(failed(error))
            continue
        answer = answer_of(function, task)
        try:
            data = ForkingPickler.dumps(answer)
        except Exception as error:  # no other process can load the result
            data = ForkingPickler.dumps(failed(error))
        pipe.send_bytes(data)


def _end_with_parent() -> None:
    """Ends this process when the one that started it has ended, however it did."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

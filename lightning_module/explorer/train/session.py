"""Who trains when: one training at a time in the worker, one for each visitor, the others in a line."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from lightning_module.explorer.train.settings import Settings

MOST_WAITING: Final = 40  # 40 CNNs of 1,000 steps take some minutes
# Seconds after which a training that nobody looks at ends. A page that is left says so; this is for one that was lost.
# Browsers let a page in the background look once a minute.
UNSEEN: Final = 90.0
MOST_VISITORS: Final = 500  # whose last training is remembered
PREFIX: Final = "mnist1d-explorer-training-"
WORKER: Final = (sys.executable, "-m", "lightning_module.explorer.train.worker")

_started: "weakref.WeakSet[Trainings]" = weakref.WeakSet()


def leave_all(visitor: str) -> None:
    """Ends a visitor's training, wherever it is; for a page that was closed."""
    for trainings in list(_started):
        trainings.stop(visitor)


def close_all() -> None:
    """Ends all workers of this process; for a server that ends without the interpreter's farewell."""
    for trainings in list(_started):
        trainings.close()


State = Literal["waiting", "running", "finished", "stopped", "failed"]


class Kept(NamedTuple):
    """A training that the next one is compared with.

    Attributes:
        title: What it is called in the legend.
        points: Step and accuracy.
        steps: Where it was to end.
    """

    title: str
    points: list[tuple[int, float]]
    steps: int


class Training:
    """A visitor's training.

    Attributes:
        settings: What is trained.
        before: The visitor's training before, as far as it came to something.
        state: How it stands.
        points: Step and accuracy at each evaluation.
        result: What it came to, see `training.trained`; None while it is under way.
        words: What went wrong.
    """

    def __init__(self, settings: Settings, before: Kept | None = None) -> None:
        self.settings, self.before = settings, before
        self.state: State = "waiting"
        self.points: list[tuple[int, float]] = []
        self.result: dict[str, Any] | None = None
        self.words = ""
        self.asked_to_stop = False
        self._seen = time.monotonic()

    def look(self) -> None:
        """Notes that somebody looks at it."""
        self._seen = time.monotonic()

    @property
    def kept(self) -> Kept | None:
        """Returns what the next training is compared with: this one, or the one before if this came to nothing."""
        if self.result is None:
            return self.before
        return Kept(self.settings.title, list(self.points), self.settings.steps)

    @property
    def is_over(self) -> bool:
        """Returns whether nothing more comes."""
        return self.state in ("finished", "stopped", "failed")

    @property
    def is_wanted(self) -> bool:
        """Returns whether somebody still looks at it, and has not stopped it."""
        return not self.asked_to_stop and time.monotonic() - self._seen < UNSEEN


class Trainings:
    """The trainings of all visitors; safe among threads. Nothing is started before the first.

    Args:
        most_waiting: Trainings that may wait.
        worker: The command that starts a worker; it gets the name of a folder.
    """

    def __init__(self, most_waiting: int = MOST_WAITING, worker: Sequence[str] = WORKER) -> None:
        self._most_waiting, self._command = most_waiting, worker
        self._lock = threading.Condition()
        self._line: deque[tuple[str, Training]] = deque()
        self._last: OrderedDict[str, Training] = OrderedDict()
        self._now: tuple[str, Training] | None = None
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None
        self._folder = ""
        self._closed = False

    def ask(self, visitor: str, settings: Settings) -> Training:
        """Returns a visitor's new training, at the end of the line.

        Raises:
            ValueError: If the visitor has one under way, or the line is full.
        """
        with self._lock:
            if any(who == visitor and each.is_wanted and not each.is_over for who, each in self._all()):
                raise ValueError("one training at a time: stop yours first, or wait until it has finished")
            if len(self._line) >= self._most_waiting:
                raise ValueError(f"{len(self._line)} trainings are waiting already; try again in a minute")
            last = self._last.pop(visitor, None)
            training = Training(settings, last.kept if last else None)
            self._line.append((visitor, training))
            self._last[visitor] = training
            while len(self._last) > MOST_VISITORS:
                self._last.popitem(last=False)
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, daemon=True)
                self._thread.start()
                atexit.register(self.close)
                _started.add(self)
            self._lock.notify_all()
        return training

    def last(self, visitor: str) -> Training | None:
        """Returns a visitor's last training; None for somebody who has had none."""
        with self._lock:
            return self._last.get(visitor)

    def stop(self, visitor: str) -> None:
        """Ends a visitor's training; what it has learned until then is kept."""
        with self._lock:
            for who, each in self._all():
                if who == visitor:
                    each.asked_to_stop = True
            self._tell_worker()

    def ahead(self, training: Training) -> int:
        """Returns how many trainings come first; 0 for one that runs, or is over."""
        with self._lock:
            waiting = [each for _, each in self._line]
            return waiting.index(training) + (self._now is not None) if training in waiting else 0

    def close(self) -> None:
        """Ends the worker for good; what it wrote goes with it."""
        self._closed = True
        self._end_worker()

    def _end_worker(self) -> None:
        with self._lock:
            process, self._process = self._process, None
            folder, self._folder = self._folder, ""
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            try:
                process.wait(1.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        if folder:
            shutil.rmtree(folder, ignore_errors=True)

    def _all(self) -> list[tuple[str, Training]]:
        return [*self._line, *([self._now] if self._now else [])]

    def _serve(self) -> None:
        while True:
            with self._lock:
                while not self._line:
                    self._lock.wait()
                self._now = self._line.popleft()
            _, training = self._now
            if training.is_wanted:
                try:
                    self._train(training)
                except (OSError, ValueError) as error:  # the worker is gone, or said what is no JSON
                    training.words = f"the process that trains has ended ({type(error).__name__}); train again"
                    training.state = "failed"
                    self._end_worker()
            else:
                training.state = "stopped"
            with self._lock:
                self._now = None

    def _train(self, training: Training) -> None:
        process = self._worker()
        training.state = "running"
        self._write(process, {"train": training.settings.as_dict()})
        watching = threading.Event()
        threading.Thread(target=self._watch, args=(training, watching), daemon=True).start()
        try:
            while not training.is_over:
                self._hear(training, process)
        finally:
            watching.set()

    def _hear(self, training: Training, process: "subprocess.Popen[str]") -> None:
        line = process.stdout.readline() if process.stdout is not None else ""
        if not line:
            raise OSError("no answer")
        answer = json.loads(line)
        if "result" in answer:
            training.result = answer["result"]
            training.points.append((answer["result"]["step"], answer["result"]["accuracy"]))
            training.state = "finished" if answer["result"]["step"] >= training.settings.steps else "stopped"
        elif "error" in answer:
            training.words, training.state = str(answer["error"]), "failed"
        else:
            training.points.append((answer["step"], answer["accuracy"]))

    def _watch(self, training: Training, over: threading.Event) -> None:
        """Ends a training that nobody looks at any more."""
        while not over.wait(0.5):
            if not training.is_wanted:
                with self._lock:
                    training.asked_to_stop = True
                    self._tell_worker()

    def _tell_worker(self) -> None:
        """Tells the worker to stop if the one that it trains is not wanted; the lock is held."""
        if self._process is not None and self._now is not None and self._now[1].asked_to_stop:
            try:
                self._write(self._process, {"stop": True})
            except (OSError, ValueError):  # it has ended; whoever listens to it says so
                return

    def _worker(self) -> "subprocess.Popen[str]":
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end_worker()
        if self._closed:
            raise OSError("closed")
        folder = tempfile.mkdtemp(prefix=PREFIX)
        process = subprocess.Popen(
            [*self._command, str(Path(folder))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env={**os.environ, "TMPDIR": folder},  # what a library leaves for a while goes with it too
            start_new_session=True,  # Ctrl-C in the terminal is for the server, which ends it
        )
        with self._lock:
            self._process, self._folder = process, folder
        return process

    @staticmethod
    def _write(process: "subprocess.Popen[str]", order: dict[str, Any]) -> None:
        if process.stdin is None:
            raise OSError("no way to it")
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()

"""One person's quiz on the page: signal by signal, and at the end its file."""

import json
import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from lightning_module.quiz.play import Answer, Play
from lightning_module.quiz.questions import Questions
from lightning_module.quiz.record import as_dict

NUMBERS: Final = (10, 20, 40)
HIGHEST_CODE: Final = 9999
LONGEST_NAME: Final = 40


class _NoScreen:
    """No terminal: the page shows what is to be shown."""

    def ask(self, prompt: str) -> str:
        """Returns nothing, for nobody is asked here."""
        return ""

    def say(self, text: str = "") -> None:
        """Leaves out what would be printed."""

    def show(self, signals: npt.NDArray[np.floating]) -> None:
        """Leaves out what would be drawn."""


@dataclass
class Game:
    """A quiz that is being played.

    Attributes:
        play: Questions and answers.
        started: When it began.
        clock: Seconds from any moment on.
        since: When the present signal was shown, by the clock.
    """

    play: Play
    started: datetime = field(default_factory=lambda: datetime.now().astimezone())
    clock: Callable[[], float] = time.monotonic
    since: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def begin(cls, config: str, number: int, code: int | None, *, clock: Callable[[], float] = time.monotonic) -> Self:
        """Returns a quiz of a config's test signals.

        Args:
            config: Name of the config.
            number: How many signals.
            code: The class code: the same shows everybody the same signals; None for one of its own.
            clock: Seconds from any moment on.

        Raises:
            ValueError: If there is no such config, or a number that is not allowed.
        """
        if number not in NUMBERS:
            raise ValueError(f"{number} signals: choose one of {', '.join(map(str, NUMBERS))}")
        if code is None:
            code = random.SystemRandom().randrange(HIGHEST_CODE + 1)
        if int(code) != code or not 0 <= code <= HIGHEST_CODE:
            raise ValueError(f"class code {code}: it must be a whole number from 0 to {HIGHEST_CODE}")
        questions = Questions.draw(config, number=number, seed=int(code))
        return cls(Play(questions, _NoScreen(), clock), clock=clock, since=clock())

    @property
    def questions(self) -> Questions:
        """Returns the signals."""
        return self.play.questions

    @property
    def answers(self) -> list[Answer]:
        """Returns the answers up to now."""
        return self.play.answers

    @property
    def place(self) -> int:
        """Returns the number of the signal that is shown, from 0."""
        return len(self.answers)

    @property
    def is_over(self) -> bool:
        """Returns whether every signal was answered."""
        return self.play.is_complete

    def answer(self, digit: int, place: int) -> bool:
        """Takes an answer; returns whether it was one to the signal that is shown.

        Args:
            digit: The answer.
            place: The number of the signal that it answers: two presses of a button are no answer to the next one.
        """
        with self._lock:
            if self.is_over or place != self.place:
                return False
            self._take(digit)
            return True

    def _take(self, digit: int) -> None:
        now = self.clock()
        row, truth = self.questions.rows[self.place], int(self.questions.y[self.place])
        self.answers.append(Answer(row, truth, digit, now - self.since))
        self.since = now

    def record(self) -> dict[str, Any]:
        """Returns the quiz as `mnist1d quiz` writes it."""
        return as_dict(self.play, self.started)

    def file(self) -> str:
        """Returns the content of the quiz's file."""
        return json.dumps(self.record(), indent=1) + "\n"


def file_name(name: str | None) -> str:
    """Returns the file's name for a person's: what no file name should have becomes a dash."""
    plain = re.sub(r"[^\w-]+", "-", (name or "").strip())[:LONGEST_NAME].strip("-_")
    return f"{plain or 'quiz'}.json"

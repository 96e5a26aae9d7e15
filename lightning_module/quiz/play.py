"""The quiz itself: ten signals, answers, the truth, and so on; what is answered is kept at every step."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from lightning_module.quiz import networks
from lightning_module.quiz.questions import Questions
from lightning_module.quiz.score import QuizScore

BATCH: Final = 10  # as in the published quiz
STOP: Final = frozenset({"q", "quit", "exit"})


class Screen(Protocol):
    """What a quiz needs of a terminal."""

    def ask(self, prompt: str) -> str:
        """Returns what is typed; raises EOFError at the end of the input."""

    def say(self, text: str = "") -> None:
        """Prints text."""

    def show(self, signals: npt.NDArray[np.floating]) -> None:
        """Draws signals."""


@dataclass(frozen=True)
class Answer:
    """The answer to one signal.

    Attributes:
        row: Row of the signal in its split.
        truth: Its label.
        answer: The digit typed.
        seconds: Time from the prompt to Enter, shared equally among the digits of one line.
    """

    row: int
    truth: int
    answer: int
    seconds: float

    @property
    def right(self) -> bool:
        """Returns whether the answer is the label."""
        return self.answer == self.truth


@dataclass
class Play:
    """One person's way through the questions.

    Attributes:
        questions: The signals.
        screen: Where they are shown.
        clock: Seconds from any moment on.
        answers: The answers up to now.
    """

    questions: Questions
    screen: Screen
    clock: Callable[[], float] = time.monotonic
    answers: list[Answer] = field(default_factory=list)

    @property
    def score(self) -> QuizScore:
        """Returns the answers up to now."""
        return QuizScore.count(answer.right for answer in self.answers)

    @property
    def is_complete(self) -> bool:
        """Returns whether every question is answered."""
        return len(self.answers) == len(self.questions.rows)

    def batches(self) -> Iterator[Sequence[Answer]]:
        """Shows ten signals, takes the answers, shows the truth, and yields them, until all are answered or it ends.

        Raises:
            KeyboardInterrupt: If the person interrupts; what had been entered is in `answers`.
        """
        total = len(self.questions.rows)
        for start in range(0, total, BATCH):
            stop = min(start + BATCH, total)
            self.screen.say(f"Signals {start + 1} to {stop} of {total}")
            self.screen.say()
            self.screen.show(self.questions.x[start:stop])
            self.screen.say()
            going_on = self._ask(start, stop)
            if batch := self.answers[start:]:
                self.screen.say(told(batch, self._networks_right(batch)))
                self.screen.say(in_words(self.score, "right so far"))
                self.screen.say()
                yield batch
            if not going_on:
                return

    def _networks_right(self, batch: Sequence[Answer]) -> list[int] | None:
        """Returns how many of the kept CNNs read each signal right; None if they did not see these signals."""
        if not self.questions.are_frozen:
            return None
        right = networks.right_answers([each.row for each in batch], [each.truth for each in batch])
        return [int(number) for number in right.sum(axis=0)]

    def _ask(self, start: int, stop: int) -> bool:
        """Takes answers until there is one for each signal; False if the person has had enough."""
        while missing := stop - len(self.answers):
            first = len(self.answers) - start + 1
            prompt = f"{first} to {stop - start}: " if missing > 1 else f"{first}: "
            began = self.clock()
            try:
                text = self.screen.ask(prompt)
            except EOFError:
                return False
            if text.strip().lower() in STOP:
                return False
            seconds = self.clock() - began
            try:
                digits = read_digits(text, most=missing)
            except ValueError as error:
                self.screen.say(str(error))
                continue
            for digit in digits:
                place = len(self.answers)
                row, truth = self.questions.rows[place], int(self.questions.y[place])
                self.answers.append(Answer(row, truth, digit, seconds / len(digits)))
        return True


def read_digits(text: str, *, most: int) -> list[int]:
    """Returns the digits of a line, between which spaces and commas may stand.

    Raises:
        ValueError: If there is anything else, or there are too many.
    """
    typed = text.replace(",", "").replace(" ", "").strip()
    if typed and not (typed.isascii() and typed.isdigit()):
        raise ValueError(f"{text.strip()!r} was not taken: type digits from 0 to 9, or q to stop")
    if len(typed) > most:
        raise ValueError(f"{text.strip()!r} was not taken: {len(typed)} digits for {most} signals")
    return [int(digit) for digit in typed]


def told(batch: Sequence[Answer], networks_right: Sequence[int] | None = None) -> str:
    """Returns the answers above the truth, with a mark below those that are wrong.

    Args:
        batch: The answers.
        networks_right: How many networks read each signal right, if known.
    """
    lines: dict[str, Iterable[object]] = {
        "signal": range(1, len(batch) + 1),
        "you": [each.answer for each in batch],
        "truth": [each.truth for each in batch],
        "": ["" if each.right else "x" for each in batch],
    }
    if networks_right is not None:
        lines["CNNs"] = networks_right
    texts = [f"{name:8}" + "".join(f"{value:>3}" for value in values) for name, values in lines.items()]
    return "\n".join(text.rstrip() for text in texts if text.strip())


def in_words(score: QuizScore, what: str) -> str:
    """Returns a score as a line of text."""
    if score.accuracy is None or score.interval is None:
        return f"0 of 0 {what}"
    low, high = score.interval
    return f"{score.right} of {score.of} {what}: {score.accuracy:.1%} (95 % interval {low:.1%} to {high:.1%})"

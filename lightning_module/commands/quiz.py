"""``mnist1d quiz``: read signals yourself, and compare with a person and with CNNs. Imports no torch."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from lightning_module.commands.group import Parser, run_command
from lightning_module.commands.options import add_signature
from lightning_module.quiz import networks
from lightning_module.quiz.play import Play
from lightning_module.quiz.questions import Questions
from lightning_module.quiz.record import Record, by_digit, cnn_accuracies
from lightning_module.quiz.score import QuizScore, published_person
from lightning_module.quiz.terminal_plot import Layout, draw
from mnist1d_hf import digit_templates

INTERRUPTED: Final = 130  # what shells report for Ctrl-C
STOPPED: Final = "stopped; what was answered is saved, and the same command begins a new quiz"

WELCOME: Final = """\
Which digits are these? {number} test signals of {config!r}, ten at a time; seed {seed}.
Type the digits, one by one or several together, and Enter. q stops.

Each signal was made from one of these ten curves:
"""
CURVES: Final = 10, 6, 5  # in a row, characters wide, lines high

MEANING: Final = "CNNs: how many of ten networks of the benchmark read the signal right.\n"


class Terminal:
    """The terminal that a quiz is played in.

    Args:
        console: Where to print.
        braille: Whether to draw with braille patterns; None for whether its encoding has them.
    """

    def __init__(self, console: Console, *, braille: bool | None = None) -> None:
        self._console = console
        self._braille = _has_braille(console.encoding) if braille is None else braille

    def ask(self, prompt: str) -> str:
        """Returns what is typed; what comes from a file or a pipe is shown as if it had been."""
        self._console.print(prompt, end="", markup=False, highlight=False)
        if sys.stdin is None:  # a shell can close it
            raise EOFError
        text = input()
        if not sys.stdin.isatty():
            self.say(text)
        return text

    def say(self, text: str = "") -> None:
        """Prints text."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def show(self, signals: npt.NDArray[np.floating]) -> None:
        """Draws signals, as many beside each other as there is room for."""
        columns, lines = self._console.size
        layout = Layout.fitting(len(signals), columns=columns, lines=lines, braille=self._braille)
        self.say("\n".join(draw(signals, range(1, len(signals) + 1), layout)))

    def show_templates(self) -> None:
        """Draws the ten clean curves, small."""
        templates = digit_templates()
        self.say("\n".join(draw(templates.x, templates.y.tolist(), Layout(*CURVES, self._braille))))
        self.say()


def quiz(
    config: Annotated[str, "name of a config; see mnist1d data list"] = "default",
    *,
    number: Annotated[int, "how many signals"] = 40,
    seed: Annotated[int | None, "the same seed shows the same signals"] = None,
    out: Annotated[str | None, "JSON file to write; outputs/quiz-DATE.json"] = None,
    plain: Annotated[bool, "draw with # in place of braille patterns"] = False,
) -> int:
    """Read signals yourself, ten at a time, and compare with a person and with CNNs."""
    record = Record(None if out is None else Path(out))
    questions = Questions.draw(config, number=number, seed=seed)
    terminal = Terminal(Console(highlight=False), braille=False if plain else None)
    terminal.say(WELCOME.format(number=number, config=config, seed=questions.seed))
    terminal.show_templates()
    if questions.are_frozen:
        terminal.say(MEANING)
    play = Play(questions, terminal)
    status = 0
    try:
        for _ in play.batches():
            record.save(play)
    except KeyboardInterrupt:
        terminal.say()
        status = INTERRUPTED
    finally:
        record.save(play)
    if record.path is None:
        terminal.say("\nNothing was answered, nothing is saved.")
        return status
    Console(highlight=False).print(comparison(play))
    terminal.say(f"\nSaved: {record.path}")
    return status


def comparison(play: Play) -> Table:
    """Returns how the person did, beside networks on the same signals and the published person."""
    table = Table(box=None, pad_edge=False)
    for column in ("", "right", "of", "accuracy", "95 % interval"):
        table.add_column(column, justify="left" if column in {"", "95 % interval"} else "right")
    _add_score(table, "you", play.score)
    for digit, score in by_digit(play.answers).items():
        _add_score(table, f"  the digit {digit}", score)
    if play.questions.are_frozen:
        _add_networks(table, "ten CNNs, the same signals", cnn_accuracies(play.answers), len(play.answers))
        _add_networks(table, "ten CNNs, all test signals", networks.accuracies(), networks.signals())
    else:
        table.add_row("CNNs", "", "", "unknown", "they saw the default config only")
    _add_score(table, "a person, as published" + ("" if play.questions.are_frozen else ", default"), published_person())
    return table


def _add_score(table: Table, name: str, score: QuizScore) -> None:
    if score.accuracy is not None and score.interval is not None:
        low, high = score.interval
        table.add_row(name, f"{score.right}", f"{score.of}", f"{score.accuracy:.2%}", f"{low:.1%} to {high:.1%}")


def _add_networks(table: Table, name: str, accuracies: Sequence[float], signals: int) -> None:
    mean = float(np.mean(accuracies))
    worst_to_best = f"worst {min(accuracies):.1%}, best {max(accuracies):.1%}"
    table.add_row(name, f"{mean * signals:.1f}", f"{signals}", f"{mean:.2%}", worst_to_best)


def _has_braille(encoding: str) -> bool:
    try:
        "\u28ff".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def parser() -> Parser:
    """Returns the parser of the quiz's options."""
    parser = Parser(prog="mnist1d quiz", description=(quiz.__doc__ or "").split("\n")[0])
    add_signature(parser, quiz)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a quiz; returns its exit status: 0, 2 if the input cannot be used, 130 after Ctrl-C."""
    options = parser()
    command = partial(quiz, **options.parse_args(arguments).as_dict())
    return run_command(command, lambda: options, stopped=lambda: STOPPED)

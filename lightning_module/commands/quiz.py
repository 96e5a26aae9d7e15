"""``mnist1d quiz``: read signals yourself, and compare with a person and with CNNs. Imports no torch."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
from rich.console import Console

from lightning_module.commands.group import Parser, run_command
from lightning_module.commands.options import Option, add_signature
from lightning_module.quiz import networks
from lightning_module.quiz.play import Play
from lightning_module.quiz.questions import Questions
from lightning_module.quiz.record import Record, by_digit, cnn_accuracies
from lightning_module.quiz.school_class import SchoolClass, draw_matrices, matrices, read_class, shares
from lightning_module.quiz.score import QuizScore, published_person
from lightning_module.quiz.terminal_plot import Layout, draw
from lightning_module.terminal.tables import Column, Table, show
from mnist1d_hf import digit_templates
from mnist1d_hf.atomic import replace

CLASS_PICTURE: Final = Path("outputs/quiz-class.png")
INTERRUPTED: Final = 130  # what shells report for Ctrl-C
STOPPED: Final = "stopped; answers that were given are saved, and the same command begins a new quiz"

WELCOME: Final = """\
Which digits are these? {number} test signals of {config!r},
ten at a time; seed {seed}. Type the digits, one by one
or several together, and Enter. q stops.

Each signal was made from one of these ten curves:
"""
CURVES: Final = 10, 6, 5  # in a row, characters wide, lines high
FEWER_CURVES: Final = 5, 8, 5  # in a terminal of fewer than 80 columns

MEANING: Final = "CNNs: how many of ten networks read the signal right.\n"


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
        per_row, width, height = CURVES if self._console.width >= 80 else FEWER_CURVES
        self.say("\n".join(draw(templates.x, templates.y.tolist(), Layout(per_row, width, height, self._braille))))
        self.say()


def quiz(
    config: Annotated[str, "name of a config; see mnist1d data list"] = "default",
    *,
    number: Annotated[int, "how many signals"] = 40,
    seed: Annotated[int | None, "the same seed shows the same signals"] = None,
    out: Annotated[str | None, "JSON file to write; outputs/quiz-DATE.json"] = None,
    plain: Annotated[bool, "draw with # in place of braille patterns"] = False,
    class_folder: Annotated[
        str | None, Option("no quiz: merge the JSON files of a class in this folder", name="--class", metavar="DIR")
    ] = None,
) -> int:
    """Read signals yourself, ten at a time, and compare with a person and with CNNs."""
    if class_folder is not None:
        if (config, number, seed, plain) != ("default", 40, None, False):
            raise ValueError("--class merges quizzes that were played, and takes no other option than --out")
        return show_class(Path(class_folder), None if out is None else Path(out))
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
        status = INTERRUPTED
    finally:
        record.save(play)
    if record.path is None:
        if not status:  # else a line says that it was stopped
            terminal.say("\nNothing was answered, nothing is saved.")
        return status
    if status:
        terminal.say()
    show(comparison(play), Console())
    terminal.say(f"\nSaved: {record.path}")
    return status


def comparison(play: Play) -> Table:
    """Returns how the person did, beside networks on the same signals and the published person."""
    rows = [_score("you", play.score)]
    rows += [_score(f"  the digit {digit}", score) for digit, score in by_digit(play.answers).items()]
    if play.questions.are_frozen:
        rows.append(_networks("ten CNNs, the same signals", cnn_accuracies(play.answers), len(play.answers)))
        rows.append(_networks("ten CNNs, all test signals", networks.accuracies(), networks.signals()))
    else:
        rows.append(["CNNs", "", "", "unknown", "they saw the default config only"])
    other = "" if play.questions.are_frozen else ", default"
    rows.append(_score(f"a person, as published{other}", published_person()))
    columns = [
        Column("who"),
        Column("right", right=True, rank=1),
        Column("of", right=True, rank=1),
        Column("accuracy", right=True),
        Column("95 % interval", rank=2),
    ]
    return Table(columns, rows)


def _score(name: str, score: QuizScore) -> list[str]:
    if score.accuracy is None or score.interval is None:
        return [name, "0", "0", "", ""]
    low, high = score.interval
    return [name, f"{score.right}", f"{score.of}", f"{score.accuracy:.2%}", f"{low:.1%} to {high:.1%}"]


def _networks(name: str, accuracies: Sequence[float], signals: int) -> list[str]:
    mean = float(np.mean(accuracies))
    worst_to_best = f"worst {min(accuracies):.1%}, best {max(accuracies):.1%}"
    return [name, f"{mean * signals:.1f}", f"{signals}", f"{mean:.2%}", worst_to_best]


def show_class(folder: Path, picture: Path | None) -> int:
    """Prints how a class did, person by person, and what was taken for what; draws it too where matplotlib is.

    Args:
        folder: With the JSON files of the quizzes.
        picture: Where to draw; None for `CLASS_PICTURE`.

    Raises:
        ValueError: If there is no quiz in the folder.
    """
    school, console = read_class(folder), Console()
    terminal = Terminal(console, braille=False)
    show(class_table(school), console)
    found = matrices(school)
    for name, matrix in found.items():
        terminal.say(f"\n{name}: percent of each digit's signals read as")
        rows = [[str(digit), *cells] for digit, cells in enumerate(shares(matrix))]
        show(Table([Column("is"), *(Column(str(digit), right=True) for digit in range(10))], rows), console)
    terminal.say()
    for line in school.left_out:
        terminal.say(printable(line))
    try:
        figure = draw_matrices(found)
    except ImportError:
        terminal.say('No figure: pip install "mnist1d-hf[plot]"')
        return 0
    path = picture or CLASS_PICTURE
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, partial(figure.savefig, format="png"))
    terminal.say(f"figure: {path}")
    return 0


def class_table(school: SchoolClass) -> Table:
    """Returns a row for each person, the best first, and one for all of them."""
    columns = [
        Column("person"),
        Column("n", right=True),
        Column("accuracy", right=True),
        Column("95 % interval", rank=1),
        Column("s/signal", right=True, rank=2),
        Column("config", rank=3),
    ]
    best_first = sorted(school.sheets, key=lambda sheet: -(sheet.score.accuracy or 0.0))
    rows = [_person(sheet.person, sheet.score, sheet.seconds, sheet.config) for sheet in best_first]
    seconds = [answer.seconds for sheet in school.sheets for answer in sheet.answers]
    rows.append(_person("the class", school.score, float(np.mean(seconds)), ""))
    return Table(columns, rows)


def _person(name: str, score: QuizScore, seconds: float, config: str) -> list[str]:
    _, _, of, accuracy, interval = _score(name, score)
    return [printable(name), of, accuracy, interval, f"{seconds:.1f}", config]


def printable(text: str) -> str:
    """Returns a text with its control characters written out: a file's name may hold what moves the cursor."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


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

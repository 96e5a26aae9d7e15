"""The quizzes of a class, from their files: who read how many signals right, and what was taken for what."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from lightning_module.quiz import networks
from lightning_module.quiz.play import Answer
from lightning_module.quiz.record import FORMAT
from lightning_module.quiz.score import QuizScore
from lightning_module.studies.methods.person import CONFUSION
from mnist1d_hf import RECIPES
from mnist1d_hf.strict_json import parsed_json

MOST_BYTES: Final = 2_000_000  # of a file; a quiz of all 1,000 test signals has 200,000
REMEDY: Final = "ask for the file again, as mnist1d quiz wrote it"

Matrix = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sheet:
    """One quiz of one person.

    Attributes:
        person: The name of the file, without its ending.
        config: The config that the signals are of.
        answers: The answers.
    """

    person: str
    config: str
    answers: tuple[Answer, ...]

    @property
    def score(self) -> QuizScore:
        """Returns how many answers are right."""
        return QuizScore.count(answer.right for answer in self.answers)

    @property
    def seconds(self) -> float:
        """Returns the mean seconds of a signal."""
        return sum(answer.seconds for answer in self.answers) / len(self.answers)


@dataclass(frozen=True)
class SchoolClass:
    """The quizzes of a folder.

    Attributes:
        sheets: Those that could be read, by person.
        left_out: Why each of the other files was left out, a line each.
    """

    sheets: tuple[Sheet, ...]
    left_out: tuple[str, ...]

    @property
    def score(self) -> QuizScore:
        """Returns the score of all answers."""
        return QuizScore.count(answer.right for sheet in self.sheets for answer in sheet.answers)

    @property
    def confusion(self) -> Matrix:
        """Returns how often each digit (rows) was taken for each (columns), ``(10, 10)``."""
        found: Matrix = np.zeros((10, 10), dtype=np.int64)
        for sheet in self.sheets:
            for answer in sheet.answers:
                found[answer.truth, answer.answer] += 1
        return found


def read_class(folder: Path) -> SchoolClass:
    """Returns the quizzes of a folder's JSON files; of two that are the same quiz, the first by name.

    Raises:
        ValueError: If there is no such folder, or no quiz in it.
    """
    if not folder.is_dir():
        raise ValueError(f"class={str(folder)!r} must be a folder with the JSON files of a class")
    school = read_files(sorted(folder.glob("*.json")))
    if not school.sheets:
        said = "".join(f"\n{line}" for line in school.left_out) or "; put the files there that mnist1d quiz has saved"
        raise ValueError(f"class={str(folder)!r} has no quiz in it{said}")
    return school


def read_files(paths: Sequence[Path]) -> SchoolClass:
    """Returns the quizzes of these files, which may be none; of two that are the same quiz, the first."""
    sheets: list[Sheet] = []
    seen: dict[str, str] = {}  # what was answered, and in which file
    left_out: list[str] = []
    for path in paths:
        try:
            sheet, key = _sheet(path)
        except (OSError, ValueError) as error:
            left_out.append(f"{path.name} was left out: {error}; {REMEDY}")
            continue
        if key in seen:
            left_out.append(f"{path.name} was left out: it is the quiz of {seen[key]} once more; delete one of them")
            continue
        seen[key] = path.name
        sheets.append(sheet)
    return SchoolClass(tuple(sheets), tuple(left_out))


def matrices(school: SchoolClass) -> dict[str, Matrix]:
    """Returns who took which digit (rows) for which (columns): the class, the published person, the CNNs."""
    return {"class": school.confusion, "a person, as published": CONFUSION, "ten CNNs": networks.confusion()}


def _sheet(path: Path) -> tuple[Sheet, str]:
    """Returns the quiz in a file, and what tells it from any other.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is no quiz.
    """
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES:,} bytes, which no quiz has")
    try:
        record = parsed_json(path.read_bytes())
    except UnicodeDecodeError:
        raise ValueError("it is no text in UTF-8") from None
    except ValueError as error:
        raise ValueError(f"it is no JSON ({error})") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise ValueError(f"it is no quiz of format {FORMAT}")
    config = record.get("config")
    if not isinstance(config, str) or config not in RECIPES:
        raise ValueError("config is the name of no config")
    entries = record.get("answers")
    if not isinstance(entries, list) or not entries:
        raise ValueError("it has no answers")
    answers = tuple(_answer(entry, number) for number, entry in enumerate(entries, start=1))
    if len({answer.row for answer in answers}) < len(answers):
        raise ValueError("a signal was answered twice")
    key = json.dumps([record.get("started"), config, entries], sort_keys=True)
    return Sheet(path.stem, config, answers), key


def _answer(entry: Any, number: int) -> Answer:
    if not isinstance(entry, dict):
        raise ValueError(f"answer {number} is no answer")
    for name, most in (("row", 10**9), ("truth", 9), ("answer", 9)):
        value = entry.get(name)
        if type(value) is not int or not 0 <= value <= most:
            raise ValueError(f"{name} of answer {number} must be a number from 0{'' if name == 'row' else ' to 9'}")
    seconds: Any = entry.get("seconds")
    if type(seconds) not in (int, float) or not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"seconds of answer {number} must be a number from 0")
    return Answer(entry["row"], entry["truth"], entry["answer"], float(seconds))


def shares(matrix: Matrix) -> list[list[str]]:
    """Returns a confusion matrix as percent of each digit's signals: nothing for none, "<1" for a few."""
    return [[_percent(int(count), int(counts.sum())) for count in counts] for counts in matrix]


def _percent(count: int, of: int) -> str:
    if not count:
        return ""
    return f"{100 * count / of:.0f}" if 200 * count >= of else "<1"


def draw_matrices(found: dict[str, Matrix], names: Sequence[str] = tuple("0123456789")) -> Any:
    """Returns a figure with a confusion matrix for each, in percent of the digit's signals.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    from mnist1d_hf.plot.signals import LIGHT, require_matplotlib

    require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.4 * len(found), 3.7), dpi=200, facecolor=LIGHT.ground, layout="constrained")
    for axes, (title, matrix) in zip(figure.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
        share = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for truth, row in enumerate(shares(matrix)):
            for answer, text in enumerate(row):
                colour = "white" if share[truth, answer] > 0.5 else LIGHT.ink
                axes.text(answer, truth, text, ha="center", va="center", fontsize=6.5, color=colour)
        right = matrix.trace() / max(1, matrix.sum())
        axes.set_title(f"{title}: {right:.1%} right", loc="left", fontsize=9.5, color=LIGHT.ink)
        axes.set_xticks(range(10), names)
        axes.set_yticks(range(10), names)
        axes.set_xlabel("read as", fontsize=8.5, color=LIGHT.faint)
        axes.set_ylabel("is" if axes is figure.axes[0] else "", fontsize=8.5, color=LIGHT.faint)
        axes.tick_params(colors=LIGHT.faint, labelsize=8, length=0)
        axes.spines[:].set_visible(False)
    return figure

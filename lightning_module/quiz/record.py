"""The JSON file of a quiz: everything that was shown and answered, whole at any moment, and no older one lost."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from lightning_module.quiz import networks
from lightning_module.quiz.play import Answer, Play
from lightning_module.quiz.questions import SPLIT
from lightning_module.quiz.score import QuizScore, published_person
from mnist1d_hf import DATA_VERSION
from mnist1d_hf.atomic import replace

FORMAT: Final = 1
FOLDER: Final = Path("outputs")


class Record:
    """The file that a quiz is kept in.

    Args:
        path: The file; None for one in `FOLDER` with the date in its name.

    Raises:
        ValueError: If the file exists, or cannot be made.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.started = datetime.now().astimezone()
        self._chosen = path
        self.path: Path | None = None  # once there is something in it
        if path is not None and path.exists():
            raise ValueError(f"out={str(path)!r} exists and is not overwritten; give another name, or delete it")
        folder = FOLDER if path is None else path.parent
        nearest = next(place for place in [folder, *folder.absolute().parents] if place.exists())
        if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
            raise ValueError(
                f"out={str(path or folder)!r} cannot be written, for {str(nearest)!r} is no folder of yours"
            )

    def save(self, play: Play) -> None:
        """Writes what is answered up to now; before the first answer, nothing."""
        if not play.answers:
            return
        if self.path is None:
            self.path = self._claim()
        content = json.dumps(as_dict(play, self.started), indent=1) + "\n"
        replace(self.path, lambda part: part.write_text(content, encoding="utf-8"))

    def _claim(self) -> Path:
        """Makes the file, one that nobody else has made in the meantime."""
        names = [self._chosen] if self._chosen else _dated(self.started)
        for path in names:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                path.open("x").close()
            except FileExistsError:
                continue
            return path
        raise ValueError(f"out={str(names[0])!r} exists by now and is not overwritten; the answers are not saved")


def _dated(moment: datetime) -> list[Path]:
    name = f"quiz-{moment:%Y-%m-%d-%H%M%S}"
    return [FOLDER / f"{name}{suffix}.json" for suffix in ["", *(f"-{number}" for number in range(2, 1000))]]


def as_dict(play: Play, started: datetime) -> dict[str, Any]:
    """Returns all of a quiz: what was shown, each answer, the scores, and what it is compared with."""
    questions, answers = play.questions, play.answers
    record: dict[str, Any] = {
        "format": FORMAT,
        "config": questions.config,
        "data_version": DATA_VERSION,
        "split": SPLIT,
        "seed": questions.seed,
        "started": started.isoformat(timespec="seconds"),
        "complete": play.is_complete,
        "rows_drawn": questions.rows,
        "answers": [{**asdict(answer), "seconds": round(answer.seconds, 3)} for answer in answers],
        "score": scored(play.score),
        "digits": {digit: scored(score) for digit, score in by_digit(answers).items()},
        "published_person": scored(published_person()),
    }
    if questions.are_frozen:
        record["cnns_on_these"] = cnn_accuracies(answers)
        record["cnns_on_all"] = networks.accuracies()
    return record


def cnn_accuracies(answers: Sequence[Answer]) -> list[float]:
    """Returns the accuracy of each of the kept CNNs on the signals that were answered."""
    right = networks.right_answers([each.row for each in answers], [each.truth for each in answers])
    return [int(number) / len(answers) for number in right.sum(axis=1)]


def by_digit(answers: Sequence[Answer]) -> dict[int, QuizScore]:
    """Returns the score for each digit that was shown."""
    return {
        digit: QuizScore.count(answer.right for answer in answers if answer.truth == digit)
        for digit in sorted({answer.truth for answer in answers})
    }


def scored(score: QuizScore) -> dict[str, Any]:
    """Returns a score with its accuracy and interval, as JSON has it."""
    interval = None if score.interval is None else [round(end, 6) for end in score.interval]
    return {**asdict(score), "accuracy": score.accuracy, "interval_95": interval}

"""How a quiz went: you, the published person, the CNNs and the Bayes classifier, and the signals that were misread."""

import base64
import html
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from lightning_module.explorer import svg
from lightning_module.explorer.read.game import Game, file_name
from lightning_module.explorer.read.tables import confusion, matrix, score_cells, table
from lightning_module.quiz import networks
from lightning_module.quiz.play import Answer
from lightning_module.quiz.score import QuizScore, published_person
from lightning_module.studies.methods.person import CONFUSION
from mnist1d_hf import RECIPES
from mnist1d_hf.bayes import frozen_posterior, log_posterior

HEADS: Final = ("who", "right", "of", "accuracy", "95 % interval")
Numbers = npt.NDArray[np.floating]


def posterior(game: Game) -> Numbers | None:
    """Returns the probability of each digit given each signal answered, ``(n, 10)``; None where there is none."""
    questions, n = game.questions, len(game.answers)
    if questions.are_frozen:
        return np.asarray(np.exp(frozen_posterior().test[questions.rows[:n]]))
    if RECIPES[questions.config].recipe.iid_noise_scale == 0:
        return None
    try:
        return np.asarray(np.exp(log_posterior(questions.x[:n].astype(np.float64), questions.config)))
    except ImportError:
        return None


def shown(game: Game, name: str | None) -> str:
    """Returns the results as HTML.

    Args:
        game: The quiz, of which at least one signal was answered.
        name: The person's name, for the file.
    """
    p = posterior(game)
    scores = _table(game, p)
    return (
        f'<div class="m1-results" role="status"><h3 class="m1-h">You read {game.play.score.right} of '
        f"{game.play.score.of} right</h3>{scores}{_links(game, name)}"
        f'<div class="m1-matrices">{"".join(matrix(*each) for each in _matrices(game, p))}</div>'
        f'<p class="m1-faint">Rows are digits, columns what they were read as.</p>'
        f"{_misread(game.answers, game, p)}</div>"
    )


def _table(game: Game, p: Numbers | None) -> str:
    answers, frozen = game.answers, game.questions.are_frozen
    rows = [["you", *score_cells(game.play.score)]]
    if p is not None:
        right = QuizScore.count(int(best) == each.truth for best, each in zip(p.argmax(axis=1), answers, strict=True))
        rows.append(["Bayes classifier, the same signals", *score_cells(right)])
    if frozen:
        each = networks.right_answers([a.row for a in answers], [a.truth for a in answers]).mean(axis=1)
        worst_to_best = f"worst {each.min():.1%}, best {each.max():.1%}"
        mean = f"{each.mean() * len(answers):.1f}"
        rows.append(["ten CNNs, the same signals", mean, str(len(answers)), f"{each.mean():.1%}", worst_to_best])
    else:
        rows.append(["CNNs", "", "", "unknown", "they saw the default config only"])
    person = "a person, as published, other signals" + ("" if frozen else ", default config")
    rows.append([person, *score_cells(published_person())])
    return table(HEADS, rows, label="scores")


def _matrices(game: Game, p: Numbers | None) -> list[tuple[str, npt.NDArray[np.int64]]]:
    truth = [answer.truth for answer in game.answers]
    found = [("you", confusion(truth, [answer.answer for answer in game.answers]))]
    if p is not None:
        found.append(("Bayes classifier", confusion(truth, [int(best) for best in p.argmax(axis=1)])))
    if game.questions.are_frozen:
        said = networks.answers([answer.row for answer in game.answers], truth)
        found.append(("ten CNNs", confusion(truth * len(said), said.ravel().tolist())))
    return [*found, ("a person, as published", CONFUSION)]


def _misread(answers: Sequence[Answer], game: Game, p: Numbers | None) -> str:
    wrong = [place for place, answer in enumerate(answers) if not answer.right]
    if not wrong:
        return ""
    panels = [
        svg.Panel(
            game.questions.x[place],
            f"signal {place + 1}",
            answers[place].truth,
            None if p is None else p[place],
            f"you: {answers[place].answer}, it is: {answers[place].truth}",
            wrong=True,
        )
        for place in wrong
    ]
    below = ", with the exact posterior below" if p is not None else ""
    return f'<h3 class="m1-h">What you misread{html.escape(below)}</h3>{svg.signals(panels, columns=8, narrow=3)}'


def _links(game: Game, name: str | None) -> str:
    content = base64.b64encode(game.file().encode()).decode()
    link = f"?tab=read&code={game.questions.seed}&signals={len(game.questions.rows)}&quiz={game.questions.config}"
    return (
        f'<p class="m1-links">Your answers as a file <a id="m1-quiz-file" download="{html.escape(file_name(name))}" '
        f'href="data:application/json;base64,{content}">{html.escape(file_name(name))}</a>; the same signals for '
        f'somebody else <a href="{html.escape(link)}">class code {game.questions.seed}</a></p>'
    )

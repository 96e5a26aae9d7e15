"""The tab Read without a browser: a quiz and its file, the table of a class, hostile names."""

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lightning_module.explorer.read.game import Game, file_name
from lightning_module.explorer.read.results import shown
from lightning_module.explorer.read.tables import confusion, matrix, table
from lightning_module.explorer.read.uploads import MOST_FILES, class_table
from lightning_module.quiz import networks
from lightning_module.quiz.questions import Questions
from lightning_module.quiz.school_class import read_class
from mnist1d_hf import make_mnist1d
from mnist1d_hf.bayes import frozen_posterior


def played(config="default", number=10, code=7, answers=None):
    """A quiz to its end; by default answered as the labels are, but for the first."""
    seconds = iter(range(1000))
    game = Game.begin(config, number, code, clock=lambda: float(next(seconds)))
    truth = game.questions.y.tolist()
    for digit in answers or [(truth[0] + 1) % 10, *truth[1:]]:
        assert game.answer(digit, game.place)
    return game


def test_a_code_gives_everybody_the_signals_of_the_terminals_quiz():
    game = Game.begin("default", 10, 42)
    assert game.questions.rows == Questions.draw("default", number=10, seed=42).rows == played(code=42).questions.rows
    assert Game.begin("default", 10, None).questions.seed < 10_000


def test_answers_are_kept_with_their_seconds_and_none_after_the_last():
    game = played()
    assert game.is_over
    assert not game.answer(3, 10)
    assert len(game.answers) == 10
    assert [answer.seconds for answer in game.answers] == [1.0] * 10
    assert (game.play.score.right, game.play.score.of) == (9, 10)


def test_a_button_pressed_twice_answers_one_signal():
    game = Game.begin("default", 10, 7)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda digit: game.answer(digit, 0), range(8)))
    assert (sum(taken), game.place) == (1, 1)
    assert not game.answer(3, 2)
    assert game.answer(3, 1)


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(11, 1, "11 signals"), (10, -1, "class code -1"), (10, 10_000, "class code 10000")],
)
def test_what_is_no_quiz_is_refused(number, code, said):
    with pytest.raises(ValueError, match=said):
        Game.begin("default", number, code)


def test_results_compare_on_the_same_signals():
    game = played(number=40)
    html = shown(game, "Ada")
    rows, truth = game.questions.rows, game.questions.y
    bayes = int((frozen_posterior().test[rows].argmax(axis=1) == truth).sum())
    cnn = networks.right_answers(rows, truth.tolist()).mean()
    text = re.sub(r"<[^>]+>", " ", html)
    assert re.search(rf"Bayes classifier, the same signals\s+{bayes}\s+40", text)
    assert f"{cnn:.1%}" in text
    assert re.search(r"you\s+39\s+40\s+97.5%", text)
    assert html.count("m1-wrong") == 1
    assert f"you: {game.answers[0].answer}, it is: {game.answers[0].truth}" in text
    assert html.count("m1-matrix") == 4


def test_other_configs_have_a_bayes_classifier_and_no_networks():
    text = re.sub(r"<[^>]+>", " ", shown(played("high-noise"), None))
    assert "they saw the default config only" in text
    assert "Bayes classifier, the same signals" in text
    assert "Bayes classifier" not in shown(played("no-noise"), None)


def test_the_networks_answers_give_their_confusion():
    y = make_mnist1d().test.y
    said = networks.answers(range(len(y)), y.tolist())
    counted = confusion(np.tile(y, len(said)).tolist(), said.ravel().tolist())
    assert np.array_equal(counted, networks.confusion())


def test_the_file_is_one_that_a_class_is_read_from(tmp_path):
    game = played(number=20)
    html = shown(game, "Ada Lovelace")
    name, content = re.search(r'download="([^"]+)" href="data:application/json;base64,([^"]+)"', html).groups()
    assert name == "Ada-Lovelace.json"
    (tmp_path / name).write_bytes(base64.b64decode(content))
    (sheet,) = read_class(tmp_path).sheets
    assert sheet.person == "Ada-Lovelace"
    assert sheet.score == game.play.score
    assert json.loads(base64.b64decode(content))["seed"] == 7


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("", "quiz.json"),
        (None, "quiz.json"),
        ("../../etc/x", "etc-x.json"),
        ('"><img>', "img.json"),
        ("Zoë", "Zoë.json"),
    ],
)
def test_a_name_makes_a_files_name(name, file):
    assert file_name(name) == file


def test_a_class_is_read_as_data_and_its_files_are_deleted(tmp_path):
    evil = '<img src=x onerror="alert(1)">'
    files = [tmp_path / f"{name}.json" for name in ("ada", evil.replace("/", "-"), "broken", "again")]
    files[0].write_text(played(code=1).file())
    files[1].write_text(played(code=2).file())
    files[2].write_text('{"format": 1, "config": "<script>", "answers": []}')
    files[3].write_text(files[0].read_text())
    html = class_table([str(file) for file in files])
    assert "<img" not in html
    assert "&lt;img src=x" in html
    assert "broken.json was left out: config is the name of no config" in html
    assert "again.json was left out: it is the quiz of ada.json once more" in html
    assert "the class</th><td>18</td><td>20</td>" in html
    assert not [*tmp_path.iterdir()]


def test_too_many_files_and_too_large_ones_are_told(tmp_path):
    many = [tmp_path / f"{number}.json" for number in range(MOST_FILES + 1)]
    for file in many:
        file.write_text("[]")
    many[0].write_bytes(b"0" * 3_000_000)
    html = class_table([str(file) for file in many])
    assert "1 files were left out" in html
    assert "2,000,000 bytes" in html
    assert not [*tmp_path.iterdir()]
    assert "No file" in class_table([])


def test_tables_escape_their_text():
    assert "<b>" not in table(["<b>"], [["<b>", "<b>"]], label='"<b>')
    assert "<b>" not in matrix("<b>", confusion([1], [2]))

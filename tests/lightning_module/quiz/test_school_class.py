import json
from pathlib import Path

import numpy as np
import pytest

from lightning_module.cli import main
from lightning_module.quiz import networks
from lightning_module.quiz.school_class import read_class, shares
from mnist1d_hf import make_mnist1d

RESULT = Path(__file__).parents[3] / "docs" / "results" / "benchmark"


def record(pairs, *, started="2026-01-01T10:00:00+00:00", config="default", **changes):
    answers = [
        {"row": row, "truth": truth, "answer": answer, "seconds": 2.0} for row, (truth, answer) in enumerate(pairs)
    ]
    return {"format": 1, "config": config, "started": started, "answers": answers, **changes}


@pytest.fixture
def folder(tmp_path):
    def write(**files):
        for name, content in files.items():
            text = content if isinstance(content, str) else json.dumps(content)
            (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_a_class_is_all_answers_of_all_its_people(folder):
    school = read_class(folder(anna=record([(3, 3), (3, 8), (5, 5)]), ben=record([(3, 8)], started="later")))
    assert [(sheet.person, sheet.score.right, sheet.score.of) for sheet in school.sheets] == [
        ("anna", 2, 3),
        ("ben", 0, 1),
    ]
    assert (school.score.right, school.score.of) == (2, 4)
    assert {
        (int(t), int(a)): int(school.confusion[t, a]) for t, a in zip(*np.nonzero(school.confusion), strict=True)
    } == {
        (3, 3): 1,
        (3, 8): 2,
        (5, 5): 1,
    }
    assert shares(school.confusion)[3] == ["", "", "", "33", "", "", "", "", "67", ""]
    assert school.sheets[0].seconds == 2.0


GOOD = record([(1, 1), (2, 2)])
ANSWER = GOOD["answers"][0]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "it is no JSON"),
        ('{"format": 1, "format": 1}', "it is no JSON"),
        ("[]", "it is no quiz of format 1"),
        ({**GOOD, "format": 2}, "it is no quiz of format 1"),
        ({**GOOD, "config": "no-such"}, "config is the name of no config"),
        ({**GOOD, "config": ["default"]}, "config is the name of no config"),
        ({**GOOD, "answers": []}, "it has no answers"),
        ({**GOOD, "answers": [3]}, "answer 1 is no answer"),
        ({**GOOD, "answers": [{**ANSWER, "answer": 10}]}, "answer of answer 1 must be a number from 0 to 9"),
        ({**GOOD, "answers": [{**ANSWER, "truth": True}]}, "truth of answer 1 must be a number from 0 to 9"),
        ({**GOOD, "answers": [{**ANSWER, "row": -1}]}, "row of answer 1 must be a number from 0"),
        ({**GOOD, "answers": [{**ANSWER, "seconds": "2"}]}, "seconds of answer 1 must be a number from 0"),
        ({**GOOD, "answers": [ANSWER, ANSWER]}, "a signal was answered twice"),
        (GOOD, "it is the quiz of anna.json once more"),
    ],
)
def test_a_file_that_is_no_quiz_is_named_and_the_others_are_merged(folder, content, why):
    school = read_class(folder(anna=GOOD, wrong=content))
    assert [sheet.person for sheet in school.sheets] == ["anna"]
    (line,) = school.left_out
    assert line.startswith(f"wrong.json was left out: {why}")
    assert line.endswith(("ask for the file again, as mnist1d quiz wrote it", "delete one of them"))


def test_bytes_that_are_no_text_are_no_quiz(folder):
    place = folder(anna=GOOD)
    (place / "wrong.json").write_bytes(b"\xff\xfe")
    (place / "large.json").write_bytes(b" " * 3_000_000)
    assert [line.split(":")[1] for line in read_class(place).left_out] == [
        " it has more than 2,000,000 bytes, which no quiz has; ask for the file again, as mnist1d quiz wrote it",
        " it is no text in UTF-8; ask for the file again, as mnist1d quiz wrote it",
    ]


def test_the_networks_confusions_are_those_of_the_committed_result():
    with np.load(RESULT / "arrays.npz") as arrays:
        off = arrays["frozen-cnn-own-test"]
    y = make_mnist1d().test.y
    expected = np.zeros((10, 10), dtype=int)
    for answers in (off + y) % 10:
        for truth, answer in zip(y, answers, strict=True):
            expected[truth, answer] += 1
    assert (networks.confusion() == expected).all()


@pytest.mark.parametrize("width", [60, 80])
def test_the_command_prints_tables_that_fit_and_draws_a_figure(folder, tmp_path, monkeypatch, capsys, width):
    monkeypatch.setenv("COLUMNS", str(width))
    place = folder(anna=GOOD, ben=record([(1, 2)], started="later"), broken="{")
    assert main(["quiz", "--class", str(place), "--out", str(tmp_path / "new" / "class.png")]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert err == ""
    assert lines[1].split()[:3] == ["anna", "2", "100.00%"]
    assert lines[3].split()[:4] == ["the", "class", "3", "66.67%"]
    assert (
        max(len(line) for line in lines if not line.startswith(("broken", "figure", "class:", "a person", "ten")))
        <= width
    )
    assert sum(line.split() == ["is", *"0123456789"] for line in lines) == 3
    assert "broken.json was left out" in out
    assert (tmp_path / "new" / "class.png").stat().st_size > 10_000


def test_what_is_no_class_is_an_error(tmp_path, capsys):
    for arguments, why in [
        ([str(tmp_path / "none")], "must be a folder with the JSON files of a class"),
        ([str(tmp_path)], "has no quiz in it"),
        ([str(tmp_path), "--seed", "3"], "takes no other option than --out"),
    ]:
        assert main(["quiz", "--class", *arguments]) == 2
        assert why in capsys.readouterr().err

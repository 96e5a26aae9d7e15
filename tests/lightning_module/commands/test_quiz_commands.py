import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lightning_module.cli import main
from lightning_module.commands.quiz import STOPPED
from lightning_module.quiz.questions import Questions
from mnist1d_hf import DATA_VERSION, make_mnist1d

TRUTH = [int(y) for y in Questions.draw(number=40, seed=7).y]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Plays a quiz with these lines piped in; returns its exit status and what it printed on both."""
    monkeypatch.chdir(tmp_path)

    def command(typed, *arguments):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        try:
            status = main(["quiz", *arguments])
        except SystemExit as stop:  # of the parser
            status = stop.code
        return status, *capsys.readouterr()

    return command


def lines(digits):
    return "".join("".join(map(str, digits[first : first + 10])) + "\n" for first in range(0, len(digits), 10))


def saved(folder):
    (path,) = Path(folder).glob("*.json")
    return json.loads(path.read_text())


def test_a_whole_quiz_is_scored_compared_and_saved(run, tmp_path):
    answers = [(digit + 1) % 10 if place in {4, 20} else digit for place, digit in enumerate(TRUTH)]
    status, out, err = run(lines(answers), "--seed", "7")
    assert (status, err) == (0, "")
    record = saved("outputs")
    test = make_mnist1d().test
    assert [answer["truth"] for answer in record["answers"]] == test.y[record["rows_drawn"]].tolist() == TRUTH
    assert [answer["row"] for answer in record["answers"]] == record["rows_drawn"]
    assert [answer["answer"] for answer in record["answers"]] == answers
    assert all(answer["seconds"] >= 0 for answer in record["answers"])
    assert (record["config"], record["split"], record["seed"], record["complete"]) == ("default", "test", 7, True)
    assert record["data_version"] == DATA_VERSION
    assert record["score"]["right"] == 38
    assert record["score"]["accuracy"] == 0.95
    assert record["score"]["interval_95"] == pytest.approx([0.8350, 0.9862], abs=1e-4)
    for digit in range(10):
        of = TRUTH.count(digit)
        right = sum(a == t == digit for a, t in zip(answers, TRUTH, strict=True))
        if of:
            found = record["digits"][str(digit)]
            assert (found["right"], found["of"], found["accuracy"]) == (right, of, right / of)
        else:
            assert str(digit) not in record["digits"]
    with np.load(Path(__file__).parents[3] / "docs/results/benchmark/arrays.npz") as arrays:
        cnns = (arrays["frozen-cnn-own-test"][:, record["rows_drawn"]] == 0).mean(axis=1)
    assert record["cnns_on_these"] == pytest.approx(cnns.tolist())
    assert record["published_person"]["accuracy"] == 0.9575
    assert "Signals 31 to 40 of 40" in out
    assert "38 of 40 right so far: 95.0% (95 % interval 83.5% to 98.6%)" in out
    table = {line[:28].strip(): line[28:].split() for line in out.splitlines()[-20:] if "%" in line}
    assert table["you"][:3] == ["38", "40", "95.00%"]
    assert table["a person, as published"][:3] == ["383", "400", "95.75%"]
    assert table["ten CNNs, the same signals"][1:3] == ["40", f"{cnns.mean():.2%}"]
    assert table["ten CNNs, all test signals"][2] == "93.32%"
    (path,) = (tmp_path / "outputs").iterdir()
    assert f"Saved: {Path('outputs') / path.name}" in out


def test_nothing_is_wider_than_80_columns_or_coloured_in_a_pipe(run, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    _, out, _ = run(lines(TRUTH), "--seed", "7")
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out


def test_each_batch_shows_its_signals_and_what_was_typed(run):
    _, out, _ = run("0123456789\n", "--number", "12", "--seed", "7")
    assert "1 to 10: 0123456789" in out
    assert "signal    1  2  3  4  5  6  7  8  9 10" in out
    assert out.count("Signals") == 2
    assert any(0x2800 < ord(character) <= 0x28FF for character in out)


def test_plain_drawings_need_no_more_than_ascii(run):
    _, out, _ = run("1\nq\n", "--plain")
    assert out.isascii()
    assert out.count("#") > 100


@pytest.mark.parametrize("end", ["q\n", ""])
def test_who_stops_keeps_what_was_answered_in_the_file_asked_for(run, end):
    status, _, _ = run("0123456789\n42\n" + end, "--out", "new/mine.json")
    record = saved("new")
    assert status == 0
    assert len(record["answers"]) == 12
    assert len(record["rows_drawn"]) == 40
    assert record["complete"] is False


def test_who_answers_nothing_leaves_nothing(run, tmp_path):
    status, out, _ = run("q\n")
    assert status == 0
    assert "nothing is saved" in out
    assert list(tmp_path.iterdir()) == []


def test_quizzes_of_one_moment_are_files_of_their_own(run):
    for _ in range(3):
        assert run("1\nq\n")[0] == 0
    assert len(list(Path("outputs").glob("quiz-*.json"))) == 3


def test_another_config_is_compared_with_the_person_only(run):
    status, out, _ = run("123\nq\n", "high-noise", "--seed", "7")
    record = saved("outputs")
    assert status == 0
    assert record["config"] == "high-noise"
    assert "cnns_on_these" not in record
    assert "as published, default" in out
    assert "they saw the default config only" in out


def test_the_file_is_whole_after_every_batch(run, monkeypatch):
    seen = []

    def look(*_):
        seen.append([len(json.loads(path.read_text())["answers"]) for path in Path("outputs").glob("*.json")])
        return "1234567890"

    monkeypatch.setattr("builtins.input", look)
    run("", "--number", "30")
    assert seen == [[], [10], [20]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--number", "0"], "error: --number=0 must be from 1 to 1000"),
        (["--number", "ten"], "number"),
        (["--seed", "-3"], "error: --seed=-3 must be 0 or more"),
        (["high-nois"], "did you mean 'high-noise'"),
        (["--out", "taken.json"], "error: --out='taken.json' exists and is not overwritten"),
        (["--out", "taken.json/mine.json"], "is no folder of yours"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_shown(run, arguments, said):
    Path("taken.json").write_text("old")
    status, out, err = run("1\n", *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
    assert [(path.name, path.read_text()) for path in Path().iterdir()] == [("taken.json", "old")]


def started(folder, *arguments, **options):
    command = [
        sys.executable,
        "-c",
        # A job in the background of a shell inherits that Ctrl-C is ignored, and a person's terminal is none.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from lightning_module.cli import main; raise SystemExit(main())",
        "quiz",
        *arguments,
    ]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        command, cwd=folder, env={**environment, **options}, stdin=-1, stdout=-1, stderr=-1, text=True, encoding="utf-8"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_keeps_what_was_answered(tmp_path):
    quiz = started(tmp_path, "--out", "mine.json")
    quiz.stdin.write("0123456789\n123\n")
    quiz.stdin.flush()
    while not (tmp_path / "mine.json").exists():
        assert quiz.poll() is None, quiz.stderr.read()
        time.sleep(0.05)
    while not (line := quiz.stdout.readline()).startswith("4 to 10") and not line.startswith("1 to 10: 123"):
        assert quiz.poll() is None
    time.sleep(0.5)  # it now waits for the next line
    quiz.send_signal(signal.SIGINT)
    out, err = quiz.communicate(timeout=60)
    assert quiz.returncode == 130
    assert err == f"{STOPPED}\n"
    assert "Saved: mine.json" in out
    assert len(json.loads((tmp_path / "mine.json").read_text())["answers"]) == 13
    assert [path.name for path in tmp_path.iterdir()] == ["mine.json"]


def test_a_terminal_without_braille_gets_plain_text(tmp_path):
    out, err = started(tmp_path, PYTHONIOENCODING="ascii").communicate("12\nq\n", timeout=60)
    assert err == ""
    assert out.isascii()
    assert "2 of 2" in out or "of 2 right" in out


def test_it_starts_without_torch_scipy_and_matplotlib(tmp_path):
    code = """
import sys
from lightning_module.cli import main
status = main(["quiz", "--number", "3"])
print(status, {"torch", "pytorch_lightning", "scipy", "matplotlib"} & sys.modules.keys())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], input="123\n", capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout.splitlines()[-1] == "0 set()"

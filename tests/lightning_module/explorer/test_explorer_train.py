"""The tab Train without a browser: what may be asked for, who trains when, and that it is the command's training."""

import json
import os
import re
import subprocess
import sys
import time

import pytest

from lightning_module.cli import main
from lightning_module.explorer.train import pictures
from lightning_module.explorer.train.session import WORKER, Kept, Training, Trainings, leave_all
from lightning_module.explorer.train.settings import Settings
from lightning_module.explorer.train.training import trained

# A worker that trains nothing: it answers at once, unless the number of steps says what it is to do instead.
FAKE = """
import json, sys, time
for line in sys.stdin:
    order = json.loads(line).get("train")
    if order is None:
        continue
    steps = order["steps"]
    if steps == 600:
        sys.exit(1)
    if steps == 700:
        print(json.dumps({"error": "ValueError: <b>"}), flush=True)
        continue
    print(json.dumps({"step": 25, "accuracy": 0.5}), flush=True)
    if steps == 800:  # until it is stopped
        sys.stdin.readline()
        steps = 50
    result = {"step": steps, "accuracy": 0.75, "digits": [], "misread": 0, "signals": []}
    print(json.dumps({"result": result}), flush=True)
"""


@pytest.fixture
def trainings():
    made = Trainings(most_waiting=2, worker=(sys.executable, "-c", FAKE))
    yield made
    made.close()


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.01)


def ended(training):
    until(lambda: training.look() or training.is_over)
    return training


@pytest.mark.parametrize(
    "changes",
    [
        {"network": "transformer"},
        {"steps": 499},
        {"steps": 6001},
        {"steps": 1000.5},
        {"steps": None},
        {"lr": 0.0},
        {"lr": float("nan")},
        {"noise": -0.1},
        {"noise": "0.1"},
        {"shuffled": 1},
        {"seed": 10_000},
    ],
)
def test_what_is_out_of_bounds_is_refused_by_its_name(changes):
    with pytest.raises(ValueError, match="learning rate" if "lr" in changes else next(iter(changes))):
        Settings(**changes)


def test_the_command_names_what_is_not_the_usual():
    assert Settings().command == "mnist1d fit --config cnn --trainer.max_steps 1000 --trainer.accelerator cpu"
    changed = Settings("gru", lr=0.02, noise=0.08, shuffled=True, steps=500, seed=3).command
    assert changed.endswith(
        "--model.lr 0.02 --seed_everything 3 --data.recipe.iid_noise_scale 0.08 --data.recipe.shuffle_seq true"
    )


@pytest.mark.parametrize(
    "settings",
    [Settings("cnn", steps=500), Settings("mlp", lr=0.005, noise=0.05, shuffled=True, steps=520, seed=7)],
    ids=["usual", "changed"],
)
def test_a_training_ends_with_the_accuracy_of_its_command(settings, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    points = []
    result = trained(settings, lambda step, accuracy: points.append((step, accuracy)), lambda: False)
    assert main(settings.command.split()[1:]) == 0
    said = re.search(r"Test accuracy of \w+ after ([\d,]+) steps: ([\d.]+)%", capsys.readouterr().out)
    assert (said[1], said[2]) == (str(settings.steps), f"{100 * result['accuracy']:.1f}")
    assert result["step"] == settings.steps
    assert points[0][0] == settings.every
    assert len(points) == settings.steps // settings.every
    assert round(1000 * (1 - result["accuracy"])) == result["misread"]
    for row in result["signals"]:
        assert row["answer"] != row["truth"]
        assert sum(row["p"]) == pytest.approx(1, abs=1e-4)


def test_without_noise_there_is_no_posterior_and_it_is_said():
    stopped = trained(Settings("logistic", noise=0.0), lambda *_: None, lambda: True)
    assert stopped["step"] < 1000
    assert stopped["signals"][0]["p"] is None
    assert "no posterior" in stopped["reason"].lower() or "without noise" in stopped["reason"]
    assert "No posterior: " in pictures.findings(stopped)


def test_one_at_a_time_and_the_others_know_their_place(trainings):
    first = trainings.ask("a", Settings(steps=800))
    until(lambda: first.points)
    second, third = trainings.ask("b", Settings()), trainings.ask("c", Settings())
    assert [trainings.ahead(each) for each in (first, second, third)] == [0, 1, 2]
    assert "2 trainings come first" in pictures.status(third, 2)
    with pytest.raises(ValueError, match="one training at a time"):
        trainings.ask("a", Settings())
    with pytest.raises(ValueError, match="2 trainings are waiting"):
        trainings.ask("d", Settings())
    trainings.stop("c")
    trainings.stop("a")
    assert [ended(each).state for each in (first, second, third)] == ["stopped", "finished", "stopped"]
    assert first.points == [(25, 0.5), (50, 0.75)]
    assert third.result is None
    assert ended(trainings.ask("a", Settings())).state == "finished"


def test_a_page_that_is_closed_ends_its_training_and_no_other(trainings):
    first, second = trainings.ask("a", Settings(steps=800)), trainings.ask("b", Settings(steps=800))
    until(lambda: first.points)
    leave_all("b")
    leave_all("a")
    assert [ended(each).state for each in (first, second)] == ["stopped", "stopped"]
    assert second.points == []


def test_the_last_training_is_there_for_whoever_comes_back_and_for_the_next_one(trainings):
    assert trainings.last("a") is None
    first = ended(trainings.ask("a", Settings(steps=500)))
    assert trainings.last("a") is first
    nothing = trainings.ask("a", Settings("mlp", steps=600))
    assert ended(nothing).state == "failed"
    assert nothing.before == Kept(first.settings.title, first.points, 500)
    assert trainings.ask("a", Settings("gru")).before == nothing.before  # one that came to nothing is no comparison


def test_a_training_that_nobody_looks_at_ends(trainings, monkeypatch):
    monkeypatch.setattr("lightning_module.explorer.train.session.UNSEEN", 0.2)
    left = trainings.ask("a", Settings(steps=800))
    until(lambda: left.is_over)
    assert left.state == "stopped"


@pytest.mark.parametrize(("steps", "said"), [(600, "train again"), (700, "&lt;b&gt;")])
def test_a_worker_that_fails_is_said_and_the_next_training_has_another(trainings, steps, said):
    failed = ended(trainings.ask("a", Settings(steps=steps)))
    assert failed.state == "failed"
    assert said in pictures.status(failed, 0)
    assert ended(trainings.ask("a", Settings())).state == "finished"


def test_nothing_is_left_after_the_end(trainings):
    ended(trainings.ask("a", Settings()))
    process, folder = trainings._process, trainings._folder
    assert os.path.isdir(folder)
    trainings.close()
    assert process.poll() is not None
    assert not os.path.exists(folder)


def test_a_worker_whose_page_is_gone_ends_in_the_middle_of_a_training(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    process = subprocess.Popen(
        [*WORKER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with process.stdout, process.stdin:
        process.stdin.write(json.dumps({"train": Settings("gru", steps=6000).as_dict()}) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["step"] == 300
        process.stdin.close()  # as it is when the server is killed
        assert process.wait(5) == 0
    assert not folder.exists()


def test_a_curve_has_the_training_before_it_dashed():
    now = Training(Settings("mlp"), before=Kept("CNN", [(50, 0.7), (2000, 0.9)], 2000))
    now.points += [(50, 0.4), (100, 0.6)]
    drawn = pictures.curve(now, now.settings)
    assert "CNN (before)" in drawn
    assert "m1-dashed" in drawn
    assert "2,000" in drawn
    assert "MLP <b>60.0 %</b>" in drawn

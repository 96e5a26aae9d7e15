import re

import pytest

from lightning_module.cli import main
from lightning_module.commands.demo import _steps_between, run_demo
from mnist1d_hf.plot.curves import plot_runs


def test_two_configs_are_two_runs_of_one_network_in_one_table_and_one_figure(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--network", "logistic", "--data", "shuffled", "--steps", "48"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].split()[:3] == ["signals", "test", "train"]
    assert [line.split()[0] for line in lines[1:3]] == ["default", "shuffled"]
    assert all(len(re.findall(r"\d\d\.\d%", line)) == 2 for line in lines[1:3])
    assert len(re.findall(r"^48/48 - .* - val \d+\.\d %$", err, re.MULTILINE)) == 2
    names = {path.name for path in (tmp_path / "outputs" / "demo").iterdir()}
    assert names == {"templates.png", "examples.png", "examples_shuffled.png", "learning_curve.png"}
    runs = run_demo("logistic", 48, out=tmp_path / "again", data="shuffled").runs
    assert [f"{run.rows[-1]['test_accuracy']:.1%}" for run in runs.values()] == [line.split()[1] for line in lines[1:3]]


def test_an_unknown_config_is_said_before_anything_is_trained(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--data", "shufled"]) == 2
    assert "--data='shufled' must be one of" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_figure_has_a_line_for_each_run_and_split():
    rows = [{"step": step, "train_accuracy": 0.9, "test_accuracy": step / 10, "test_loss": 1.0} for step in (1, 2)]
    accuracy, loss = plot_runs({"default": rows, "shuffled": rows[:1]}).axes
    assert [line.get_label() for line in accuracy.lines] == [
        "default, test",
        "default, train",
        "shuffled, test",
        "shuffled, train",
    ]
    assert accuracy.lines[0].get_ydata().tolist() == [0.1, 0.2]
    assert [line.get_label() for line in loss.lines] == ["default, test", "shuffled, test"]
    with pytest.raises(ValueError, match="must have 1 to 4"):
        plot_runs({})


@pytest.mark.parametrize("steps", [1, 24, 48, 300, 500, 1000, 2000, 6000])
def test_the_last_evaluation_comes_after_the_last_step(steps):
    between = _steps_between(steps)
    assert steps % between == 0
    assert min(steps, 24) <= steps // between <= 50

"""Interrupted, killed, shared: always the result that one undisturbed process has."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from counting import FAILS, LACKS, NOTES, SLOW, STUDY, CountingConfig

from lightning_module.studies import Cell, Config, Outcome, Result, Study
from lightning_module.studies.framework.cells import grid
from lightning_module.studies.framework.running.runner import CellError

HERE = str(Path(__file__).parents[2])
RUN = """
import sys
sys.path.insert(0, sys.argv[2])
from counting import STUDY
if __name__ == "__main__":
    STUDY.run("smoke", folder=sys.argv[1], workers=int(sys.argv[3]))
"""


@pytest.fixture
def notes(tmp_path, monkeypatch):
    file = tmp_path / "notes"
    file.touch()
    monkeypatch.setenv(NOTES, str(file))
    return lambda: [int(line) for line in file.read_text().split()]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return STUDY.run("smoke", folder=tmp_path_factory.mktemp("undisturbed"))


def start(folder, workers=1, **environment):
    program = folder.parent / "run.py"
    program.write_text(RUN)
    command = [sys.executable, str(program), str(folder), HERE, str(workers)]
    return subprocess.Popen(
        command, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def wait_for(condition, seconds=120):
    until = time.time() + seconds
    while not condition():
        assert time.time() < until, "it did not happen"
        time.sleep(0.05)


def test_result_is_what_the_cells_returned(undisturbed):
    expected = [
        (cell, seed, number)
        for cell in range(4)
        for seed, number in enumerate(np.random.default_rng(cell).normal(size=3).tolist())
    ]
    rows = undisturbed.rows
    assert list(zip(rows["cell"], rows["seed"], rows["number"], strict=True)) == expected
    assert undisturbed.tables["notes"]["text"].tolist()[1:] == ["one, two\nthree"] * 3
    assert sorted(undisturbed.arrays) == [f"predictions-{cell}" for cell in range(4)]
    assert sorted(undisturbed.data) == [f"set {cell}" for cell in range(4)]
    assert undisturbed.config == {"seeds": 3, "cells": 4, "scale": 1.0}
    assert (undisturbed.study, undisturbed.preset) == ("counting", "smoke")
    assert undisturbed.claims_sha256 == STUDY.claims_sha256
    assert {"torch", "numpy", "data", "mnist1d_hf"} <= undisturbed.versions.keys()
    assert {"command", "machine", "finished", "wall_seconds", "cell_seconds"} == undisturbed.provenance.keys()


@pytest.mark.parametrize("cell", range(4))
def test_interrupted_at_any_cell_it_goes_on(tmp_path, monkeypatch, notes, undisturbed, cell):
    monkeypatch.setenv(FAILS, str(cell))
    with pytest.raises(CellError, match=rf"cell cell={cell},kind=a_b: LookupError: no such thing") as caught:
        STUDY.run("smoke", folder=tmp_path / "run")
    assert isinstance(caught.value.__cause__, LookupError)
    assert not (tmp_path / "run" / "result.json").exists()
    monkeypatch.delenv(FAILS)
    assert STUDY.run("smoke", folder=tmp_path / "run") == undisturbed
    assert notes() == [*range(4), cell, cell, cell]  # only the one that failed is done more than once
    assert STUDY.run("smoke", folder=tmp_path / "run") == undisturbed == Result.load(tmp_path / "run")
    assert len(notes()) == 7


def test_killed_in_the_middle_of_a_cell_it_goes_on(tmp_path, notes, undisturbed):
    process = start(tmp_path / "run", **{SLOW: "2"})
    wait_for(lambda: notes() == [0, 1, 2])
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert STUDY.run("smoke", folder=tmp_path / "run") == undisturbed  # the lock went with the process
    assert notes() == [0, 1, 2, 2, 3]


def test_two_processes_share_the_cells(tmp_path, notes, undisturbed):
    holds = start(tmp_path / "run", **{SLOW: "0"})  # the first cell for a minute, or until it is killed
    wait_for(lambda: notes() == [0])
    other = start(tmp_path / "run", **{FAILS: "3"})
    wait_for(lambda: notes() == [0, 1, 2, 3, 3, 3])  # those that the first one is not at
    holds.kill()
    holds.wait()
    assert other.wait(timeout=120) == 1  # after it did what the killed one was at
    assert "cell cell=3,kind=a_b: LookupError: no such thing" in other.stderr.read()
    assert notes() == [0, 1, 2, 3, 3, 3, 0]
    assert STUDY.run("smoke", folder=tmp_path / "run") == undisturbed


def test_two_processes_at_once_do_no_cell_twice(tmp_path, notes, undisturbed):
    processes = [start(tmp_path / "run") for _ in range(2)]
    for process in processes:
        assert process.wait(timeout=300) == 0, process.stderr.read()
    assert sorted(notes()) == [0, 1, 2, 3]
    assert Result.load(tmp_path / "run") == undisturbed


def test_workers_make_no_difference(tmp_path, notes, undisturbed):
    assert STUDY.run("smoke", folder=tmp_path / "run", workers=2) == undisturbed
    assert sorted(notes()) == [0, 1, 2, 3]


def test_exception_in_a_worker_names_cell_and_cause(tmp_path, monkeypatch, notes, undisturbed):
    monkeypatch.setenv(FAILS, "1")
    with pytest.raises(CellError, match="cell cell=1,kind=a_b: LookupError: no such thing") as caught:
        STUDY.run("smoke", folder=tmp_path / "run", workers=2)
    assert "run_cell" in str(caught.value.__cause__)  # the worker's traceback
    monkeypatch.delenv(FAILS)
    assert STUDY.run("smoke", folder=tmp_path / "run") == undisturbed


@pytest.mark.parametrize("workers", [1, 2])
def test_a_missing_package_is_not_waited_for_and_the_other_cells_are_kept(tmp_path, monkeypatch, notes, workers):
    monkeypatch.setenv(LACKS, "1")
    with pytest.raises(CellError, match=r"cells failed, for want of a package") as caught:
        STUDY.run("smoke", folder=tmp_path / "run", workers=workers)
    assert caught.value.missing == 'sklearn is needed here and is not installed: pip install "mnist1d-hf[studies]"'
    assert len(caught.value.failures) + caught.value.done == caught.value.of
    assert notes().count(1) == len(caught.value.failures) == 1  # tried once
    monkeypatch.setenv(FAILS, "0")  # something else is wrong as well
    with pytest.raises(CellError) as both:
        STUDY.run("smoke", folder=tmp_path / "other", workers=workers)
    assert both.value.missing is None


@pytest.mark.parametrize("config", ["quick", CountingConfig(scale=2.0)])
def test_a_folder_holds_one_run(tmp_path, undisturbed, config):
    STUDY.run("smoke", folder=tmp_path)
    with pytest.raises(ValueError, match=r"holds a run with config .* choose another folder, or restart=True"):
        STUDY.run(config, folder=tmp_path)
    assert Result.load(tmp_path) == undisturbed
    with pytest.raises(ValueError, match="holds a run with study"):
        replace(STUDY, name="other").run("smoke", folder=tmp_path)
    assert (
        STUDY.run(config, folder=tmp_path, restart=True).rows["number"].tolist() != undisturbed.rows["number"].tolist()
    )


def test_other_versions_do_not_mix(tmp_path):
    STUDY.run("smoke", folder=tmp_path)
    head = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps({**head, "versions": {**head["versions"], "torch": "1.0"}}))
    with pytest.raises(ValueError, match="holds a run with versions"):
        STUDY.run("smoke", folder=tmp_path)


def test_restart_computes_everything_again(tmp_path, monkeypatch, notes, undisturbed):
    STUDY.run("smoke", folder=tmp_path / "run")
    assert STUDY.run("smoke", folder=tmp_path / "run", restart=True) == undisturbed
    assert notes() == [0, 1, 2, 3] * 2
    monkeypatch.setenv(FAILS, "2")
    with pytest.raises(CellError):
        STUDY.run("smoke", folder=tmp_path / "run", restart=True)
    with pytest.raises(ValueError, match="run the study first"):  # the old result is not that of the run begun anew
        Result.load(tmp_path / "run")


def test_rules_changed_after_a_run_began_are_seen(tmp_path):
    before = replace(STUDY, claims=STUDY.claims[:1])
    before.run("smoke", folder=tmp_path)
    assert STUDY.run("smoke", folder=tmp_path).claims_sha256 == before.claims_sha256 != STUDY.claims_sha256


def test_default_folder_is_named_after_study_and_preset(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    STUDY.run("smoke")
    STUDY.run(CountingConfig(cells=6))  # which is the preset quick
    STUDY.run(CountingConfig(cells=1))
    names = sorted(path.name for path in (tmp_path / "outputs" / "studies").iterdir())
    assert names == ["counting-custom", "counting-quick", "counting-smoke"]


def study(run_cell, **keywords):
    names = {"name": "mine", "question": "?", "presets": {"smoke": Config(seeds=2)}, "cells": grid(a=[1, 2])}
    return Study(run_cell=run_cell, **{**names, **keywords})


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ([{"x": 1}, {"x": "one"}], "column 'x' has mixed"),
        (Outcome({"rows": [{"x": 1}]}, {"a": np.array(["b"])}), "array 'a' has dtype"),
    ],
)
def test_what_no_file_can_hold_is_an_error_of_its_cell(tmp_path, returned, message):
    with pytest.raises(CellError, match=f"cell a=1: ValueError: {message}"):
        study(lambda config, cell: returned).run("smoke", folder=tmp_path)


def test_numbers_of_numpy_and_nan(tmp_path):
    row = {"i": np.int64(3), "f": np.float32(0.5), "b": np.bool_(True), "n": float("nan"), "inf": float("inf")}
    result = study(lambda config, cell: [row]).run("smoke", folder=tmp_path)
    assert result.rows.iloc[0][["i", "f", "b", "inf"]].tolist() == [3, 0.5, True, float("inf")]
    assert result.rows["n"].isna().all()
    assert Result.load(tmp_path) == result


def test_study_that_cannot_be_imported_has_one_worker(tmp_path):
    with pytest.raises(ValueError, match="workers must be 1 for study 'mine'"):
        study(lambda config, cell: []).run("smoke", folder=tmp_path, workers=2)
    with pytest.raises(ValueError, match="workers=0 must be at least 1"):
        STUDY.run("smoke", folder=tmp_path, workers=0)


def test_cells_need_names_of_their_own(tmp_path):
    twice = study(lambda config, cell: [], cells=lambda config: [Cell({"a": "x/y"}), Cell({"a": "x_y"})])
    with pytest.raises(ValueError, match="two cells have the same name"):
        twice.run("smoke", folder=tmp_path)


def test_one_thread_in_a_cell_and_as_many_as_before_after(tmp_path):
    import torch

    torch.set_num_threads(2)
    try:
        result = study(lambda config, cell: [{"threads": torch.get_num_threads()}]).run("smoke", folder=tmp_path)
        assert result.rows["threads"].tolist() == [1, 1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_unknown_presets_and_numbers():
    with pytest.raises(ValueError, match="preset='papper' of study 'counting' is not known; did you mean 'paper'"):
        STUDY.run("papper")
    with pytest.raises(ValueError, match="no number 'cels'; did you mean 'cells'"):
        STUDY.config("smoke", cels=3)
    with pytest.raises(ValueError, match="seeds=0 must be at least 1"):
        STUDY.config("smoke", seeds=0)
    with pytest.raises(ValueError, match="'small' is the name of more than one"):
        replace(STUDY, claims=[STUDY.claims[0]] * 2)


def test_bands(undisturbed):
    assert [band.name for band, _ in STUDY.measured(undisturbed)] == ["first"]
    assert list(STUDY.outside(undisturbed)) == []
    tight = replace(STUDY, bands=[replace(STUDY.bands[0], high=-9.0)])
    ((band, mean),) = tight.outside(undisturbed)
    assert band.name == "first"
    assert mean == pytest.approx(np.random.default_rng(0).normal(size=3).mean())


def test_grid_has_a_cell_for_each_combination():
    cells = grid(network=("mlp", "cnn"), lr=(0.1, 0.2))(Config())
    assert [cell.name for cell in cells] == [f"network={n},lr={lr}" for n in ("mlp", "cnn") for lr in (0.1, 0.2)]

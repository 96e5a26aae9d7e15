"""A cell that is computed again on another processor: what rounding explains is ok, all else is found."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import chaotic
import counting
import numpy as np
import pandas as pd
import pytest
import torch
from chaotic import CAPABILITY, ROUNDED, STUDY

from lightning_module.cli import main
from lightning_module.commands.study.options import config_again, saved_result
from lightning_module.studies import Outcome, Result
from lightning_module.studies.framework.proof import recompute
from lightning_module.studies.framework.proof.otherwise import MIXED, PLAIN, otherwise, ways
from lightning_module.studies.framework.proof.recompute import recomputed, shuffled
from lightning_module.studies.framework.sealing import seal_of, tables_of_cells
from lightning_module.studies.methods.other_data import image_files

CONFIG = STUDY.config("smoke")
TIMES = {"rows": ("seconds",)}
RESULTS = Path(__file__).parents[5] / "docs" / "results"


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return STUDY.run("smoke", folder=tmp_path_factory.mktemp("there") / "run")


@pytest.fixture
def elsewhere(monkeypatch):
    """Makes this machine another one, with other rounding, and says with which ways of rounding it has a control."""

    def move(here=1, ways=(2, 3, 4)):
        def controls(study, config, cell):
            for way in ways:
                monkeypatch.setenv(ROUNDED, str(way))
                yield study.run_cell(config, cell)

        monkeypatch.setenv(ROUNDED, str(here))
        monkeypatch.setattr(recompute, "otherwise", controls)
        monkeypatch.setattr(recompute, "processor", lambda: "another (AVX512)")

    return move


def checks(result, study=STUDY):
    return [recomputed(study, CONFIG, result, again) for again in shuffled(study, CONFIG, result)[:2]]


def changed(result, table, change):
    tables = {name: rows.copy() for name, rows in result.tables.items()}
    tables[table] = change(tables[table])
    return replace(result, tables=tables, arrays=dict(result.arrays))


def without_seals(result):
    return replace(result, cells=[], versions={**result.versions, "mnist1d_hf": "0.1.0"})


def test_to_the_bit_with_the_same_rounding(result):
    assert all("the same to the last bit" in check.what for check in checks(result))


@pytest.mark.parametrize("make", [lambda result: result, without_seals])
def test_rounding_changes_most_numbers_and_is_recognised(result, elsewhere, make):
    for here in range(1, 8):
        elsewhere(here, ways=(here + 10, here + 20, here + 30))
        found = checks(make(result))
        assert {check.answer for check in found} == {"ok"}, found
        assert all("no further away than other rounding on this machine" in check.what for check in found)
    assert "instead of one that it does not name, with mnist1d_hf 0.1.0: " in checks(without_seals(result))[0].what


def last(rows):
    return rows["step"] == CONFIG.steps - 1


def shift(by):
    return lambda rows: rows.assign(accuracy=rows["accuracy"] + by)


def one_number(rows):
    rows.loc[rows.index[::400], "accuracy"] += 0.4
    return rows


def better_seeds(rows):
    return rows.assign(accuracy=rows["accuracy"].where(~last(rows), rows["accuracy"].clip(lower=0.9)))


FAULTS = {
    "every number a little": ("rows", shift(0.03)),
    "one number in 400": ("rows", one_number),
    "the last step of each seed": ("rows", better_seeds),
    "final numbers": ("final", shift(0.1)),
    "choices": ("final", lambda rows: rows.assign(best=~rows["best"])),
    "other rows": ("final", lambda rows: rows[rows["seed"] != 3]),
    "fewer mistakes": ("mistakes", lambda rows: rows[rows["signal"] < 20]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_found_where_nothing_is_the_same_to_the_bit(result, elsewhere, fault):
    elsewhere()
    table, change = FAULTS[fault]
    false = changed(result, table, change)
    found = [check for check in checks(without_seals(false)) if check.answer == "DIFFERS"]
    assert found, fault
    if fault != "other rows":
        assert any(table in check.what for check in found)


def test_planted_predictions_are_found(result, elsewhere):
    elsewhere()
    result = without_seals(result)
    arrays = {name: np.ones_like(array) for name, array in result.arrays.items()}
    assert {check.answer for check in checks(replace(result, arrays=arrays))} == {"DIFFERS"}
    smaller = {name: array[:5] for name, array in result.arrays.items()}
    assert {check.answer for check in checks(replace(result, arrays=smaller))} == {"DIFFERS"}


@pytest.mark.parametrize("ways", [(), (1, 1)], ids=["none to be had", "none that rounds otherwise"])
def test_without_a_control_what_is_near_is_not_verified_and_what_is_not_differs(result, elsewhere, ways):
    elsewhere(1, ways)
    found = checks(replace(result, tables={**result.tables, "final": result.tables["final"].assign(best=True)}))
    assert {check.answer for check in found} == {"DIFFERS"}  # a text or a choice is the same or not
    steady = replace(STUDY, run_cell=steady_cell)
    there = replace(result, tables={"rows": pd.DataFrame(steady_rows(0.25) + steady_rows(0.5))}, cells=[])
    there = replace(there, arrays={})
    for by, answer in ((1e-6, "not verified"), (0.3, "DIFFERS")):
        far = replace(there, tables={"rows": there.tables["rows"].assign(number=there.tables["rows"]["number"] + by)})
        assert {check.answer for check in checks(far, steady)} == {answer}
        assert all(check.essential for check in checks(far, steady) if check.answer == "not verified")


def steady_rows(noise):
    return [{"network": "mlp", "noise": noise, "seed": seed, "number": 0.1 * seed + noise} for seed in range(10)]


def steady_cell(config, cell):
    return Outcome({"rows": steady_rows(cell["noise"])})


def test_a_cell_with_nothing_to_compare_has_not_passed(result):
    nothing = replace(STUDY, run_cell=lambda config, cell: Outcome({"rows": []}))
    empty = replace(result, tables={"rows": result.tables["rows"].iloc[:0]}, arrays={}, cells=[])
    assert checks(empty, nothing) == [None, None]
    assert {(check.answer, check.essential) for check in checks(result, nothing)} == {("not verified", True)}
    timed = {"run_cell": lambda config, cell: Outcome({"rows": [{"seconds": 1.0}]}), "of_the_moment": TIMES}
    times = replace(empty, tables={"rows": pd.DataFrame({"seconds": [2.0, 3.0]})})
    assert checks(times, replace(STUDY, **timed)) == [None, None]


def test_rows_that_only_name_their_cell_say_nothing(result):
    named = [cell.of for cell in STUDY.cells(CONFIG)]
    names = replace(STUDY, run_cell=lambda config, cell: Outcome({"rows": [{**cell.of}]}))
    only_names = replace(result, tables={"rows": pd.DataFrame(named)}, arrays={}, cells=[])
    assert checks(only_names, names) == [None, None]
    other = replace(STUDY, run_cell=lambda config, cell: Outcome({"rows": [{**named[0], "noise": 99.0}]}))
    assert {check.answer for check in checks(only_names, other)} == {"DIFFERS"}
    assert {check.answer for check in checks(result, names)} == {"not verified"}


def refused(*_):
    raise AssertionError("the Hub was asked")


@pytest.mark.parametrize(
    ("name", "data", "answers"), [("activation", "cifar10", {None}), ("comparison", "fashion_mnist", {"ok", None})]
)
def test_data_that_could_not_be_had_are_not_asked_for_again(name, data, answers, monkeypatch):
    """What a server said then, it does not say now; and it may have them now."""
    study, result, _ = saved_result(name, "paper", str(RESULTS / name))
    monkeypatch.setattr(image_files, "_from_hub", refused)
    anywhere = replace(result, config={**result.config, "mnist": None})  # these cells need no MNIST
    config = config_again(study, anywhere)
    cells = [again for again in shuffled(study, config, result) if data in (*again.cell.of.values(),)]
    found = [recomputed(study, config, result, again) for again in cells]
    assert len(found) >= 5
    assert {check and check.answer for check in found} == answers


def test_data_that_a_result_does_not_name_are_not_compared(result):
    named = replace(STUDY, run_cell=lambda config, cell: replace(STUDY.run_cell(config, cell), data={"other": {}}))
    assert {(check.answer, check.essential) for check in checks(result, named)} == {("not verified", True)}


def test_one_control_that_is_alike_is_enough(result, elsewhere, monkeypatch):
    computed = []

    def controls(study, config, cell):
        for way in (1, 7, 8):
            computed.append(way)
            monkeypatch.setenv(ROUNDED, str(way))
            yield chaotic.run_cell(config, cell)

    elsewhere()
    monkeypatch.setattr(recompute, "otherwise", controls)
    assert recomputed(STUDY, CONFIG, result, shuffled(STUDY, CONFIG, result)[0]).answer == "ok"
    assert computed == [1, 7]  # the first is ours to the bit, and says nothing


@pytest.mark.parametrize(
    ("odd", "answer"),
    [
        ([["rows.accuracy"], ["final.seed", "final.best"], []], "ok"),  # by the second: none stands apart from both
        ([["rows.accuracy", "final.best"], ["rows.accuracy"], ["final.seed"]], "ok"),
        ([["rows.accuracy", "final.best"], ["rows.accuracy"], ["final.best", "rows.accuracy"]], "DIFFERS"),
    ],
)
def test_what_is_false_stands_apart_from_every_control(result, elsewhere, monkeypatch, odd, answer):
    elsewhere()
    answers = iter(odd)
    monkeypatch.setattr(recompute, "apart", lambda *_: next(answers))
    check = recomputed(STUDY, CONFIG, result, shuffled(STUDY, CONFIG, result)[0])
    assert check.answer == answer
    assert answer == "ok" or check.what.endswith(": further away than other rounding is in rows.accuracy")


def test_another_way_of_rounding_is_a_process_whose_torch_has_other_instructions(monkeypatch):
    monkeypatch.setenv(CAPABILITY, "1")
    cell = STUDY.cells(CONFIG)[0]
    found = [outcome.tables["capability"][0]["capability"] for outcome in otherwise(STUDY, CONFIG, cell)]
    here = torch.backends.cpu.get_cpu_capability()
    assert found == {"AVX512": ["AVX2", "DEFAULT", "DEFAULT"], "AVX2": ["DEFAULT"] * 2}.get(here, ["DEFAULT"])
    assert "ATEN_CPU_CAPABILITY" not in os.environ


def test_what_somebody_has_set_is_left(monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Zen")
    assert [way.get("OPENBLAS_CORETYPE") for way in ways()] == [None, None, None]
    assert [way["ATEN_CPU_CAPABILITY"] for way in ways()] == ["avx2", "default", "default"]
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "SVE256")
    assert ways() == [MIXED]  # no names of x86 on another kind of processor


def test_what_cannot_be_computed_elsewhere_has_no_control(monkeypatch):
    (cell, *_) = counting.STUDY.cells(counting.STUDY.config("smoke"))
    assert list(otherwise(replace(counting.STUDY), counting.STUDY.config("smoke"), cell)) == []
    monkeypatch.setenv(counting.FAILS, "0")
    assert list(otherwise(counting.STUDY, counting.STUDY.config("smoke"), cell)) == []


def forge(folder, by):
    """Changes the accuracies of a run, and all its digests, as somebody can who knows how they are made."""
    result = Result.load(folder)
    result.tables["rows"]["accuracy"] += by
    parts = list(tables_of_cells(result))
    cells = [replace(c, sha256=seal_of(result, c, part)) for c, part in zip(result.cells, parts, strict=True)]
    replace(result, cells=cells).save(folder)


def test_a_result_of_a_real_study_from_another_processor(tmp_path, capsys):
    """Computed with the instructions that every processor has; verified with those of this one."""
    command = [sys.executable, "-m", "lightning_module", "study", "run", "recipe-sweep", "--preset", "smoke"]
    command += ["--folder", str(tmp_path / "there"), "--workers", "1", "--set", "steps=100"]
    command += [f"--set={name}=[{value}]" for name, value in SMALL.items()]
    subprocess.run(command, check=True, env={**os.environ, **PLAIN}, capture_output=True, cwd=tmp_path)
    head = json.loads((tmp_path / "there" / "result.json").read_text())
    assert all("DEFAULT" in cell["processor"] for cell in head["cells"])
    shutil.copytree(tmp_path / "there", tmp_path / "forged")
    forge(tmp_path / "forged", 0.1)

    def verify(folder, cells):
        status = main(["study", "verify", "recipe-sweep", "--folder", str(tmp_path / folder), "--recompute", cells])
        return status, capsys.readouterr().out

    status, out = verify("there", "1")
    assert status == 0, out
    assert out.count("computed again") == 1
    status, out = verify("forged", "2")
    assert (status, "rows.accuracy" in out) == (1, True), out


SMALL = {"iid_noise_scale": 0.02, "corr_noise_scale": 0.25, "max_translation": 48, "final_seq_length": 40}

"""The files of a run, damaged as crashes, full disks and other programs do it: computed again, and said."""

import errno
import fcntl
import hashlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from counting import NOTES, STUDY, CountingConfig

from lightning_module.studies import Config, Outcome, Result, Study
from lightning_module.studies.framework.cells import grid
from lightning_module.studies.framework.proof.checks import overall
from lightning_module.studies.framework.proof.verify import findings_of
from lightning_module.studies.framework.running.journal import Journal

FIRST = "cell=0,kind=a_b"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return tmp_path_factory.mktemp("source") / "run"


@pytest.fixture(scope="module")
def undisturbed(source):
    return STUDY.run("smoke", folder=source)


@pytest.fixture
def run(tmp_path, undisturbed, source, monkeypatch):
    """A finished run, and what is computed when it is run again."""
    folder = Path(shutil.copytree(source, tmp_path / "run"))
    (folder / "result.json").unlink()
    notes = tmp_path / "notes"
    notes.touch()
    monkeypatch.setenv(NOTES, str(notes))

    def again(**keywords):
        notes.write_text("")
        result = STUDY.run("smoke", folder=folder, **keywords)
        return result, sorted(map(int, notes.read_text().split()))

    return folder, again


def edited(change):
    """What changes the object in a JSON file."""

    def edit(file):
        held = json.loads(file.read_text())
        change(held)
        file.write_text(json.dumps(held))

    return edit


DAMAGE = {
    "empty": lambda file: file.write_bytes(b""),
    "half": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "zeros": lambda file: file.write_bytes(b"\0" * file.stat().st_size),
    "another object": lambda file: file.write_text("[1, 2]"),
    "nested": lambda file: file.write_text("[" * 100_000),
    "number": lambda file: file.write_text('{"seconds": ' + "9" * 5000 + "}"),
    "not UTF-8": lambda file: file.write_bytes(b'{"a": "\xff"}'),
    "missing names": lambda file: file.write_text("{}"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("ending", [".json", ".npz"])
def test_a_cell_that_cannot_be_read_is_computed_again_and_named_once(run, caplog, undisturbed, damage, ending):
    folder, again = run
    file = folder / "cells" / (FIRST + ending)
    damage(file)
    assert again() == (undisturbed, [0])
    said = [record.getMessage() for record in caplog.records if FIRST in record.getMessage()]
    assert len(said) == 1
    assert FIRST + ending in said[0]
    assert "computed again" in said[0]
    assert again() == (undisturbed, [])


@pytest.mark.parametrize(
    "damage",
    [
        edited(lambda held: held["tables"]["rows"][0].update(number=9.0)),
        edited(lambda held: held["tables"]["rows"].pop()),
        edited(lambda held: held["data"].clear()),
        edited(lambda held: held.pop("sha256")),
        edited(lambda held: held.update(run="0" * 64)),
        edited(lambda held: held.update(processor="another")),
    ],
)
def test_a_cell_that_was_edited_is_computed_again(run, undisturbed, damage):
    folder, again = run
    damage(folder / "cells" / f"{FIRST}.json")
    assert again() == (undisturbed, [0])


def test_arrays_of_another_run_do_not_pass_for_those_of_a_cell(run, undisturbed):
    folder, again = run
    np.savez(folder / "cells" / f"{FIRST}.npz", **{"predictions-0": np.zeros(5, np.uint8)})
    assert again() == (undisturbed, [0])
    (folder / "cells" / f"{FIRST}.npz").unlink()
    assert again() == (undisturbed, [0])


@pytest.mark.parametrize("damage", [*DAMAGE.values(), edited(lambda held: held.pop("versions"))])
def test_a_run_whose_head_cannot_be_read_goes_on(run, caplog, undisturbed, damage):
    folder, again = run
    damage(folder / "run.json")
    assert again() == (undisturbed, [])  # each cell says itself of which run it is
    said = [record.getMessage() for record in caplog.records if "run.json" in record.getMessage()]
    assert len(said) == 1
    assert json.loads((folder / "run.json").read_text())["study"] == "counting"


@pytest.mark.parametrize("damage", [lambda file: file.unlink(), DAMAGE["empty"]])
def test_without_its_head_no_run_is_taken_for_another_or_overwritten(run, undisturbed, damage):
    folder, again = run
    damage(folder / "run.json")
    with pytest.raises(ValueError, match=r"holds cells.* of another run, and no run.json .* choose another folder"):
        STUDY.run(CountingConfig(scale=2.0), folder=folder)
    assert again() == (undisturbed, [])
    damage(folder / "run.json")
    shutil.rmtree(folder / "cells")  # only the result is left
    with pytest.raises(ValueError, match=r"holds result.json of another run"):
        STUDY.run(CountingConfig(scale=2.0), folder=folder)
    assert Result.load(folder) == undisturbed


def test_what_a_cell_kept_on_the_way_in_a_file_that_is_torn(tmp_path, caplog):
    def run_cell(config, cell):
        record, _ = cell.scratch.load()
        if not fails:
            return [{"step": record.get("step", 0)}]
        cell.scratch.save({"step": 7}, {"a": np.arange(3)})
        raise KeyboardInterrupt

    study = Study(name="s", question="?", presets={"smoke": Config()}, cells=grid(a=[1]), run_cell=run_cell)
    for damage, step in [(lambda file: None, 7), *((damage, 0) for damage in DAMAGE.values())]:
        fails = True
        with pytest.raises(KeyboardInterrupt):
            study.run("smoke", folder=tmp_path, restart=True)
        damage(tmp_path / "cells" / "a=1.scratch.npz")
        fails = False
        caplog.clear()
        assert study.run("smoke", folder=tmp_path).rows["step"].tolist() == [step]
        assert [f"{tmp_path}/cells/a=1.scratch.npz" in each.getMessage() for each in caplog.records] == [True] * (
            not step
        )


def test_a_run_that_was_begun_with_locks_goes_on(run, undisturbed):
    """Versions up to 0.2.0 had a file with a lock for each cell, and did not say which machine had computed it."""
    folder, again = run
    for cell in (folder / "cells").glob("*.json"):
        found = json.loads(cell.read_text())
        del found["machine"], found["sha256"]
        found["sha256"] = hashlib.sha256(json.dumps(found, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
        cell.write_text(json.dumps(found))
        cell.with_suffix(".lock").touch()
    (folder / "cells" / "run.lock").touch()
    (folder / "cells" / f"{FIRST}.json").unlink()
    assert again() == (undisturbed, [0])
    assert not list(folder.rglob("*.lock"))


def older(folder):
    """Makes of a run one of version 0.1.0."""
    edited(lambda held: held.pop("format"))(folder / "run.json")
    for file in (folder / "cells").glob("*.json"):
        edited(lambda held: [held.pop(name) for name in ("sha256", "run", "processor", "arrays_sha256")])(file)


def test_a_run_that_an_older_version_began_goes_on(run, undisturbed):
    folder, again = run
    older(folder)
    (folder / "cells" / f"{FIRST}.json").write_text('{"tables": ')
    result, computed = again()
    assert (result, computed) == (undisturbed, [0])
    assert [bool(cell.processor) for cell in result.cells] == [True, False, False, False]


def test_leftovers_of_killed_processes_are_swept_when_they_are_old(run):
    folder, again = run
    left = [folder / f".rows.csv.{'0' * 32}.part", folder / "cells" / f".{FIRST}.json.17.part"]
    young = folder / "cells" / f".{FIRST}.npz.{'1' * 32}.part"
    for file in [*left, young]:
        file.write_text("half")
    for file in left:
        os.utime(file, (1, 1))
    again()
    assert [file.exists() for file in [*left, young]] == [False, False, True]


def test_another_run_begun_in_the_folder_is_noticed(tmp_path):
    def run_cell(config, cell):
        if cell["a"] == 1:
            STUDY.run("smoke", folder=tmp_path, restart=True)
        return [{"a": cell["a"]}]

    study = Study(name="s", question="?", presets={"smoke": Config()}, cells=grid(a=[1, 2]), run_cell=run_cell)
    with pytest.raises((ValueError, RuntimeError), match="another run was begun there"):
        study.run("smoke", folder=tmp_path)
    assert Result.load(tmp_path).study == "counting"


def test_of_two_runs_that_begin_at_once_in_one_folder_one_does(tmp_path, monkeypatch):
    keep_others = Journal._keep_others

    def late(self, head):
        keep_others(self, head)
        if self.config.scale == 2.0:
            STUDY.run("smoke", folder=tmp_path)

    monkeypatch.setattr(Journal, "_keep_others", late)
    with pytest.raises(ValueError, match="holds a run with config"):
        STUDY.run(CountingConfig(scale=2.0), folder=tmp_path)
    assert Result.load(tmp_path).preset == "smoke"


@pytest.mark.slow  # a process for each kill
def test_killed_at_any_moment_it_comes_to_the_same(tmp_path, undisturbed):
    """Twenty kills, of the run or of one of its workers, and then one run to the end."""
    random = np.random.default_rng(0)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from counting import STUDY\n"
        "if __name__ == '__main__': STUDY.run('smoke', folder=sys.argv[2], workers=2)"
    )
    (tmp_path / "run.py").write_text(code)
    command = [sys.executable, str(tmp_path / "run.py"), str(Path(__file__).parents[2]), str(tmp_path / "run")]
    begun = time.monotonic()
    subprocess.run(command, check=True)
    whole = time.monotonic() - begun
    for _ in range(20):
        shutil.rmtree(tmp_path / "run")
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(random.uniform(0.3, 1.0) * whole)
        if random.integers(2):
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert STUDY.run("smoke", folder=tmp_path / "run") == undisturbed == Result.load(tmp_path / "run")
        assert overall(findings_of(STUDY, Result.load(tmp_path / "run"), tmp_path / "run")) == "ok"
        left = {path.name for path in (tmp_path / "run").iterdir()}
        allowed = {"run.json", "result.json", "rows.csv", "notes.csv", "arrays.npz", "cells"}
        assert {name for name in left - allowed if not name.endswith(".part")} == set()


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_file_system_without_locks_serves_as_well(tmp_path, monkeypatch, undisturbed, workers):
    def flock(*_):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", flock)
    assert STUDY.run("smoke", folder=tmp_path / "run", workers=workers) == undisturbed
    assert {path.suffix for path in (tmp_path / "run" / "cells").iterdir()} == {".json", ".npz"}


@pytest.mark.parametrize(
    ("outcomes", "message"),
    [
        ([{"x": [1, 2]}, {"x": [3, 4]}], "cell a=2: another cell has an array 'x' too"),
        ([{"y": 1}, {"y": 2}], "cell a=2: another cell says something else of the data 'y'"),
    ],
)
def test_cells_that_overwrite_each_other_are_an_error(tmp_path, outcomes, message):
    def run_cell(config, cell):
        of = outcomes[cell["a"] - 1]
        arrays = {name: np.array(value) for name, value in of.items() if name == "x"}
        return Outcome({"rows": [dict(cell.of)]}, arrays, {name: of[name] for name in of if name == "y"})

    study = Study(name="s", question="?", presets={"smoke": Config()}, cells=grid(a=[1, 2]), run_cell=run_cell)
    with pytest.raises(ValueError, match=message):
        study.run("smoke", folder=tmp_path)


@pytest.mark.parametrize("name", ["../rows", "a/b", "", ".rows", "a\nb", "a\x1b[2J", "x" * 101, "C:rows"])
def test_a_table_that_no_file_can_be_named_after_is_an_error_of_its_cell(tmp_path, name):
    bad = replace(STUDY, run_cell=lambda config, cell: Outcome({name: [{"x": 1}]}), name="bad")
    with pytest.raises(RuntimeError, match=r"cell cell=0,kind=a_b: ValueError: table .* must have a"):
        bad.run("smoke", folder=tmp_path / "run")
    assert {path.name for path in tmp_path.iterdir()} == {"run"}


def test_logging_is_all_that_the_library_says(run, capsys):
    folder, again = run
    DAMAGE["half"](folder / "cells" / f"{FIRST}.json")
    logging.getLogger("lightning_module").addHandler(handler := logging.NullHandler())
    try:
        again()
    finally:
        logging.getLogger("lightning_module").removeHandler(handler)
    assert capsys.readouterr() == ("", "")

"""Who has a cell: one process of many, until it gives it back or dies. Clocks of machines do not matter."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace
from threading import Thread

import counting
import pytest
from counting import NOTES, STUDY

from lightning_module.studies.framework.running import leases as module
from lightning_module.studies.framework.running.leases import Leases, this_process


@pytest.fixture
def elsewhere():
    """A process of another machine, of which only its touches can be seen."""
    return replace(this_process(), place="another boot", machine="node-7", process=1)


def write(folder, name, owner, age=0.0):
    file = folder / f"{name}.lease"
    file.write_text(json.dumps(asdict(owner)))
    os.utime(file, (time.time() - age,) * 2)
    return file


def test_one_of_many_has_a_cell(tmp_path):
    first, second = Leases(tmp_path), Leases(tmp_path)
    assert first.take("a")
    assert not second.take("a")
    assert second.take("b")
    first.give_back("a")
    assert second.take("a")
    first.give_back("a")  # it is no longer its own
    assert not first.take("a")


def test_of_many_threads_that_take_at_once_one_has_it(tmp_path):
    has = []
    for number in range(20):
        many = [Leases(tmp_path) for _ in range(8)]
        threads = [Thread(target=lambda each: has.append(each.take(f"cell {number}")), args=(each,)) for each in many]  # noqa: B023
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    assert sum(has) == 20


def test_a_process_that_has_ended_here_is_known_at_once(tmp_path):
    code = (
        "import sys, pathlib; from lightning_module.studies.framework.running.leases import Leases\n"
        "print(Leases(pathlib.Path(sys.argv[1])).take('a'), flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "True\n"
    mine = Leases(tmp_path)
    assert not mine.take("a")
    assert [owner.process for owner in mine.others()] == [holder.pid]
    holder.kill()
    wait_until(lambda: mine.take("a"))  # also while nobody has asked how it ended
    holder.communicate()
    assert mine.others() == []


def wait_until(condition):
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_another_process_of_the_same_number_is_not_the_owner(tmp_path):
    write(tmp_path, "a", replace(this_process(), born="1"))
    assert Leases(tmp_path).take("a")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"id": "x"}', '{"id": 1, "machine": 2}'])
def test_a_lease_that_cannot_be_read_is_kept_for_a_while(tmp_path, content):
    file = tmp_path / "a.lease"
    file.write_text(content)
    assert not Leases(tmp_path).take("a")
    os.utime(file, (time.time() - module.DEAD - 1,) * 2)
    assert Leases(tmp_path).take("a")


def test_of_another_machine_it_is_dead_when_it_touches_nothing(tmp_path, elsewhere):
    write(tmp_path, "young", elsewhere, age=module.DEAD / 2)
    write(tmp_path, "old", elsewhere, age=module.DEAD + 5)
    mine = Leases(tmp_path)
    assert not mine.take("young")
    assert mine.others() == [elsewhere]
    assert str(elsewhere) == "process 1 on node-7"
    assert mine.take("old")


def test_our_clock_may_be_wrong_by_hours(tmp_path, elsewhere, monkeypatch):
    write(tmp_path, "a", elsewhere, age=1.0)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 36_000)
    assert not Leases(tmp_path).take("a")
    monkeypatch.setattr(time, "time", lambda: real() - 36_000)
    assert not Leases(tmp_path).take("a")
    monkeypatch.undo()
    write(tmp_path, "a", elsewhere, age=module.DEAD + 5)
    monkeypatch.setattr(time, "time", lambda: real() - 36_000)
    assert Leases(tmp_path).take("a")


def test_what_is_held_is_touched_and_given_back_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BEAT", 0.02)
    with Leases(tmp_path).kept() as mine:
        assert mine.take("a")
        assert mine.take("b")
        file = tmp_path / "a.lease"
        os.utime(file, (1, 1))
        wait_until(lambda: file.stat().st_mtime > 1)
        (tmp_path / "b.lease").unlink()
    assert not list(tmp_path.iterdir())


def test_a_lease_that_another_one_took_over_is_not_given_back(tmp_path, elsewhere):
    with Leases(tmp_path).kept() as mine:
        assert mine.take("a")
        file = write(tmp_path, "a", elsewhere)
    assert json.loads(file.read_text())["machine"] == "node-7"


def test_restart_beside_others_deletes_nothing_of_theirs(tmp_path, elsewhere, monkeypatch):
    undisturbed = STUDY.run("smoke", folder=tmp_path)
    cells = tmp_path / "cells"
    before = sorted(path.name for path in cells.iterdir())
    file = write(cells, "cell=2,kind=a_b", elsewhere)
    with pytest.raises(ValueError, match=r"restart=True would delete cells .* that process 1 on node-7 computes; "):
        STUDY.run("smoke", folder=tmp_path, restart=True)
    assert sorted(path.name for path in cells.iterdir() if path != file) == before
    assert (tmp_path / "result.json").exists()
    os.utime(file, (1, 1))  # it died
    notes = tmp_path / "notes"
    monkeypatch.setenv(NOTES, str(notes))
    assert STUDY.run("smoke", folder=tmp_path, restart=True) == undisturbed
    assert notes.read_text().split() == ["0", "1", "2", "3"]


def test_without_waiting_the_free_cells_are_computed(tmp_path, elsewhere, monkeypatch, capsys):
    from lightning_module.cli import main

    file, folder = counting.__file__, tmp_path / "run"
    monkeypatch.setenv(NOTES, str(tmp_path / "notes"))
    (folder / "cells").mkdir(parents=True)
    taken = write(folder / "cells", "cell=1,kind=a_b", elsewhere)
    command = ["study", "run", file, "--preset", "smoke", "--folder", str(folder), "--workers", "1", "--no-wait"]
    assert main(command) == 0
    assert "3 of 4 cells are done; process 1 on node-7 is at others" in capsys.readouterr().out
    assert (tmp_path / "notes").read_text().split() == ["0", "2", "3"]
    assert not (folder / "result.json").exists()
    os.utime(taken, (1, 1))
    assert main(command) == 0
    assert (tmp_path / "notes").read_text().split() == ["0", "2", "3", "1"]
    assert (folder / "result.json").exists()
    records = [json.loads(each.read_text()) for each in (folder / "cells").glob("*.json")]
    assert {record["machine"] for record in records} == {os.uname().nodename}

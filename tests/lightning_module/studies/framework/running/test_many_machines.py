"""Machines that do not see each other's processes: containers on one folder, and a Ray cluster on loopback."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from counting import KILLED, NOTES, SLOW, STUDY
from two_raylets import FILES, Writer

from lightning_module.studies import Result
from lightning_module.studies.framework.running.cell_job import CellJob
from lightning_module.studies.framework.running.journal import Journal
from lightning_module.studies.framework.running.leases import Leases

APART = ["unshare", "--pid", "--fork", "--kill-child"]  # in a space of processes of its own: each is process 1
RUN = """
import sys
sys.path.insert(0, sys.argv[2])
from counting import STUDY
from lightning_module.studies.framework.running import leases
leases.BEAT, leases.DEAD = 0.3, 3.0
if __name__ == "__main__":
    STUDY.run("smoke", folder=sys.argv[1])
"""
HOLD = """
import pathlib, sys, time
from lightning_module.studies.framework.running import leases
leases.BEAT, leases.DEAD = 0.1, 1.0
with leases.Leases(pathlib.Path(sys.argv[1])).kept() as mine:
    print(next(name for name in "abcd" if mine.take(name)), mine.owner.process, flush=True)
    sys.stdin.read()
"""
HERE = str(Path(__file__).parents[2])


def is_possible():
    return (
        bool(shutil.which("unshare"))
        and not subprocess.run([*APART, "true"], capture_output=True, check=False).returncode
    )


needs_containers = pytest.mark.skipif(not is_possible(), reason="no processes of another space can be started here")


def wait_until(condition, seconds=240):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


@needs_containers
def test_a_lease_of_a_container_that_died_is_free_when_it_is_no_longer_touched(tmp_path, monkeypatch):
    from lightning_module.studies.framework.running import leases

    held = [
        subprocess.Popen(
            [*APART, sys.executable, "-c", HOLD, str(tmp_path)],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    said = [process.stdout.readline().split() for process in held]
    assert sorted(name for name, _ in said) == ["a", "b"]
    assert {number for _, number in said} == {"1"}
    monkeypatch.setattr(leases, "DEAD", 1.0)
    monkeypatch.setattr(leases, "CLOCK", 0.0)
    mine = Leases(tmp_path)
    time.sleep(1.5)
    assert not mine.take("a")
    assert not mine.take("b")
    held[0].kill()
    wait_until(lambda: mine.take(said[0][0]))
    assert not mine.take(said[1][0])
    held[1].communicate("")
    assert mine.take(said[1][0])


@pytest.mark.slow  # four processes that import everything
@needs_containers
def test_four_containers_share_a_folder_and_two_of_them_are_killed(tmp_path):
    undisturbed = STUDY.run("smoke", folder=tmp_path / "undisturbed")
    script, notes = tmp_path / "run.py", tmp_path / "notes"
    script.write_text(RUN)
    notes.touch()
    command = [*APART, sys.executable, str(script), str(tmp_path / "run"), HERE]
    noted = lambda: sorted(map(int, notes.read_text().split()))  # noqa: E731

    def start(**environment):
        return subprocess.Popen(command, env={**os.environ, NOTES: str(notes), **environment}, start_new_session=True)

    dying = [start(**{SLOW: "0"})]
    wait_until(lambda: noted() == [0])
    dying.append(start(**{SLOW: "1"}))
    wait_until(lambda: noted() == [0, 1])
    living = [start(), start()]
    wait_until(lambda: {2, 3} <= set(noted()))
    for process in dying:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert [process.wait(timeout=240) for process in living] == [0, 0]
    assert noted() == [0, 0, 1, 1, 2, 3]
    assert Result.load(tmp_path / "run") == undisturbed
    for name in ("rows.csv", "notes.csv"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes()


def test_where_the_folder_is_not_to_be_seen_the_content_of_a_cell_comes_back(tmp_path):
    """As on a machine of a cluster that shares no folder with this one."""
    undisturbed = STUDY.run("smoke", folder=tmp_path / "undisturbed")
    journal = Journal(STUDY, STUDY.config("smoke"), "smoke", tmp_path / "run")
    journal.open(restart=False)
    job = CellJob.of(journal, ("counting", "STUDY"))
    (tmp_path / "run").rename(tmp_path / "away")
    cells = STUDY.cells(STUDY.config("smoke"))
    contents = [job((index, cell.name)) for index, cell in enumerate(cells)]
    assert not (tmp_path / "run").exists()
    with pytest.raises(ValueError, match="is not 'cell=1,kind=a_b' here: it has other code"):
        job((0, cells[1].name))
    (tmp_path / "away").rename(tmp_path / "run")
    for cell, content in zip(cells, contents, strict=True):
        journal.keep(cell, content)
    assert STUDY.run("smoke", folder=tmp_path / "run") == undisturbed


@pytest.mark.scale
def test_two_raylets_of_which_one_is_lost_and_a_worker_that_is_killed(tmp_path):
    for name in ("home", "plain"):
        (tmp_path / name).mkdir()
    undisturbed = STUDY.run("smoke", folder=tmp_path / "undisturbed")
    notes = tmp_path / "notes"
    places = [*(place for place in sys.path if place), HERE]
    environment = {
        **os.environ,
        "HOME": str(tmp_path / "home"),  # Ray keeps a token there
        "PYTHONPATH": os.pathsep.join(places),
        NOTES: str(notes),
        KILLED: f"2 {tmp_path / 'killed'}",
    }
    script = Path(__file__).parents[4] / "helpers" / "two_raylets.py"
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert (said["done"], said["lost"], said["rows"]) == ([*range(FILES)], 1, len(undisturbed.rows))
    assert said["begun"] > FILES  # what was torn was written again
    for task in range(FILES):
        Writer(str(tmp_path / "plain"))(task)
        assert (tmp_path / "written" / f"{task}.bin").read_bytes() == (tmp_path / "plain" / f"{task}.bin").read_bytes()
    assert {path.name for path in (tmp_path / "written").glob("*.bin")} == {f"{task}.bin" for task in range(FILES)}
    assert sorted(notes.read_text().split()) == ["0", "1", "2", "2", "3"]  # one was killed, and computed again
    for name in ("rows.csv", "notes.csv"):
        assert (tmp_path / "by-ray" / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes()
    assert Result.load(tmp_path / "by-ray") == undisturbed

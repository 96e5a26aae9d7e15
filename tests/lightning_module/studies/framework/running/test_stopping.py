"""Ctrl-C, SIGTERM and SIGKILL, with real processes: the command ends, its workers with it, and the next one goes on."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import counting
import pytest
from counting import KILLED, NOTES, SLOW, STUBBORN, STUDY

from lightning_module.stopping import Stopped, stopping
from lightning_module.studies.framework.running.failures import CellError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
COMMAND = "from lightning_module.cli import main; raise SystemExit(main())"


@pytest.fixture
def start(tmp_path):
    """Starts `mnist1d study run` on a study in a user's own file, as a shell does: in a process group of its own."""
    started = []
    (tmp_path / "notes").touch()

    def begin(*arguments, **environment):
        command = [sys.executable, "-c", COMMAND, "study", "run", counting.__file__, "--preset", "smoke"]
        process = subprocess.Popen(
            [*command, "--folder", "mine", *arguments],
            cwd=tmp_path,
            env={**os.environ, NOTES: str(tmp_path / "notes"), **environment},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.stderr.close()


def wait_for(condition, what):
    until = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.02)


def computed(tmp_path):
    return [int(line) for line in (tmp_path / "notes").read_text().split()]


def done_in(folder):
    return list((folder / "cells").glob("*.json"))


def members(group):
    """The processes of a group that have not ended."""
    listed = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    return sum(int(g) == group and not stat.startswith("Z") for g, stat in map(str.split, listed.splitlines()))


def group_is_gone(process):
    wait_for(lambda: members(process.pid) == 0, "a worker outlives the command")


@pytest.mark.parametrize(
    ("number", "workers"),
    [
        (signal.SIGINT, 2),
        (signal.SIGTERM, 1),
        pytest.param(signal.SIGINT, 1, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, 2, marks=pytest.mark.slow),
    ],
)
def test_a_signal_ends_the_run_and_its_workers_and_the_same_command_goes_on(
    tmp_path, monkeypatch, start, number, workers
):
    process = start("--workers", str(workers), **{SLOW: "1"})  # in the middle of a cell that takes a minute
    wait_for(lambda: set(computed(tmp_path)) >= ({0, 1} if workers == 1 else {0, 1, 2, 3}), "it does not begin")
    wait_for(lambda: len(done_in(tmp_path / "mine")) == (1 if workers == 1 else 3), "no cell is done")
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    _, error = process.communicate(timeout=60)
    group_is_gone(process)
    assert process.returncode == 128 + number
    said = [line for line in error.splitlines() if line.strip()]
    done = "1 finished cell is" if workers == 1 else "3 finished cells are"
    assert said[-1] == f"stopped; {done} kept in mine/; the same command goes on"
    assert all(line.startswith("counting - ") for line in said[:-1])  # how far it was, now and then
    assert not (tmp_path / "mine/result.json").exists()
    before = computed(tmp_path)
    monkeypatch.setenv(NOTES, str(tmp_path / "notes"))
    STUDY.run("smoke", folder=tmp_path / "mine")
    assert sorted(computed(tmp_path)[len(before) :]) == ([1, 2, 3] if workers == 1 else [1])


def test_a_cell_that_catches_the_interruption_does_not_keep_the_command(tmp_path, start):
    process = start("--workers", "1", **{SLOW: "1", STUBBORN: "1"})
    wait_for(lambda: computed(tmp_path) == [0, 1], "it does not begin")
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "1 finished cell is kept" in error


def test_workers_of_a_killed_run_end_by_themselves(tmp_path, start):
    process = start("--workers", "2", **{SLOW: "1"})
    wait_for(lambda: 1 in computed(tmp_path), "it does not begin")
    process.send_signal(signal.SIGKILL)
    process.wait()
    group_is_gone(process)


@pytest.mark.slow  # beside the next one
def test_a_killed_worker_does_not_end_the_others(tmp_path, monkeypatch):
    monkeypatch.setenv(NOTES, str(tmp_path / "notes"))
    monkeypatch.setenv(KILLED, f"2 {tmp_path / 'killed'}")  # the first time
    result = STUDY.run("smoke", folder=tmp_path / "run", workers=2)
    assert sorted(computed(tmp_path)) == [0, 1, 2, 2, 3]
    assert result == STUDY.run("smoke", folder=tmp_path / "other")


def test_a_cell_whose_process_is_always_killed_is_named_and_the_others_are_done(tmp_path, monkeypatch):
    monkeypatch.setenv(NOTES, str(tmp_path / "notes"))
    monkeypatch.setenv(KILLED, "2")
    with pytest.raises(CellError) as caught:
        STUDY.run("smoke", folder=tmp_path / "run", workers=2)
    assert caught.value.failures == {"cell=2,kind=a_b": "its process ended by signal SIGKILL"}
    assert "1 of 4 cells failed, each 3 times; 3 are done and kept" in str(caught.value)
    assert sorted(computed(tmp_path)) == [0, 1, 2, 2, 2, 3]
    assert not (tmp_path / "run/result.json").exists()
    monkeypatch.delenv(KILLED)
    assert len(STUDY.run("smoke", folder=tmp_path / "run").rows) == 12
    assert sorted(computed(tmp_path)) == [0, 1, 2, 2, 2, 2, 3]


def test_an_exit_that_a_library_makes_of_an_interruption_is_one():
    def library():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        except KeyboardInterrupt:
            raise SystemExit(1) from None

    with pytest.raises(Stopped) as caught, stopping(lambda: "stopped"):
        library()
    assert caught.value.status == 143
    assert isinstance(caught.value.__cause__, SystemExit)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.slow  # three processes that all fail
def test_a_script_without_a_guard_is_told_so(tmp_path):
    code = "import sys; sys.path.insert(0, sys.argv[1]); from counting import STUDY; STUDY.run('smoke', workers=2)"
    script = tmp_path / "script.py"
    script.write_text(code)
    done = subprocess.run(
        [sys.executable, str(script), str(Path(counting.__file__).parent)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode != 0
    assert re.search(r"WorkerError: .*needs if __name__ == \"__main__\"", done.stderr)

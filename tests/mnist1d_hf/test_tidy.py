"""Nothing of a build that is killed with all its processes stays in the system's folder for temporary files."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from multiprocess import current_process, util

from mnist1d_hf.tidy import TEMPORARY, children_end_with_this_process

pytestmark = pytest.mark.skipif(not hasattr(os, "register_at_fork"), reason="forks processes")

BUILD = """
import sys, time
from multiprocess import Manager
from mnist1d_hf.tidy import children_end_with_this_process
with children_end_with_this_process(), Manager() as manager:
    manager.Queue()
    print("at work", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def temporary(monkeypatch):
    with tempfile.TemporaryDirectory(prefix="t-") as folder:  # short: a socket's path may have about 100 characters
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def started(folder):
    command = [sys.executable, "-c", BUILD]
    environment = {**os.environ, "TMPDIR": str(folder)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(command, env=environment, start_new_session=True, text=True, **pipes)
    assert process.stdout.readline() == "at work\n"
    return process


def test_the_next_build_removes_what_a_killed_one_left_and_nothing_else(temporary):
    (temporary / "somebody-elses").mkdir()
    with started(temporary) as killed, started(temporary) as alive:
        (left, used) = (path for path in temporary.iterdir() if path.name != "somebody-elses")
        assert [*left.iterdir()]
        assert [*used.iterdir()]
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()
        with children_end_with_this_process():
            assert len([*temporary.iterdir()]) == 3  # somebody else's, the one of the living, this one's
        assert len([*temporary.iterdir()]) == 2
        alive.communicate("")
        assert alive.returncode == 0
    assert [path.name for path in temporary.iterdir()] == ["somebody-elses"]


def test_the_folder_has_no_longer_a_name_than_the_one_of_multiprocess(temporary, monkeypatch):
    """Else a build would fail where one of datasets works: in a deep folder for temporary files."""
    monkeypatch.setattr(current_process(), "_config", {})
    with children_end_with_this_process():
        ours = util.get_temp_dir()
    assert ours.startswith(str(temporary / TEMPORARY))
    assert not Path(ours).exists()
    theirs = util.get_temp_dir()
    assert len(ours) <= len(theirs)
    assert Path(theirs).is_dir()


def test_a_folder_that_cannot_be_made_stops_no_build(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "there is none"))
    with children_end_with_this_process():
        pass


def test_an_error_within_is_the_callers(temporary):
    with pytest.raises(RuntimeError, match="no"), children_end_with_this_process():
        raise RuntimeError("no")
    assert not [*temporary.iterdir()]

"""Whole files or none: after a crash, a kill, by two machines at once, and without what a killed writer left."""

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from mnist1d_hf import atomic
from mnist1d_hf.atomic import create, replace, sweep


@pytest.fixture(autouse=True)
def _a_new_process(monkeypatch):
    monkeypatch.setattr(atomic, "_swept", set())


def test_a_crash_while_writing_leaves_what_was_there(tmp_path):
    file = tmp_path / "rows.csv"

    def half(part):
        part.write_text("seed,accu")
        raise KeyboardInterrupt

    for write in (replace, create):
        with pytest.raises(KeyboardInterrupt):
            write(file, half)
        assert os.listdir(tmp_path) == []
    file.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        replace(file, half)
    assert os.listdir(tmp_path) == ["rows.csv"]
    assert file.read_text() == "old"


def test_two_machines_with_the_same_process_number_do_not_tear_each_other(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getpid", lambda: 1)  # as in two containers
    file = tmp_path / "rows.csv"

    def other(part):
        part.write_text("first")
        replace(file, lambda inner: inner.write_text("second"))
        assert part.read_text() == "first"

    replace(file, other)
    assert file.read_text() == "first"
    assert os.listdir(tmp_path) == ["rows.csv"]


WRITE = """
import sys
from pathlib import Path
from mnist1d_hf.atomic import replace
import os
os.getpid = lambda: 1
for i in range(200):
    replace(Path(sys.argv[1]), lambda part: part.write_text(sys.argv[2] * 10000))
"""


def test_writers_at_once_never_show_half_a_file(tmp_path):
    file = tmp_path / "shared"
    writers = [subprocess.Popen([sys.executable, "-c", WRITE, str(file), letter]) for letter in "ab"]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        if file.exists():
            seen.add(file.read_text())
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen <= {"a" * 10000, "b" * 10000}
    assert os.listdir(tmp_path) == ["shared"]


KILLED = """
import os, signal, sys
from pathlib import Path
from mnist1d_hf.atomic import replace
def write(part):
    part.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
replace(Path(sys.argv[1]), write)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_what_a_killed_writer_left_is_swept_by_the_next_one_when_it_is_old(tmp_path):
    file = tmp_path / "result.json"
    subprocess.run([sys.executable, "-c", KILLED, str(file)], check=False)
    (left,) = tmp_path.iterdir()
    assert left.name != "result.json"
    replace(file, lambda part: part.write_text("new"))
    assert left.exists()  # it might be somebody's who is still writing
    an_age = time.time() - 2 * atomic.OLD
    os.utime(left, (an_age, an_age))
    replace(file, lambda part: part.write_text("newer"))
    assert left.exists()  # once a process and folder
    atomic._swept.clear()
    replace(file, lambda part: part.write_text("newest"))
    assert os.listdir(tmp_path) == ["result.json"]


def test_sweeping_takes_nothing_else(tmp_path):
    mine = ["notes.part", f".{uuid.uuid4().hex}", ".hidden.part", f"rows.{uuid.uuid4().hex}.part", "a.1.part"]
    left = [f".rows.csv.{uuid.uuid4().hex}.part", ".rows.csv.4711.part"]
    for name in [*mine, *left]:
        (tmp_path / name).write_text("x")
    (tmp_path / f".folder.{uuid.uuid4().hex}.part").mkdir()
    assert {path.name for path in sweep(tmp_path, older_than=0)} == set(left)
    assert len(os.listdir(tmp_path)) == len(mine) + 1
    assert sweep(tmp_path / "nothing") == []


def test_content_has_reached_the_disk_before_it_is_in_place(tmp_path, monkeypatch):
    happened = []
    fsync, rename = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (happened.append("fsync"), fsync(handle)))
    monkeypatch.setattr(os, "replace", lambda *paths: (happened.append("rename"), rename(*paths)))
    replace(tmp_path / "rows.csv", lambda part: part.write_text("x"))
    assert happened[:2] == ["fsync", "rename"]
    assert happened[2:] == (["fsync"] if os.name == "posix" else [])  # the folder


def test_only_the_first_creates(tmp_path):
    file = tmp_path / "run.json"

    def late(part):
        part.write_text("late")
        assert create(file, lambda inner: inner.write_text("early"))

    assert not create(file, late)
    assert not create(file, lambda part: part.write_text("later"))
    assert file.read_text() == "early"
    assert os.listdir(tmp_path) == ["run.json"]


def test_create_without_links(tmp_path, monkeypatch):
    def no_links(*_):
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", no_links)
    assert create(tmp_path / "run.json", lambda part: part.write_text("early"))
    assert not create(tmp_path / "run.json", lambda part: part.write_text("late"))
    assert os.listdir(tmp_path) == ["run.json"]


@pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")
def test_permissions_and_links_stay(tmp_path):
    file, link = tmp_path / "rows.csv", tmp_path / "link.csv"
    file.write_text("old")
    file.chmod(0o600)
    link.symlink_to(file)
    replace(link, lambda part: part.write_text("new"))
    assert link.is_symlink()
    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_longest_name(tmp_path):
    file = tmp_path / ("ä" * 127)
    replace(file, lambda part: part.write_text("x"))
    assert [path.name for path in Path(tmp_path).iterdir()] == [file.name]

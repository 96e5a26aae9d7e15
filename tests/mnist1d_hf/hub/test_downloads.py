"""What killed downloads and pushes leave behind is taken away by the next ones, and nothing else is."""

import os
import subprocess
import sys
import tempfile
import time
import uuid

import pytest
from hub_server import client_environment

from mnist1d_hf.atomic import OLD
from mnist1d_hf.hub.downloads import sweep_downloads
from mnist1d_hf.staged_folder import scratch_folder

KILLED = """
import os, signal, sys
from pathlib import Path
moment, repo_id = sys.argv[1:]

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

if moment == "download":
    from huggingface_hub import file_download
    file_download.http_get = die
if moment == "commit":
    from huggingface_hub import HfApi
    HfApi.create_commit = die
from mnist1d_hf.hub.push import push
push(repo_id, ["train-1k"])
"""


def age(folder):
    then = time.time() - 2 * OLD
    for path in folder.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (then, then))


def names(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
@pytest.mark.parametrize("moment", ["download", "commit"])
def test_the_next_push_takes_away_what_a_killed_one_left(server, repo_id, tmp_path, start_client, moment):
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    temporary.mkdir()
    environment = client_environment(server, str(home)) | {"TMPDIR": str(temporary)}
    if moment == "download":  # of the card that is there
        assert start_client(home=home, **environment).push(repo_id, ["train-2k"])["ok"]
    command = [sys.executable, "-c", KILLED, moment, repo_id]
    subprocess.run(command, env=os.environ | environment, check=False, capture_output=True)
    left = names(temporary) | {name for name in names(home / "hub") if name.endswith(".incomplete")}
    assert left  # else this test tests nothing
    age(tmp_path)
    assert start_client(home=home, **environment).push(repo_id, ["train-1k"])["value"]["state"] == "complete"
    assert names(temporary) == set()
    assert not {name for name in names(home / "hub") if "incomplete" in name or "tmp" in name}


def test_a_folder_in_use_is_nobodys_to_take_away(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / ".work-new-abcdefgh"
    left.mkdir()
    (left / "half").write_text("x")
    others = [tmp_path / ".other-new-abcdefgh", tmp_path / "work"]
    for path in others:
        path.mkdir()
    with scratch_folder("work") as first:
        assert not left.exists()
        with scratch_folder("work") as second:
            assert first.is_dir()
            assert second != first
    assert sorted(tmp_path.iterdir()) == sorted(others)


def test_only_what_is_old_and_a_downloads_goes(tmp_path):
    copy = tmp_path / "models--owner--name"
    blobs, snapshot = copy / "blobs", copy / "snapshots" / "abc"
    for folder in (blobs, snapshot, copy / "tmpabcdefgh", copy / "tmpusersown"):
        folder.mkdir(parents=True)
    junk = [blobs / "abc.12345678.incomplete", blobs / f"tmp_{uuid.uuid4()}", copy / "tmpabcdefgh" / "dummy_file_src"]
    kept = [blobs / "abc", snapshot / "x.incomplete", copy / "tmpusersown" / "notes", copy / "tmp_file"]
    for path in (*junk, *kept):
        path.write_text("x")
    assert sweep_downloads(copy) == []  # somebody may be writing
    age(copy)
    assert len(sweep_downloads(copy)) == 3
    assert not any(path.exists() for path in junk)
    assert all(path.exists() for path in kept)
    assert sweep_downloads(tmp_path) == []

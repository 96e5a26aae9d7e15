"""Commands killed at random moments: nothing wrong is served, the same command heals all, and no junk is left."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mnist1d_hf import manifest
from mnist1d_hf.cache import cached_builds

ROOT = Path(__file__).parents[2]
KILLED = Path(__file__).with_name("killed.py")

COMMANDS = {
    "build": ["data", "build", "train-1k", "--force"],
    "build of a variant": ["data", "build", "no-shear", "--num-samples", "3000", "--stream", "fast", "--force"],
    "install": ["data", "install", "shuffled", "train-1k"],
    "export": ["data", "export", "exported", "--config", "train-1k", "no-shear", "--overwrite"],
}
SHARED = ["data", "build", "large", "--num-samples", "400000", "--num-proc", "2", "--force"]  # by several processes


class Commands:
    """Runs commands in a folder and with a cache of their own."""

    def __init__(self, folder):
        self.folder, self.cache = folder, folder / "cache"
        self.cache.mkdir(parents=True)
        environment = os.environ | {"PYTHONPATH": str(ROOT), "HF_DATASETS_CACHE": str(self.cache)}
        command = [sys.executable, str(KILLED)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment
        )

    def run(self, arguments, after=None):
        """Exit status and seconds."""
        self.process.stdin.write(json.dumps({"arguments": arguments, "after": after}) + "\n")
        self.process.stdin.flush()
        status, seconds, left = json.loads(self.process.stdout.readline())
        assert not left, f"processes of {arguments} are left behind"
        return status, seconds

    def files(self):
        """What lies there, by path: the content of data and card; of locks, nothing but where they lie."""
        found = {}
        for path in self.folder.rglob("*"):
            name = str(path.relative_to(self.folder))
            if path.is_file() and path.suffix in {".parquet", ".arrow", ".md", ".png"}:
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
            elif not (path.suffix == ".lock" and path.parent == self.cache):  # whose name is that of the folder
                found[name] = None
        return found

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


@pytest.fixture
def commands(tmp_path):
    opened = []

    def make(name):
        opened.append(Commands(tmp_path / name))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def assert_nothing_wrong(killed, before, expected):
    """Of what lies there, a build is right or known to be damaged; an export is the old one, the new one or none."""
    for build in cached_builds(killed.cache):
        assert manifest.problem_of(build.folder) is not None or build.problems() == []
    exported = {name: digest for name, digest in killed.files().items() if name.startswith("exported/")}
    versions = ({name: files[name] for name in files if name.startswith("exported/")} for files in (before, expected))
    assert not exported or exported in list(versions)


def kill(make, kills, chosen, seed):
    """Kills commands; returns how many were still at work."""
    rng = random.Random(seed)
    killed, undisturbed = make("killed"), make("undisturbed")
    seconds, hits = {}, 0
    for name, command in chosen.items():
        undisturbed.run(command)  # the first time, modules are loaded and the rest is made
        status, seconds[name] = undisturbed.run(command)
        assert status == 0
    everything = undisturbed.files()
    for number in range(kills):
        name = list(chosen)[number % len(chosen)]
        if name == "install" or rng.random() < 0.2:  # of what is there already, it makes nothing
            shutil.rmtree(killed.cache / "mnist1d", ignore_errors=True)
        before = killed.files()
        status, _ = killed.run(chosen[name], after=rng.uniform(0, 1.1 * seconds[name]))
        hits += status == -signal.SIGKILL
        assert_nothing_wrong(killed, before, everything)
        assert killed.run(chosen[name])[0] == 0
        junk = killed.files().keys() - everything.keys()
        assert not junk, (name, status, junk)
    for name in chosen:
        assert killed.run(chosen[name])[0] == 0
    assert killed.files() == everything
    return hits


def test_killed_at_a_few_random_moments(commands):
    assert kill(commands, 8, COMMANDS, seed=0) > 0


@pytest.mark.slow
def test_killed_at_many_random_moments(commands):
    assert kill(commands, 80, COMMANDS, seed=1) > 40


@pytest.mark.slow
def test_killed_with_processes_of_its_own(commands):
    assert kill(commands, 12, {"shared": SHARED}, seed=2) > 4

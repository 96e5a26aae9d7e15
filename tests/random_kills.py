"""The commands that write, killed at random moments: what each leaves is judged, and what the same command makes of it.

A moment is a time, drawn from the time of an undisturbed run (of which nothing is spent on importing), or a change of
files or locks, just before which the command is killed: those come where most is at stake. The kill takes the command
alone or all processes of it; it works on nothing, or on what the same command has made before.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from hub_server import client_environment

from mnist1d_hf import manifest
from mnist1d_hf.cache.builds import cached_builds

ROOT = Path(__file__).parents[1]
COUNTING = ROOT / "tests" / "lightning_module" / "studies" / "counting.py"
MODULES = ["lightning_module.commands.data", "lightning_module.commands.model", "lightning_module.model_hub"]
MODULES += ["lightning_module.commands.training", "lightning_module.commands.study", "matplotlib.figure"]
REPO, MODEL, TAG = "owner/killed", "owner/model", "v1"
LATER = 2 * 3600 * 10**9  # nanoseconds after which somebody comes back to what was killed
VARYING = {".json", ".lock", ".pdf", ".svg", ".log"}  # files that hold times, or nothing


class Place:
    """Where commands run: a folder, caches, a folder for temporary files on another disk if there is one, a Hub."""

    def __init__(self, folder: Path, server) -> None:
        self.server, self.root = server, folder
        shared = Path("/dev/shm")
        elsewhere = shared if shared.is_dir() and os.access(shared, os.W_OK) else None
        self.temporary = Path(tempfile.mkdtemp(prefix="mnist1d-hf-kills-", dir=elsewhere))
        self.work, self.home = folder / "work", folder / "home"
        self.said = folder / "said"
        self.clear()
        environment = os.environ | client_environment(server, str(self.home))
        environment |= {"PYTHONPATH": str(ROOT), "TMPDIR": str(self.temporary), "SAID": str(self.said)}
        environment |= {"OMP_NUM_THREADS": "1", "MPLCONFIGDIR": str(folder / "matplotlib")}
        command = [sys.executable, str(ROOT / "tests" / "killed.py"), *MODULES]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, text=True, cwd=self.work, env=environment, **pipes)

    @property
    def cache(self) -> Path:
        return self.home / "datasets"

    def run(self, arguments, *, after=None, event=None, group=False):
        """Exit status, seconds, and number of changes of files."""
        wanted = {"arguments": arguments, "after": after, "event": event, "group": group}
        self.process.stdin.write(json.dumps(wanted) + "\n")
        self.process.stdin.flush()
        status, seconds, changes, left = json.loads(self.process.stdout.readline())
        assert not left, f"processes of {arguments} are left behind"
        self.server.settle()
        return status, seconds, changes

    def heal(self, arguments):
        status, *_ = self.run(arguments)
        assert status == 0, (arguments, status, self.said.read_text()[-3000:])

    def clear(self):
        """Nothing is there; of the folder that commands run in, what it holds goes, but not itself."""
        for folder in (self.work, self.home, self.temporary):
            folder.mkdir(parents=True, exist_ok=True)
            for path in folder.iterdir():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        self.server.repos = {key: repo for key, repo in self.server.repos.items() if key[0] == "model"}

    def paths(self):
        """Every file and folder, by a name that is the same in all places."""
        own = str(self.root).replace("/", "_").lstrip("_")
        for name, top in (("work", self.work), ("home", self.home), ("temporary", self.temporary)):
            for path in top.rglob("*"):
                yield f"{name}/{path.relative_to(top)}".replace(own, "PLACE"), path

    def content(self):
        """Digests of what lies there, and of what the Hub serves; None for what is not the same in each run."""
        found = {name: digest_of(path) for name, path in self.paths()}
        if repo := self.server.repos.get(("dataset", REPO)):
            tree = repo.at("main").tree
            found |= {f"hub/{path}": blob.sha256 or blob.oid for path, blob in tree.items()}
            found["hub"] = f"{len(repo.history())} commits, {sorted(repo.tags)}"
        return found

    def age(self):
        """Somebody comes back later: all that lies there is as old as that, with the same order in time."""
        for _, path in [*self.paths()]:
            if not path.is_symlink():
                status = path.stat()
                os.utime(path, ns=(status.st_atime_ns - LATER, status.st_mtime_ns - LATER))

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        shutil.rmtree(self.temporary, ignore_errors=True)


def digest_of(path: Path):
    if not path.is_file() or path.suffix in VARYING:
        return None
    if path.suffix == ".ckpt":
        weights = torch.load(path, weights_only=True)["state_dict"]
        return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in weights.values())).hexdigest()
    return hashlib.sha256(path.read_bytes()).hexdigest()


# What is right after a kill: `before` and `expected` are contents, before it and of an undisturbed run.


def part_of(content, prefix):
    return {name: digest for name, digest in content.items() if name.startswith(prefix)}


def builds_are_right(place, before, expected):
    """A build is right or known to be damaged."""
    for build in cached_builds(place.cache):
        assert manifest.problem_of(build.folder) is not None or build.problems() == []


def export_is_whole(place, before, expected):
    """It is the old one, the new one or none."""
    builds_are_right(place, before, expected)
    prefix = "work/exported/"
    assert part_of(place.content(), prefix) in ({}, part_of(before, prefix), part_of(expected, prefix))


def commit_is_whole(place, before, expected):
    """There is no repository, an empty one, or one commit; a tag marks what is complete."""
    repo = place.server.repos.get(("dataset", REPO))
    if repo is None:
        return
    served = part_of(place.content(), "hub/")
    assert set(served) == {"hub/.gitattributes"} or served == part_of(expected, "hub/")
    for commit in repo.tags.values():
        assert {f"hub/{path}" for path in repo.at(commit).tree} == part_of(expected, "hub/").keys()


def pull_is_whole(place, before, expected):
    """The folder is whole, or not there, or empty."""
    prefix = "work/pulled/"
    assert part_of(place.content(), prefix) in ({}, part_of(expected, prefix))


def checkpoints_are_whole(place, before, expected):
    """Each that is there can be read, and holds the weights that the undisturbed run had then."""
    right = {(name.rpartition("/")[2], digest) for name, digest in expected.items() if name.endswith(".ckpt")}
    for name, path in place.paths():
        if path.suffix == ".ckpt" and not path.name.startswith("last"):
            assert (path.name, digest_of(path)) in right, name
        elif path.suffix == ".ckpt":
            torch.load(path, weights_only=True)


def checkpoints_go_on(place, killed):
    """From the last checkpoint of a killed run the fit goes on, and `validate` takes it."""
    last = max(killed, key=lambda path: path.stat().st_mtime_ns, default=None)
    if last is None:
        return
    place.heal([*FIT, "--ckpt_path", str(last)])
    place.heal(["validate", *FIT[1:3], "--trainer.enable_progress_bar=false", "--ckpt_path", str(last)])


def study_is_right(place, before, expected):
    """There is no result, or one that verifies, with the right tables."""
    if not (place.work / "mine/result.json").exists():
        return
    status, *_ = place.run(["study", "verify", str(COUNTING), "--preset", "smoke", "--folder", "mine"])
    assert status in VERIFIED, place.said.read_text()[-2000:]
    tables = {name: digest for name, digest in part_of(place.content(), "work/mine/").items() if name.endswith(".csv")}
    assert tables == {name: expected[name] for name in tables}


def same(found, expected):
    """The same files, with the same content."""
    junk, lacking = sorted(found.keys() - expected.keys()), sorted(expected.keys() - found.keys())
    other = sorted(name for name in found.keys() & expected.keys() if found[name] != expected[name])
    problem = f"junk {junk}, lacking {lacking}, other content in {other}"
    assert not [*junk, *lacking, *other], problem


def same_versions(found, expected):
    """As `same`, but each run of a fit has a folder of its own: the last one is whole, no other holds more names."""
    versions = [sorted({n for n in map(version_of, content) if n is not None}) for content in (found, expected)]
    newest = [of_version(content, numbers[-1]) for content, numbers in zip((found, expected), versions, strict=True)]
    same(*newest)
    for number in versions[0][:-1]:
        names = of_version(found, number).keys()
        assert names <= newest[1].keys(), names - newest[1].keys()
    others = [{name: of for name, of in each.items() if version_of(name) is None} for each in (found, expected)]
    same(*others)


def version_of(name):
    match = re.match(r"work/lightning_logs/version_(\d+)", name)
    return int(match[1]) if match else None


def of_version(content, number):
    return {n.replace(f"version_{number}", "", 1): digest for n, digest in content.items() if version_of(n) == number}


@dataclass(frozen=True)
class Killed:
    """A command, and what must hold.

    Attributes:
        arguments: As they are typed.
        right: Called after the kill.
        compare: Called with the content after healing, and that of an undisturbed run.
    """

    arguments: list[str]
    right: Callable = builds_are_right
    compare: Callable = same


FIT = ["fit", "--config", "logistic.yaml", "--trainer.max_steps=60", "--trainer.val_check_interval=20"]
FIT += [
    "--trainer.enable_progress_bar=false",
    "--trainer.callbacks+=ModelCheckpoint",
    "--trainer.callbacks.save_last=true",
]
FIT += ["--trainer.callbacks.every_n_train_steps=20", "--trainer.callbacks.save_top_k=-1"]
STUDY = ["study", "run", str(COUNTING), "--preset", "smoke", "--folder", "mine"]
LONG = ["--new-config", "many", "--num-samples", "301000", "--train-split", "0.99", "--stream", "fast"]
LONG += ["--rows-per-shard", "100000", "--padding", "[4,8]", "--final-seq-length", "8"]
VERIFIED = (0, 3)  # the second: the study is nobody's, so that no committed digest is there to compare with

COMMANDS = {
    "build": Killed(["data", "build", "train-1k", "--force"]),
    "build of a variant": Killed(["data", "build", "no-shear", "--num-samples", "3000", "--stream", "fast", "--force"]),
    "install": Killed(["data", "install", "shuffled", "train-1k"]),
    "export": Killed(
        ["data", "export", "exported", "--config", "train-1k", "no-shear", "--overwrite"], export_is_whole
    ),
    "push": Killed(["data", "push", REPO, "--config", "train-1k", "no-shear", "--tag", TAG], commit_is_whole),
    "pull": Killed(["model", "pull", MODEL, "pulled"], pull_is_whole),
    "fit": Killed(FIT, checkpoints_are_whole, same_versions),
    "study": Killed([*STUDY, "--workers", "1"], study_is_right),
}
SEVERAL = {  # by several processes
    "build by two": Killed(["data", "build", "large", "--num-samples", "200000", "--num-proc", "2", "--force"]),
    "export of shards by two": Killed(
        ["data", "export", "exported", *LONG, "--num-proc", "2", "--overwrite"], export_is_whole
    ),
    "push of shards": Killed(["data", "push", REPO, *LONG, "--tag", TAG], commit_is_whole),
    "study by two": Killed([*STUDY, "--workers", "2"], study_is_right),
}


@dataclass
class Undisturbed:
    """What an undisturbed command makes of nothing, and again of that; how long it takes; its changes of files."""

    contents: list
    seconds: list
    changes: list


def undisturbed(place: Place, command: Killed) -> Undisturbed:
    place.clear()
    contents, timed = [], []
    for _ in range(2):
        status, seconds, changes = place.run(command.arguments)
        assert status == 0, place.said.read_text()[-3000:]
        timed.append((seconds, changes))
        contents.append(place.content())
    return Undisturbed(contents, *map(list, zip(*timed, strict=True)))


def publish_model(place: Place) -> None:
    """A model on the stand-in Hub, of a fit."""
    place.heal(FIT)
    (checkpoint, *_) = sorted(place.work.rglob("step=60*.ckpt")) or sorted(place.work.rglob("*step=60.ckpt"))
    place.heal(["model", "push", MODEL, str(checkpoint)])


def kill(places, rng, kills, chosen=COMMANDS, *, tell=lambda line: None):
    """Kills commands in turn; returns, by command, how many kills met it at work, of how many, and what was wrong."""
    killed, quiet = places
    publish_model(quiet)
    killed.server.repos.update(quiet.server.repos)
    killed.server.lfs.update(quiet.server.lfs)
    known = {name: undisturbed(quiet, command) for name, command in chosen.items()}
    hits, tried, problems = Counter(), Counter(), []
    for number in range(kills):
        name = list(chosen)[number % len(chosen)]
        command, expected = chosen[name], known[name]
        again = int(rng.random() < 0.4)
        moment = {"group": rng.random() < 0.6}
        if rng.random() < 0.5:
            moment["event"] = rng.randint(1, max(1, expected.changes[again]))
        else:
            moment["after"] = rng.uniform(0, expected.seconds[again])
        killed.clear()
        if again:
            killed.heal(command.arguments)
        status, problem = once(killed, command, expected.contents[again], moment)
        tried[name] += 1
        hits[name] += status == -signal.SIGKILL
        line = f"{number + 1} {name} {'again' if again else 'anew'} {moment}: {status} {problem}".strip()
        problems += [line] if problem else []
        tell(line)
    return {name: (hits[name], tried[name]) for name in chosen}, problems


def once(place, command, expected, moment):
    """One kill, and what comes after it: the status, and what is wrong in words."""
    before = place.content()
    status, *_ = place.run(command.arguments, **moment)
    try:
        command.right(place, before, expected)
        left = [path for _, path in place.paths() if path.suffix == ".ckpt"]
        place.age()
        place.heal(command.arguments)
        command.compare(place.content(), expected)
        checkpoints_go_on(place, left)
    except Exception as error:  # of reading too; the next kill is tried all the same
        return status, f"{type(error).__name__}: {error}"
    return status, ""

"""Code blocks of Markdown pages, run as a reader runs them: each in a process of its own, in one folder, as it stands.

`python blocks.py` is the process behind it. It imports the libraries once and forks for each block, so that a block
costs what it does and not what `import torch` does. None of our modules is imported before it.
"""

import importlib
import io
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^(?P<fence>`{3,})(?P<language>[^\n`]*)\n(?P<code>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL)
HEAVY = (
    "numpy",
    "datasets",
    "torch",
    "torchmetrics",
    "pytorch_lightning",
    "jsonargparse",
    "matplotlib",
    "pandas",
    "scipy",
)
CAN_FORK = sys.platform == "linux"  # elsewhere libraries may have threads by now, which a fork leaves behind
PATIENCE = 300  # seconds for a block


# Where this process may run. A study that sees one core runs in the process that called it: two more, of which each
# imports torch, take several times what a smoke preset does.
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
_turns = itertools.count(os.getpid())


def on_one_core() -> None:
    """Leaves this thread, and the processes that it starts, one core; a different one for each call."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {CORES[next(_turns) % len(CORES)]})


class Block(NamedTuple):
    """A block of code.

    Attributes:
        page: Path from the root folder.
        line: Of the page, the first of the code.
        language: Behind the fence.
        code: What is between the fences.
    """

    page: str
    line: int
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str) -> list[Block]:
    """Returns the blocks of a page; a block within a directive, such as a dropdown, too."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        Block(page, text[: found.start("code")].count("\n") + 1, found["language"].strip(), found["code"])
        for found in FENCE.finditer(text)
    ]


class Reader:
    """A reader's shell in a folder: runs blocks and commands, one after another.

    Args:
        folder: Where they run.
        environment: Their environment.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.process: subprocess.Popen[str] | None = None

    def python(self, block: Block) -> str:
        """Runs a block as a program; returns what it prints."""
        return self._run({"code": block.code, "name": str(block)})

    def command(self, arguments: list[str], typed: str = "") -> str:
        """Runs `mnist1d` with arguments; returns what it prints."""
        return self._run({"arguments": arguments, "name": "mnist1d " + " ".join(arguments), "typed": typed})

    def close(self) -> None:
        """Ends the process."""
        if self.process is not None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            self.process.wait(timeout=60)

    def _run(self, job: dict[str, object]) -> str:
        command = [sys.executable, __file__]
        if CAN_FORK:
            if self.process is None:
                pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
                self.process = subprocess.Popen(command, cwd=self.folder, env=self.environment, text=True, **pipes)
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        else:
            typed = json.dumps({**job, "alone": True}) + "\n"
            answer = subprocess.run(
                command, cwd=self.folder, env=self.environment, input=typed, capture_output=True, text=True, check=True
            ).stdout
        done = json.loads(answer)
        assert done["status"] == 0, f"{job['name']}:\n{done['printed']}"
        return str(done["printed"])


@contextmanager
def reading(folder: Path, environment: dict[str, str]) -> Iterator[Reader]:
    """Yields a reader, whose process ends at the end."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    # One thread, on which networks this small are no slower, and which does not fight with others for the cores.
    own = {"PATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "100", "MPLBACKEND": "Agg"}
    assert shutil.which("mnist1d", path=path), "the package is not installed here"
    reader = Reader(folder, {**os.environ, **environment, **own})
    try:
        yield reader
    finally:
        reader.close()


# What follows runs in the reader's process.


def serve() -> None:
    """Runs the jobs that are written to it, a line each."""
    on_one_core()
    for line in sys.stdin:
        job = json.loads(line)
        if not job.get("alone"):
            for library in HEAVY:
                importlib.import_module(library)
        sys.stdout.write(json.dumps(in_a_fork(job) if not job.get("alone") else here(job)) + "\n")
        sys.stdout.flush()


def in_a_fork(job: dict[str, str]) -> dict[str, object]:
    """Returns how a job ended, and what it printed, in a copy of this process."""
    scratch = Path(tempfile.gettempdir(), f"printed-{os.getpid()}")
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with scratch.open("wb") as file:
                for stream in (1, 2):
                    os.dup2(file.fileno(), stream)
            typed = scratch.with_suffix(".typed")
            typed.write_text(job.get("typed", ""), encoding="utf-8")
            os.dup2(os.open(typed, os.O_RDONLY), 0)
            sys.stdin, sys.stdout = (
                io.TextIOWrapper(io.FileIO(0)),
                io.TextIOWrapper(io.FileIO(1, "w"), write_through=True),
            )
            status = outcome(job)
            sys.stdout.flush()
        finally:
            os._exit(status)
    _, waited = os.waitpid(child, 0)
    printed = scratch.read_text(encoding="utf-8", errors="replace")
    for file in (scratch, scratch.with_suffix(".typed")):
        file.unlink(missing_ok=True)
    return {"status": os.waitstatus_to_exitcode(waited), "printed": printed}


def here(job: dict[str, str]) -> dict[str, object]:
    """Returns how a job ended, and what it printed, where there is no fork: in this process."""
    stdout = sys.stdout
    sys.stdin, sys.stdout = io.StringIO(job.get("typed", "")), io.StringIO()
    try:
        return {"status": outcome(job), "printed": sys.stdout.getvalue()}
    finally:
        sys.stdout = stdout


def outcome(job: dict[str, str]) -> int:
    """Returns the exit status of a job."""
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        if "code" in job:
            warnings.filterwarnings("error", category=FutureWarning, module="__main__")
            exec(compile(job["code"], job["name"], "exec"), main.__dict__)
        else:
            sys.argv = ["mnist1d", *job["arguments"]]
            from lightning_module.cli import main as mnist1d

            return int(mnist1d() or 0)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    serve()

"""Every code block of the README runs, as it stands there."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import client_environment, serving

from mnist1d_hf import RECIPES

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(
    r"^```(\w+)\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
PYTHON = [code for language, code in BLOCKS if language == "python"]
COMMANDS = [line for language, code in BLOCKS if language == "console" for line in code.splitlines()]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """An empty folder and an environment with a cache of its own, shared by all blocks as by a reader's shell.

    The Hub is a stand-in, to which the reader has pushed before.
    """
    folder = tmp_path_factory.mktemp("reader")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    # One thread, on which networks this small are no slower, and which does not fight with others for the cores.
    own = {"PATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "100"}
    with serving() as hub:
        environment = {**os.environ, **client_environment(hub, str(folder / "hf")), **own}
        before = ["data", "push", "owner/mnist1d", "--config", "default", "high-noise", "--tag", "data-v1.0.0"]
        run([str(shutil.which("mnist1d", path=path)), *before], folder, environment)
        yield folder, environment


def run(command: list[str], folder: Path, environment: dict[str, str], typed: str = "") -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, input=typed, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_block_has_a_language_that_is_run() -> None:
    fences = re.findall(r"^```(.*)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {fence for fence in fences if fence} == {"python", "console"}
    assert len(fences) == 2 * len(BLOCKS)


@pytest.mark.parametrize("code", PYTHON, ids=lambda code: code.strip().splitlines()[-1][:40])
def test_python_block(code: str, place: tuple[Path, dict[str, str]]) -> None:
    run([sys.executable, "-W", "error::FutureWarning:__main__", "-c", code], *place)


def test_command_lines(place: tuple[Path, dict[str, str]]) -> None:
    folder, environment = place
    for line in COMMANDS:
        program, *arguments = line.split()
        if program == "make":  # the real thing is test_fresh_clone's; here: does the target exist?
            run(["make", "-n", *arguments], ROOT, environment)
        elif program == "pip":
            assert arguments[:2] == ["install", "."]
        else:
            assert program == "mnist1d", f"the README names {program}, which no test runs"
            typed = "0123456789\n" if arguments[0] == "quiz" else ""
            run([str(shutil.which("mnist1d", path=environment["PATH"])), *arguments], folder, environment, typed)


def test_the_configs_are_those_of_the_package() -> None:
    """By the names themselves, not by what writes the list."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = text.partition("<!-- configs: written by make card -->")[2].partition("<!-- end of configs -->")[0]
    assert re.findall(r"`([^`]+)`", listed) == list(RECIPES), "run make card"


def test_pictures_and_pages_exist() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    missing = [target for target in targets if not target.startswith("http") and not (ROOT / target).exists()]
    assert not missing

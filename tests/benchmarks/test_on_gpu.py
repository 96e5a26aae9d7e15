"""The script for a GPU, as far as a machine without one can run it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "benchmarks"))  # no package; its modules' names are no others'

import on_gpu  # noqa: E402


def test_without_a_gpu_it_stops_with_one_line(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert on_gpu.main([]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("no GPU here: torch ")
    assert "finds no CUDA device" in err


def test_the_command_passes_on_status_and_options(tmp_path):
    python = tmp_path / "python"
    python.write_text('#!/bin/bash\necho "$PWD $*"; [[ $2 == --slow ]] && sleep 60; exit 7\n')
    python.chmod(0o755)

    def run(*options, **environment):
        command, variables = [str(ROOT / "benchmarks" / "on_gpu.sh"), *options], {"PYTHON": str(python), **environment}
        return subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)

    done = run("--small")
    assert (done.returncode, done.stdout) == (7, f"{ROOT} benchmarks/on_gpu.py --small\n")
    assert run("--slow", SECONDS_AT_MOST="0.2").returncode == 124


def test_every_check_runs_on_a_cpu(monkeypatch, capsys):
    monkeypatch.setattr(on_gpu, "SLOWER", float("inf"))  # what ten steps take says nothing
    assert on_gpu.main(["--device", "cpu", "--small"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for what in (
        "replicas, mlp",
        "ms a step and model, mlp",
        "fit step, mlp",
        "endless fit",
        "posterior of five signals",
    ):
        assert any(line.startswith(what) for line in lines), what
    assert lines[-1].startswith("all hold, in ")


@pytest.mark.parametrize("what", ["raises", "differs"])
def test_what_does_not_hold_is_said_and_decides_the_status(monkeypatch, capsys, what):
    def check(device, size):
        yield "first", "0.5", True
        if what == "raises":
            raise RuntimeError("out of memory")
        yield "second", "1.5", False

    monkeypatch.setattr(on_gpu, "CHECKS", (check,))
    assert on_gpu.main(["--device", "cpu"]) == 1
    out = capsys.readouterr().out
    assert "DOES NOT HOLD" in out
    assert ("out of memory" if what == "raises" else "1.5") in out
    assert "1 do not hold" in out

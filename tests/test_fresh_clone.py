"""What a stranger does: clone into an empty folder, run the README's commands, and run them again."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_demo_from_a_fresh_clone_twice(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    environment = {**os.environ, "HF_HOME": str(tmp_path / "hf"), "COLUMNS": "120"}
    environment.pop("HF_DATASETS_CACHE", None)
    for _ in range(2):
        done = subprocess.run(["make", "demo"], cwd=clone, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "the frozen 2020 data, bit for bit" in done.stdout
        assert "Next:\n" in done.stdout
        for name in ("templates", "examples", "learning_curve"):
            assert (clone / "outputs" / "demo" / f"{name}.png").stat().st_size > 10_000
    clean = subprocess.run(["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True)
    assert clean.stdout == ""

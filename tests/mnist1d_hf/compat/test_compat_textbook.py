"""The notebooks of the textbook, run with the reference package and with `compat` in its place: the same rows."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mnist1d_hf import make_mnist1d

ROOT = Path(__file__).parents[3]
SCRIPT = Path(__file__).parents[1] / "textbook.py"
CHAPTERS = ["8_1", "8_3", "9_5", "10_2", "11", "20_1", "20_2", "20_3"]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What the script writes, with either package; side by side."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}
    running = {}
    for package in ("reference", "compat"):
        folder = tmp_path_factory.mktemp(package)
        command = [sys.executable, str(SCRIPT), package, str(folder / "out.npz")]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        running[folder] = subprocess.Popen(command, cwd=folder, env=environment, **pipes)
    found = []
    for folder, process in running.items():
        printed, _ = process.communicate(timeout=240)
        assert process.returncode == 0, printed
        with np.load(folder / "out.npz", allow_pickle=False) as stored:
            found.append({name: stored[name] for name in stored.files})
    return found


@pytest.mark.parametrize("chapter", [*(f"chapter_{number}" for number in CHAPTERS), "by_hand"])
def test_a_chapter_gets_the_references_rows_and_random_state(outcomes, chapter):
    theirs, ours = ({name: a for name, a in all_.items() if name.startswith(f"{chapter}/")} for all_ in outcomes)
    assert theirs.keys() == ours.keys()
    assert len(theirs) > 2  # more than the random states
    for name, expected in theirs.items():
        assert ours[name].shape == expected.shape, name
        assert ours[name].dtype == expected.dtype, name
        if expected.dtype.kind == "f" and not name.endswith("_state"):
            np.testing.assert_allclose(ours[name], expected, rtol=0, atol=1e-12, err_msg=name)
        else:  # labels, rows drawn, and the whole random state
            assert np.array_equal(ours[name], expected), name


def test_the_notebooks_own_label_noise_is_on_the_labels(outcomes):
    _, ours = outcomes
    clean = make_mnist1d(num_samples=8000, train_split=0.5).train.y
    assert 0.12 < np.mean(ours["chapter_8_3/y"] != clean) < 0.15  # 15 % drawn anew, a tenth of them as before

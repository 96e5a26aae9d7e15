import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mnist1d_hf import make_slice

HERE = Path(__file__).parent


def run(folder, path, devices, shuffle):
    return result_of("two_devices.py", path, folder, path, devices, shuffle)


def result_of(script, path, *arguments):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE.parents[2])]),
        "HF_HOME": str(path / "home"),
        "GLOO_SOCKET_IFNAME": "lo",
        "MASTER_ADDR": "127.0.0.1",
    }
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    return json.loads(line.removeprefix("RESULT"))


@pytest.mark.parametrize("shuffle", ["epoch", pytest.param("none", marks=pytest.mark.slow)])
def test_two_devices_with_50_take_the_steps_of_one_with_100(folder, tmp_path, shuffle):
    one, two = (run(folder, tmp_path, devices, shuffle) for devices in (1, 2))
    assert one["steps"] == two["steps"] == 50
    assert len(one["losses"]) == len(two["losses"]) == 50
    assert one["losses"][-1] < one["losses"][0] - 0.3
    assert two["losses"] == pytest.approx(one["losses"], abs=1e-5)
    assert two["tested"] == pytest.approx(one["tested"], abs=1e-4)


def test_two_devices_train_endlessly_on_examples_of_their_own(tmp_path):
    first, second = result_of("two_endless.py", tmp_path, tmp_path)
    blocks = make_slice("default", "train", 0, 8000).x[:, 0].reshape(8, 1000)
    for rank, rows in enumerate((first, second)):
        assert rows == pytest.approx(blocks[rank::2].ravel()[:3600].tolist(), abs=0)
    assert not {*first} & {*second}

"""What ten CNNs answered to the frozen test signals, kept from the benchmark's result.

``python -m lightning_module.quiz.networks docs/results/benchmark`` writes the packaged file anew.
"""

import json
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist1d_hf import make_mnist1d
from mnist1d_hf.atomic import replace
from mnist1d_hf.cache import golden

FILE = "networks.json"
ARRAY = "frozen-cnn-own-test"  # (networks, signals): answer minus label, modulo ten
ARM = "frozen/0"


def answers(rows: Sequence[int], y: Sequence[int]) -> npt.NDArray[np.int64]:
    """Returns what each CNN answers to each signal, ``(networks, n)``.

    Args:
        rows: Rows of the frozen test split.
        y: Their labels.
    """
    kept = _kept()
    found: npt.NDArray[np.int64] = np.tile(np.asarray(y, dtype=np.int64), (kept["networks"], 1))
    for place, row in enumerate(rows):
        if text := kept["answers"].get(str(row)):
            found[:, place] = [int(digit) for digit in text]
    return found


def right_answers(rows: Sequence[int], y: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Returns whether each CNN reads each signal right, ``(networks, n)``.

    Args:
        rows: Rows of the frozen test split.
        y: Their labels.
    """
    right: npt.NDArray[np.bool_] = answers(rows, y) == np.asarray(y, dtype=np.int64)
    return right


def accuracies() -> list[float]:
    """Returns the accuracy of each CNN on all the frozen test signals."""
    kept = _kept()
    return [(kept["signals"] - wrong) / kept["signals"] for wrong in kept["wrong"]]


def signals() -> int:
    """Returns how many signals the frozen test split has."""
    number: int = _kept()["signals"]
    return number


def confusion() -> npt.NDArray[np.int64]:
    """Returns how often the CNNs took each digit (rows) for each (columns), on all the test signals, (10, 10)."""
    kept, y = _kept(), make_mnist1d().test.y
    found = np.zeros((10, 10), dtype=np.int64)
    np.add.at(found, (y, y), kept["networks"])
    for row, digits in kept["answers"].items():
        truth = y[int(row)]
        found[truth, truth] -= len(digits)
        for digit in digits:
            found[truth, int(digit)] += 1
    return found


def keep(result: Path, file: Path) -> None:
    """Writes what the benchmark's CNNs answered: for each signal that any of them misread, a digit for each network.

    Args:
        result: Folder of a result of the benchmark.
        file: What to write.

    Raises:
        ValueError: If the result is not of the frozen data.
    """
    record = json.loads((result / "result.json").read_text(encoding="utf-8"))
    digests = golden.committed()["default"]["test"]
    if record["data"][ARM]["sha256"]["test"] != digests:
        raise ValueError(f"{result} was not measured on the frozen test split; run the benchmark again")
    with np.load(result / "arrays.npz", allow_pickle=False) as arrays:
        off = arrays[ARRAY]
    answers = (off + make_mnist1d().test.y) % 10
    misread = np.flatnonzero(off.any(axis=0))
    kept = {
        "what": "answers of CNNs to the frozen test split, a digit for each network; signals that all read right are "
        "left out",
        "network": f"cnn, {record['config']['steps']} steps, seeds 0 to {len(off) - 1}; study {record['study']}, "
        f"preset {record['preset']}",
        "networks": len(off),
        "signals": off.shape[1],
        "sha256": digests,
        "wrong": np.count_nonzero(off, axis=1).tolist(),
        "answers": {str(row): "".join(map(str, answers[:, row])) for row in misread},
    }
    replace(file, lambda part: part.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8"))


def _kept() -> dict[str, Any]:
    text = files("lightning_module.quiz").joinpath(FILE).read_text(encoding="utf-8")
    kept: dict[str, Any] = json.loads(text)
    return kept


if __name__ == "__main__":
    keep(Path(sys.argv[1]), Path(__file__).with_name(FILE))

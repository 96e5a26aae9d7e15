import csv
import json
from pathlib import Path

import numpy as np
import pytest

from lightning_module.quiz import networks
from mnist1d_hf import make_mnist1d

ROOT = Path(__file__).parents[3]
RESULT = ROOT / "docs" / "results" / "benchmark"
PACKAGED = Path(networks.__file__).with_name(networks.FILE)


def committed(name):
    with (RESULT / name).open() as file:
        return list(csv.DictReader(file))


def test_the_packaged_file_is_what_the_committed_result_makes_and_small(tmp_path):
    networks.keep(RESULT, tmp_path / "kept.json")
    assert (tmp_path / "kept.json").read_text() == PACKAGED.read_text(), (
        "run python -m lightning_module.quiz.networks docs/results/benchmark"
    )
    assert PACKAGED.stat().st_size < 10_000


def test_accuracies_are_those_of_the_benchmarks_table():
    rows = [
        row for row in committed("rows.csv") if (row["arm"], row["network"], row["points"]) == ("frozen", "cnn", "own")
    ]
    last = max(int(row["step"]) for row in rows)
    final = {
        int(row["seed"]): float(row["accuracy"]) for row in rows if row["on"] == "test" and int(row["step"]) == last
    }
    assert networks.accuracies() == pytest.approx([final[seed] for seed in range(10)], abs=1e-6)
    assert networks.signals() == 1000


def test_on_the_rows_of_the_human_quiz_they_are_those_of_the_quiz_table():
    y = make_mnist1d().test.y
    rows = [*range(100), *range(200, 500)]
    expected = [float(row["accuracy"]) for row in committed("quiz.csv") if row["network"] == "cnn"]
    right = networks.right_answers(rows, y[rows].tolist())
    assert right.shape == (10, 400)
    assert right.mean(axis=1).tolist() == pytest.approx(expected, abs=1e-6)


def test_each_signal_is_right_or_wrong_as_in_the_predictions():
    y = make_mnist1d().test.y
    rows = np.random.default_rng(0).permutation(1000)
    with np.load(RESULT / "arrays.npz") as arrays:
        off = arrays["frozen-cnn-own-test"]
    np.testing.assert_array_equal(networks.right_answers(rows.tolist(), y[rows].tolist()), off[:, rows] == 0)


def test_a_result_of_other_data_is_refused(tmp_path):
    record = json.loads((RESULT / "result.json").read_text())
    record["data"]["frozen/0"]["sha256"]["test"]["x"] = "0" * 64
    (tmp_path / "result.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match="was not measured on the frozen test split"):
        networks.keep(tmp_path, tmp_path / "kept.json")
    assert not (tmp_path / "kept.json").exists()

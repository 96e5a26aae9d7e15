import copy
import json

import numpy as np
import pytest
from datasets import load_dataset

from mnist1d_hf import DATA_VERSION, RECIPES, as_numpy, make_mnist1d
from mnist1d_hf.cache import golden
from mnist1d_hf.generator.columns import column_digests

REFERENCE = [name for name, named in RECIPES.items() if named.stream == "reference"]


def test_every_config_has_committed_content():
    assert golden.committed().keys() == RECIPES.keys(), "run make card"
    assert all(splits.keys() == {"train", "test"} for splits in golden.committed().values())


@pytest.mark.parametrize("name", RECIPES)
def test_the_generator_makes_what_is_committed(name):
    assert golden.differences(name, golden.committed()[name], golden.computed(name)) == []


@pytest.mark.parametrize("name", ["default", "label-noise", "latents", "shuffled"])
def test_what_is_loaded_is_what_is_committed(name):
    dataset = load_dataset("mnist1d", name)
    found = {split: column_digests([dataset[split].with_format("arrow")[:]]) for split in dataset}
    assert found == golden.committed()[name]


def test_what_is_streamed_of_large_is_what_is_committed():
    for split, expected in golden.committed()["large"].items():
        stream = load_dataset("mnist1d", "large", split=split, streaming=True)
        first = next(stream.with_format("numpy").iter(batch_size=golden.MOMENT_ROWS))["x"]
        assert first.mean(dtype=np.float64) == pytest.approx(expected["mean"], abs=golden.TOLERANCE)
        assert first.std(dtype=np.float64) == pytest.approx(expected["std"], abs=golden.TOLERANCE)
        row = next(iter(stream.skip(999)))
        np.testing.assert_allclose(row["x"], expected["x"][2], atol=golden.TOLERANCE)
        assert row["y"] == expected["y"][2]


def test_committed_content_tells_configs_apart():
    digests = [golden.committed()[name]["train"]["x"] for name in REFERENCE]
    same = {"default", "label-noise", "latents"}, {"double-descent", "double-descent-noisy"}  # x does not change
    assert len(set(digests)) == len(digests) - sum(len(group) - 1 for group in same)
    noisy = golden.committed()["label-noise"]["train"]
    assert noisy["y"] != noisy["y_clean"] == golden.committed()["default"]["train"]["y"]


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A committed file of two small configs."""
    few = {name: RECIPES[name] for name in ("train-1k", "no-shift")}
    monkeypatch.setattr(golden, "RECIPES", few)
    golden.write(tmp_path / "golden.json")
    return tmp_path / "golden.json"


def test_writing_it_twice_changes_nothing(file):
    before = file.read_text()
    assert json.loads(before)[DATA_VERSION] == {name: golden.committed()[name] for name in ("train-1k", "no-shift")}
    golden.write(file)
    assert file.read_text() == before


@pytest.mark.parametrize(("split", "column"), [("train", "x"), ("test", "y")])
def test_changed_records_under_the_same_version_are_refused_with_advice(file, split, column):
    content = json.loads(file.read_text())
    content[DATA_VERSION]["no-shift"][split][column] = "0" * 64
    file.write_text(json.dumps(content))
    with pytest.raises(
        ValueError, match=rf"no-shift, split '{split}': {column} is not what .*raise DATA_VERSION .*next MAJOR"
    ):
        golden.write(file)
    assert json.loads(file.read_text()) == content


def test_a_changed_generator_is_refused_and_a_raised_version_is_written_beside_the_old(file, monkeypatch):
    before = json.loads(file.read_text())
    make = golden.make_mnist1d
    monkeypatch.setattr(golden, "make_mnist1d", lambda name: make(name, seed=1))
    with pytest.raises(ValueError, match="Published records never change under their version"):
        golden.write(file)
    assert json.loads(file.read_text()) == before
    monkeypatch.setattr(golden, "DATA_VERSION", "2.0.0")
    golden.write(file)
    after = json.loads(file.read_text())
    assert after[DATA_VERSION] == before[DATA_VERSION]
    assert after["2.0.0"]["no-shift"]["train"]["x"] != before[DATA_VERSION]["no-shift"]["train"]["x"]


def test_a_minor_version_says_only_what_it_adds(file, monkeypatch):
    before = json.loads(file.read_text())
    major, minor, _ = map(int, DATA_VERSION.split("."))
    higher = f"{major}.{minor + 10}.0"  # not the next: as numbers, not as text
    monkeypatch.setattr(golden, "DATA_VERSION", higher)
    monkeypatch.setattr(golden, "RECIPES", {**golden.RECIPES, "train-2k": RECIPES["train-2k"]})
    golden.write(file)
    assert json.loads(file.read_text()) == {**before, higher: {"train-2k": golden.committed()["train-2k"]}}


def test_a_minor_version_may_add_columns(file, monkeypatch):
    before = json.loads(file.read_text())
    major, minor, _ = map(int, DATA_VERSION.split("."))
    higher = f"{major}.{minor + 1}.0"
    monkeypatch.setattr(golden, "DATA_VERSION", higher)
    made = golden.computed
    more = {"no-shift": {"padding": "0" * 64}}
    monkeypatch.setattr(
        golden,
        "computed",
        lambda name: {split: {**found, **more.get(name, {})} for split, found in made(name).items()},
    )
    golden.write(file)
    after = json.loads(file.read_text())
    assert after[DATA_VERSION] == before[DATA_VERSION]
    assert after[higher].keys() == {"no-shift"}
    for split, columns in before[DATA_VERSION]["no-shift"].items():
        assert after[higher]["no-shift"][split] == columns | more["no-shift"]
    written = file.read_text()
    golden.write(file)
    assert file.read_text() == written


@pytest.mark.parametrize("change", ["records", "gone", "a column gone"])
def test_a_minor_version_changes_nothing_of_those_before_it(file, monkeypatch, change):
    before = file.read_text()
    major, minor, _ = map(int, DATA_VERSION.split("."))
    monkeypatch.setattr(golden, "DATA_VERSION", f"{major}.{minor + 1}.0")
    if change == "records":
        make = golden.make_mnist1d
        monkeypatch.setattr(golden, "make_mnist1d", lambda name: make(name, seed=1))
    elif change == "gone":
        monkeypatch.setattr(golden, "RECIPES", {"train-1k": RECIPES["train-1k"]})
    else:
        made = golden.computed
        monkeypatch.setattr(
            golden, "computed", lambda name: {split: {"x": found["x"]} for split, found in made(name).items()}
        )
    with pytest.raises(ValueError, match=r"raise DATA_VERSION .*next MAJOR"):
        golden.write(file)
    assert file.read_text() == before


def test_a_new_config_may_join_a_version(file, monkeypatch):
    before = json.loads(file.read_text())[DATA_VERSION]
    monkeypatch.setattr(golden, "RECIPES", {**golden.RECIPES, "train-2k": RECIPES["train-2k"]})
    golden.write(file)
    after = json.loads(file.read_text())[DATA_VERSION]
    assert {name: after[name] for name in before} == before
    assert after["train-2k"] == golden.committed()["train-2k"]


@pytest.mark.parametrize(
    ("key", "change", "differs"),
    [
        ("x", 2e-5, True),
        ("x", 1e-7, False),
        ("mean", 2e-5, True),
        ("std", -2e-5, True),
        ("std", 1e-7, False),
        ("y", 1, True),
        ("rows", 1, True),
    ],
)
def test_probes_of_the_fast_stream_are_compared_within_a_tolerance(key, change, differs):
    expected = golden.committed()["large"]
    found = copy.deepcopy(expected)
    found["train"][key] = (np.array(found["train"][key]) + change).tolist()
    problems = golden.differences("large", expected, found)
    assert problems == ([f"large, split 'train': {key} is not what version {DATA_VERSION} contains"] * differs)


def test_a_missing_split_or_column_differs():
    expected = golden.committed()["default"]
    assert golden.differences("default", expected, {"train": expected["train"]})
    assert golden.differences("default", expected, {"train": {}, "test": expected["test"]})
    assert golden.differences("default", {}, expected)


def test_probes_are_of_rows_in_one_block_at_its_end_and_far_behind():
    arrays = make_mnist1d("large", num_samples=100_000)
    columns = {"x": arrays.train.x, "y": arrays.train.y}
    rows = np.array(golden.PROBE_ROWS)
    found = golden.probes(columns["x"][rows], columns["y"][rows], columns["x"][: golden.MOMENT_ROWS])
    assert golden.differences("large", {"train": golden.committed()["large"]["train"]}, {"train": found}) == []
    train = load_dataset("mnist1d", "large", num_samples=100_000, split="train")
    np.testing.assert_array_equal(as_numpy(train)["x"][rows], columns["x"][rows])

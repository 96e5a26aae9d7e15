import hashlib
import json
import math
import multiprocessing
import pickle
from dataclasses import asdict

import datasets
import fsspec
import numpy as np
import pytest
from datasets import ClassLabel, DatasetDict, Features, IterableDatasetDict, List, Value, load_dataset
from datasets.distributed import split_dataset_by_node
from hypothesis import given, settings
from hypothesis import strategies as st
from recipes_strategy import recipes

from mnist1d_hf import DATA_VERSION, MNIST1D, RECIPES, RecipeError, as_numpy, make_mnist1d
from mnist1d_hf.generator.recipe import FIELD_NAMES, STREAMS, Recipe
from mnist1d_hf.mnist1d import SHARD_ROWS
from mnist1d_hf.streaming import pieces

LABEL = ClassLabel(names=list("0123456789"))
LATENTS = {"padding": Value("int64"), "scale": Value("float32"), "shift": Value("int64"), "shear": Value("float32")}
SIGNALS = List(Value("float32"), length=40)

# SHA-256 of the frozen data set of 2020: float32 and int64, little-endian, row by row.
FROZEN = {
    "x_train": "d53506bddd12d3b72c7153b1ae7f34807724b1dd078a7273809bf9d0792319f6",
    "x_test": "30addc43827c82aafa5db8bc97cea63349ca687e87db2f201cc4f5415d9a4ebd",
    "y_train": "d97dc7aecec8ad6b5d8f143ba3e9c4bd7e25c420d7dfc2eb990591cfc0ed3e15",
    "y_test": "8de99be3ff9dab15ae0dc072c3d6ced7cf6b33d365888ce4a386fc944489452c",
    "t": "0352efd10cd28e71a0f722fade89db2c326ee004a7dcf8c9704a5adaf0bad6c8",
}
FAST = {"stream": "fast", "num_samples": 30_000}
SHARDED = {"stream": "fast", "num_samples": 3 * SHARD_ROWS, "train_split": 0.9}

# Another value for every keyword.
OTHER = {
    "num_samples": 400,
    "train_split": 0.5,
    "template_len": 14,
    "padding": (20, 30),
    "scale_coeff": 0.1,
    "max_translation": 7,
    "corr_noise_scale": 0.5,
    "iid_noise_scale": 0.1,
    "shear_scale": 0.1,
    "shuffle_seq": True,
    "final_seq_length": 55,
    "seed": 1,
    "flip_seq": True,
    "label_noise": 0.3,
    "label_noise_seed": 5,
    "stream": "fast",
    "latents": True,
}


def load(name="default", **keywords):
    return load_dataset("mnist1d", name, **keywords)


def generated(made):
    """The columns that a split of the generator should become."""
    columns = {"x": made.x.astype(np.float32), "y": made.y}
    return columns | {"y_clean": made.y_clean} | (made.latents.columns() if made.latents else {})


def assert_equal_columns(found, expected):
    for name, values in found.items():
        np.testing.assert_array_equal(values, expected[name].astype(values.dtype), strict=True)


def assert_equal_datasets(left, right):
    assert left.column_names == right.column_names
    assert_equal_columns(as_numpy(left), as_numpy(right))


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "large"])
def test_every_config_holds_what_the_generator_makes(name):
    named = RECIPES[name]
    noisy = {"y_clean": LABEL} if named.recipe.label_noise else {}
    length = named.recipe.final_seq_length
    features = {"x": List(Value("float32"), length=length), "y": LABEL} | noisy | (LATENTS if named.latents else {})
    dataset, arrays = load(name), make_mnist1d(name)
    assert list(dataset) == ["train", "test"]
    for split in dataset:
        assert dataset[split].features == Features(features)
        assert list(dataset[split].features) == list(features)
        assert_equal_columns(as_numpy(dataset[split]), generated(getattr(arrays, split)))


def test_large_is_a_million_and_a_tenth_of_the_fast_stream():
    streamed = load("large", streaming=True)
    arrays = make_mnist1d("large", num_samples=12_000)  # the stream has no end: less of it is its beginning
    for split, rows in (("train", 2500), ("test", 500)):
        assert streamed[split].features == Features({"x": SIGNALS, "y": LABEL})
        batch = next(streamed[split].with_format("numpy").iter(batch_size=rows))
        assert_equal_columns(batch, generated(getattr(arrays, split)[:rows]))
    sizes = {name: split.num_examples for name, split in MNIST1D(config_name="large").info.splits.items()}
    assert sizes == {"train": 1_000_000, "test": 100_000}


@pytest.mark.slow
def test_large_in_full(cache):
    dataset, arrays = load("large"), make_mnist1d("large")
    for split, rows in (("train", 1_000_000), ("test", 100_000)):
        assert len(dataset[split]) == rows
        assert_equal_columns(as_numpy(dataset[split]), generated(getattr(arrays, split)))


def test_the_default_is_the_frozen_data_set_to_the_last_bit():
    dataset = load()
    facts = {f"{column}_{split}": as_numpy(dataset[split])[column] for split in dataset for column in "xy"}
    facts["t"] = make_mnist1d().t.astype("<f4")
    assert {name: hashlib.sha256(values.tobytes()).hexdigest() for name, values in facts.items()} == FROZEN
    assert facts["x_train"].shape == (4000, 40)
    assert facts["x_train"].dtype == "<f4"
    assert facts["y_test"].dtype == "<i8"


# Keywords


def test_another_value_is_known_for_every_keyword():
    assert OTHER.keys() == {*FIELD_NAMES, "stream", "latents"}


@pytest.mark.parametrize("keyword", OTHER)
def test_every_keyword_changes_the_data_and_the_folder(keyword):
    few = {"num_samples": 300, "label_noise": 0.2 if keyword == "label_noise_seed" else 0.0}
    changed = few | {keyword: OTHER[keyword]}
    dataset = load(**changed)
    arrays = make_mnist1d("default", **changed)
    for split in dataset:
        columns = as_numpy(dataset[split])
        assert_equal_columns(columns, generated(getattr(arrays, split)))
        assert set(columns) >= {"x", "y"}
    assert ("scale" in columns) == (keyword == "latents")
    assert ("y_clean" in columns) == keyword.startswith("label_noise")
    assert MNIST1D(**changed).cache_dir != MNIST1D(**few).cache_dir
    assert dataset["train"].info.config_name == "default"
    assert f"{keyword}={OTHER[keyword]!r}" in dataset["train"].info.description


def test_keywords_of_a_named_config_change_it_and_not_the_default():
    train = load("label-noise", num_samples=200, split="train")
    expected = make_mnist1d("label-noise", num_samples=200).train
    assert_equal_columns(as_numpy(train), generated(expected))
    assert train.column_names == ["x", "y", "y_clean"]
    assert (expected.y != expected.y_clean).any()


def test_a_value_equal_to_the_config_s_own_makes_no_second_cache():
    same = MNIST1D(**asdict(Recipe()), stream="reference", latents=False)
    assert (same.config_id, same.cache_dir) == ("default", MNIST1D().cache_dir)
    assert MNIST1D(iid_noise_scale=float("0.020"), padding=[36, 60], num_samples=int("5000")).config_id == "default"
    noisy = RECIPES["high-noise"].recipe
    assert MNIST1D(config_name="high-noise", **asdict(noisy)).cache_dir == MNIST1D(config_name="high-noise").cache_dir


@pytest.mark.parametrize(
    ("given_value", "same"),
    [
        ({"iid_noise_scale": 0.10}, {"iid_noise_scale": 0.1}),
        ({"iid_noise_scale": np.float64(0.1)}, {"iid_noise_scale": 0.1}),
        ({"shear_scale": 1}, {"shear_scale": 1.0}),
        ({"shear_scale": np.int64(1)}, {"shear_scale": 1.0}),
        ({"iid_noise_scale": -0.0}, {"iid_noise_scale": 0.0}),
        ({"num_samples": np.int32(400)}, {"num_samples": 400}),
        ({"padding": [20, 30]}, {"padding": (20, 30)}),
        ({"padding": np.array([20, 30])}, {"padding": (20, 30)}),
        ({"shuffle_seq": np.True_}, {"shuffle_seq": True}),
        ({"latents": np.True_}, {"latents": True}),
        ({"stream": np.str_("fast")}, {"stream": "fast"}),
        ({"seed": None, "stream": None, "latents": None, "padding": None}, {}),
        ({"seed": 1, "flip_seq": True}, {"flip_seq": True, "seed": 1}),
        ({"config_name": None, "seed": 1}, {"seed": 1}),
    ],
)
def test_equal_values_in_any_spelling_share_a_folder(given_value, same):
    builder, expected = MNIST1D(**given_value), MNIST1D(**same)
    assert builder.config_id == expected.config_id
    assert builder.cache_dir == expected.cache_dir


def test_the_config_id_tells_what_differs_and_the_manifest_records_it(cache):
    builder = MNIST1D(iid_noise_scale=0.1, padding=[20, 30], num_samples=100)
    assert builder.config_id == "default-iid_noise_scale=0.1,num_samples=100,padding=20-30"
    assert MNIST1D(config_name="long").config_id == "long"
    builder.download_and_prepare()
    folder = cache / "mnist1d" / builder.config_id / DATA_VERSION
    record = json.loads(next(folder.glob("*/manifest.json")).read_text())
    assert record["config_id"] == builder.config_id
    assert record["data_version"] == DATA_VERSION
    assert Recipe(**record["recipe"]) == builder.config.recipe


@given(recipes(), recipes(), st.sampled_from(STREAMS), st.sampled_from(STREAMS), st.booleans(), st.data())
@settings(max_examples=40, deadline=None)
def test_two_different_data_sets_never_share_a_folder_and_equal_ones_always_do(one, two, stream, other, latents, data):
    if data.draw(st.booleans()):  # recipes that differ in one field only
        field = data.draw(st.sampled_from(FIELD_NAMES))
        try:
            two = one.replace(**{field: getattr(two, field)})
        except RecipeError:
            two = one
    left = MNIST1D(**asdict(one), stream=stream, latents=latents)
    right = MNIST1D(**asdict(two), stream=other, latents=latents)
    assert (left.cache_dir == right.cache_dir) == ((one, stream) == (two, other))
    assert left.cache_dir != MNIST1D(**asdict(one), stream=stream, latents=not latents).cache_dir
    assert len(left.config_id.encode()) < 200  # fits into a file's name, locks included


WRONG = [
    ("default", {"iid_noise": 0.1}, "'iid_noise' is no keyword.*did you mean 'iid_noise_scale'"),
    ("default", {"create_config_id": 1}, "'create_config_id' is no keyword.*Known: num_samples"),
    ("default", {"recipe": Recipe()}, "'recipe' is no keyword"),
    ("default", {"version": "2.0.0"}, "'version' is no keyword"),
    ("default", {"num_samples": "many"}, "num_samples='many' must be an integer"),
    ("default", {"num_samples": 10.5}, "num_samples=10.5 must be an integer"),
    ("default", {"iid_noise_scale": math.nan}, "iid_noise_scale=nan must be a number from 0"),
    ("default", {"iid_noise_scale": math.inf}, "iid_noise_scale=inf must be a number from 0"),
    ("default", {"shear_scale": -0.5}, "shear_scale=-0.5 must be .*leave it out"),
    ("default", {"padding": (60, 36)}, r"padding=\(60, 36\).*swap them\?"),
    ("default", {"padding": 36}, r"padding=36 must be \(low, high\)"),
    ("default", {"num_samples": 2_000_000}, "num_samples=2000000 is more than the reference.*use stream='fast'"),
    ("large", {"num_samples": 10**13}, "num_samples=10000000000000 must be from"),
    ("default", {"stream": "quick"}, "stream='quick' is not known.*reference, fast"),
    ("default", {"latents": "yes"}, "latents='yes' must be True or False"),
    ("default", {"flip_seq": 1}, "flip_seq=1 must be True or False"),
    ("defualt", {}, "no config 'defualt'; did you mean 'default'"),
    (7, {}, "no config 7"),
    (["default"], {}, r"no config \['default'\]"),
]


@pytest.mark.parametrize(("name", "keywords", "message"), WRONG)
def test_what_is_wrong_is_one_clear_error_and_nothing_is_written(cache, name, keywords, message):
    for streaming in (False, True):
        with pytest.raises(RecipeError, match=message):
            load(name, streaming=streaming, **keywords)
    assert not list(cache.rglob("*"))


def test_a_split_without_examples_is_left_out_and_the_other_one_loads():
    for stream in STREAMS:
        whole = load(num_samples=100, train_split=1.0, stream=stream)
        assert {name: len(split) for name, split in whole.items()} == {"train": 100}
        assert list(load(num_samples=100, train_split=0, stream=stream, streaming=True)) == ["test"]
    with pytest.raises(ValueError, match="test"):
        load(num_samples=100, train_split=1.0, split="test")


# What load_dataset can do


def test_slices_sums_and_percentages_of_splits():
    whole = load()
    x_train, x_test = (as_numpy(whole[split])["x"] for split in ("train", "test"))
    sliced = {
        "train[:10%]": x_train[:400],
        "train[-50:]": x_train[-50:],
        "train[10:20]+test[:5]": np.concatenate([x_train[10:20], x_test[:5]]),
        "train+test": np.concatenate([x_train, x_test]),
    }
    for split, expected in sliced.items():
        np.testing.assert_array_equal(as_numpy(load(split=split))["x"], expected)


@pytest.mark.parametrize(("name", "keywords"), [("default", {}), ("latents", {}), ("label-noise", {}), ("large", FAST)])
def test_streaming_yields_the_same_rows_and_writes_no_data(cache, name, keywords):
    streamed = load(name, streaming=True, **keywords)
    assert isinstance(streamed, IterableDatasetDict)
    rows = {split: list(streamed[split]) for split in streamed}
    assert not [path for path in cache.rglob("*") if path.suffix != ".lock"]
    for split, dataset in load(name, **keywords).items():
        assert rows[split] == dataset.to_list()
        assert streamed[split].features == dataset.features


def test_a_stream_of_a_billion_starts_at_once_in_little_memory(python):
    code = """
import resource, tracemalloc
import datasets, mnist1d_hf
stream = datasets.load_dataset("mnist1d", "large", num_samples=10**9, split="train", streaming=True)
batches = stream.with_format("arrow").iter(batch_size=1000)
next(batches)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
tracemalloc.start()
rows = sum(len(next(batches)) for _ in range(100))
kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(rows, stream.info.splits["train"].num_examples, tracemalloc.get_traced_memory()[1] // 2**20, kilobytes // 2**10)
"""
    rows, examples, traced, resident = map(int, python(code).split())
    assert rows == 100_000
    assert examples > 9 * 10**8
    assert traced < 40  # MiB; 100,000 rows alone are 16 MB
    assert resident < 100


def test_shards_of_a_stream_are_its_pieces_in_order():
    stream = load(split="train", streaming=True, **SHARDED)
    assert stream.num_shards == 120
    shards = [stream.shard(3, index) for index in range(3)]
    labels = [batch["y"] for shard in shards for batch in shard.with_format("numpy").iter(batch_size=20_000)]
    expected = make_mnist1d(**SHARDED).train.y
    np.testing.assert_array_equal(np.concatenate(labels), expected)
    nodes = [split_dataset_by_node(stream, rank=rank, world_size=3) for rank in range(3)]
    firsts = [next(node.with_format("numpy").iter(batch_size=100))["y"] for node in nodes]
    starts = [start for start, _ in pieces(len(expected))[:3]]
    assert [first.tolist() for first in firsts] == [expected[start:][:100].tolist() for start in starts]


def test_two_processes_build_what_one_builds(tmp_path):
    one = load(cache_dir=str(tmp_path / "one"), **SHARDED)
    two = load(cache_dir=str(tmp_path / "two"), num_proc=2, **SHARDED)
    assert len(one["train"].cache_files) == 1
    assert len(two["train"].cache_files) == 2
    for split in one:
        assert_equal_datasets(one[split], two[split])
    reference = load(cache_dir=str(tmp_path / "three"), num_proc=2)["train"]  # cannot be shared out, and says so
    assert_equal_datasets(reference, load()["train"])


def loaded_in_a_child(folder):
    """What a spawned process gets; it imports this file, and with it the package."""
    return as_numpy(load(num_samples=200, cache_dir=folder)["train"])["x"].tobytes()


def test_a_spawned_process_loads_the_same(tmp_path):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(loaded_in_a_child, (str(tmp_path),))
    assert found == make_mnist1d(num_samples=200).train.x.astype("<f4").tobytes()


def test_data_sets_survive_pickling_into_a_process_that_imports_nothing(python, tmp_path):
    (tmp_path / "data.pkl").write_bytes(pickle.dumps((load(num_samples=200)["train"], load(streaming=True, **FAST))))
    code = """
import pickle, sys
train, streamed = pickle.load(open(sys.argv[1], "rb"))
print(train["y"][:5], next(iter(streamed["test"]))["x"][:3])
"""
    printed = python(code, tmp_path / "data.pkl")
    made, fast = make_mnist1d(num_samples=200), make_mnist1d(**FAST)
    assert printed == f"{made.train.y[:5].tolist()} {fast.test.x[0, :3].tolist()}\n"


@pytest.mark.parametrize("streaming", [False, True])
def test_spawned_workers_of_a_data_loader_deliver_every_row(streaming):
    torch = pytest.importorskip("torch")
    dataset = load(split="train", streaming=streaming, stream="fast", num_samples=1250).with_format("torch")
    loader = torch.utils.data.DataLoader(dataset, batch_size=100, num_workers=1, multiprocessing_context="spawn")
    labels = torch.cat([batch["y"] for batch in loader])
    np.testing.assert_array_equal(labels.numpy(), make_mnist1d(stream="fast", num_samples=1250).train.y)


def test_datasets_tells_about_the_data_set_before_it_is_built(cache):
    assert datasets.get_dataset_config_names("mnist1d") == list(RECIPES)
    assert datasets.get_dataset_default_config_name("mnist1d") == "default"
    assert datasets.get_dataset_split_names("mnist1d", "long") == ["train", "test"]
    builder = datasets.load_dataset_builder("mnist1d", "long", num_samples=1000)
    assert isinstance(builder, datasets.GeneratorBasedBuilder)
    assert builder.info.features["x"] == List(Value("float32"), length=120)
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == {"train": 800, "test": 200}
    assert str(builder.info.version) == DATA_VERSION
    assert "num_samples=1000" in builder.info.description
    assert not list(cache.rglob("*.arrow"))
    builder.download_and_prepare()
    assert builder.as_dataset(split="test").num_rows == 200


def test_every_config_is_versioned_and_explained():
    assert {str(config.version) for config in MNIST1D.BUILDER_CONFIGS} == {DATA_VERSION}
    assert {config.name: config.description for config in MNIST1D.BUILDER_CONFIGS} == {
        name: named.why for name, named in RECIPES.items()
    }


def test_features_of_one_s_own_are_honoured_and_cached_apart():
    features = Features({"x": List(Value("float64")), "y": Value("int8")})
    train = load(split="train", features=features)
    assert train.features == features
    np.testing.assert_array_equal(as_numpy(train)["x"], as_numpy(load(split="train"))["x"].astype(np.float64))
    assert as_numpy(train)["y"].dtype == np.int8
    streamed = load(split="train", features=features, streaming=True)
    assert streamed.features == features
    assert next(iter(streamed)) == train[0]
    ids = {
        MNIST1D(**keywords).config_id for keywords in ({}, {"features": features}, {"features": features, "seed": 1})
    }
    assert len(ids) == 3


def test_in_memory_or_mapped_it_is_the_same():
    kept, mapped = load(split="test", keep_in_memory=True), load(split="test")
    assert_equal_datasets(kept, mapped)
    assert not kept.cache_files
    assert mapped.cache_files


def test_force_redownload_builds_anew(cache):
    folder = MNIST1D().cache_dir
    load()
    first = (cache / folder / "manifest.json").stat()
    load()
    assert (cache / folder / "manifest.json").stat().st_ino == first.st_ino
    assert_equal_datasets(load(download_mode="force_redownload")["train"], load()["train"])
    assert (cache / folder / "manifest.json").stat().st_mtime_ns > first.st_mtime_ns


@pytest.mark.parametrize("keywords", [{}, FAST])
def test_prepared_as_parquet_anywhere(tmp_path, keywords):
    builder = MNIST1D(**keywords)
    builder.download_and_prepare(str(tmp_path / "out"), file_format="parquet")
    files = {split: str(tmp_path / "out" / f"mnist1d-{split}.parquet") for split in ("train", "test")}
    read = load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "cache"))
    for split, dataset in load(**keywords).items():
        assert read[split].features == dataset.features
        assert_equal_datasets(read[split], dataset)
    remote = f"memory://{tmp_path.name}"
    builder.download_and_prepare(remote, file_format="parquet")
    size = (tmp_path / "out" / "mnist1d-test.parquet").stat().st_size
    assert fsspec.filesystem("memory").size(f"{remote}/mnist1d-test.parquet") == size


def test_saved_to_disk_and_loaded(tmp_path):
    dataset = load(num_samples=100)
    dataset.save_to_disk(str(tmp_path / "saved"))
    again = DatasetDict.load_from_disk(str(tmp_path / "saved"))
    for split in dataset:
        assert again[split].features == dataset[split].features
        assert_equal_datasets(again[split], dataset[split])


def test_the_functions_of_datasets_work_on_it():
    train = load(num_samples=500, split="train")
    x, y = as_numpy(train)["x"], as_numpy(train)["y"]
    threes = train.filter(lambda row: row["y"] == 3)
    np.testing.assert_array_equal(as_numpy(threes)["x"], x[y == 3])
    means = train.map(lambda batch: {"mean": np.mean(batch["x"], axis=1)}, batched=True)
    np.testing.assert_allclose(as_numpy(means)["mean"], x.mean(axis=1), atol=1e-6)
    halves = train.train_test_split(0.5, seed=0, stratify_by_column="y")
    assert np.bincount(as_numpy(halves["train"])["y"]).min() >= 15
    shuffled = train.shuffle(seed=0)
    assert sorted(as_numpy(shuffled)["y"]) == sorted(y)
    numpy_rows = train.with_format("numpy")[:10]
    np.testing.assert_array_equal(numpy_rows["x"], x[:10])
    assert train.features["y"].int2str(3) == "3"


def test_formatted_for_torch():
    torch = pytest.importorskip("torch")
    rows = load(num_samples=100, split="train").with_format("torch")[:7]
    assert rows["x"].shape == (7, 40)
    assert rows["x"].dtype == torch.float32
    assert rows["y"].dtype == torch.int64


def test_the_rows_of_generate_examples_are_the_tables_rows():
    builder = MNIST1D(num_samples=100, latents=True)
    rows = [row for _, row in builder._generate_examples("test", [(0, 20)])]
    assert rows == load(num_samples=100, latents=True, split="test").to_list()

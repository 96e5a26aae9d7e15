import hashlib
import itertools

import datasets
import numpy as np
import pyarrow as pa
import pytest
from datasets import Dataset, load_dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist1d_hf import as_numpy, make_mnist1d
from mnist1d_hf.generator.columns import column_digests, features_of, table_of
from mnist1d_hf.generator.recipe import DEFAULT, RECIPES

SMALL = {"num_samples": 500}
MANY = {"stream": "fast", "num_samples": 330_000, "train_split": 300_000 / 330_000}


def address_in_arrow(dataset):
    """Where the first signal of a data set lies, according to Arrow."""
    (chunk,) = dataset.with_format("arrow")[:]["x"].chunks
    return chunk.flatten().buffers()[1].address + chunk.flatten().offset * 4


def dataset_of(column, kind=None):
    return Dataset(pa.table({"x": pa.array(column, type=kind)}))


@pytest.mark.parametrize(("keywords", "rows"), [(SMALL, 400), (MANY, 300_000)], ids=["small", "many"])
def test_nothing_is_copied_at_any_size(keywords, rows):
    train = load_dataset("mnist1d", "default", split="train", **keywords)
    x, again = as_numpy(train)["x"], as_numpy(train)["x"]
    assert x.shape == (rows, 40)
    assert x.dtype == np.float32
    assert x.ctypes.data == address_in_arrow(train)
    assert np.shares_memory(x, again)
    assert not x.flags.owndata
    assert x.flags.c_contiguous


def test_a_slice_in_one_piece_is_not_copied_either():
    train = load_dataset("mnist1d", "default", split="train", **SMALL)
    part = as_numpy(train.select(range(100, 150)))["x"]
    np.testing.assert_array_equal(part, as_numpy(train)["x"][100:150])
    assert np.shares_memory(part, as_numpy(train)["x"])
    np.testing.assert_array_equal(as_numpy(load_dataset("mnist1d", split="train[100:150]", **SMALL))["x"], part)


def test_the_arrays_cannot_be_written():
    columns = as_numpy(load_dataset("mnist1d", "latents", split="train", **SMALL))
    assert set(columns) == {"x", "y", "padding", "scale", "shift", "shear"}
    for array in columns.values():
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    shuffled = load_dataset("mnist1d", split="train", **SMALL).shuffle(seed=0)
    assert not any(array.flags.writeable for array in as_numpy(shuffled).values())


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_after_any_operation_the_arrays_are_the_rows(data):
    dataset = load_dataset("mnist1d", "default", split="train", num_samples=100)
    for operation in data.draw(st.lists(st.sampled_from(["shuffle", "select", "filter", "join", "sort", "format"]))):
        n = len(dataset)
        if operation == "shuffle":
            dataset = dataset.shuffle(seed=data.draw(st.integers(0, 99)))
        elif operation == "select":
            dataset = dataset.select(data.draw(st.lists(st.integers(0, n - 1), max_size=60)) if n else [])
        elif operation == "filter":
            dataset = dataset.filter(lambda y: y % 2 == 0, input_columns="y", keep_in_memory=True)
        elif operation == "join":
            dataset = datasets.concatenate_datasets([dataset, dataset.select(range(n // 2))])
        elif operation == "sort":
            dataset = dataset.sort("y")
        else:
            dataset = dataset.with_format("numpy", columns=["y"])
    columns = as_numpy(dataset)
    rows = dataset.with_format(None)[:]
    np.testing.assert_array_equal(columns["y"], np.array(rows["y"], dtype=np.int64))
    np.testing.assert_array_equal(columns["x"], np.array(rows["x"], dtype=np.float32).reshape(-1, 40))
    assert columns["x"].shape == (len(dataset), 40)


def test_an_empty_data_set_has_arrays_of_the_right_shape_and_type():
    empty = load_dataset("mnist1d", "latents", split="train", **SMALL).select([])
    columns = as_numpy(empty)
    assert {name: array.shape for name, array in columns.items() if name != "x"} == dict.fromkeys(
        ["y", "padding", "scale", "shift", "shear"], (0,)
    )
    assert columns["x"].shape == (0, 40)
    assert (columns["x"].dtype, columns["y"].dtype, columns["scale"].dtype) == (np.float32, np.int64, np.float32)
    assert as_numpy(dataset_of([], pa.list_(pa.float64())))["x"].shape == (0, 0)


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.float64()),
        pa.large_list(pa.float64()),
        pa.list_(pa.float64(), 3),
        pa.list_(pa.float32()),
        pa.list_(pa.int16()),
    ],
    ids=str,
)
def test_other_layouts_of_equally_long_lists_are_matrices_too(kind):
    rows = [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]]
    dataset = dataset_of(rows, kind)
    x = as_numpy(dataset)["x"]
    np.testing.assert_array_equal(x, rows)
    assert x.dtype == kind.value_type.to_pandas_dtype()
    np.testing.assert_array_equal(as_numpy(dataset.select([3, 1]))["x"], [rows[3], rows[1]])
    np.testing.assert_array_equal(as_numpy(dataset.select(range(1, 3)))["x"], rows[1:3])
    joined = datasets.concatenate_datasets([dataset, dataset.select(range(2, 4))])
    np.testing.assert_array_equal(as_numpy(joined)["x"], rows + rows[2:])


def test_lists_of_lists_keep_their_shape():
    kind = pa.list_(pa.list_(pa.float32(), 2), 3)
    rows = np.arange(24, dtype=np.float32).reshape(4, 3, 2)
    np.testing.assert_array_equal(as_numpy(dataset_of(rows.tolist(), kind))["x"], rows)


def test_missing_numbers_are_nan_and_not_zero():
    np.testing.assert_array_equal(as_numpy(dataset_of([1, None, 3]))["x"], [1, np.nan, 3])
    np.testing.assert_array_equal(as_numpy(dataset_of([[1.0, None], [3.0, 4.0]]))["x"], [[1, np.nan], [3, 4]])


RAGGED = r"column 'x' holds lists of different lengths"


@pytest.mark.parametrize(
    ("column", "kind", "message"),
    [
        ([[1, 2, 3], [4]], None, RAGGED),
        ([[1], [1, 2, 3]], None, RAGGED),  # four values for two rows
        ([[1, 2], []], None, RAGGED),
        ([[1.0, 2.0], None], pa.list_(pa.float32(), 2), "1 rows without a list"),
        ([[1.0, 2.0], None], pa.list_(pa.float32()), "1 rows without a list"),
        (["a", "b"], None, "of type string is no array of numbers; drop it"),
        ([["a"], ["b"]], None, "of type string is no array of numbers"),
        ([{"a": 1}], None, "is no array of numbers"),
        ([], pa.string(), "of type string is no array of numbers"),
        ([], pa.struct([("a", pa.int8())]), "is no array of numbers"),
    ],
)
def test_what_is_no_array_is_an_error_that_names_the_column(column, kind, message):
    with pytest.raises(ValueError, match=message):
        as_numpy(dataset_of(column, kind))


def test_lists_of_other_lengths_in_other_chunks_are_ragged_too():
    chunks = [pa.array([[1.0, 2.0]]), pa.array([[1.0, 2.0, 3.0]])]
    with pytest.raises(ValueError, match=RAGGED):
        as_numpy(Dataset(pa.table({"x": pa.chunked_array(chunks)})))


def test_what_is_no_split_is_an_error_with_the_remedy():
    with pytest.raises(ValueError, match=r'is a DatasetDict; pick a split, ds\["train"\]'):
        as_numpy(load_dataset("mnist1d", **SMALL))
    with pytest.raises(ValueError, match=r'is a IterableDatasetDict; pick a split, ds\["train"\]'):
        as_numpy(load_dataset("mnist1d", streaming=True))
    with pytest.raises(ValueError, match="is a IterableDataset"):
        as_numpy(load_dataset("mnist1d", split="train", streaming=True))
    with pytest.raises(ValueError, match="is a list"):
        as_numpy([1, 2, 3])


# Tables


def test_a_table_of_single_precision_shares_its_signals_with_the_array():
    made = make_mnist1d(stream="fast", num_samples=5000).train  # row by row in memory
    table = table_of(made, features_of(DEFAULT, latents=False))
    assert table.column("x").chunk(0).flatten().buffers()[1].address == made.x.ctypes.data
    np.testing.assert_array_equal(as_numpy(Dataset(table))["x"], made.x)


@pytest.mark.parametrize("name", ["default", "label-noise", "latents", "long"])
def test_the_columns_are_those_of_the_config(name):
    named = RECIPES[name]
    table = table_of(make_mnist1d(name).test, features_of(named.recipe, named.latents))
    extra = {"label-noise": ["y_clean"], "latents": ["padding", "scale", "shift", "shear"]}
    assert table.column_names == ["x", "y", *extra.get(name, [])]
    assert table.schema.field("x").type == pa.list_(pa.float32(), named.recipe.final_seq_length)


@given(st.lists(st.integers(1, 79), max_size=6))
@settings(max_examples=20, deadline=None)
def test_digests_are_of_the_values_however_they_are_cut(cuts):
    made = make_mnist1d(num_samples=100).train
    table = table_of(made, features_of(DEFAULT, latents=False))
    bounds = [0, *sorted(cuts), len(table)]
    pieces = [table.slice(start, stop - start) for start, stop in itertools.pairwise(bounds)]
    expected = {
        "x": hashlib.sha256(made.x.astype("<f4").tobytes()).hexdigest(),
        "y": hashlib.sha256(made.y.astype("<i8").tobytes()).hexdigest(),
    }
    assert column_digests(pieces) == expected
    assert column_digests([pa.concat_tables(pieces)]) == expected
    assert column_digests([table.slice(1)]) != expected

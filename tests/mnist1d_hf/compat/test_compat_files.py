"""`to_pickle` and `from_pickle`: what is written comes back, nothing that is read can run."""

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stnp

from mnist1d_hf import compat
from mnist1d_hf.compat.safe_files import STRUCTURE, UnsafeFileError
from mnist1d_hf.compat.utils import ObjectView, from_pickle, to_pickle


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Bomb:
    """A pickle that runs code when it is read."""

    def __reduce__(self):
        return Path.touch, (Path("exploded"),)


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.complex_numbers(allow_nan=False)
)
ARRAYS = stnp.arrays(
    st.one_of(stnp.scalar_dtypes(), stnp.unicode_string_dtypes(), stnp.byte_string_dtypes()),
    stnp.array_shapes(min_side=0),
)
KEYS = st.one_of(st.text(), st.integers(), st.booleans(), st.tuples(st.text(), st.integers()))
THINGS = st.recursive(
    st.one_of(SCALARS, ARRAYS, stnp.from_dtype(np.dtype("f8")).map(np.float64)),
    lambda part: st.one_of(
        st.lists(part, max_size=4),
        st.lists(part, max_size=4).map(tuple),
        st.sets(st.one_of(st.integers(), st.text()), max_size=4),
        st.dictionaries(KEYS, part, max_size=4),
    ),
    max_leaves=12,
)


def same(one, other):
    """Equal in kind and value, NaN to NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (np.ndarray, np.generic)):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, ObjectView):
        return same(vars(one), vars(other))
    return one == other or (one != one and other != other)


@settings(max_examples=60, deadline=None)
@given(thing=THINGS)
def test_whatever_is_written_comes_back_and_numpy_reads_it_without_pickle(tmp_path_factory, thing):
    path = tmp_path_factory.getbasetemp() / "any.pkl"
    to_pickle(thing, path)
    assert same(from_pickle(path), thing)
    with np.load(path, allow_pickle=False) as stored:
        for name in stored.files:
            assert not stored[name].dtype.hasobject
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert len(set(archive.namelist())) == len(archive.namelist())


def test_names_of_arrays_are_the_keys():
    to_pickle({"x": np.eye(2), "templates": {"t": np.arange(3)}, "../x": np.zeros(1), "array_3": np.ones(1)}, "d.pkl")
    with np.load("d.pkl", allow_pickle=False) as stored:
        assert np.array_equal(stored["x"], np.eye(2))
        assert np.array_equal(stored["templates/t"], np.arange(3))
        assert not any(".." in name for name in stored.files)
    assert same(from_pickle("d.pkl")["array_3"], np.ones(1))


def test_arguments_and_results_as_notebooks_keep_them():
    args = compat.get_dataset_args()
    args.seed = 7
    results = {"args": args, "steps": list(range(3)), "train_losses": [0.5, float("nan")], "acc": np.float32(0.5)}
    to_pickle(results, "results.pkl")
    again = from_pickle("results.pkl")
    assert same(again, results)
    assert again["args"].seed == 7
    compat.make_dataset(again["args"])


@pytest.mark.parametrize("protocol", range(6))
def test_a_real_pickle_is_refused_with_the_remedy_and_never_read(workplace, protocol):
    Path("data.pkl").write_bytes(pickle.dumps(Bomb(), protocol=protocol))
    with pytest.raises(
        UnsafeFileError, match=r"data\.pkl.*can run any code.*get_dataset\(get_dataset_args\(\)\).*to_pickle"
    ):
        from_pickle("data.pkl")
    assert not Path("exploded").exists()


def test_a_pickle_inside_an_archive_is_refused_too():
    np.savez("objects.npz", x=np.array([Bomb()], dtype=object))
    np.save("object.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    with zipfile.ZipFile("torch.pt", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Bomb()))
    with zipfile.ZipFile("disguised.npz", "w") as archive:
        archive.writestr("x.npy", pickle.dumps(Bomb()))
    for name in ("objects.npz", "object.npy", "torch.pt", "disguised.npz"):
        with pytest.raises(ValueError, match=name):
            from_pickle(name)
    assert not Path("exploded").exists()


def test_the_refusal_names_the_file_that_get_dataset_keeps():
    args = compat.get_dataset_args()
    Path("mnist1d_data.pkl").write_bytes(pickle.dumps({"x": 1}))
    compat.get_dataset(args, path="./mnist1d_data.pkl", verbose=False)
    with pytest.raises(UnsafeFileError, match=r"from_pickle\('mnist1d_data\.npz'\)"):
        from_pickle("./mnist1d_data.pkl")
    assert len(from_pickle("mnist1d_data.npz")["y"]) == 4000


def test_the_path_given_to_get_dataset_can_be_read():
    args = compat.get_dataset_args()
    args.num_samples = 50
    template = compat.get_templates() | {"y": np.arange(10, 20)}
    data = compat.get_dataset(args, path="./my.pkl", verbose=False, download=False, template=template)
    again = from_pickle("./my.pkl")
    assert list(again) == list(data)
    assert all(np.array_equal(again[name], data[name]) for name in ("x", "x_test", "y", "y_test", "t"))
    assert again["templates"]["y"].tolist() == list(range(10, 20))
    args.seed = 1
    compat.get_dataset(args, path="./my.pkl", verbose=False, download=False)
    with pytest.raises(FileNotFoundError, match=r"several data sets.*my-\w{16}\.npz, my-\w{16}\.npz"):
        from_pickle("./my.pkl")
    with pytest.raises(FileNotFoundError, match=r"no file 'other\.pkl'$"):
        from_pickle("other.pkl")


def test_files_of_others_are_their_arrays():
    np.savez("other.npz", a=np.eye(2), b=np.arange(2))
    np.save("one.npy", np.arange(4))
    assert list(from_pickle("other.npz")) == ["a", "b"]
    assert from_pickle("one.npy").tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        ({"model": {"f": print}}, r"'/model/f' is a builtins\.builtin_function_or_method.*model by its arrays"),
        ([np.array([None])], "'/0' is an array of Python objects"),
        (Bomb(), "the value is a .*Bomb"),
        ({1: np.ma.masked_array([1])}, "MaskedArray"),
    ],
    ids=range(4),
)
def test_what_cannot_be_kept_is_named_and_nothing_is_written(workplace, thing, said):
    with pytest.raises(TypeError, match=said):
        to_pickle(thing, "thing.pkl")
    assert list(workplace.iterdir()) == []


def test_what_contains_itself_is_named():
    endless = []
    endless.append(endless)
    with pytest.raises(TypeError, match="does it contain itself"):
        to_pickle(endless, "endless.pkl")


@pytest.mark.parametrize(
    "content", ['{"array": "y"}', '{"list": 3}', "{", '{"eval": "1"}', "[1, 2]", '{"bytes": "xy"}']
)
def test_a_structure_that_does_not_fit_is_damaged_and_said_so(content):
    np.savez("bad.npz", x=np.eye(2), **{STRUCTURE: np.array(content.encode())})
    with pytest.raises(ValueError, match=r"bad\.npz.*is damaged"):
        from_pickle("bad.npz")


def test_a_truncated_file_is_damaged_and_said_so():
    to_pickle({"x": np.arange(1000)}, "cut.pkl")
    whole = Path("cut.pkl").read_bytes()
    for length in (0, 3, 100, len(whole) - 10):
        Path("cut.pkl").write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"cut\.pkl"):
            from_pickle("cut.pkl")

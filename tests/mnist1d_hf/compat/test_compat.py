import json
import os
import pickle
import random
import subprocess
import sys
import warnings
from dataclasses import asdict
from pathlib import Path

import matplotlib
import naive
import numpy as np
import pytest
from hypothesis import assume, given, settings
from recipes_strategy import recipes

from mnist1d_hf import RecipeError, digit_templates, make_mnist1d
from mnist1d_hf import compat as mnist1d
from mnist1d_hf.compat import calls, npz_cache
from mnist1d_hf.generator.recipe import Recipe

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(mnist1d.__file__).parents[2])}  # of fresh interpreters
NEAR = {"rtol": 0, "atol": 1e-12}
KEYS = ["x", "x_test", "y", "y_test", "t", "templates"]


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def args_with(**changes):
    args = mnist1d.get_dataset_args()
    for name, value in changes.items():
        setattr(args, name, value)
    return args


def assert_same(one, other):
    """Two data sets equal to the last bit, templates too."""
    assert one.keys() == other.keys() == set(KEYS)
    for name in KEYS[:-1]:
        assert np.array_equal(one[name], other[name]), name
        assert one[name].dtype == other[name].dtype
    for name in ("x", "t", "y"):
        assert np.array_equal(one["templates"][name], other["templates"][name]), name


def files(folder):
    return sorted(path.name for path in folder.iterdir())


# Arguments and templates


def test_the_arguments_are_the_references():
    expected = {
        "num_samples": 5000,
        "train_split": 0.8,
        "template_len": 12,
        "padding": [36, 60],
        "scale_coeff": 0.4,
        "max_translation": 48,
        "corr_noise_scale": 0.25,
        "iid_noise_scale": 0.02,
        "shear_scale": 0.75,
        "shuffle_seq": False,
        "final_seq_length": 40,
        "seed": 42,
        "url": "https://github.com/greydanus/mnist1d/raw/master/mnist1d_data.pkl",
    }
    assert mnist1d.get_dataset_args(as_dict=True) == expected
    assert vars(mnist1d.get_dataset_args()) == expected


def test_arguments_are_fresh_each_time_and_a_view_of_their_dictionary():
    first = mnist1d.get_dataset_args()
    first.padding[0] = 1
    first.seed = 3
    assert mnist1d.get_dataset_args().padding == [36, 60]
    assert mnist1d.get_dataset_args().seed == 42
    dictionary = {"seed": 1}
    view = mnist1d.ObjectView(dictionary)
    view.seed = 2
    assert dictionary == {"seed": 2}


def test_templates_are_the_published_ones_and_ones_own():
    templates = mnist1d.get_templates()
    curves, positions = naive.templates()
    np.testing.assert_allclose(templates["x"], curves, rtol=0, atol=1e-15)
    np.testing.assert_allclose(templates["t"], positions, rtol=0, atol=1e-15)
    assert templates["y"].tolist() == list(range(10))
    templates["x"][:] = 0
    assert mnist1d.get_templates()["x"].any()


def test_the_references_modules_are_there_as_attributes():
    assert mnist1d.data.get_dataset_args is mnist1d.get_dataset_args
    assert mnist1d.data.make_dataset is mnist1d.make_dataset
    assert mnist1d.data.get_dataset is mnist1d.get_dataset
    assert mnist1d.data.get_templates is mnist1d.get_templates
    assert mnist1d.utils.set_seed is mnist1d.set_seed
    assert mnist1d.utils.plot_signals is mnist1d.plot_signals
    assert mnist1d.utils.ObjectView is mnist1d.ObjectView
    assert all(hasattr(mnist1d, name) for name in mnist1d.__all__)


# make_dataset


@settings(max_examples=25, deadline=None)
@given(recipes())
def test_make_dataset_is_the_naive_one(recipe):
    recipe = recipe.replace(flip_seq=False, label_noise=0.0)
    expected = naive.make(asdict(recipe))
    assume(expected["std"] > 1e-3)
    found = mnist1d.make_dataset(args_with(**asdict(recipe)))
    split = expected["split"]
    assert list(found) == KEYS
    np.testing.assert_allclose(found["x"], expected["x"][:split], **NEAR)
    np.testing.assert_allclose(found["x_test"], expected["x"][split:], **NEAR)
    assert found["y"].tolist() == expected["y"][:split].tolist()
    assert found["y_test"].tolist() == expected["y"][split:].tolist()
    assert found["x"].dtype == found["x_test"].dtype == found["t"].dtype == np.float64
    assert found["y"].dtype == found["y_test"].dtype == np.int64
    assert found["x"].flags.c_contiguous


def test_without_arguments_it_is_the_frozen_data_set():
    assert_same(mnist1d.make_dataset(), make_mnist1d().as_dict())


def test_unknown_arguments_play_no_role_even_if_they_are_fields_of_a_recipe():
    args = args_with(num_samples=50, learning_rate=1e-2, label_noise=1.0, flip_seq=True)
    assert_same(mnist1d.make_dataset(args), mnist1d.make_dataset(args_with(num_samples=50)))


@pytest.mark.filterwarnings("error")
def test_the_remainder_is_dropped_without_a_word_and_any_truth_value_shuffles():
    found = mnist1d.make_dataset(args_with(num_samples=59, shuffle_seq=1))
    assert len(found["y"]) + len(found["y_test"]) == 50
    assert_same(found, make_mnist1d(num_samples=50, shuffle_seq=True).as_dict())


def test_own_templates_with_any_number_of_classes():
    template = {
        "x": np.array([[0, 1, 0], [1, -1, 2]]),
        "t": np.array([-1.0, 0.0, 1.0]),
        "y": np.array([7, 3]),
        "note": "ours",
    }
    args = args_with(num_samples=21)
    expected = naive.make(
        vars(args) | {"flip_seq": False, "label_noise": 0, "label_noise_seed": 0}, [[0, 1, 0], [1, -1, 2]], [-1, 0, 1]
    )
    found = mnist1d.make_dataset(args, template=template)
    np.testing.assert_allclose(found["x"], expected["x"][:16], **NEAR)
    assert found["y"].tolist() == [(7, 3)[row] for row in expected["y_clean"][:16]]
    assert found["templates"] is template


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (mnist1d.get_dataset_args(as_dict=True), r"args is a dictionary .*ObjectView\(args\)"),
        (mnist1d.ObjectView({"num_samples": 100}), "args has no 'train_split'; start from get_dataset_args"),
        (args_with(num_samples=2_000_000), "num_samples=2000000 is more than the reference stream can hold"),
        (args_with(num_samples=5), "num_samples=5 must be from 10"),
        (args_with(padding=[60, 36]), r"padding=\(60, 36\) .*swap them"),
        (args_with(iid_noise_scale=float("nan")), "iid_noise_scale=nan"),
        (args_with(max_translation=0), "max_translation=0 must be from 1"),
    ],
    ids=range(7),
)
def test_arguments_that_make_no_sense_are_named(args, said, tmp_path):
    with pytest.raises(RecipeError, match=said):
        mnist1d.make_dataset(args)
    with pytest.raises(RecipeError, match=said):
        mnist1d.get_dataset(args, path=tmp_path / "data.pkl", download=False)
    assert files(tmp_path) == []


def test_templates_that_do_not_fit_together_are_described():
    template = {"x": np.zeros((3, 5)), "t": np.zeros(4), "y": np.zeros(3)}
    with pytest.raises(RecipeError, match=r"x \(3, 5\), t \(4,\), y \(3,\); it must have"):
        mnist1d.make_dataset(template=template)


def test_labels_may_be_strings_and_must_not_be_objects(workplace):
    template = {"x": np.eye(3), "t": np.arange(3.0), "y": np.array(["a", "bc", "d"])}
    quiet = {"verbose": False, "download": False}
    for _ in range(2):
        found = mnist1d.get_dataset(args_with(num_samples=30), template=template, **quiet)
        assert set(found["y"]) == {"a", "bc", "d"}
    template["y"] = np.array(["a", None, 3], dtype=object)
    with pytest.raises(RecipeError, match=r"labels y of Python objects, \['a', None, 3\]"):
        mnist1d.get_dataset(args_with(num_samples=30), template=template, **quiet)
    assert len(files(workplace)) == 1


def state():
    """Both global random states, comparable."""
    algorithm, key, *rest = np.random.get_state()
    return random.getstate(), (algorithm, key.tolist(), *rest)


def test_a_loaded_or_published_data_set_leaves_the_global_random_state_alone(workplace):
    mnist1d.set_seed(5)
    before = state()
    mnist1d.get_dataset(mnist1d.get_dataset_args(), verbose=False)  # the reference would download it
    assert files(workplace) == ["mnist1d_data.npz"]
    assert state() == before
    for _ in range(2):
        mnist1d.get_dataset(args_with(num_samples=50), verbose=False, download=False)
        if _ == 0:
            assert state() != before  # built: seeded, as in the reference
            mnist1d.set_seed(5)
    assert state() == before  # loaded


def test_no_seed_is_another_data_set_each_time_and_one_in_the_cache(workplace):
    args, quiet = args_with(num_samples=50, seed=None), {"verbose": False, "download": False}
    mnist1d.set_seed(5)
    first, second = mnist1d.make_dataset(args), mnist1d.make_dataset(args)
    mnist1d.set_seed(5)
    third = mnist1d.make_dataset(args)
    assert not np.array_equal(first["x"], second["x"])
    assert not np.array_equal(first["x"], third["x"])
    kept = mnist1d.get_dataset(args, **quiet)
    assert_same(mnist1d.get_dataset(args, **quiet), kept)
    assert not np.array_equal(mnist1d.get_dataset(args, regenerate=True, **quiet)["x"], kept["x"])
    assert len(files(workplace)) == 1


MEANS_NOTHING = {
    "num_samples": [0, -10, 5, 5000.0, "5000", None, True, 10**400, [5000], np.zeros(3)],
    "train_split": [-0.1, 1.5, "0.8", None, np.nan, [0.8], np.array([0.8, 0.1]), 1j],
    "template_len": [-12, 12.0, None, "12", 10**9],
    "padding": [36, None, "ab", [36], [60, 36], [-1, 60], [36, 60, 72], [0.5, 60], {"low": 36}],
    "scale_coeff": [None, "0.4", np.inf, np.zeros(5), [[0.4]], 1j, True, 10**400],
    "max_translation": [0, -3, 48.0, None, [], [1.5], "48", [[1, 2]]],
    "corr_noise_scale": [None, np.nan, np.zeros(40), 1e9],
    "iid_noise_scale": [None, np.nan, np.zeros(40), -1e9],
    "shear_scale": [None, object(), np.zeros((72, 72))],
    "shuffle_seq": [np.zeros(3)],
    "final_seq_length": [0, -40, 40.0, None, 10**9],
    "seed": [-1, 2**32, 1.5, "42", [42], True],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in MEANS_NOTHING for value in MEANS_NOTHING[name]])
def test_a_value_that_means_nothing_is_refused_by_name_before_anything_is_drawn_or_written(workplace, name, value):
    args = args_with(**{"num_samples": 50, name: value})
    before = state()
    with pytest.raises(RecipeError, match=name):
        mnist1d.get_dataset(args, download=False)
    assert state() == before
    assert files(workplace) == []


@pytest.mark.parametrize(
    "template",
    [
        {"x": [[1, 2], [3]], "t": [1, 2], "y": [0, 1]},
        {"x": np.eye(3)},
        [1, 2],
        {"x": np.zeros((0, 3)), "t": [1, 2, 3], "y": []},
    ],
    ids=["ragged", "incomplete", "a list", "empty"],
)
def test_templates_that_are_none_are_refused_by_name(template):
    with pytest.raises(RecipeError, match="template"):
        mnist1d.make_dataset(args_with(num_samples=50), template=template)


# The functions on one signal


def both(seed, ours, theirs):
    """What the compatible and the naive function make under the same seed, and that they drew equally much."""
    np.random.seed(seed)
    found = ours()
    state = np.random.get_state()
    expected = theirs(np.random.RandomState(seed))
    reference = np.random.RandomState(seed)
    theirs(reference)
    assert np.array_equal(state[1], reference.get_state()[1])
    assert state[2:] == reference.get_state()[2:]
    np.testing.assert_allclose(found, expected, **NEAR)


CURVE = np.sin(np.arange(15.0))


@pytest.mark.parametrize("seed", range(6))
def test_single_steps_draw_as_the_references_do(seed):
    listed = CURVE.tolist()
    both(seed, lambda: mnist1d.pad(CURVE, (2, 9)), lambda r: listed + [0.0] * (2 + int(r.rand() * 8)))
    both(seed, lambda: mnist1d.translate(CURVE, 40), lambda r: naive.rotate(listed, int(r.choice(40))))
    both(seed, lambda: mnist1d.iid_noise_like(CURVE, 0.3), lambda r: 0.3 * r.randn(15))
    both(seed, lambda: mnist1d.corr_noise_like(CURVE, 0.3), lambda r: naive.smooth(list(0.3 * r.randn(15))))
    ramp = np.linspace(-0.5, 0.5, 15)
    both(seed, lambda: mnist1d.shear(CURVE, 2.0), lambda r: CURVE - 2.0 * (r.rand() - 0.5) * ramp)
    both(seed, lambda: mnist1d.shear(CURVE), lambda r: CURVE - 10 * (r.rand() - 0.5) * ramp)


def test_pad_takes_a_matrix_and_interpolate_any_shape():
    np.random.seed(0)
    padded = mnist1d.pad(np.ones((4, 3)), [5, 5])
    assert padded.tolist() == [[1.0] * 3 + [0.0] * 5] * 4
    assert mnist1d.interpolate(np.array([0, 10]), 5).tolist() == [0, 2.5, 5, 7.5, 10]
    assert mnist1d.interpolate(np.array([[0, 1], [10, 3]]), 3).tolist() == [[0, 1], [5, 2], [10, 3]]


@settings(max_examples=25, deadline=None)
@given(recipes())
def test_transform_is_the_naive_example_with_its_positions(recipe):
    curves, positions = naive.templates()
    args = args_with(**asdict(recipe))
    for digit in (0, 7):
        both(
            recipe.seed,
            lambda: mnist1d.transform(np.array(curves[digit]), np.array(positions), args)[0],  # noqa: B023
            lambda r: naive.example(curves[digit], asdict(recipe), r)[0]["resample"],  # noqa: B023
        )
    _, t = mnist1d.transform(np.array(curves[0]), np.array(positions), args)
    expected = naive.interpolate(naive.interpolate(positions, recipe.dilated_length), recipe.final_seq_length)
    np.testing.assert_allclose(t, expected, **NEAR)


def test_transform_in_the_references_loop_makes_the_references_data_set():
    """The recipe of the textbook: seed, transform each template in turn, shuffle, normalise."""
    args, templates = args_with(num_samples=40, seed=11), mnist1d.get_templates()
    mnist1d.set_seed(11)
    signals = np.stack([mnist1d.transform(templates["x"][i // 4], templates["t"], args)[0] for i in range(40)])
    signals = signals[np.random.permutation(40)]
    signals = (signals - signals.mean()) / signals.std()
    np.testing.assert_allclose(mnist1d.make_dataset(args)["x"], signals[:32], **NEAR)


def test_eps_decides_what_counts_as_padding():
    np.random.seed(0)
    args = args_with(iid_noise_scale=0, shear_scale=0, scale_coeff=0, max_translation=1, final_seq_length=72)
    quiet, _ = mnist1d.transform(np.full(12, -1.0), np.arange(12.0), args, eps=1.0)  # every point is an exact zero
    assert (quiet[:12] != 0).all()


def test_set_seed_seeds_python_numpy_and_an_imported_torch():
    torch = pytest.importorskip("torch")
    mnist1d.set_seed(7)
    first = random.random(), np.random.rand(), torch.rand(1).item()
    mnist1d.set_seed(7)
    assert first == (random.random(), np.random.rand(), torch.rand(1).item())
    assert first[1] == np.random.RandomState(7).rand()


def test_set_seed_does_not_import_torch():
    code = "import sys; from mnist1d_hf import compat; compat.set_seed(1); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env=ENVIRONMENT)


# get_dataset and its caches


def test_the_default_is_kept_as_npz_and_is_the_frozen_data_set(workplace, capsys):
    built = mnist1d.get_dataset(mnist1d.get_dataset_args())
    assert "Building" in capsys.readouterr().out
    assert files(workplace) == ["mnist1d_data.npz"]
    loaded = mnist1d.get_dataset(mnist1d.get_dataset_args())
    assert "Loaded" in capsys.readouterr().out
    assert_same(built, make_mnist1d().as_dict())
    assert_same(loaded, built)


def test_a_cache_is_really_read(workplace, monkeypatch):
    args = args_with(num_samples=50)
    built = mnist1d.get_dataset(args, verbose=False, download=False)
    monkeypatch.setattr(calls, "generate", None)  # from here on nothing can be built
    assert_same(mnist1d.get_dataset(args, verbose=False, download=False), built)
    with pytest.raises(TypeError):
        mnist1d.get_dataset(args, verbose=False, download=False, regenerate=True)


def test_quiet_means_quiet(workplace, capsys):
    args = args_with(num_samples=50)
    for _ in range(2):
        mnist1d.get_dataset(args, verbose=False, download=False)
    assert capsys.readouterr() == ("", "")


CHANGES = {
    "num_samples": 60,
    "train_split": 0.5,
    "template_len": 13,
    "padding": [36, 59],
    "scale_coeff": 0.5,
    "max_translation": 40,
    "corr_noise_scale": 0.3,
    "iid_noise_scale": 0.03,
    "shear_scale": 0.5,
    "shuffle_seq": True,
    "final_seq_length": 41,
    "seed": 43,
}


@pytest.mark.parametrize("name", CHANGES)
def test_other_arguments_never_get_the_data_of_earlier_ones(workplace, name):
    base, changed = args_with(num_samples=50), args_with(**{"num_samples": 50, name: CHANGES[name]})
    quiet = {"path": "./mnist1d_data.pkl", "verbose": False, "download": False}
    first = mnist1d.get_dataset(base, **quiet)
    assert_same(mnist1d.get_dataset(changed, **quiet), mnist1d.make_dataset(changed))
    assert_same(mnist1d.get_dataset(base, **quiet), first)
    assert len(files(workplace)) == 2


def test_other_templates_get_a_cache_of_their_own(workplace):
    quiet = {"verbose": False, "download": False}
    args, template = args_with(num_samples=50), mnist1d.get_templates()
    mnist1d.get_dataset(args, **quiet)
    mnist1d.get_dataset(args, template=template, **quiet)  # equal curves: the same data
    assert len(files(workplace)) == 1
    flipped = template | {"x": -template["x"]}
    for _ in range(2):
        found = mnist1d.get_dataset(args, template=flipped, **quiet)
        assert_same(found, mnist1d.make_dataset(args, template=flipped))
    assert len(files(workplace)) == 2
    default = mnist1d.get_dataset(mnist1d.get_dataset_args(), template=flipped, **quiet)
    assert_same(default, mnist1d.make_dataset(template=flipped))
    assert "mnist1d_data.npz" not in files(workplace)  # that name is the frozen data set's


def test_regenerating_never_overwrites_the_frozen_data_set(workplace):
    frozen = mnist1d.get_dataset(mnist1d.get_dataset_args(), verbose=False)
    before = (workplace / "mnist1d_data.npz").read_bytes()
    mnist1d.get_dataset(args_with(seed=43, num_samples=50), download=False, regenerate=True, verbose=False)
    assert (workplace / "mnist1d_data.npz").read_bytes() == before
    assert_same(mnist1d.get_dataset(mnist1d.get_dataset_args(), verbose=False, regenerate=True), frozen)


def test_regenerating_replaces_what_the_cache_holds(workplace):
    args = args_with(num_samples=50)
    quiet = {"verbose": False, "download": False}
    good = mnist1d.get_dataset(args, **quiet)
    cache = npz_cache.at(None, asdict(Recipe(num_samples=50)), digit_templates())
    cache.store({name: np.zeros(3) for name in KEYS[:-1]})
    assert mnist1d.get_dataset(args, **quiet)["x"].tolist() == [0, 0, 0]
    assert_same(mnist1d.get_dataset(args, regenerate=True, **quiet), good)
    assert_same(mnist1d.get_dataset(args, **quiet), good)


class Bomb:
    """A pickle that runs code when it is read."""

    def __reduce__(self):
        return os.mkdir, ("exploded",)


def test_a_pickle_at_the_path_is_neither_read_nor_changed(workplace):
    content = pickle.dumps(Bomb())
    Path("mnist1d_data.pkl").write_bytes(content)
    for path in (None, "./mnist1d_data.pkl"):
        mnist1d.get_dataset(mnist1d.get_dataset_args(), path=path, verbose=False)
    assert Path("mnist1d_data.pkl").read_bytes() == content
    assert files(workplace) == ["mnist1d_data.npz", "mnist1d_data.pkl"]


def test_a_pickle_inside_an_npz_is_not_read_either(workplace):
    np.savez("mnist1d_data.npz", x=np.array([Bomb()], dtype=object))
    mnist1d.get_dataset(mnist1d.get_dataset_args(), verbose=False)
    assert files(workplace) == ["mnist1d_data.npz"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("data.pkl", "data.npz"),
        ("data.pickle", "data.npz"),
        ("data.npz", "data.npz"),
        ("data", "data.npz"),
        ("data.v1", "data.v1.npz"),
        ("deep/er/data.pkl", "deep/er/data.npz"),
        (Path("data.pkl"), "data.npz"),
        (None, "mnist1d_data.npz"),
    ],
    ids=str,
)
def test_where_the_default_is_kept(workplace, path, expected):
    mnist1d.get_dataset(mnist1d.get_dataset_args(), path=path, verbose=False)
    assert [str(file.relative_to(workplace)) for file in workplace.rglob("*") if file.is_file()] == [expected]


@pytest.mark.parametrize(
    "damage",
    [
        lambda good: good[: len(good) // 2],
        lambda good: b"",
        lambda good: b"not a zip at all",
        lambda good: good[:5000] + bytes([good[5000] ^ 1]) + good[5001:],
    ],
    ids=["truncated", "empty", "other", "one bit"],
)
def test_a_damaged_cache_is_built_again(workplace, damage):
    args = args_with(num_samples=100)
    quiet = {"verbose": False, "download": False}
    good = mnist1d.get_dataset(args, **quiet)
    (file,) = workplace.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert_same(mnist1d.get_dataset(args, **quiet), good)
    assert len(files(workplace)) == 1
    assert npz_cache.at(None, asdict(Recipe(num_samples=100)), digit_templates()).load() is not None


def test_a_cache_of_another_version_of_the_data_is_built_again(workplace, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(npz_cache, "DATA_VERSION", "0.0.1")
        npz_cache.at(None, asdict(Recipe()), digit_templates()).store({"x": np.zeros(1)})
    assert files(workplace) == ["mnist1d_data.npz"]
    assert len(mnist1d.get_dataset(mnist1d.get_dataset_args(), verbose=False)["x"]) == 4000


def test_somebody_elses_arrays_are_not_overwritten(workplace):
    np.savez("results.npz", accuracy=np.ones(3))
    before = Path("results.npz").read_bytes()
    with pytest.raises(npz_cache.ForeignFileError, match=r"results\.npz.*accuracy.*give another path"):
        mnist1d.get_dataset(mnist1d.get_dataset_args(), path="results.npz", verbose=False)
    assert Path("results.npz").read_bytes() == before


def test_a_failed_write_leaves_nothing_behind(workplace, monkeypatch):
    def full(*_, **__):
        raise OSError("no space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(OSError, match="no space"):
        mnist1d.get_dataset(args_with(num_samples=50), verbose=False, download=False)
    assert files(workplace) == []


def test_many_processes_at_once_leave_one_whole_cache(workplace):
    code = (
        "import json; from mnist1d_hf import compat as m\n"
        "d = m.get_dataset(m.get_dataset_args(), verbose=False)\n"
        "print(json.dumps([float(d['x'].sum()), len(d['y_test'])]))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=ENVIRONMENT) for _ in range(3)
    ]
    printed = [process.communicate()[0] for process in running]
    assert {tuple(json.loads(line)) for line in printed} == {tuple(json.loads(printed[0]))}
    assert files(workplace) == ["mnist1d_data.npz"]


def test_download_warns_where_the_reference_would_ignore_the_arguments(workplace):
    with pytest.warns(UserWarning, match=r"returns the frozen data set.*'num_samples': 50.*download=False"):
        mnist1d.get_dataset(args_with(num_samples=50), verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mnist1d.get_dataset(args_with(num_samples=50), verbose=False, download=False)
        mnist1d.get_dataset(mnist1d.get_dataset_args(), verbose=False)


def test_other_keywords_are_an_error(workplace):
    with pytest.raises(TypeError, match=r"takes template= .* not templates"):
        mnist1d.get_dataset(mnist1d.get_dataset_args(), templates=None)
    assert files(workplace) == []


# plot_signals


@pytest.fixture
def pyplot(monkeypatch):
    matplotlib.use("Agg")
    from matplotlib import pyplot

    shown = []
    monkeypatch.setattr(pyplot, "show", lambda: shown.append(pyplot.gcf()))
    yield shown
    pyplot.close("all")


def test_plot_signals_draws_ten_shows_and_returns(pyplot):
    templates = mnist1d.get_templates()
    figure = mnist1d.plot_signals(templates["x"], templates["t"], labels=templates["y"], zoom=2)
    assert pyplot == [figure]
    assert [axes.get_title() for axes in figure.axes] == [f"label={digit}" for digit in range(10)]
    for axes, curve in zip(figure.axes, templates["x"], strict=True):
        assert np.array_equal(axes.lines[0].get_xdata(), curve)
        assert np.array_equal(axes.lines[0].get_ydata(), templates["t"])
        assert axes.get_xlim() == (-2, 2)
        assert axes.get_ylim() == (2, -2)


def test_plot_signals_transforms_in_order_on_request(pyplot):
    templates, args = mnist1d.get_templates(), mnist1d.get_dataset_args()
    np.random.seed(3)
    figure = mnist1d.plot_signals(templates["x"], templates["t"], args=args, do_transform=True, dark_mode=True)
    np.random.seed(3)
    for axes, curve in zip(figure.axes, templates["x"], strict=True):
        x, t = mnist1d.transform(curve, templates["t"], args)
        assert np.array_equal(axes.lines[0].get_xdata(), x)
        assert np.array_equal(axes.lines[0].get_ydata(), t)
        assert axes.lines[0].get_linestyle() == "None"
    with pytest.raises(ValueError, match="needs args="):
        mnist1d.plot_signals(templates["x"], templates["t"], do_transform=True)

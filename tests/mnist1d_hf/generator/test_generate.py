import hashlib
import json
import random
from dataclasses import asdict
from pathlib import Path

import fast_probes
import naive
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from recipes_strategy import recipes

from mnist1d_hf import DATA_VERSION, RECIPES, Recipe, RecipeError, Split, Templates, make_mnist1d, make_slice
from mnist1d_hf.generator.draws import BLOCK_SIZE
from mnist1d_hf.generator.stages import STAGES

pytestmark = pytest.mark.filterwarnings("ignore:num_samples=")  # random sizes need not divide by ten
HERE = Path(__file__).parents[1]
PUBLISHED = json.loads((HERE / "reference_digests.json").read_text())
PUBLISHED.pop("comment")
SPLITS = ("train", "test")
noisy_recipes = recipes().filter(lambda recipe: recipe.iid_noise_scale > 0)  # without noise all may be flat: an error


def digest(array, dtype="<f4"):
    return hashlib.sha256(np.ascontiguousarray(array, dtype=dtype).tobytes()).hexdigest()


def assert_same(one: Split, other: Split):
    """Every column equal to the last bit."""
    for name in ("x", "y", "y_clean"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


# The reference stream


@pytest.mark.parametrize("published", PUBLISHED.values(), ids=PUBLISHED)
def test_the_reference_stream_is_the_published_data_to_the_last_float32_bit(published):
    arrays = make_mnist1d(**published["args"])
    assert [len(arrays.train), len(arrays.test)] == published["n"]
    found = {
        "x_train_f32le": digest(arrays.train.x),
        "x_test_f32le": digest(arrays.test.x),
        "y_train_i64le": digest(arrays.train.y, "<i8"),
        "y_test_i64le": digest(arrays.test.y, "<i8"),
        "t_f32le": digest(arrays.t),
    }
    expected = {name: published[name] for name in found if name in published}
    assert expected
    assert {name: found[name] for name in expected} == expected


def test_a_few_values_of_the_frozen_data_set():
    arrays = make_mnist1d()
    near = {"rtol": 0, "atol": 5e-9}
    np.testing.assert_allclose(arrays.train.x[0, :4], [-0.33200567, -0.47191037, -0.77869708, -1.00974083], **near)
    np.testing.assert_allclose(arrays.train.x[-1, -3:], [-1.21624513, -1.4649417, -1.65099286], **near)
    np.testing.assert_allclose(arrays.test.x[0, :4], [-0.07877078, -0.21073171, -0.09175138, 0.28267112], **near)
    np.testing.assert_allclose(arrays.test.x[-1, -3:], [0.65987565, 0.87773435, 1.19315184], **near)
    np.testing.assert_allclose(arrays.t[[0, 1, -1]], [-5.38753507, -5.11125122, 5.38753507], **near)
    assert arrays.train.y[:10].tolist() == [2, 6, 4, 5, 6, 6, 6, 0, 3, 1]
    assert arrays.test.y[:10].tolist() == [2, 6, 3, 9, 4, 3, 1, 9, 5, 2]
    assert np.bincount(arrays.train.y).tolist() == [398, 396, 411, 394, 394, 402, 401, 404, 402, 398]
    assert np.bincount(arrays.test.y).tolist() == [102, 104, 89, 106, 106, 98, 99, 96, 98, 102]
    assert arrays.train.x.dtype == arrays.t.dtype == np.float64
    assert arrays.train.y.dtype == np.int64


@settings(max_examples=60, deadline=None)
@given(recipes())
def test_the_reference_stream_is_the_naive_one_for_any_recipe(recipe):
    expected = naive.make(asdict(recipe))
    assume(expected["std"] > 1e-3)  # all but constant signals have no digits left to compare once they are normalised
    arrays = make_mnist1d(recipe, latents=True)
    split = expected["split"]
    for found, rows in ((arrays.train, slice(None, split)), (arrays.test, slice(split, None))):
        np.testing.assert_allclose(found.x, expected["x"][rows], rtol=0, atol=1e-12)
        assert np.array_equal(found.y, expected["y"][rows])
        assert np.array_equal(found.y_clean, expected["y_clean"][rows])
        for name, column in found.latents.columns().items():
            drawn = [draws[name] for draws in expected["draws"][rows]]
            np.testing.assert_allclose(column, np.array(drawn, dtype=np.float64), rtol=0, atol=1e-15, err_msg=name)
    np.testing.assert_allclose(arrays.t * arrays.std, expected["t"] * expected["std"], rtol=0, atol=1e-14)
    assert arrays.std == pytest.approx(expected["std"], rel=1e-12)


@settings(max_examples=15, deadline=None)
@given(recipes(), st.integers(2, 14), st.integers(2, 9))
def test_other_templates_of_any_number_and_length(recipe, classes, points):
    recipe = recipe.replace(num_samples=max(recipe.num_samples, classes), label_noise=0.0)
    curves = np.random.RandomState(points).standard_normal((classes, points))
    t = np.linspace(0.0, 1.0, points)
    expected = naive.make(asdict(recipe), curves.tolist(), t.tolist())
    assume(expected["std"] > 1e-3)
    arrays = make_mnist1d(recipe, templates=Templates(x=curves, t=t, y=np.arange(classes) + 100))
    x = np.concatenate([arrays.train.x, arrays.test.x])
    assert len(x) == recipe.num_samples // classes * classes
    np.testing.assert_allclose(x, expected["x"], rtol=0, atol=1e-12)
    assert np.array_equal(np.concatenate([arrays.train.y, arrays.test.y]), expected["y_clean"] + 100)
    np.testing.assert_allclose(arrays.t * arrays.std, expected["t"] * expected["std"], rtol=0, atol=1e-14)


def test_large_sets_cross_chunks_as_small_ones_do():
    """2,500 examples are drawn in three chunks; the naive set knows none."""
    recipe = Recipe(num_samples=2500, final_seq_length=8, template_len=4, padding=(1, 7), seed=9)
    expected = naive.make(asdict(recipe))
    arrays = make_mnist1d(recipe)
    np.testing.assert_allclose(np.concatenate([arrays.train.x, arrays.test.x]), expected["x"], rtol=0, atol=1e-12)


def test_a_remainder_is_dropped_with_a_word():
    with pytest.warns(UserWarning, match=r"num_samples=59 makes 50 examples.*stream='fast' makes exactly 59"):
        arrays = make_mnist1d(num_samples=59)
    whole = make_mnist1d(num_samples=50)
    assert_same(arrays.train, whole.train)
    assert_same(arrays.test, whole.test)


def test_train_and_test_together_have_mean_zero_and_standard_deviation_one():
    arrays = make_mnist1d(num_samples=1000, seed=3)
    x = np.concatenate([arrays.train.x, arrays.test.x])
    assert abs(x.mean()) < 1e-14
    assert x.std() == pytest.approx(1, abs=1e-14)


# The caller's random state


@settings(max_examples=20, deadline=None)
@given(noisy_recipes, st.sampled_from(["reference", "fast"]), st.integers(0, 2**32 - 1))
def test_the_callers_random_state_is_neither_written_nor_read(recipe, stream, seed):
    arrays = make_mnist1d(recipe, stream=stream)
    np.random.seed(seed)
    random.seed(seed)
    before = np.random.get_state(), random.getstate()
    again = make_mnist1d(recipe, stream=stream)
    after = np.random.get_state(), random.getstate()
    assert np.array_equal(before[0][1], after[0][1])
    assert before[0][2:] == after[0][2:]
    assert before[1] == after[1]
    assert_same(arrays.train, again.train)
    assert_same(arrays.test, again.test)


# The fast stream


@settings(max_examples=40, deadline=None)
@given(noisy_recipes, st.sampled_from(SPLITS), st.integers(0, 3500), st.integers(0, 1200))
def test_any_slice_is_the_rows_of_the_whole_to_the_last_bit(recipe, split, start, count):
    whole = make_slice(recipe, split, 0, 4700)
    part = make_slice(recipe, split, start, start + count)
    assert len(part) == count
    assert_same(part, whole[start : start + count])


def test_a_slice_with_latents_or_trace_is_the_same_slice():
    plain = make_slice("label-noise", "train", 900, 3100)
    full = make_slice("label-noise", "train", 900, 3100, trace=True, latents=True)
    assert_same(plain, full)
    assert len(full.latents.padding) == len(full.trace["scale"]) == 2200


def test_make_mnist1d_is_the_slices_from_zero_on():
    arrays = make_mnist1d(stream="fast", num_samples=3333, train_split=0.4)
    assert [len(arrays.train), len(arrays.test)] == [1333, 2000]
    assert_same(arrays.train, make_slice("default", "train", 0, 1333))
    assert_same(arrays.test, make_slice("default", "test", 0, 2000))
    assert arrays.train.x.dtype == arrays.t.dtype == np.float32


def test_a_smaller_set_is_the_beginning_of_a_larger_one():
    small, large = (make_mnist1d(stream="fast", num_samples=n, train_split=0.5) for n in (500, 5000))
    assert_same(small.train, large.train[:250])


@pytest.mark.parametrize("cores", [1, 2, 3, 7])
def test_the_number_of_threads_does_not_change_a_bit(monkeypatch, cores):
    parts = [make_slice("label-noise", "train", first, first + 900) for first in range(500, 59_900, 900)]
    monkeypatch.setattr("mnist1d_hf.generator.fast_stream._CORES", cores)
    assert_same(make_slice("label-noise", "train", 500, 59_900), Split.concatenate(parts))


def test_an_error_in_a_thread_comes_out(monkeypatch):
    monkeypatch.setattr("mnist1d_hf.generator.fast_stream._CORES", 2)
    monkeypatch.setattr("mnist1d_hf.generator.fast_stream.fast_draws", None)
    with pytest.raises(TypeError):
        make_slice("default", "train", 0, 50_000)


def test_slices_reach_far_beyond_num_samples_and_may_be_empty():
    far = make_slice("default", "train", 10**12 - 5, 10**12)
    assert far.x.shape == (5, 40)
    assert not np.array_equal(far.x, make_slice("default", "train", 0, 5).x)
    empty = make_slice("default", "test", 7, 7, latents=True)
    assert empty.x.shape == (0, 40)
    assert len(empty.latents.shift) == 0


@pytest.mark.parametrize("split", SPLITS)
def test_every_block_of_the_fast_stream_holds_each_digit_equally_often(split):
    y = make_slice("default", split, 0, 5 * BLOCK_SIZE).y.reshape(5, BLOCK_SIZE)
    assert [np.bincount(block).tolist() for block in y] == [[BLOCK_SIZE // 10] * 10] * 5
    assert not np.array_equal(y[0], y[1])


def test_train_and_test_share_no_example():
    train, test = (make_slice("default", split, 0, 20_000).x for split in SPLITS)
    assert len(np.unique(np.concatenate([train, test]), axis=0)) == 40_000
    frozen = make_mnist1d()
    assert len(np.unique(np.concatenate([frozen.train.x, frozen.test.x]), axis=0)) == 5000


@pytest.mark.parametrize("name", fast_probes.RECIPES)
def test_the_fast_stream_still_is_what_it_was(name):
    expected = json.loads(fast_probes.FILE.read_text(encoding="utf-8"))[name]
    found = fast_probes.content(fast_probes.RECIPES[name])
    assert found.keys() == expected.keys()
    changed = (
        f"the fast stream changed: raise the MAJOR of DATA_VERSION ({DATA_VERSION}) and renew {fast_probes.FILE.name}"
    )
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=0, atol=1e-5, err_msg=f"{key}: {changed}")


# Options of both streams


@pytest.mark.parametrize("stream", ["reference", "fast"])
def test_label_noise_changes_train_labels_only_and_at_the_promised_rate(stream):
    sizes = {"stream": stream, "num_samples": 50_000, "train_split": 0.9}
    clean, noisy = make_mnist1d(**sizes), make_mnist1d(**sizes, label_noise=0.15)
    for split in SPLITS:
        assert np.array_equal(getattr(clean, split).x, getattr(noisy, split).x)
        assert np.array_equal(getattr(clean, split).y, getattr(noisy, split).y_clean)
        assert np.array_equal(getattr(clean, split).y, getattr(clean, split).y_clean)
    assert np.array_equal(noisy.test.y, noisy.test.y_clean)
    wrong = noisy.train.y != noisy.train.y_clean
    expected, n = 0.15 * 0.9, len(wrong)
    assert abs(wrong.mean() - expected) < 5 * np.sqrt(expected * (1 - expected) / n)
    # Wrong labels lie uniformly on the nine other digits: chi-squared with 8 degrees of freedom, 1e-6 critical value.
    distance = np.bincount((noisy.train.y - noisy.train.y_clean)[wrong] % 10, minlength=10)
    assert distance[0] == 0
    mean = wrong.sum() / 9
    assert ((distance[1:] - mean) ** 2 / mean).sum() < 42.7
    other = make_mnist1d(**sizes, label_noise=0.15, label_noise_seed=1)
    assert np.array_equal(other.train.x, noisy.train.x)
    assert not np.array_equal(other.train.y, noisy.train.y)


@pytest.mark.parametrize("stream", ["reference", "fast"])
def test_shuffle_is_one_permutation_and_flip_comes_after_it(stream):
    size = {"stream": stream, "num_samples": 1000}
    plain = make_mnist1d(**size, dtype=np.float64).train.x
    shuffled = make_mnist1d(**size, shuffle_seq=True, dtype=np.float64).train.x
    order = [int(np.abs(plain - column[:, None]).max(axis=0).argmin()) for column in shuffled.T]
    assert sorted(order) == list(range(40))
    assert order != list(range(40))
    np.testing.assert_allclose(shuffled, plain[:, order], rtol=0, atol=1e-12)  # the sums run in another order
    both = make_mnist1d(**size, shuffle_seq=True, flip_seq=True, dtype=np.float64).train.x
    assert np.array_equal(both, shuffled[:, ::-1])
    assert np.array_equal(make_mnist1d(**size, flip_seq=True, dtype=np.float64).train.x, plain[:, ::-1])


@pytest.mark.parametrize("stream", ["reference", "fast"])
def test_the_last_stage_of_the_trace_normalised_is_x(stream):
    arrays = make_mnist1d(stream=stream, num_samples=300, trace=True, shuffle_seq=False)
    for split in (arrays.train, arrays.test):
        assert tuple(split.trace) == STAGES
        dtype = split.x.dtype.type
        assert np.array_equal(split.x, (split.trace["resample"] - dtype(arrays.mean)) / dtype(arrays.std))


@pytest.mark.parametrize("stream", ["reference", "fast"])
def test_latents_explain_the_trace(stream):
    arrays = make_mnist1d(stream=stream, num_samples=300, trace=True, latents=True, iid_noise_scale=0)
    tolerance = {"rtol": 0, "atol": 1e-6}
    for split in (arrays.train, arrays.test):
        trace, latents = split.trace, split.latents
        ends = np.isnan(trace["pad"]).argmax(axis=1)
        ends = np.where(np.isnan(trace["pad"]).any(axis=1), ends, 72)
        assert np.array_equal(latents.padding, ends - 12)
        np.testing.assert_allclose(trace["scale"], trace["dilate"] * latents.scale[:, None], **tolerance)
        rolled = [np.roll(row, shift) for row, shift in zip(trace["scale"], latents.shift, strict=True)]
        assert np.array_equal(trace["translate"], rolled)
        ramp = latents.shear[:, None] * np.linspace(-0.5, 0.5, 72)
        np.testing.assert_allclose(trace["shear"], trace["iid noise"] - ramp, **tolerance)
        assert np.array_equal(trace["iid noise"], trace["correlated noise"])  # its scale is 0


def test_without_asking_there_are_no_latents_and_no_trace_but_for_the_config_of_that_name():
    arrays = make_mnist1d(num_samples=20)
    assert arrays.train.latents is arrays.train.trace is None
    assert make_mnist1d("latents", num_samples=20).train.latents is not None


def test_the_large_config_is_made_by_the_fast_stream():
    arrays = make_mnist1d("large", num_samples=20)
    assert arrays.stream == "fast"
    assert make_mnist1d("large", num_samples=20, stream="reference").stream == "reference"


@pytest.mark.parametrize("name", RECIPES)
def test_every_config_generates(name):
    arrays = make_mnist1d(name, num_samples=100, train_split=0.5)
    assert arrays.train.x.shape == (50, RECIPES[name].recipe.final_seq_length)
    assert np.isfinite(arrays.train.x).all()


def test_as_dict_and_astype():
    arrays = make_mnist1d(num_samples=100)
    dictionary = arrays.as_dict()
    assert list(dictionary) == ["x", "x_test", "y", "y_test", "t", "templates"]
    assert dictionary["x"].shape == (80, 40)
    assert dictionary["x_test"].shape == (20, 40)
    assert sorted(dictionary["templates"]) == ["t", "x", "y"]
    single = make_mnist1d(num_samples=100, dtype=np.float32)
    assert single.train.x.dtype == single.test.x.dtype == single.t.dtype == np.float32
    assert np.array_equal(single.train.x, arrays.train.x.astype(np.float32))


def test_rows_of_a_split():
    split = make_mnist1d(num_samples=100, trace=True, latents=True).train
    chosen = split[split.y == 3]
    assert len(chosen) == (split.y == 3).sum() > 0
    assert set(chosen.y) == {3}
    assert np.array_equal(chosen.trace["shear"], split.trace["shear"][split.y == 3])
    assert np.array_equal(chosen.latents.shift, split.latents.shift[split.y == 3])


# Errors


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: make_mnist1d("defualt"), r"no config 'defualt'; did you mean 'default'\?"),
        (lambda: make_mnist1d(stream="slow"), "stream='slow' is not known.*reference, fast"),
        (lambda: make_mnist1d(noise=1), "'noise' is not a field of a recipe"),
        (lambda: make_mnist1d(num_sample=100), "did you mean 'num_samples'"),
        (lambda: make_mnist1d({"num_samples": 10}), "must be the name of a config or a Recipe; it is a dict"),
        (lambda: make_mnist1d(num_samples=2_000_000), "num_samples=2000000.*use stream='fast'"),
        (lambda: make_mnist1d(stream="fast", templates=naive), "templates= is for stream='reference'"),
        (lambda: make_slice("default", "validation", 0, 1), "split='validation' is not known.*train, test"),
        (lambda: make_slice("default", "train", 5, 4), "start=5, stop=4 .* 0 <= start <= stop"),
        (lambda: make_slice("default", "train", -1, 4), "start=-1 must be from 0 to "),
        (lambda: make_slice("default", "train", 0, 1, padding=(9, 3)), "padding=.*swap them"),
        (lambda: make_slice(None, "train", 0, 1), "recipe=None must be the name of a config or a Recipe"),
    ],
    ids=range(12),
)
def test_what_cannot_be_made_is_an_error_that_says_why(call, said):
    with pytest.raises(RecipeError, match=said):
        call()


def test_fewer_examples_than_templates_is_an_error():
    templates = Templates(x=np.ones((20, 3)), t=np.arange(3.0), y=np.arange(20))
    with pytest.raises(RecipeError, match=r"num_samples=10 .* 20 templates"):
        make_mnist1d(num_samples=10, templates=templates)


def test_other_templates_get_noise_from_their_own_labels():
    templates = Templates(x=np.eye(3), t=np.arange(3.0), y=np.array([5, 7, 11]))
    train = make_mnist1d(num_samples=300, templates=templates, label_noise=1.0).train
    assert set(train.y_clean) == set(train.y) == {5, 7, 11}
    assert (train.y != train.y_clean).mean() == pytest.approx(2 / 3, abs=0.15)


@pytest.mark.parametrize("stream", ["reference", "fast"])
@pytest.mark.filterwarnings("error")
def test_flat_signals_are_an_error_and_not_a_set_of_nan(stream):
    """First and last point of a padded template are both zero; without noise nothing else is left of it."""
    flat = {"final_seq_length": 2, "corr_noise_scale": 0, "iid_noise_scale": 0, "shear_scale": 0, "max_translation": 1}
    with pytest.raises(RecipeError, match=r"cannot be normalised.*final_seq_length="):
        make_mnist1d(stream=stream, **flat)
    assert np.isfinite(make_mnist1d(stream=stream, **flat | {"iid_noise_scale": 0.01}).train.x).all()

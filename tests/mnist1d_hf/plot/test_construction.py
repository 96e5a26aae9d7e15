import numpy as np
import pytest

from mnist1d_hf import make_mnist1d
from mnist1d_hf.generator.recipe import Recipe
from mnist1d_hf.generator.stages import STAGES
from mnist1d_hf.generator.templates import HEIGHTS
from mnist1d_hf.plot.construction import Construction

SMALL = Recipe(num_samples=200)


@pytest.fixture(scope="module")
def arrays():
    return make_mnist1d(SMALL, trace=True, latents=True)


@pytest.mark.parametrize("index", [0, 3])
def test_every_stage_is_the_trace_of_that_example_of_each_digit(arrays, index):
    made = Construction.of(arrays, index=index)
    assert list(made.stages) == ["template", *STAGES]
    assert made.digits == tuple(range(10))
    for digit in range(10):
        row = [number for number, y in enumerate(arrays.train.y) if y == digit][index]
        for stage in STAGES:
            np.testing.assert_array_equal(made.stages[stage][digit], arrays.train.trace[stage][row])
        assert made.shift[digit] == arrays.train.latents.shift[row]


def test_the_first_stage_is_the_published_curve(arrays):
    curves = Construction.of(arrays, digits=[7, 2]).stages["template"]
    for curve, heights in zip(curves, (HEIGHTS[7], HEIGHTS[2]), strict=True):
        assert np.corrcoef(curve, heights)[0, 1] == pytest.approx(1)


@pytest.mark.parametrize(
    ("changes", "name"),
    [({"shuffle_seq": True}, "shuffle"), ({"flip_seq": True}, "flip"), ({"shuffle_seq": True, "flip_seq": True}, None)],
)
@pytest.mark.parametrize("stream", ["reference", "fast"])
def test_points_in_another_order_are_a_stage_more_that_ends_with_the_data(changes, name, stream):
    recipe = SMALL.replace(**changes)
    made = Construction.make(recipe, stream=stream)
    assert list(made.stages)[-1] == (name or "shuffle and flip")
    arrays = make_mnist1d(recipe, stream=stream)
    for digit, last, before in zip(range(10), made.stages[list(made.stages)[-1]], made.stages["resample"], strict=True):
        x = arrays.train.x[np.flatnonzero(arrays.train.y == digit)[0]]
        np.testing.assert_allclose((last - arrays.mean) / arrays.std, x, atol=1e-5)
        assert np.corrcoef(last, before)[0, 1] < 0.9
        np.testing.assert_allclose(np.sort(last), np.sort(before), atol=1e-6)


def test_the_fast_stream_makes_a_few_of_a_data_set_of_any_size():
    large = Construction.make(Recipe(num_samples=10**9), stream="fast", index=150)
    small = Construction.of(make_mnist1d(Recipe(num_samples=5000), stream="fast", trace=True), index=150)
    for stage in large.stages:
        np.testing.assert_array_equal(large.stages[stage], small.stages[stage])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Construction.of(make_mnist1d(SMALL)), r"no trace; .*trace=True"),
        (lambda: Construction.of(make_mnist1d(SMALL, trace=True), digits=[10]), "digit=10 does not occur in train"),
        (lambda: Construction.make(SMALL, index=50), r"index=50 must be from 0 to \d+: train has \d+ of digit 0"),
        (lambda: Construction.make(SMALL, index=-1), "index=-1 must be from 0"),
        (lambda: Construction.make(SMALL.replace(train_split=0.0)), "digit=0 does not occur"),
        (lambda: Construction.make(SMALL.replace(train_split=0.0), stream="fast"), "digit=0 does not occur"),
        (lambda: Construction.make(Recipe(num_samples=900_000)), r"num_samples=900000: .* GiB; .*stream='fast'"),
    ],
    ids=range(7),
)
def test_what_there_is_none_of_is_an_error_that_says_why(make, said):
    with pytest.raises(ValueError, match=said):
        make()

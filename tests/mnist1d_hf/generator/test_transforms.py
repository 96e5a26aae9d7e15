import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mnist1d_hf.generator import transforms

lengths = st.integers(2, 40)


@st.composite
def signals(draw):
    shape = (draw(st.integers(1, 5)), draw(lengths))
    return draw(hnp.arrays(np.float64, shape, elements=st.floats(-10, 10, allow_subnormal=False)))


def drawn(x, *shape):
    """Normal numbers that depend on nothing but the shape."""
    return np.random.RandomState(len(shape) + x.shape[1]).standard_normal(shape)


@given(signals(), lengths)
def test_resample_interpolates(x, length):
    expected = [naive.interpolate(list(row), length) for row in x]
    np.testing.assert_allclose(transforms.resample(x, length), expected, rtol=0, atol=1e-13)


@given(signals())
def test_resample_to_the_same_length_changes_no_bit(x):
    assert np.array_equal(transforms.resample(x, x.shape[1]), x)


@given(lengths, lengths)
def test_resample_keeps_lines_and_ends(length, points):
    line = np.linspace(-2.0, 3.0, length)[None]
    np.testing.assert_allclose(transforms.resample(line, points)[0], np.linspace(-2.0, 3.0, points), atol=1e-14)


@given(signals(), st.integers(0, 100))
def test_translate_rotates_to_the_right(x, shift):
    expected = [naive.rotate(list(row), shift) for row in x]
    assert np.array_equal(transforms.translate(x, np.full(len(x), shift)), expected)


def test_translate_takes_one_shift_per_signal_and_none_beyond_the_length():
    x = np.arange(12.0).reshape(4, 3)
    assert transforms.translate(x, np.array([0, 1, 3, 7])).tolist() == [[0, 1, 2], [5, 3, 4], [6, 7, 8], [9, 10, 11]]


@given(signals())
def test_the_filter_is_an_explicit_convolution_with_mirrored_edges(x):
    expected = [naive.smooth(list(row)) for row in x]
    np.testing.assert_allclose(transforms.gaussian_filter(x), expected, rtol=0, atol=1e-13)


@given(lengths, st.floats(-5, 5))
def test_the_filter_keeps_constants(length, level):
    constant = np.full((1, length), level)
    np.testing.assert_allclose(transforms.gaussian_filter(constant), constant, atol=1e-14)


def test_the_filter_spreads_a_unit_over_eight_points_to_each_side():
    unit = np.zeros((1, 41))
    unit[0, 20] = 1
    spread = transforms.gaussian_filter(unit)[0]
    assert np.flatnonzero(spread).tolist() == list(range(12, 29))
    np.testing.assert_allclose(spread.sum(), 1, atol=1e-15)
    np.testing.assert_allclose(spread[22] / spread[20], np.exp(-0.5), rtol=1e-14)  # at one standard deviation


@given(signals(), st.data())
def test_pad_appends_zeros_and_marks_what_lies_behind(x, data):
    most = data.draw(st.integers(0, 30))
    padding = np.array(data.draw(st.lists(st.integers(0, most), min_size=len(x), max_size=len(x))))
    padded = transforms.pad(x, padding, most)
    assert padded.shape == (len(x), x.shape[1] + most)
    for row, signal, zeros in zip(padded, x, padding, strict=True):
        finite = row[~np.isnan(row)]
        assert finite.tolist() == [*signal, *[0.0] * zeros]
        assert np.isnan(row[len(finite) :]).all()


def test_correlated_noise_comes_where_the_signal_is_exactly_zero():
    x = np.array([[0.0, 1e-8, 0.0, -0.0, 2.0]])
    noise = drawn(x, 1, 5)
    smooth = naive.smooth(list(0.5 * noise[0]))
    noisy = transforms.add_correlated_noise(x, noise, 0.5)
    np.testing.assert_allclose(noisy, [[smooth[0], 1e-8, smooth[2], smooth[3], 2.0]], rtol=1e-14)
    assert np.array_equal(noisy[:, [1, 4]], x[:, [1, 4]])


def test_scale_iid_noise_and_shear():
    x = np.array([[1.0, 2.0, 4.0], [0.0, -1.0, 1.0]])
    assert transforms.scale(x, np.array([2.0, 0.5])).tolist() == [[2, 4, 8], [0, -0.5, 0.5]]
    assert transforms.add_iid_noise(x, np.ones((2, 3)), 0.25).tolist() == [[1.25, 2.25, 4.25], [0.25, -0.75, 1.25]]
    assert transforms.shear(x, np.array([1.0, -2.0])).tolist() == [[1.5, 2, 3.5], [-1, -1, 2]]


STAGES = {
    "pad": lambda x: transforms.pad(x, np.arange(len(x)), 6),
    "resample": lambda x: transforms.resample(x, 9),
    "scale": lambda x: transforms.scale(x, np.arange(1, len(x) + 1).astype(x.dtype)),
    "translate": lambda x: transforms.translate(x, np.arange(len(x))),
    "gaussian_filter": transforms.gaussian_filter,
    "add_correlated_noise": lambda x: transforms.add_correlated_noise(x, drawn(x, *x.shape).astype(x.dtype), 0.5),
    "add_iid_noise": lambda x: transforms.add_iid_noise(x, drawn(x, *x.shape).astype(x.dtype), 0.5),
    "shear": lambda x: transforms.shear(x, np.linspace(-1, 1, len(x)).astype(x.dtype)),
}


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", "CF")
def test_stages_keep_precision_and_input_and_do_not_care_about_memory_order(stage, dtype, order):
    x = np.array(np.random.RandomState(0).standard_normal((5, 12)), dtype=dtype, order=order)
    before = x.copy()
    x.flags.writeable = False
    made = stage(x)
    assert made.dtype == dtype
    assert not np.shares_memory(made, x)
    assert np.array_equal(x, before)
    assert np.array_equal(made, stage(np.ascontiguousarray(before)), equal_nan=True)

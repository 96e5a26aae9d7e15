import pickle

import numpy as np
import pandas as pd
import pytest

from mnist1d_hf import Bunch, RecipeError, load_mnist1d, make_mnist1d


def test_it_is_the_frozen_data_set_train_first():
    arrays = make_mnist1d()
    for split, x, y in [("train", arrays.train.x, arrays.train.y), ("test", arrays.test.x, arrays.test.y)]:
        data, target = load_mnist1d(split=split, return_X_y=True)
        assert np.array_equal(data, x)
        assert np.array_equal(target, y)
    whole = load_mnist1d(split="all")
    assert np.array_equal(whole.data, np.concatenate([arrays.train.x, arrays.test.x]))
    assert np.array_equal(whole.target, np.concatenate([arrays.train.y, arrays.test.y]))
    assert np.array_equal(whole.t, arrays.t)
    assert load_mnist1d().data.shape == (4000, 40)


@pytest.mark.parametrize("as_frame", [False, True])
def test_it_has_what_scikit_learns_own_has(as_frame):
    digits = pytest.importorskip("sklearn.datasets").load_digits(as_frame=as_frame)
    ours = load_mnist1d(as_frame=as_frame)
    assert ours.keys() >= digits.keys() - {"images"}  # those are pictures
    for name in ("data", "target", "frame"):
        assert type(ours[name]) is type(digits[name]), name
        assert getattr(ours, name) is ours[name]
    assert ours.target_names.tolist() == digits.target_names.tolist()
    assert len(ours.feature_names) == ours.data.shape[1]
    assert "MNIST-1D" in ours.DESCR
    data, target = load_mnist1d(return_X_y=True, as_frame=as_frame)
    assert type(data) is type(ours.data)
    assert np.array_equal(data, ours.data)
    assert np.array_equal(target, ours.target)


def test_the_frame_is_data_and_target():
    bunch = load_mnist1d(as_frame=True, split="test")
    assert list(bunch.frame) == [*bunch.feature_names, "target"]
    pd.testing.assert_frame_equal(bunch.frame.drop(columns="target"), bunch.data)
    pd.testing.assert_series_equal(bunch.frame["target"], bunch.target)


def test_any_recipe_and_stream():
    bunch = load_mnist1d("long", split="all", num_samples=50, iid_noise_scale=0.1)
    assert bunch.data.shape == (50, 120)
    assert "iid_noise_scale = 0.1" in bunch.DESCR
    fast = load_mnist1d(num_samples=50, stream="fast", split="test")
    assert np.array_equal(fast.data, make_mnist1d(num_samples=50, stream="fast").test.x)


def test_a_classifier_learns_it_as_published():
    linear = pytest.importorskip("sklearn.linear_model").LogisticRegression(tol=1e-2)
    score = linear.fit(*load_mnist1d(return_X_y=True)).score(*load_mnist1d(split="test", return_X_y=True))
    assert 0.30 < score < 0.36


def test_a_bunch_is_a_dictionary_with_attributes():
    bunch = Bunch(data=1)
    bunch.more = 2
    assert bunch == {"data": 1, "more": 2}
    assert {"data", "more", "keys"} <= set(dir(bunch))
    assert pickle.loads(pickle.dumps(bunch)) == bunch  # noqa: S301 - our own
    with pytest.raises(AttributeError, match="no 'dat'; did you mean 'data'"):
        _ = bunch.dat


@pytest.mark.parametrize(
    ("keywords", "said"), [({"split": "val"}, "split='val'"), ({"iid_nois": 1}, "iid_noise_scale")]
)
def test_what_is_unknown_is_named(keywords, said):
    with pytest.raises(RecipeError, match=said):
        load_mnist1d(**keywords)

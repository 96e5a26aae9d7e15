import pytest
import torch

import mnist1d_hf
from lightning_module.studies.framework.data import CHEAP, fresh, fresh_test, frozen, is_same_data
from mnist1d_hf import RECIPES, make_mnist1d
from mnist1d_hf.cache import golden
from mnist1d_hf.generator.fast_stream import FastStream


@pytest.mark.parametrize("config", ["default", "shuffled", "label-noise"])
def test_frozen_is_what_is_published(config):
    draw = frozen(config)
    for split in ("train", "test"):
        committed = golden.committed()[config][split]
        assert draw.what["sha256"][split] == {column: committed[column] for column in ("x", "y")}
    assert draw.train.x.shape == (4000, 40)
    assert draw.train.x.dtype == torch.float32


def test_frozen_takes_changes():
    draw = frozen("default", num_samples=500, iid_noise_scale=0.0)
    arrays = make_mnist1d(num_samples=500, iid_noise_scale=0.0)
    assert torch.equal(draw.train.x, torch.tensor(arrays.train.x, dtype=torch.float32))
    assert (draw.mean, draw.std) == pytest.approx((arrays.mean, arrays.std))
    assert draw.what["changes"] == {"num_samples": 500, "iid_noise_scale": 0.0}


def test_fresh_training_examples_are_those_of_their_seed():
    one, other = fresh(0, tests=500), fresh(1, tests=500)
    arrays = make_mnist1d(stream="fast", seed=1)
    assert torch.equal(other.train.x, torch.from_numpy(arrays.train.x.copy()))
    assert torch.equal(other.train.y, torch.from_numpy(arrays.train.y.copy()))
    assert not (one.train.x == other.train.x).all(1).any()


def test_fresh_test_examples_are_one_set_that_nobody_trains_on():
    one, other = fresh(0, tests=500), fresh(1, tests=500)
    assert torch.equal(one.test.x, other.test.x)
    assert torch.equal(one.test.y, other.test.y)
    assert not (one.test.x == make_test_of_seed(0)).all(1).any()
    both = torch.cat([one.train.x, one.test.x]).unique(dim=0)
    assert len(both) == len(one.train.x) + 500


def make_test_of_seed(seed):
    return torch.from_numpy(make_mnist1d(stream="fast", seed=seed).test.x.copy())[:500]


@pytest.mark.parametrize(("config", "changes"), [("default", {}), ("default", {"corr_noise_scale": 0.5}), ("long", {})])
def test_fresh_examples_are_normalised_by_the_population(config, changes):
    draw = fresh(0, config, tests=20_000, **changes)
    assert draw.test.x.mean().item() == pytest.approx(0, abs=0.02)
    assert draw.test.x.std().item() == pytest.approx(1, abs=0.02)
    assert torch.bincount(draw.test.y).tolist() == [2000] * 10


def test_shuffled_points_are_in_one_order_in_train_and_test():
    plain, shuffled = fresh(3, tests=500), fresh(3, "shuffled", tests=500)
    order = torch.tensor(FastStream.of(RECIPES["shuffled"].recipe.replace(seed=3)).order)
    assert order.tolist() != sorted(order.tolist())
    assert torch.equal(shuffled.train.x, plain.train.x[:, order])
    assert torch.equal(shuffled.test.x, plain.test.x[:, order])
    other = fresh(4, "shuffled", tests=500).test.x
    assert not torch.equal(shuffled.test.x, other)  # another seed, another order
    assert torch.equal(shuffled.test.x.sort(1).values, other.sort(1).values)


def test_flipped_points_are_flipped_in_train_and_test():
    plain, flipped = fresh(3, tests=500), fresh(3, "flipped", tests=500)
    assert torch.equal(flipped.train.x, plain.train.x.flip(1))
    assert torch.equal(flipped.test.x, plain.test.x.flip(1))


def test_test_labels_have_no_noise():
    assert torch.equal(fresh(0, "label-noise", tests=500).test.y, fresh(0, tests=500).test.y)


def test_fresh_test_has_the_constants_of_the_frozen_data():
    of = frozen()
    x, y = fresh_test(of, count=500)
    plain = fresh(0, tests=500)
    raw = x.double() * of.std + of.mean
    assert torch.equal(y, plain.test.y)
    assert (raw - (plain.test.x.double() * plain.std + plain.mean)).abs().max() < 1e-6
    assert torch.equal(fresh_test(frozen("flipped"), "flipped", count=50).x, x[:50].flip(1))


def test_fresh_test_of_shuffled_points_is_refused():
    with pytest.raises(ValueError, match="the order of the points of a draw is not known"):
        fresh_test(frozen("shuffled"), "shuffled")


def test_same_data_are_recognised():
    for draw in (
        frozen(),
        frozen("default", num_samples=500),
        fresh(2, tests=300),
        fresh(2, tests=0),
        fresh(2, padding=(30, 60), tests=10),
    ):
        assert is_same_data(draw.what) is True
        assert is_same_data({**draw.what, "sha256": {}}) is False
    major = int(mnist1d_hf.DATA_VERSION.split(".")[0])
    for version, answer in ((f"{major}.77.0", True), (f"{major + 1}.0.0", None), (major, None), (None, None)):
        assert is_same_data({**frozen().what, "version": version}) is answer
    assert is_same_data({**frozen().what, "version": f"{major}.77.0", "sha256": {}}) is False
    as_json = {**fresh(2, padding=(30, 60), tests=10).what, "changes": {"padding": [30, 60], "tests": 10, "seed": 2}}
    assert is_same_data(as_json) is True


@pytest.mark.parametrize(
    "what",
    [None, {}, {"config": "digits", "changes": {}}, {"config": "default", "changes": {"num_samples": CHEAP + 1}}],
)
def test_other_data_and_large_ones_are_not_compared(what):
    assert is_same_data(what) is None

import numpy as np
import pytest
import torch

from lightning_module.studies.methods.other_data.image_files import MissingDataError
from lightning_module.studies.methods.other_data.tasks import SETS, Sizes, draw, split

SIZES = Sizes(60, 20, 40)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Images that can be told from each other: number i has i in its first pixels."""
    path = tmp_path_factory.mktemp("images") / "images.npz"
    x = np.zeros((200, 28, 28), np.uint8)
    x[:, 0, 0] = np.arange(200)
    np.savez(path, x=x, y=np.arange(200) % 10)
    return str(path)


def _numbers(task):
    """Which images each part has, by the first pixel, which is linear in the number."""
    pixels = torch.cat([task.train.x, task.validation.x, task.test.x])[:, 0]
    return pixels.argsort().argsort().split([len(part.y) for part in (task.train, task.validation, task.test)])


def test_parts_of_a_file_are_disjoint_and_a_seed_decides_them(file):
    task, other = (draw("mnist", seed, SIZES, file=file) for seed in (0, 1))
    train, validation, test = _numbers(task)
    assert (len(train), len(validation), len(test)) == (60, 20, 120)  # all that are left
    for part, numbers in ((task.train, train), (task.validation, validation), (task.test, test)):
        assert torch.equal(part.y, numbers % 10)
    again = draw("mnist", 0, SIZES, file=file)
    assert torch.equal(task.train.x, again.train.x)
    assert not torch.equal(train, _numbers(other)[0])


def test_every_part_is_normalised_by_the_training_examples():
    rng = np.random.default_rng(0)
    x, y = rng.normal(5, 3, (100, 4)), np.zeros(100, int)
    task = split(x, y, SIZES, {})
    assert task.train.x.double().mean().abs() < 1e-6
    assert task.train.x.double().std(correction=0) == pytest.approx(1)
    np.testing.assert_allclose(task.test.x, (x[80:] - x[:60].mean()) / x[:60].std(), rtol=1e-5)


def test_too_few_are_refused(file):
    with pytest.raises(MissingDataError, match="has 200 examples, and 221 are needed"):
        draw("mnist", 0, Sizes(200, 20, 1), file=file)
    with pytest.raises(MissingDataError, match="200 images and no test split of its own"):
        draw("mnist", 0, SIZES, file=file, whole=True)


def test_mnist1d_has_new_signals_for_each_seed_and_one_test_set():
    first, second = (draw("mnist1d", seed, Sizes(61, 20, 30)) for seed in (0, 1))
    assert (len(first.train.y), len(first.validation.y), len(first.test.y)) == (61, 20, 30)
    assert torch.equal(first.test.x, second.test.x)
    rows = torch.cat([first.train.x, first.validation.x, first.test.x, second.train.x])
    assert len(torch.unique(rows, dim=0)) == len(rows)
    smaller = draw("mnist1d", 0, Sizes(30, 10, 30))
    assert torch.equal(smaller.train.x, first.train.x[:30])  # the small arm is a part of the large one


def test_the_digits_and_their_match():
    small = Sizes(4000, 1000, 20_000).small()
    digits, mnist1d = draw("digits", 0, small), draw("mnist1d", 0, Sizes(small.train, small.validation, 10))
    assert len(digits.train.y) == len(mnist1d.train.y) == 1237
    assert len(digits.validation.y) == len(mnist1d.validation.y) == 200
    assert len(digits.test.y) == 360
    assert digits.train.x.shape[1] == SETS["digits"].dimensions


@pytest.mark.parametrize("name", ["two_moons", "make_classification"])
def test_generated_sets(name):
    task = draw(name, 0, SIZES)
    assert task.train.x.shape == (60, SETS[name].dimensions)
    assert len(task.test.y) == 40
    assert set(task.train.y.tolist()) == {0, 1}
    assert not torch.equal(task.train.x, draw(name, 1, SIZES).train.x)


@pytest.mark.parametrize(("name", "count"), [("digits", 1797), ("two_moons", 50), ("mnist1d", 50)])
def test_all_examples_may_be_for_training(name, count):
    task = draw(name, 0, Sizes(count, 0, 0))
    assert len(task.train.y) == count
    assert task.train.x.shape == (count, SETS[name].dimensions)
    assert len(task.validation.y) == len(task.test.y) == 0

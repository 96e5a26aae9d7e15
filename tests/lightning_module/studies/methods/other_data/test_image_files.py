import datasets
import numpy as np
import pytest

from lightning_module.studies.methods.other_data import image_files
from lightning_module.studies.methods.other_data.image_files import MissingDataError, images


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _nothing_read_before(monkeypatch):
    image_files._from_file.cache_clear()
    image_files._from_hub.cache_clear()
    yield
    image_files._from_hub.cache_clear()


def test_a_file_of_x_and_y(tmp_path, rng):
    x, y = rng.integers(0, 256, (20, 28, 28), dtype=np.uint8), rng.integers(0, 10, 20, dtype=np.uint8)
    np.savez(tmp_path / "digits.npz", x=x, y=y)
    held = images("mnist", str(tmp_path / "digits.npz"), hub=False)
    np.testing.assert_array_equal(held.train[0][..., 0], x)
    np.testing.assert_array_equal(held.train[1], y)
    assert held.test is None
    assert len(held) == 20
    assert held.origin["file"] == "digits.npz"
    assert str(tmp_path) not in str(held.origin)


def test_a_file_as_keras_has_it(tmp_path, rng):
    splits = {"x_train": rng.integers(0, 256, (6, 28, 28), dtype=np.uint8), "y_train": np.arange(6)}
    splits |= {"x_test": rng.integers(0, 256, (3, 28, 28), dtype=np.uint8), "y_test": np.arange(3)}
    np.savez(tmp_path / "mnist.npz", **splits)
    held = images("mnist", str(tmp_path / "mnist.npz"))
    assert (len(held.train[1]), len(held.test[1])) == (6, 3)


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        ({"x": np.zeros((2, 28, 28), np.uint8)}, "no array 'y'"),
        ({"a": np.zeros(2)}, "no array 'x'"),
        ({"x": np.zeros((2, 784), np.uint8), "y": np.zeros(2, int)}, r"must have x uint8"),
        ({"x": np.zeros((2, 28, 28)), "y": np.zeros(2, int)}, "float64"),
        ({"x": np.zeros((2, 28, 28), np.uint8), "y": np.zeros(3, int)}, r"y \(3,\)"),
        ({"x": np.zeros((2, 28, 28), np.uint8), "y": np.array([None, 1])}, "cannot be read"),  # would be a pickle
    ],
)
def test_a_file_that_is_none_of_images(tmp_path, arrays, text):
    np.savez(tmp_path / "file.npz", **arrays)
    with pytest.raises(ValueError, match=text) as raised:
        images("mnist", str(tmp_path / "file.npz"))
    assert not isinstance(raised.value, MissingDataError)  # a mistake of the user's, not a data set that is away


def test_a_file_of_another_kind(tmp_path):
    np.save(tmp_path / "one.npy", np.zeros(3))
    (tmp_path / "text.npz").write_text("hello")
    for name in ("one.npy", "text.npz"):
        with pytest.raises(ValueError, match=f"mnist='{name}' cannot be read"):
            images("mnist", str(tmp_path / name))
    with pytest.raises(ValueError, match="is no file and no folder"):
        images("mnist", str(tmp_path / "nothing.npz"))


def test_from_the_hub(monkeypatch, rng):
    asked = []

    def load_dataset(path):
        asked.append(path)
        features = datasets.Features({"img": datasets.Image(), "label": datasets.Value("int64")})
        pictures = rng.integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
        split = datasets.Dataset.from_dict({"img": list(pictures), "label": list(range(5))}, features=features)
        kept.append(pictures)
        return {"train": split, "test": split.select(range(2))}

    kept = []
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    held = images("cifar10")
    np.testing.assert_array_equal(held.train[0], kept[0])
    np.testing.assert_array_equal(held.test[0], kept[0][:2])
    assert held.origin["hub"] == "uoft-cs/cifar10"
    assert images("cifar10").origin == held.origin
    assert asked == ["uoft-cs/cifar10"]  # once


def test_out_of_reach_is_said_once_and_remembered(monkeypatch):
    asked = []

    def load_dataset(path):
        asked.append(path)
        raise ConnectionError(f"Couldn't reach {path!r}\non the Hub")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    for _ in range(2):
        with pytest.raises(MissingDataError, match=r"ConnectionError: Couldn't reach 'ylecun/mnist' on the Hub"):
            images("mnist")
    assert asked == ["ylecun/mnist"]
    with pytest.raises(MissingDataError, match="hub=False"):
        images("fashion_mnist", hub=False)

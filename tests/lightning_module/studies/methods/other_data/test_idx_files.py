"""IDX files: read as they are handed out, by gzip or not, and refused by name where they are damaged."""

import gzip
import struct

import numpy as np
import pytest

from lightning_module.studies.methods.other_data import image_files
from lightning_module.studies.methods.other_data.idx_files import NAMES
from lightning_module.studies.methods.other_data.image_files import file_record, images


@pytest.fixture(autouse=True)
def _nothing_read_before():
    image_files._from_file.cache_clear()


def idx(array):
    """The bytes of an IDX file, by the definition of the form: two zeros, 8 for bytes, the axes, lengths, numbers."""
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}i", *array.shape) + array.tobytes()


@pytest.fixture
def folder(tmp_path):
    """A folder in which two files are packed and two are not."""
    rng = np.random.default_rng(0)
    place = tmp_path / "fashion"
    place.mkdir()
    for (split, (x, y)), count in zip(NAMES.items(), (7, 3), strict=True):
        pictures, labels = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8), np.arange(count, dtype=np.uint8)
        if split == "train":
            (place / f"{x}.gz").write_bytes(gzip.compress(idx(pictures)))
            (place / f"{y}.gz").write_bytes(gzip.compress(idx(labels)))
        else:
            (place / x).write_bytes(idx(pictures))
            (place / y).write_bytes(idx(labels))
        np.save(tmp_path / f"{split}.npy", pictures)
    return place


def test_both_splits_of_a_folder(folder, tmp_path):
    held = images("fashion_mnist", str(folder), hub=False)
    np.testing.assert_array_equal(held.train[0][..., 0], np.load(tmp_path / "train.npy"))
    np.testing.assert_array_equal(held.test[0][..., 0], np.load(tmp_path / "test.npy"))
    assert held.test[1].tolist() == [0, 1, 2]
    assert len(held) == 10


def test_a_folder_is_known_by_its_name_and_one_digest_of_its_files(folder):
    record = file_record(str(folder))
    assert record["file"] == "fashion"
    assert images("fashion_mnist", str(folder)).origin == record
    changed = folder / NAMES["test"][1]
    changed.write_bytes(idx(np.array([1, 1, 2], dtype=np.uint8)))
    assert file_record(str(folder))["sha256"] != record["sha256"]


X, Y = NAMES["train"]


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        (f"{X}.gz", None, f"without {X} or {X}.gz; name one with the four IDX files"),
        (f"{X}.gz", b"not packed", "cannot be read"),
        (f"{X}.gz", gzip.compress(idx(np.zeros((2, 28, 28), np.uint8)))[:40], "cannot be read"),
        (f"{X}.gz", gzip.compress(idx(np.zeros((2, 28, 28), np.uint8))[:-1]), "fewer numbers than"),
        (f"{X}.gz", gzip.compress(idx(np.zeros((2, 28, 28), np.uint8)) + b"1"), "more numbers than"),
        (f"{X}.gz", gzip.compress(bytes((0, 0, 8, 3)) + struct.pack(">3I", 2**20, 2**20, 28)), "must have 1 to"),
        (f"{X}.gz", gzip.compress(idx(np.zeros(7, np.uint8))), "must begin with 00000803"),
        (f"{Y}.gz", gzip.compress(idx(np.zeros(7, np.uint8)).replace(b"\x00\x00\x08", b"\x00\x00\x0d")), "00000d01"),
        (f"{Y}.gz", gzip.compress(idx(np.zeros(6, np.uint8))), r"y \(6,\) uint8"),
    ],
    ids=range(9),  # what is compressed has the time in it
)
def test_what_is_no_such_file_is_refused_by_name(folder, name, content, text):
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=text) as raised:
        images("fashion_mnist", str(folder), hub=False)
    assert "fashion_mnist" in str(raised.value)
    assert str(folder) not in str(raised.value)

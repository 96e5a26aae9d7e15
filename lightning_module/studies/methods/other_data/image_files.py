"""Images from a file that the user names or from the Hub: whole arrays, and what they are known by."""

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lightning_module.studies.methods.other_data.idx_files import idx_record, idx_splits
from mnist1d_hf.stored import file_digest

Array = npt.NDArray[Any]


class MissingDataError(ValueError):
    """A data set cannot be had here; the text says why."""


@dataclass(frozen=True)
class OnHub:
    """The place of a data set of images on the Hub.

    Attributes:
        path: Its repository.
        image: The column with the images.
        label: The column with the labels.
    """

    path: str
    image: str
    label: str


HUB = {
    "mnist": OnHub("ylecun/mnist", "image", "label"),
    "fashion_mnist": OnHub("zalando-datasets/fashion_mnist", "image", "label"),
    "cifar10": OnHub("uoft-cs/cifar10", "img", "label"),
}


@dataclass(frozen=True, eq=False)
class Images:
    """A data set of images.

    Attributes:
        train: Images (n, height, width, channels), uint8, and labels (n,).
        test: The same for its own test split; None if it has none.
        origin: What it was read from, by name and SHA-256, for the record.
    """

    train: tuple[Array, Array]
    test: tuple[Array, Array] | None
    origin: dict[str, Any]

    def __len__(self) -> int:
        """Returns the number of all images."""
        return len(self.train[1]) + (0 if self.test is None else len(self.test[1]))


def images(name: str, file: str | None = None, *, hub: bool = True) -> Images:
    """Returns a data set of images, read once in a process.

    Args:
        name: A key of `HUB`.
        file: An npz file to read it from: x (n, height, width) or (n, height, width, channels), uint8, and y (n,); with
            a test split of its own x_test and y_test beside them, or x_train, y_train, x_test and y_test. Or a folder
            with the four IDX files in which MNIST and FashionMNIST are handed out, packed by gzip or not.
        hub: Whether to load it from the Hub if there is no file.

    Raises:
        MissingDataError: If there is no file and the Hub does not give it.
        ValueError: If the file is not such a file.
    """
    if file is not None:
        return _from_file(name, os.path.abspath(file))
    if not hub:
        raise MissingDataError(f"no file was named for {name}, and the Hub was not asked (hub=False)")
    found = _from_hub(name)
    if isinstance(found, str):
        raise MissingDataError(found)
    return found


@cache
def _from_file(name: str, file: str) -> Images:
    if Path(file).is_dir():
        return _images([_checked(name, *split) for split in idx_splits(name, Path(file))], file_record(file))
    if not Path(file).is_file():
        raise ValueError(
            f"{name}={os.path.basename(file)!r} is no file and no folder; name an npz file with x and y, or a folder "
            "with the four IDX files"
        )
    splits = [_checked(name, *split) for split in _held_in(name, file)]
    return _images(splits, file_record(file))


def _held_in(name: str, file: str) -> list[tuple[Array, Array]]:
    """Returns x and y of the one or two splits in a file.

    Raises:
        ValueError: If it is not a file of arrays by name, or an array is missing.
    """
    try:
        with np.load(file, allow_pickle=False) as archive:
            held = {key: archive[key] for key in archive.files}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ValueError(
            f"{name}={os.path.basename(file)!r} cannot be read as an npz file of arrays: {error}"
        ) from error
    keys = ("x_train", "y_train") if "x_train" in held else ("x", "y")
    if missing := [key for key in keys if key not in held]:
        raise ValueError(
            f"{name}={os.path.basename(file)!r} has no array {missing[0]!r}, but {', '.join(held)}; "
            "it must have x, uint8 (n, height, width), and y (n,)"
        )
    own_test = [(held["x_test"], held["y_test"])] if {"x_test", "y_test"} <= held.keys() else []
    return [(held[keys[0]], held[keys[1]]), *own_test]


def file_record(file: str) -> dict[str, str]:
    """Returns the name and the SHA-256 of a file, or of a folder with IDX files, which a result keeps in its place."""
    if Path(file).is_dir():
        return idx_record(Path(file))
    return {"file": os.path.basename(file), "sha256": file_digest(Path(file))}


@cache
def _from_hub(name: str) -> Images | str:
    """Returns the data set, or why it cannot be had: asked once, as a Hub out of reach takes long to say so."""
    import datasets

    where = HUB[name]
    try:
        splits = datasets.load_dataset(where.path)
        held = [_arrays(splits[split], where) for split in ("train", "test")]
    except (OSError, ImportError, RuntimeError, ValueError) as error:
        return f"load_dataset({where.path!r}) says {type(error).__name__}: {' '.join(str(error).split())}"
    digest = hashlib.sha256()
    for array in (array for split in held for array in split):
        digest.update(np.ascontiguousarray(array).data)
    return _images([_checked(name, *split) for split in held], {"hub": where.path, "sha256": digest.hexdigest()})


def _arrays(split: Any, where: OnHub) -> tuple[Array, Array]:
    pictures = np.stack([np.asarray(picture) for picture in split[where.image]])
    return pictures, np.asarray(split[where.label], dtype=np.int64)


def _images(splits: list[tuple[Array, Array]], origin: dict[str, Any]) -> Images:
    return Images(splits[0], splits[1] if len(splits) > 1 else None, origin)


def _checked(name: str, x: Array, y: Array) -> tuple[Array, Array]:
    """Returns x with an axis for the channels, and whole numbers as labels.

    Raises:
        ValueError: If these are not images and labels.
    """
    if x.dtype != np.uint8 or x.ndim not in (3, 4) or y.shape != (len(x),) or y.dtype.kind not in "iu":
        raise ValueError(
            f"{name} has x {x.shape} {x.dtype} and y {y.shape} {y.dtype}, and must have x uint8 (n, height, width) or "
            "(n, height, width, channels) and y, whole numbers (n,)"
        )
    return (x if x.ndim == 4 else x[..., np.newaxis]), y.astype(np.int64)

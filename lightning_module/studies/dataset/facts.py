"""What can be counted: how large MNIST-1D and the data sets beside it are, and whether ours is the published one.

Source: table 2 of Greydanus & Kobak (2024) for the parameters; the published file of 2020 for the digests; the pages of
MNIST, FashionMNIST and CIFAR-10 for their sizes.
"""

import hashlib
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from lightning_module.studies.framework.cells import Row
from lightning_module.studies.methods.other_data.tasks import SETS, sklearn
from mnist1d_hf import RECIPES, MNIST1DArrays, make_mnist1d

# SHA-256 of the published file's arrays, signals and times rounded to float32; little-endian, C-contiguous.
PUBLISHED_DIGESTS: Final = {
    "x_train": "d53506bddd12d3b72c7153b1ae7f34807724b1dd078a7273809bf9d0792319f6",
    "x_test": "30addc43827c82aafa5db8bc97cea63349ca687e87db2f201cc4f5415d9a4ebd",
    "y_train": "d97dc7aecec8ad6b5d8f143ba3e9c4bd7e25c420d7dfc2eb990591cfc0ed3e15",
    "y_test": "8de99be3ff9dab15ae0dc072c3d6ced7cf6b33d365888ce4a386fc944489452c",
    "t": "0352efd10cd28e71a0f722fade89db2c326ee004a7dcf8c9704a5adaf0bad6c8",
}

# Table 2. The width of the Gaussian filter is no parameter, here and there.
PUBLISHED_PARAMETERS: Final[dict[str, Any]] = {
    "num_samples": 5000,
    "train_split": 0.8,
    "template_len": 12,
    "padding": (36, 60),
    "max_translation": 48,
    "corr_noise_scale": 0.25,
    "iid_noise_scale": 0.02,
    "shear_scale": 0.75,
    "final_seq_length": 40,
    "seed": 42,
}

# Training and test examples, as their authors give them.
PUBLISHED_COUNTS: Final = {"mnist": (60_000, 10_000), "fashion_mnist": (60_000, 10_000), "cifar10": (50_000, 10_000)}

CUSTOM_SAMPLES: Final = 10_000  # of the paper's example of a call


def size_rows() -> list[Row]:
    """Returns the sizes of each data set: examples, numbers in an example, bytes as stored, without the labels."""
    data = make_mnist1d()
    counts = {"mnist1d": (len(data.train), len(data.test)), **PUBLISHED_COUNTS}
    rows = [_size_row(name, *counts[name], SETS[name].dimensions, SETS[name].stored) for name in counts]
    sets = sklearn("datasets")
    for name in ("make_moons", "make_circles", "make_blobs"):
        x, _ = getattr(sets, name)()
        rows.append(_size_row(name, len(x), 0, x.shape[1], x.itemsize))
    return rows


def fact_rows() -> list[Row]:
    """Returns numbers by name: what the generator's default is, and what it gives."""
    data = make_mnist1d(latents=True)
    recipe = RECIPES["default"].recipe
    x = np.concatenate([data.train.x, data.test.x])
    drawn = {
        name: np.concatenate([getattr(split.latents, name) for split in (data.train, data.test)])
        for name in ("padding", "shift")
    }
    offsets = x.mean(1)
    t = np.arange(x.shape[1]) - (x.shape[1] - 1) / 2
    facts = {
        "arrays as published": sum(digest == PUBLISHED_DIGESTS[name] for name, digest in digests(data).items()),
        "parameters as published": sum(getattr(recipe, name) == value for name, value in PUBLISHED_PARAMETERS.items()),
        "signals of a custom call": len(make_mnist1d(num_samples=CUSTOM_SAMPLES).train),
        "smallest padding": int(drawn["padding"].min()),
        "largest padding": int(drawn["padding"].max()),
        "largest translation": int(drawn["shift"].max()),
        "offset": float(offsets.std()),
        "slope": float((x @ t / (t @ t)).std()),
        "lowest": float(x.min()),
        "highest": float(x.max()),
        "last time": float(data.t[-1]),
    }
    return [{"fact": name, "value": float(f"{value:.7g}")} for name, value in facts.items()]


def digests(data: MNIST1DArrays) -> dict[str, str]:
    """Returns the SHA-256 of each array of a data set, in the form of the published ones."""
    arrays = {f"x_{name}": split.x.astype("<f4") for name, split in (("train", data.train), ("test", data.test))}
    arrays |= {f"y_{name}": split.y.astype("<i8") for name, split in (("train", data.train), ("test", data.test))}
    return {name: _sha256(array) for name, array in {**arrays, "t": data.t.astype("<f4")}.items()}


def _sha256(array: npt.NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def _size_row(name: str, train: int, test: int, dimensions: int, stored: int) -> Row:
    numbers = (train + test) * dimensions
    return {
        "dataset": name,
        "train": train,
        "test": test,
        "dimensions": dimensions,
        "example_bytes": dimensions * stored,
        "numbers": numbers,
        "bytes": numbers * stored,
    }

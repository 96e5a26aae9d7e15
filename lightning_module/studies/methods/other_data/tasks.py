"""The data sets that MNIST-1D is compared with: equal n, one kind of normalisation, drawn anew for each seed."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from lightning_module.datamodule import Examples
from lightning_module.studies.framework.data import fresh
from lightning_module.studies.methods.other_data.image_files import HUB, Array, MissingDataError, images
from mnist1d_hf.extras import extra_imports

# Of scikit-learn's 1797 digits: 1237 to train on, these to choose a learning rate by, and the rest to test.
DIGITS_TRAIN, DIGITS_VALIDATION, DIGITS = 1237, 200, 1797
MOONS_NOISE = 0.3  # that of scikit-learn's comparison of classifiers; without noise any curve separates them


@dataclass(frozen=True)
class About:
    """The description of an example of a data set.

    Attributes:
        shape: Of its numbers; (height, width, channels) of an image.
        classes: Number of classes.
        stored: Bytes of a number as it is stored.
        ordered: Whether its numbers have neighbours, which a convolution can use.
    """

    shape: tuple[int, ...]
    classes: int
    stored: int
    ordered: bool = True

    @property
    def dimensions(self) -> int:
        """Returns how many numbers an example has."""
        return math.prod(self.shape)


SETS = {
    "mnist1d": About((40,), 10, 4),
    "mnist": About((28, 28, 1), 10, 1),
    "fashion_mnist": About((28, 28, 1), 10, 1),
    "cifar10": About((32, 32, 3), 10, 1),
    "digits": About((8, 8, 1), 10, 8),
    "two_moons": About((2,), 2, 8, ordered=False),
    "make_classification": About((20,), 2, 8, ordered=False),
}


@dataclass(frozen=True)
class Sizes:
    """The number of examples of each kind.

    Attributes:
        train: To train on.
        validation: To choose a learning rate by.
        tests: To test on, of a data set that has any number; of another what is left, if this is not 0.
    """

    train: int
    validation: int
    tests: int

    def small(self) -> "Sizes":
        """Returns the sizes at which scikit-learn's digits can be had too."""
        return Sizes(min(self.train, DIGITS_TRAIN), min(self.validation, DIGITS_VALIDATION), self.tests)


@dataclass(frozen=True)
class Task:
    """A seed's examples of a data set, normalised by the mean and standard deviation of those to train on.

    Attributes:
        train: To train on.
        validation: To choose a learning rate by.
        test: To test on.
        what: Where they are from, for the record.
    """

    train: Examples
    validation: Examples
    test: Examples
    what: dict[str, Any]


def draw(name: str, seed: int, sizes: Sizes, *, file: str | None = None, hub: bool = True, whole: bool = False) -> Task:
    """Returns a seed's examples of a data set.

    Of MNIST-1D they are a new draw, and the test examples are the same for every seed. Of a set of limited size they
    are a random part: the parts of two seeds overlap.

    Args:
        name: A key of `SETS`.
        seed: Decides the draw, or the part.
        sizes: How many.
        file: Of images, see `images`.
        hub: Of images, see `images`.
        whole: Whether to take all training images, and the test split of the data set itself.

    Raises:
        MissingDataError: If the data set cannot be had, or is too small.
    """
    if name in HUB:
        return _of_images(name, seed, sizes, file=file, hub=hub, whole=whole)
    if name == "mnist1d":
        return _of_mnist1d(seed, sizes)
    return _of_sklearn(name, seed, sizes)


def split(x: Array, y: Array, sizes: Sizes, what: dict[str, Any], test: tuple[Array, Array] | None = None) -> Task:
    """Returns the first rows to train on, the next to validate, and the others to test, if there are no test examples.

    Raises:
        MissingDataError: If there are not as many.
    """
    held_out = sizes.train + sizes.validation
    needed = held_out + (1 if test is None and sizes.tests else 0)
    if len(y) < needed:
        raise MissingDataError(f"it has {len(y):,} examples, and {needed:,} are needed")
    test = (x[held_out:], y[held_out:]) if test is None else test
    dimensions = int(np.prod(x.shape[1:]))  # there may be no examples to tell them from
    flat = [part.reshape(len(part), dimensions).astype(np.float64) for part in (x[:held_out], test[0])]
    mean, std = flat[0][: sizes.train].mean(), flat[0][: sizes.train].std()
    seen, unseen = (torch.tensor((part - mean) / std, dtype=torch.float32) for part in flat)
    labels = torch.tensor(y[:held_out])
    n = sizes.train
    return Task(
        Examples(seen[:n], labels[:n]),
        Examples(seen[n:], labels[n:]),
        Examples(unseen, torch.tensor(test[1])),
        what,
    )


def _of_images(name: str, seed: int, sizes: Sizes, *, file: str | None, hub: bool, whole: bool) -> Task:
    held = images(name, file, hub=hub)
    x, y = held.train
    if whole:
        if held.test is None or len(y) < 60_000:
            raise MissingDataError(
                f"it has {len(held):,} images{'' if held.test else ' and no test split of its own'}, and the published "
                "accuracies are those after training on 60,000"
            )
        sizes = Sizes(len(y) - sizes.validation, sizes.validation, 0)
    order = np.random.default_rng(seed).permutation(len(y))
    if not whole:
        # Most of the rows of a large training split are not needed: they are not normalised, nor kept.
        order = order[: sizes.train + sizes.validation + (len(y) if held.test is None else 0)]
    return split(x[order], y[order], sizes, held.origin, held.test)


def _of_mnist1d(seed: int, sizes: Sizes) -> Task:
    held_out = sizes.train + sizes.validation
    # 80 % of a draw is its training split, and the number of examples is a multiple of 10.
    drawn = fresh(seed, tests=sizes.tests, num_samples=10 * math.ceil(held_out / 8))
    x, y = drawn.train
    n = sizes.train
    return Task(Examples(x[:n], y[:n]), Examples(x[n:held_out], y[n:held_out]), drawn.test, drawn.what)


def _of_sklearn(name: str, seed: int, sizes: Sizes) -> Task:
    sets = sklearn("datasets")
    count = sizes.train + sizes.validation + sizes.tests
    if name == "digits":
        x, y = sets.load_digits(return_X_y=True)
        order = np.random.default_rng(seed).permutation(len(y))
        x, y = x[order], y[order]
    elif name == "two_moons":
        x, y = sets.make_moons(count, noise=MOONS_NOISE, random_state=seed)
    else:
        x, y = sets.make_classification(count, random_state=seed)
    return split(x, y, sizes, {"made_by": f"sklearn {sklearn().__version__}", "examples": len(y)})


def sklearn(module: str = "") -> Any:
    """Returns scikit-learn, or one of its modules.

    Raises:
        MissingExtraError: If it is not installed.
    """
    import importlib

    with extra_imports():
        return importlib.import_module(f"sklearn.{module}".rstrip("."))

"""Without a network: nearest neighbours in pixel space, a linear probe, and t-SNE's picture with numbers to it.

Source: Kobak's figure in Greydanus & Kobak (2024), "Scaling Down Deep Learning with MNIST-1D", ICML (openTSNE with its
defaults); kNN and linear probe as in the paper's study of self-supervised learning.
"""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

import numpy as np

from lightning_module.datamodule import Examples
from lightning_module.studies.methods.other_data.image_files import Array
from lightning_module.studies.methods.other_data.tasks import sklearn
from mnist1d_hf.extras import MissingExtraError, extra_imports

NEIGHBOURS = (1, 5, 10)
PROBE_TOLERANCE = 1e-2
LIBRARIES = ("scikit-learn", "openTSNE")


def libraries() -> dict[str, str]:
    """Returns the versions of the libraries that decide the numbers here.

    Raises:
        MissingExtraError: If one is not installed.
    """
    try:
        return {name: version(name) for name in LIBRARIES}
    except PackageNotFoundError as error:
        raise MissingExtraError(
            f'{error.name} is needed here and is not installed: pip install "mnist1d-hf[studies]"', name=error.name
        ) from error


class Baseline(NamedTuple):
    """The accuracy of a method without a network.

    Attributes:
        method: The name of the method.
        k: Neighbours; None for a method without them.
        accuracy: Fraction of right predictions.
    """

    method: str
    k: int | None
    accuracy: float


def baselines(train: Examples, test: Examples, classes: int) -> Iterator[Baseline]:
    """Yields chance, the majority class, nearest neighbours and a linear probe."""
    (x, y), (x_test, y_test) = (tuple(tensor.numpy() for tensor in examples) for examples in (train, test))
    yield Baseline("chance", None, 1 / classes)
    yield Baseline("majority", None, float(np.mean(y_test == np.bincount(y).argmax())))
    neighbours = sklearn("neighbors")
    for k in NEIGHBOURS:
        fitted = neighbours.KNeighborsClassifier(k, algorithm="brute").fit(x, y)
        yield Baseline("kNN", k, float(fitted.score(x_test, y_test)))
    scaler = sklearn("preprocessing").StandardScaler().fit(x)
    probe = sklearn("linear_model").LogisticRegression(tol=PROBE_TOLERANCE).fit(scaler.transform(x), y)
    yield Baseline("linear probe", None, float(probe.score(scaler.transform(x_test), y_test)))


class Embedding(NamedTuple):
    """A picture by t-SNE.

    Attributes:
        points: Where each example lies in the picture, (n, 2).
        kl: The divergence that t-SNE minimises.
    """

    points: Array
    kl: float


def tsne(x: Array, *, seed: int, perplexity: float = 30) -> Embedding:
    """Returns t-SNE by openTSNE with its defaults: 250 iterations with exaggeration 12 from PCA, then 500 without.

    Args:
        x: Examples (n, length), more than three times the perplexity.
        seed: Decides the start and the approximate search for neighbours.
        perplexity: The neighbours that count, in effect.

    Raises:
        MissingExtraError: If openTSNE is not installed.
    """
    with extra_imports():
        from openTSNE import TSNE
    fitted = TSNE(perplexity=perplexity, random_state=seed, n_jobs=1).fit(x)
    return Embedding(np.asarray(fitted), float(fitted.kl_divergence))


def agreement(x: Array, y: Array, k: int = 10) -> float:
    """Returns the accuracy of classifying each example (n, length) by its k nearest among all the others."""
    nearest = sklearn("neighbors").NearestNeighbors(n_neighbors=k).fit(x).kneighbors(return_distance=False)
    votes = np.zeros((len(y), int(y.max()) + 1), dtype=np.int64)
    np.add.at(votes, (np.arange(len(y))[:, np.newaxis], y[nearest]), 1)
    return float(np.mean(votes.argmax(1) == y))

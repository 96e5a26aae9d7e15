"""How good a representation is: what a linear classifier reads from it, and whether neighbours are of one class.

Source: the evaluation of Greydanus & Kobak (2024), "Scaling Down Deep Learning with MNIST-1D", ICML, section 5.5.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from lightning_module.studies.methods.other_data.tasks import sklearn

Array = npt.NDArray[Any]

TOLERANCE: Final = 1e-2  # where logistic regression stops
ITERATIONS: Final = 1000
NEIGHBOURS: Final = 10


def linear_probe(x: Array, y: Array, *, components: int | None = None) -> Any:
    """Returns logistic regression on standardised columns, fitted to representations (n, width) and labels (n,).

    Args:
        x: Representations.
        y: Labels.
        components: The number of principal components that it is shown, so that a wide layer has no more to offer than
            a narrow one; None for all columns.
    """
    steps = [sklearn("preprocessing").StandardScaler()]
    if components is not None:
        steps.append(sklearn("decomposition").PCA(components, svd_solver="covariance_eigh"))
    steps.append(sklearn("linear_model").LogisticRegression(tol=TOLERANCE, max_iter=ITERATIONS))
    return sklearn("pipeline").make_pipeline(*steps).fit(x, y)


def predictions(probe: Any, x: Array) -> Array:
    """Returns the labels (n,) that a probe reads from representations (n, width)."""
    return np.asarray(probe.predict(x))


def neighbour_labels(x: Array, y: Array, queries: Array) -> Array:
    """Returns the labels (m, 10) of the nearest representations (n, width) to queries (m, width), by their cosine."""
    search = sklearn("neighbors").NearestNeighbors(n_neighbors=NEIGHBOURS, metric="cosine", algorithm="brute").fit(x)
    return np.asarray(y[search.kneighbors(queries, return_distance=False)])


def votes(labels: Array) -> Array:
    """Returns the most frequent label of each row (m, neighbours), the smallest of several."""
    counts = (labels[:, :, np.newaxis] == np.arange(labels.max() + 1)).sum(1)
    return np.asarray(counts.argmax(1))


def purity(labels: Array, y: Array) -> dict[int, float]:
    """Returns for each class how many of its members' neighbours (m, neighbours) are of that class, a fraction."""
    same = (labels == y[:, np.newaxis]).mean(1)
    return {int(digit): float(same[y == digit].mean()) for digit in np.unique(y)}


@contextmanager
def one_numpy_thread() -> Iterator[None]:
    """Lets NumPy have one thread, so that no sum depends on the cores; around many probes, for it takes time."""
    with importlib.import_module("threadpoolctl").threadpool_limits(1):  # which scikit-learn needs, too
        yield

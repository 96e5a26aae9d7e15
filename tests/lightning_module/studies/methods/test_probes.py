"""The probes against scikit-learn's own classifiers, and by hand."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from lightning_module.studies.methods.probes import linear_probe, neighbour_labels, predictions, purity, votes


@pytest.fixture
def classes():
    random = np.random.RandomState(0)
    y = np.arange(300) % 5
    return random.normal(size=(300, 24)) + 1.5 * np.eye(24)[y], y


@pytest.mark.parametrize("components", [None, 6])
def test_a_linear_probe_is_logistic_regression_on_standardised_columns(classes, components):
    (x, x_test), (y, y_test) = ((part[:200], part[200:]) for part in classes)
    scaled, scaled_test = (x - x.mean(0)) / x.std(0), (x_test - x.mean(0)) / x.std(0)
    np.testing.assert_allclose(StandardScaler().fit(x).transform(x), scaled)
    if components:
        axes = np.linalg.svd(scaled - scaled.mean(0), full_matrices=False)[2][:components]
        np.testing.assert_allclose(np.abs(PCA(components).fit(scaled).components_), np.abs(axes))
        scaled, scaled_test = scaled @ axes.T, scaled_test @ axes.T
    expected = LogisticRegression(tol=1e-2, max_iter=1000).fit(scaled, y).predict(scaled_test)
    found = predictions(linear_probe(x, y, components=components), x_test)
    assert (found == expected).mean() > 0.98  # the signs of the components are nobody's
    assert (found == y_test).mean() > 0.3


def test_neighbours_vote_as_those_of_scikit_learn(classes):
    x, y = classes
    labels = neighbour_labels(x[:200], y[:200], x[200:])
    theirs = KNeighborsClassifier(10, metric="cosine").fit(x[:200], y[:200])
    np.testing.assert_array_equal(votes(labels), theirs.predict(x[200:]))


def test_a_tie_goes_to_the_smallest_label():
    assert votes(np.array([[3, 1, 3, 1], [2, 2, 0, 5]])).tolist() == [1, 2]


def test_purity_is_the_share_of_neighbours_of_the_own_class():
    labels = np.array([[0, 0], [0, 1], [1, 1], [0, 0]])
    assert purity(labels, np.array([0, 0, 1, 1])) == {0: 0.75, 1: 0.5}

import sys

import numpy as np
import pytest
import torch

from lightning_module.datamodule import Examples
from lightning_module.studies.methods import embedding
from lightning_module.studies.methods.embedding import agreement, baselines, libraries, tsne


def test_agreement_is_that_of_a_plain_loop():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 3)), rng.integers(0, 3, 60)
    hits = 0
    for i in range(60):
        others = sorted((j for j in range(60) if j != i), key=lambda j: np.linalg.norm(x[i] - x[j]))[:5]
        votes = [sum(y[j] == c for j in others) for c in range(3)]
        hits += votes.index(max(votes)) == y[i]
    assert agreement(x, y, k=5) == hits / 60


def test_agreement_of_clusters_and_of_a_blob():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(4), 50)
    assert agreement(np.stack([100.0 * y, rng.normal(size=200)], axis=1), y) == 1
    assert agreement(rng.normal(size=(2000, 2)), rng.integers(0, 10, 2000)) == pytest.approx(0.1, abs=0.03)


def test_baselines_of_classes_that_a_line_separates():
    x = torch.cat([torch.randn(40, 2, generator=torch.Generator().manual_seed(0)) - 9, torch.ones(60, 2) * 9])
    data = Examples(x, torch.tensor([0] * 40 + [1] * 60))
    found = {(each.method, each.k): each.accuracy for each in baselines(data, data, 2)}
    expected = {("chance", None): 0.5, ("majority", None): 0.6, ("linear probe", None): 1.0}
    assert found == expected | {("kNN", k): 1.0 for k in (1, 5, 10)}


def test_tsne_keeps_clusters_apart_and_its_seed_decides():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(3), 50)
    x = (rng.normal(size=(150, 5)) + 20 * np.eye(5)[y]).astype("float32")
    first, again = tsne(x, seed=0), tsne(x, seed=0)
    assert first.points.shape == (150, 2)
    assert agreement(first.points, y) == 1
    np.testing.assert_array_equal(first.points, again.points)
    assert first.kl == again.kl


def test_what_is_missing_comes_with_the_command(monkeypatch):
    assert set(libraries()) == {"scikit-learn", "openTSNE"}
    monkeypatch.setattr(embedding, "LIBRARIES", ("no-such-library",))
    with pytest.raises(ImportError, match=r'no-such-library is .*: pip install "mnist1d-hf\[studies\]"'):
        libraries()
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    with pytest.raises(ImportError, match=r'openTSNE is .*: pip install "mnist1d-hf\[studies\]"'):
        tsne(np.zeros((200, 2)), seed=0)

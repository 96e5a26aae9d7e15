"""The correlation over digits: pseudo-values that give it back, and an interval that knows that digits are few."""

import numpy as np
import pandas as pd
import pytest

from lightning_module.studies.dataset.amendments import Correlation
from lightning_module.studies.framework.quantities import value
from lightning_module.studies.framework.statistics import mean_interval


def jackknifed(cnn, human):
    rows = [
        {"seed": seed, "digit": digit, "cnn": a + 0.001 * seed, "human": b}
        for seed in range(3)
        for digit, (a, b) in enumerate(zip(cnn, human, strict=True))
    ]
    of = Correlation(value("cnn", table="digits", unit="digit"), value("human", table="digits", unit="digit"))
    return of.per_unit({"digits": pd.DataFrame(rows)})


def test_pseudo_values_are_of_the_digits_and_their_mean_is_near_the_correlation():
    rng = np.random.default_rng(0)
    cnn = rng.normal(size=10)
    human = 0.7 * cnn + rng.normal(size=10) * 0.5
    pseudo = jackknifed(cnn, human)
    assert list(pseudo.index) == list(range(10))
    assert pseudo.mean() == pytest.approx(np.corrcoef(cnn, human)[0, 1], abs=0.1)
    assert jackknifed(cnn, 2 * cnn + 1).tolist() == pytest.approx([1.0] * 10)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng, hits = np.random.default_rng(1), 0
    for _ in range(200):
        cnn = rng.normal(size=10)
        low, high = mean_interval(jackknifed(cnn, 0.6 * cnn + 0.8 * rng.normal(size=10)).tolist())[1:]
        hits += low < 0.6 < high
    assert 0.8 < hits / 200 <= 1.0

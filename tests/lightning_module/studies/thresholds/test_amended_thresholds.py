"""Peaks that a curve rises to and falls from, and amended thresholds and exponents of made-up curves."""

import math

import numpy as np
import pandas as pd
import pytest

from lightning_module.studies.framework.turning_points import peak, prominent_peak
from lightning_module.studies.thresholds.amendments import (
    AMENDMENTS,
    PeakExponent,
    PeakThreshold,
    amended_quantity,
    bits,
    local_slope,
)
from lightning_module.studies.thresholds.claims import CLAIMS, Kind, level
from lightning_module.studies.thresholds.config import CLASSES, SIZES

KIND = Kind("mse", "random")
SHARES = [2.0 ** (i / 2) for i in range(-4, 9)]  # of the threshold
PLACES = [100.0, 200.0, 400.0, 800.0, 1600.0]


@pytest.mark.parametrize(
    ("values", "at"),
    [
        ([0.9, 0.3, 0.5, 0.4, 0.2], 400.0),  # the first is the largest, and no peak
        ([0.2, 0.3, 0.5, 0.4, 0.2], 400.0),
        ([0.9, 0.7, 0.5, 0.4, 0.2], None),
        ([0.2, 0.3, 0.5, 0.6, 0.7], None),
        ([0.9, 0.5, 0.51, 0.4, 0.2], None),  # by chance
        ([0.9, math.nan, 0.3, 0.5, 0.2], 800.0),
    ],
)
def test_a_peak_is_what_a_curve_rises_to_and_falls_from(values, at):
    found = prominent_peak(PLACES, values, 0.02)
    assert math.isnan(found) if at is None else found == pytest.approx(at, rel=0.3)
    assert peak(PLACES, [0.9, 0.3, 0.5, 0.4, 0.2]).seen == "below"  # the first rule


def world(*, alpha=1.0, beta=0.5, without=()):
    """Curves of the test loss that start high, and have a peak at 5 n^alpha K^beta, but for some (seed, n, K)."""
    rows = []
    for seed in range(5):
        for n in SIZES:
            for classes in CLASSES:
                top = 5 * n**alpha * classes**beta * (1 + 0.01 * seed)
                for share in SHARES:
                    away = 0.0 if (seed, n, classes) in without else math.exp(-(math.log(share) ** 2))
                    height = math.exp(away + (2.0 if share < 0.3 else 0.0) - 0.1 * math.log(share))
                    of = {"network": "one-hidden", "loss": "mse", "labels": "random", "times": 1, "rate": 0.01}
                    of |= {"n": n, "classes": classes, "seed": seed, "parameters": top * share}
                    rows.append({**of, "test_loss": height, "test_error": 0.5})
    return {"rows": pd.DataFrame(rows)}


def test_exponents_of_peaks_are_those_that_the_world_was_made_with():
    tables = world(without={(0, 250, 2), (1, 250, 2), (1, 250, 5), (1, 250, 10), (1, 500, 2)})
    powers = {of: PeakExponent(of, KIND, "test loss", SIZES).per_unit(tables) for of in ("n", "K")}
    assert powers["n"].drop(1).tolist() == pytest.approx([1.0] * 4, abs=0.02)
    assert powers["K"].drop(1).tolist() == pytest.approx([0.5] * 4, abs=0.02)
    assert np.isnan(powers["n"][1])  # less than two thirds of its curves have a peak
    assert np.isnan(PeakThreshold(KIND, 250, 2, "test loss").per_unit(tables)[0])
    assert np.isnan(PeakThreshold(KIND, 250, 2, "test error").per_unit(tables)).all()


def test_local_slopes_and_bits():
    rows = [
        {"network": "one-hidden", "loss": "mse", "labels": "random", "times": 1, "rule": "training error", "n": n}
        | {"classes": k, "seed": seed, "parameters": float(p), "seen": "here"}
        for n in SIZES
        for k, p in zip(CLASSES, (n, 2.5 * n, 2.5 * n * math.sqrt(2)), strict=True)
        for seed in range(3)
    ]
    tables = {"thresholds": pd.DataFrame(rows)}
    assert local_slope("mse", 2, 5).per_unit(tables).tolist() == pytest.approx([1.0] * 3)
    assert local_slope("mse", 5, 10).per_unit(tables).tolist() == pytest.approx([0.5] * 3)
    assert bits("mse", 2).per_unit(tables).tolist() == pytest.approx([1.0] * 3)


def test_every_claim_by_a_peak_is_amended_and_no_other_one():
    amended = {each.claim.name for each in AMENDMENTS}
    by_peak = {c.name for c in CLAIMS if any(word in c.name for word in ("test-loss", "test-error"))}
    assert amended - by_peak == {
        "likelihood-not-with-k",
        "squared-error-grows-with-k",
        "cross-entropy-bits",
        "mse-bits",
    }
    assert by_peak <= amended
    assert amended_quantity(level(Kind("mse"))) == level(Kind("mse"))

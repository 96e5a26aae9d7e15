"""Crossings and peaks against curves whose places are known; the fit that knows of bounds against simulation."""

import math

import numpy as np
import pandas as pd
import pytest

from lightning_module.studies.framework.censored_fit import censored_fit
from lightning_module.studies.framework.quantities import value
from lightning_module.studies.framework.turning_points import At, Log, Place, Turn, crossing, peak

SIZES = [2.0**i for i in range(4, 12)]


@pytest.mark.parametrize("at", [50.0, 64.0, 300.0])
def test_crossing_of_a_line_over_log_parameters_is_found_between_sizes(at):
    errors = [0.5 - 0.1 * math.log2(size / at) for size in SIZES]
    assert crossing(SIZES, errors, 0.5) == Place(pytest.approx(at))
    losses = [math.exp(-error) for error in reversed(errors)]
    assert crossing(SIZES, losses[::-1], 2.0).seen == "below"
    powers = [(at / size) ** 3 for size in SIZES]
    assert crossing(SIZES, powers, 1.0, log=True) == Place(pytest.approx(at))


def test_crossing_that_is_not_seen_is_said_to_be_beyond():
    assert crossing(SIZES, [0.0] * 8, 0.01) == Place(16.0, "below")
    assert crossing(SIZES, [0.3] * 8, 0.01) == Place(2048.0, "above")
    assert crossing(SIZES, [math.nan] * 7 + [0.0], 0.01) == Place(2048.0)
    assert crossing(SIZES, [0.3] * 7 + [0.0], 0.01, log=True).at < 2048


@pytest.mark.parametrize("at", [50.0, 64.0, 300.0])
def test_peak_of_a_parabola_over_log_parameters_is_found_between_sizes(at):
    assert peak(SIZES, [3 - math.log(size / at) ** 2 for size in SIZES]) == Place(pytest.approx(at))


def test_peak_at_an_end_is_said_to_be_beyond():
    assert peak(SIZES, list(range(8))).seen == "above"
    assert peak(SIZES, list(range(8))[::-1]) == Place(pytest.approx(16.0), "below")
    assert peak(SIZES, [1.0] * 8).seen == "below"
    assert peak(SIZES, [0, 1, math.nan, 1, 0, 0, 0, 0]).seen == "here"


def table(of_seeds, index="parameters", places=SIZES):
    rows = [
        {index: place, "error": error, "seed": seed}
        for seed, curve in enumerate(of_seeds)
        for place, error in zip(places, curve, strict=True)
    ]
    return {"rows": pd.DataFrame(rows)}


def test_places_are_taken_seed_by_seed():
    tables = table([[1 - abs(math.log2(size / at)) / 8 for size in SIZES] for at in (64, 256)] + [[1.0] * 8])
    found = At(value("error"), over=2.0).per_unit(tables)
    assert found[0] == pytest.approx(32)
    assert found[1] == pytest.approx(128)
    assert math.isnan(found[2])
    assert Log(At(value("error")), base=2.0).per_unit(tables)[1] == pytest.approx(8)


def test_turns_over_epochs():
    epochs = [1, 2, 4, 8, 16]
    tables = table([[0.9, 0.4, 0.6, 0.7, 0.5], [0.9, 0.8, 0.7, 0.6, 0.5]], "epoch", epochs)
    rise, fall = (Turn(value("error"), kind).per_unit(tables).tolist() for kind in ("rise", "fall"))
    assert rise == pytest.approx([0.3, 0.0])
    assert fall == pytest.approx([0.2, 0.0])


def test_fit_without_bounds_is_least_squares():
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(9), rng.normal(size=(9, 2))])
    y = rng.normal(size=9)
    np.testing.assert_allclose(censored_fit(x, y, ["here"] * 9), np.linalg.lstsq(x, y, rcond=None)[0])


def test_fit_with_bounds_recovers_the_slope_that_least_squares_loses():
    """Of 300 numbers a third is above a ceiling: the bounds in their place halve the slope."""
    rng = np.random.default_rng(1)
    x = np.column_stack([np.ones(300), rng.uniform(0, 4, 300)])
    y = x @ [0.5, 1.0] + rng.normal(0, 0.5, 300)
    ceiling = np.quantile(y, 0.66)
    seen = np.where(y > ceiling, "above", "here").tolist()
    fit = censored_fit(x, np.minimum(y, ceiling), seen)
    np.testing.assert_allclose(fit, [0.5, 1.0], atol=0.12)
    assert np.linalg.lstsq(x, np.minimum(y, ceiling), rcond=None)[0][1] < 0.8
    below = censored_fit(x, -np.minimum(y, ceiling), ["below" if each == "above" else each for each in seen])
    np.testing.assert_allclose(below, -fit, atol=1e-3)


def test_fit_that_is_not_decided_is_no_number():
    x = [[1.0, 0.0], [1.0, 0.0], [1.0, 1.0]]
    assert np.isnan(censored_fit(x, [1.0, 2.0, 3.0], ["here", "here", "above"])).all()

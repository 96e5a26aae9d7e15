"""Shares of units, clusters, living networks and peaks, on curves of the shape that is expected and of others."""

import math

import pandas as pd
import pytest

from lightning_module.studies.framework.claims import Claim, judge
from lightning_module.studies.framework.quantities import NoRowsError, Slope, mean_of, value
from lightning_module.studies.framework.shares import Among, Dead, Living, Share
from lightning_module.studies.framework.turning_points import At, PeakAbove
from lightning_module.studies.report.words import in_words

WIDTHS = (2, 4, 8, 16, 32, 64, 128)
EXPECTED = (0.72, 0.6, 0.45, 0.46, 0.55, 0.5, 0.44)  # the smallest network is the worst, as it always is
NO_PEAK = (0.72, 0.6, 0.45, 0.44, 0.43, 0.42, 0.41)
SHAPES = {"rises to the end": (0.72, 0.6, 0.45, 0.46, 0.5, 0.52, 0.55), "by chance": (*NO_PEAK[:4], 0.455, 0.44, 0.41)}


def table(*curves):
    rows = [
        {"seed": seed, "width": width, "parameters": width * width, "error": error}
        for seed, curve in enumerate(curves)
        for width, error in zip(WIDTHS, curve, strict=True)
    ]
    return {"rows": pd.DataFrame(rows)}


def peak_of(*curves):
    return PeakAbove(value("error"), valley=(8, 16), rise=0.02).per_unit(table(*curves)).tolist()


def test_the_peak_is_behind_the_valley_and_not_the_smallest_network():
    (at,) = peak_of(EXPECTED)
    assert 16**2 < at < 64**2
    assert At(value("error")).per_unit(table(EXPECTED)).isna().all()  # what the first rule said of the same curve


@pytest.mark.parametrize("curve", [NO_PEAK, *SHAPES.values()])
def test_a_curve_without_a_peak_has_none(curve):
    assert all(map(math.isnan, peak_of(curve)))


def test_a_peak_right_behind_the_valley_is_one_even_if_the_valley_ends_high():
    (at,) = peak_of((0.72, 0.6, 0.4, 0.6, 0.59, 0.5, 0.44))
    assert at == pytest.approx(32**2, rel=0.5)


def test_no_peak_denies():
    share = Share(PeakAbove(value("error"), valley=(8, 16), rise=0.02), above=0.0)
    claim = Claim(name="a", text=".", finding=share > 0.5)
    assert [judge([claim], table(*[curve] * 12))[0].finding for curve in (EXPECTED, NO_PEAK)] == ["holds", "fails"]
    (verdict,) = judge([claim], table(*[EXPECTED] * 3, *[NO_PEAK] * 3))
    assert (verdict.finding, verdict.parts[0].units, verdict.parts[0].interval.estimate) == ("inconclusive", 6, 0.5)


def test_clusters_by_themselves():
    tables = {"rows": pd.DataFrame({"seed": range(5), "rate": [0.61, 0.62, 0.91, 0.9, math.nan]})}
    rate = value("rate")
    assert Share(rate, above=0.8).counts(tables) == (2, 4)  # a value that is missing is no unit
    assert Among(rate, rate, below=0.8).per_unit(tables).tolist() == [0.61, 0.62]
    with pytest.raises(NoRowsError, match="no unit"):
        Among(rate, rate, above=1.0).per_unit(tables)
    with pytest.raises(ValueError, match="true of every unit"):
        Share(rate)


def test_dead_networks_are_left_out_and_counted():
    dead = (0.72, 0.6, 0.45, 0.46, 0.55, 0.9, 0.44)
    tables = table(EXPECTED, dead)
    assert Dead(value("error")).counts(tables) == (1, 14)
    wide = {"width": (64, 128)}
    assert Living("error", wide).per_unit(tables).tolist() == pytest.approx([0.47, 0.44])
    with pytest.raises(NoRowsError, match="no network is alive"):
        Living("error", {"width": 64}).per_unit(table(dead))
    assert Living("error", {}).definition() != value("error").definition()


def test_a_contrast_is_taken_of_the_units_that_are_alive_on_both_sides():
    dead = (0.9, *EXPECTED[1:])
    tables = table(EXPECTED, dead, EXPECTED)
    start, end = Living("error", {"width": 2}), Living("error", {"width": 128})
    for contrast, found in ((start - end, 0.28), (mean_of(start, end), 0.58), (Slope((0.0, 1.0), (start, end)), -0.28)):
        assert contrast.per_unit(tables).to_dict() == pytest.approx({0: found, 2: found})
        assert contrast.left_out(tables) == {1}
    (verdict,) = judge([Claim(name="a", text=".", finding=start - end > 0.0)], table(EXPECTED, dead, NO_PEAK))
    assert (verdict.parts[0].units, verdict.parts[0].left_out, in_words(verdict)["n"]) == (2, 1, "2 (1 left out)")
    # What is missing without a rule that leaves it out is a fault, as before, whatever else is left out.
    rows = tables["rows"]
    with pytest.raises(ValueError, match="must be the same"):
        (start - end).per_unit({"rows": rows[(rows["seed"] != 2) | (rows["width"] != 128)]})
    with pytest.raises(NoRowsError, match="no unit has all"):
        (start - Living("error", {"width": 4})).per_unit(table(dead, (0.7, 0.9, *EXPECTED[2:])))


def test_a_quantity_without_such_a_rule_leaves_no_unit_out():
    assert (value("error", width=2) - value("error", width=4)).left_out(table(EXPECTED)) == set()

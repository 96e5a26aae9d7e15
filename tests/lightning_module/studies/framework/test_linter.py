"""Planted faults that the linter of claims has to find, claims that it has to leave alone, and all committed claims."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from lightning_module.studies import STUDIES, Cell, Claim, Config, Finding, Study, Unpaired, mean_of, value
from lightning_module.studies.double_descent.study import STUDY as DOUBLE_DESCENT
from lightning_module.studies.framework.linter import faults, faults_of
from lightning_module.studies.framework.quantities import Exact, Quantity, Value
from lightning_module.studies.framework.result import Result
from lightning_module.studies.framework.shares import Living, Share
from lightning_module.studies.framework.turning_points import At, Log, PeakAbove, Turn
from lightning_module.studies.lottery.study import STUDY as LOTTERY

RESULTS = Path(__file__).parents[4] / "docs" / "results"
CURVE, TRAINED = value("error", on="test"), value("error", on="train")
GAIN = value("gain")


def claim(finding, text="It is so."):
    return Claim(name="planted", text=text, finding=finding)


def table(*numbers):
    return {"rows": pd.DataFrame({"seed": range(len(numbers)), "gain": numbers})}


def kinds(finding, tables=None, **more):
    return {fault.kind for fault in faults([claim(finding, **more)], tables)}


@pytest.mark.parametrize(
    "of",
    [At(CURVE), Log(At(CURVE) / At(TRAINED, 0.01)), At(value("loss", on="test")) / 100, mean_of(At(CURVE), At(CURVE))],
)
def test_a_rule_without_a_number_on_the_curve_that_it_is_about_is_found(of):
    found = faults([claim(Finding(of=of, above=0.0))])
    assert [fault.kind for fault in found] == ["undefined", "undefined"]
    assert found[0].what == "no number in any unit on a curve with a peak behind a valley"


def test_a_rule_without_a_number_on_the_curve_that_denies_it_is_found():
    of = Log(PeakAbove(CURVE, (8, 16), 0.02))
    assert [fault.what for fault in faults([claim(of > 0.0)])] == ["no number in any unit on a curve that only falls"]


@pytest.mark.parametrize(
    "of",
    [
        Share(Log(PeakAbove(CURVE, (8, 16), 0.02) / At(TRAINED, 0.01)), above=-0.25, below=0.25),
        Share(PeakAbove(Living("loss", {"on": "test"}), (9, 12, 16), 0.1), above=0.0),
        Log(At(TRAINED, 0.01)),
        Turn(value("error", table="curves", width=300), "rise"),
        GAIN,
    ],
)
def test_a_rule_that_has_a_number_on_both_is_left_alone(of):
    assert not faults([claim(Finding(of=of, above=0.5))])


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        ([1.0] * 6, "no variance"),
        ([3, 3, 3, 3, 3], "no variance"),  # a rank
        ([0.1, 0.2, 0.3], "few units"),
        ([0.1, 0.12, 0.11, 0.13, 0.9], "one unit apart"),  # a dead network
        ([0.61, 0.615, 0.62, 0.612, 0.618, 0.91, 0.92, 0.99], "clusters"),
        ([0.61, 0.615, 0.62, 0.91, 0.915], "clusters"),  # two basins, in few units
        ([3, 3, 4, 3, 3, 4], "grid"),  # a rank that varies: two numbers are no distribution
        ([0.1, 0.2, float("nan"), 0.15, 0.17], "undefined"),
        ([float("nan")] * 5, "undefined"),
    ],
)
def test_units_that_no_mean_is_of_are_found(numbers, kind):
    frame = table(*numbers)
    if kind == "undefined":  # a row that misses is no unit; but a unit may have rows and no number
        frame = {"rows": frame["rows"].fillna(0.0)}
        assert kind in kinds(GAIN / GAIN > 0.05, frame)
    else:
        assert kinds(GAIN > 0.05, frame) == {kind}


def test_units_that_are_as_they_should_be_are_left_alone():
    good = table(0.1, 0.12, 0.15, 0.11, 0.14, 0.13, 0.16, 0.12)
    assert kinds(GAIN > 0.05, good) == set()
    assert kinds(Exact(value("gain", unit=None)) > 0.05, table(0.3)) == set()
    assert kinds(value("nothing") > 0.0, good) == set()  # what a result lacks, its verdict says
    assert kinds(Finding(of=Unpaired(GAIN, value("gain", seed=(0, 1, 2))), above=0.0), good) == {"few units"}
    assert kinds(Share(GAIN, above=0.1) > 0.5, good) == set()
    assert kinds(Share(GAIN, above=0.1) > 0.5, table(0.1, 0.2)) == {"few units"}


@pytest.mark.parametrize(
    ("text", "finding", "found"),
    [
        ("It has many more of them.", GAIN > 0.0, True),
        ("It is significantly better.", GAIN - GAIN > 0.0, True),
        ("It substantially outperforms the other.", GAIN / GAIN > 1.0, True),
        ("It substantially outperforms the other.", GAIN - GAIN > 0.02, False),
        ("It has many more of them.", GAIN / GAIN > 1.5, False),
        ("It is as good with as many parameters.", GAIN > 0.0, False),
        ("It gains more than 5 points.", GAIN > 0.0, False),
        ("It is greatly better.", GAIN > 0.0, True),
        ("It is by far the best.", GAIN - GAIN > 0.0, True),
        ("It is a lot better.", GAIN / GAIN > 1.0, True),
        ("It is much better.", GAIN > 1e-9, True),  # a margin in name only
        ("It is much better.", (GAIN > 0.0, value("accuracy") > 0.5), True),  # one beside the contrast that has none
        ("It is much better.", (GAIN > 0.1, value("accuracy") > 0.5), False),
    ],
)
def test_adjectives_need_a_margin(text, finding, found):
    assert kinds(finding, text=text) == ({"adjective"} if found else set())


@dataclass(frozen=True)
class OwnPeak(Quantity, kind="planted-peak"):
    """The width at which a curve is highest, as a study may write it; not a number at the ends."""

    curve: Value

    def per_unit(self, tables):
        rows = self.curve.rows(tables)
        top = {seed: of.set_index("width")[self.curve.column].idxmax() for seed, of in rows.groupby("seed")}
        ends = rows.width.min(), rows.width.max()
        return pd.Series({seed: float("nan") if width in ends else float(width) for seed, width in top.items()})


def test_a_studys_own_rule_about_a_curve_is_tried_as_well():
    found = faults([claim(OwnPeak(CURVE) > 10.0)])
    assert {fault.kind for fault in found} == {"undefined"}
    assert found[0].what.startswith("no number in any unit on a curve")


def test_a_rank_is_found_before_a_run_wherever_it_is():
    rank = value("rank_test_loss", function="learned")
    for finding in (rank < 3.0, mean_of(rank, rank) - 2.0 < 1.0):
        assert kinds(finding) == {"rank"}
    assert kinds(value("ranking_loss") > 0.1) == set()


def test_the_sources_own_words_count():
    (fault,) = faults([claim(GAIN > 0.0)], words={"planted": "It is significantly more."})
    assert fault == ("planted", "adjective", "'significantly' needs a margin, and 0 is none")


def test_a_preset_with_few_seeds_is_found_before_the_run():
    def study(seeds):
        presets = {"paper": Config(seeds=seeds)}
        claims = [claim(GAIN > 0.1)]
        return Study(name="s", question="?", presets=presets, cells=lambda _: [Cell({})], run_cell=list, claims=claims)

    assert [fault.kind for fault in faults_of(study(3))] == ["few units"]
    assert faults_of(study(5)) == []


# Faults of committed claims that no amendment mends, each with the reason.
ACCEPTED = {
    ("benchmark", "perfect-training", "no variance"): "100 % of the training set in every run is what is claimed",
    ("double-descent", "bump-of-2020", "few units"): "the form of 2020 is there to stand beside its figure",
    **{
        ("activation", f"{data}-{when}", "rank"): "on digits it is a question of ours, on CIFAR-10 there is no run"
        for data in ("digits", "cifar10")
        for when in ("middle", "early")
    },
}
BEFORE_A_RUN = ("undefined", "adjective")


@pytest.mark.parametrize("name", [folder.name for folder in sorted(RESULTS.iterdir()) if folder.is_dir()])
def test_each_fault_of_a_committed_claim_is_amended_or_accepted(name):
    study = STUDIES[name]
    tables = Result.load(RESULTS / name).tables
    decisive = [each for each in study.claims if not each.exploratory]
    found = {(f.claim, f.kind) for f in [*faults(decisive, tables), *faults(study.claims)]}
    amended = {each.claim.name for each in study.amendments}
    left = {(name, *fault) for fault in found if fault[0] not in amended}
    assert left == {accepted for accepted in ACCEPTED if accepted[0] == name}
    assert [f for f in faults([each.claim for each in study.amendments]) if f.kind in BEFORE_A_RUN] == []


def test_what_is_known_to_be_wrong_is_found():
    found = {(s.name, f.claim, f.kind) for s in (DOUBLE_DESCENT, LOTTERY) for f in faults(s.claims)}
    assert ("double-descent", "peak-at-interpolation", "undefined") in found
    assert ("double-descent", "peak-where-tenth-is-misfit", "undefined") in found
    assert ("double-descent", "loss-peak-above-error-peak", "undefined") in found
    assert ("lottery", "adjacent-beside-random", "adjective") in found

"""Why a finding is inconclusive, which numbers say nothing, and intervals that know of a test set that is shared."""

import numpy as np
import pandas as pd
import pytest

from lightning_module.studies.framework.cells import FRESH_TESTS, SharedTests
from lightning_module.studies.framework.claims import Claim, Number, judge
from lightning_module.studies.framework.quantities import largest, value
from lightning_module.studies.framework.reasons import (
    causes,
    is_told,
    is_uninformative,
    on_other_tests,
    range_of,
    why_inconclusive,
    with_test_sampling,
)

GAIN, ACCURACY = value("gain"), value("accuracy")


def cause(*numbers, others=0):
    tables = {"rows": pd.DataFrame({"seed": range(len(numbers)), "gain": numbers})}
    claims = [Claim(name=f"c{i}", text=".", finding=GAIN > 0.0) for i in range(1 + others)]
    return why_inconclusive(judge(claims, tables)[0], tables)


def test_causes():
    assert cause(0.1, -0.05, 0.2, -0.1, 0.15) == "power"
    assert cause(0.2, 0.11, 0.05, 0.15, 0.02) is None
    assert cause(0.2, 0.11, 0.05, 0.15, 0.02, others=9) == "correction"
    assert cause(0.01, 0.011, 0.012, 0.009, 0.9) == "clusters"
    assert cause(0.0, 0.001, 0.002, 0.001, 0.0, 0.8, 0.9, 0.002) == "clusters"


@pytest.mark.parametrize(("numbers", "is_one"), [([0.1, 0.9], True), ([0.5, 0.52, 0.51], False)])
def test_inside_everything_is_uninformative(numbers, is_one):
    tables = {"rows": pd.DataFrame({"seed": range(len(numbers)), "accuracy": numbers})}
    (verdict,) = judge([Claim(name="a", text=".", number=Number(of=ACCURACY, published=0.51))], tables)
    assert (verdict.number, is_uninformative(verdict)) == ("inside", is_one)


def test_ranges():
    assert range_of(ACCURACY - ACCURACY) == (-1.0, 1.0)
    assert range_of(largest(ACCURACY, value("error"))) == (0.0, 1.0)
    assert range_of(1.0 - ACCURACY) == (0.0, 1.0)
    assert range_of(value("loss")) == range_of(ACCURACY / ACCURACY) == (-np.inf, np.inf)


def test_an_interval_over_seeds_on_one_test_set_covers_the_truth_only_with_its_sampling():
    rng, covered, naive = np.random.default_rng(0), 0, 0
    for _ in range(400):
        easy = rng.random(1000) < 0.32  # the same examples for all seeds
        flips = rng.random((10, 1000)) < 0.01
        shares = (easy ^ flips).mean(1).tolist()
        truth = 0.32 * 0.99 + 0.68 * 0.01
        _, low, high = with_test_sampling(shares, 1000)
        covered += low < truth < high
        spread = 2.26 * np.std(shares, ddof=1) / np.sqrt(10)
        naive += abs(np.mean(shares) - truth) < spread
    assert covered / 400 > 0.92 > naive / 400


def test_only_inconclusive_findings_have_a_cause():
    tables = {"rows": pd.DataFrame({"seed": range(5), "gain": [0.1, -0.05, 0.2, -0.1, 0.15]})}
    claims = [Claim(name="open", text=".", finding=GAIN > 0.0), Claim(name="told", text=".", finding=GAIN > -1.0)]
    assert causes(judge(claims, tables), tables) == {"open": "power"}


def scored(network):
    return value("accuracy", network=network, on="fresh test")


def measured(finding, tests=1000, **networks):
    """The contrast's part, and its interval with the sampling of a shared test set."""
    rows = [
        {"network": name, "seed": seed, "on": "fresh test", "accuracy": share + 0.001 * seed}
        for name, share in networks.items()
        for seed in range(5)
    ]
    tables = {"rows": pd.DataFrame(rows)}
    (part,) = judge([Claim(name="a", text=".", finding=finding)], tables)[0].parts
    return part, on_other_tests(part, tables, [FRESH_TESTS], {"tests": tests})


def test_the_sampling_of_shared_tests_is_that_of_a_proportion_and_adds_up_in_a_difference():
    one, two = scored("mlp"), scored("cnn")
    part, wider = measured(one > 0.5, mlp=0.648)
    assert (wider.high - wider.low) / 2 == pytest.approx(
        np.hypot(0.00196, 1.96 * np.sqrt(0.65 * 0.35 / 1000)), abs=1e-4
    )
    assert wider.estimate == part.interval.estimate
    assert is_told(part, part.interval)
    assert is_told(part, wider)
    part, wider = measured(two - one > 0.0, mlp=0.648, cnn=0.668)
    both = np.sqrt((0.65 * 0.35 + 0.67 * 0.33) / 1000)
    assert (wider.high - wider.low) / 2 == pytest.approx(1.96 * both, abs=1e-4)  # each seed has the same difference
    assert is_told(part, part.interval)
    assert not is_told(part, wider)  # two points are nothing on a thousand signals


def test_nothing_is_said_where_no_test_set_is_shared():
    elsewhere = value("accuracy", network="mlp")
    assert measured(elsewhere > 0.5, mlp=0.65)[1] is None
    assert measured(scored("mlp") / scored("mlp") > 0.5, mlp=0.65)[1] is None
    assert measured(value("seed", network="mlp", on="fresh test") > 0.5, mlp=0.65)[1] is None
    part, _ = measured(scored("mlp") > 0.5, mlp=0.65)
    frozen = [SharedTests(where={"on": "test"}, examples=1000)]
    assert on_other_tests(part, {"rows": pd.DataFrame()}, frozen, {}) is None

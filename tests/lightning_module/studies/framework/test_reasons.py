"""Why a finding is inconclusive, which numbers say nothing, and intervals that know of a test set that is shared."""

import numpy as np
import pandas as pd
import pytest

from lightning_module.studies.framework.claims import Claim, Number, judge
from lightning_module.studies.framework.quantities import largest, value
from lightning_module.studies.framework.reasons import is_uninformative, range_of, why_inconclusive, with_test_sampling

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

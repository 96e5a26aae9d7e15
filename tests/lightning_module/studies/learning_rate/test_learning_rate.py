"""The learning-rate study: the published digits, and a small run from cells to verdicts and figures."""

import math

import pytest

from lightning_module.studies.framework.claims import judge
from lightning_module.studies.framework.data import frozen
from lightning_module.studies.learning_rate.study import STUDY
from lightning_module.studies.methods.unrolled import descend, initial_weights, minibatches

# Learning rates after outer steps, and mean losses that the steps are made from, as the notebook of 2024 prints them.
PUBLISHED = {
    1.5: {3: 1.259, 6: 1.044, 9: 0.9111, 12: 0.8209, 18: 0.7205, 24: 0.6735, 36: 0.6348, 48: 0.6243},
    0.15: {3: 0.4909, 6: 0.5407, 9: 0.5689, 12: 0.5857, 18: 0.6038, 24: 0.6124, 36: 0.6187, 48: 0.6203},
}
PUBLISHED_LOSSES = {1.5: {3: 1.808, 48: 1.716}, 0.15: {3: 1.722, 48: 1.716}}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return STUDY.run("smoke", folder=tmp_path_factory.mktemp("learning-rate"))


def path(steps: int):
    batches = minibatches(frozen().train, steps=200, size=50)
    return list(descend([1.5, 0.15], initial_weights(0), batches, steps=steps, outer_rate=0.3))


def test_first_published_digits():
    """Half a unit of the last printed digit, and what rounding adds: initial weights moved by one unit in their last
    place, and float64, moved the larger rate by up to 2e-6 (1.464452 to 1.464454, and 1.46445 is where digits part)."""
    ((rates, found),) = path(1)
    assert rates.tolist() == pytest.approx([1.4645, 0.3918], abs=0.5e-4 + 1e-5)
    assert found.losses.shape == (2, 200)


def printed(number: float, digits: int = 4):
    """Returns what a number that was printed with so many digits may have been, and what rounding adds.

    Over fifty outer steps, float64 and initial weights moved by one unit in their last place moved the rates by up to
    1.3e-5 and the losses by up to 2.2e-6.
    """
    unit = 10.0 ** (math.floor(math.log10(number)) + 1 - digits)
    return pytest.approx(number, abs=unit / 2 + 4e-5)


@pytest.mark.slow
def test_all_published_digits():
    steps = path(50)
    for i, start in enumerate(PUBLISHED):
        for step, published in PUBLISHED[start].items():
            assert float(steps[step][0][i]) == printed(published), (start, step)
        for step, published in PUBLISHED_LOSSES[start].items():
            assert float(steps[step][1].mean_loss[i]) == printed(published), (start, step)
    assert steps[49][0].tolist() == [printed(0.6240), printed(0.6204)]


def test_tables(result):
    rows = result.rows
    assert set(rows.arm) == {"frozen", "fresh"}
    assert sorted(rows.start.unique()) == [0.15, 0.6, 1.5]
    assert len(rows) == 2 * 2 * 3 * 6
    assert len(result.tables["landscape"]) == 2 * 2 * 12
    assert set(result.tables["optima"].objective) == {"mean_loss", "last_loss", "test_loss"}
    assert {"frozen", "fresh/0", "fresh/1", "cost"} == set(result.data)


def test_the_landscape_is_what_the_path_goes_down(result):
    """A descent's losses lie between those of the grid's neighbouring learning rates, where the grid is monotone."""
    landscape = result.tables["landscape"].query("arm == 'frozen' and seed == 0").sort_values("rate")
    path = result.rows.query("arm == 'frozen' and seed == 0 and start == 0.15").sort_values("step")
    before, loss = float(path.rate.iloc[0]), float(path.mean_loss.iloc[1])
    low = landscape[landscape.rate <= before].iloc[-1].mean_loss
    high = landscape[landscape.rate > before].iloc[0].mean_loss
    assert min(low, high) <= loss <= max(low, high)


def test_segments_hold_less(result):
    held = result.tables["cost"].pivot(index="length", columns="method", values="megabytes")
    assert (held["segments"] < held["whole"]).all()
    assert "seconds" not in result.tables["cost"]  # a run for tests is the same twice


def test_verdicts_and_figures(result):
    verdicts = {verdict.claim.name: verdict for verdict in judge(STUDY.claims, result.tables)}
    assert verdicts["converge"].parts
    assert verdicts["converge"].number in ("inside", "outside")
    assert verdicts["one-minute"].finding == "not tested"
    assert not list(STUDY.outside(result))  # bands are about 200 steps
    for draw in STUDY.figures.values():
        assert draw(result).get_axes()

"""The study of thresholds at its smallest, against a bare loop in torch; its claims on worlds with known exponents."""

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional

from lightning_module.replicas.replica import Replica
from lightning_module.studies.framework.claims import judge
from lightning_module.studies.framework.result import Result
from lightning_module.studies.methods.full_batch import train_on_all
from lightning_module.studies.methods.networks.families import FAMILIES
from lightning_module.studies.thresholds.claims import BANDS, CLAIMS, SOURCES
from lightning_module.studies.thresholds.config import CLASSES, SIZES, SMALL, predicted
from lightning_module.studies.thresholds.study import (
    STUDY,
    ThresholdsConfig,
    WidthSweep,
    _thresholds,
    cells,
    constant_loss,
    plans,
    task,
)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return STUDY.run("smoke", folder=tmp_path_factory.mktemp("thresholds"))


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_training_is_plain_adam_with_torchs_cosine(loss):
    train, test = task(60, 5, "15 %", seed=3, tests=200)
    steps, rates = 37, (0.01, 0.03)
    ours = train_on_all(
        FAMILIES["one-hidden"].of_width(5),
        [Replica(seed=1, width=width, lr=rate, data=train) for width, rate in zip((4, 9), rates, strict=True)],
        train,
        steps=steps,
        loss=loss,
        num_classes=5,
    )
    losses, _ = ours.ensemble.evaluate(*test)
    for k, (width, rate) in enumerate(zip((4, 9), rates, strict=True)):
        torch.manual_seed(1)
        network = torch.nn.Sequential(torch.nn.Linear(40, width), torch.nn.ReLU(), torch.nn.Linear(width, 5))
        optimizer = torch.optim.Adam(network.parameters(), lr=rate)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)

        def loss_of(x, y):
            if loss == "mse":
                return functional.mse_loss(network(x), functional.one_hot(y, 5).float())  # noqa: B023
            return functional.cross_entropy(network(x), y)  # noqa: B023

        for _ in range(steps):
            optimizer.zero_grad()
            loss_of(*train).backward()
            optimizer.step()
            scheduler.step()
        with torch.no_grad():
            assert float(losses[k]) == pytest.approx(float(loss_of(*test)), rel=1e-4)


def test_task_of_some_digits():
    train, test = task(1000, 2, "0 %", seed=1, tests=3000)
    other, _ = task(1000, 2, "0 %", seed=4, tests=10)
    assert train.x.shape == (1000, 40)
    assert test.x.shape == (3000, 40)
    assert set(train.y.tolist()) == set(test.y.tolist()) == {0, 1}
    assert not torch.equal(train.x, other.x)
    smaller, _ = task(250, 2, "0 %", seed=1, tests=10)
    torch.testing.assert_close(smaller.x, train.x[:250])
    nearest = train.y[torch.cdist(test.x, train.x).argmin(1)]
    assert (nearest == test.y).float().mean() > 0.9  # training and test number the digits alike


@pytest.mark.parametrize(("labels", "classes", "wrong"), [("15 %", 2, 0.075), ("15 %", 10, 0.135), ("30 %", 5, 0.24)])
def test_redrawn_labels_are_wrong_as_often_as_they_should(labels, classes, wrong):
    clean, test = task(1000, classes, "0 %", seed=1, tests=100)
    noisy, same = task(1000, classes, labels, seed=1, tests=100)
    torch.testing.assert_close(clean.x, noisy.x)
    torch.testing.assert_close(test.y, same.y)
    assert float((clean.y != noisy.y).float().mean()) == pytest.approx(wrong, abs=0.035)


def test_random_labels_are_of_all_signals_and_say_nothing():
    train, test = task(1000, 5, "random", seed=1, tests=3000)
    digits, _ = task(1000, 10, "0 %", seed=1, tests=10)
    torch.testing.assert_close(train.x, digits.x)
    table = torch.zeros(10, 5).index_put_((digits.y, train.y), torch.ones(1000), accumulate=True)
    expected = table.sum(1, keepdim=True) * table.sum(0) / 1000
    assert float(((table - expected) ** 2 / expected).sum()) < 66  # chi squared, 36 degrees of freedom, p > 0.001
    assert float((test.y == 0).float().mean()) == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize(("loss", "classes"), [("cross_entropy", 5), ("mse", 10)])
def test_loss_of_the_best_constant(loss, classes):
    y = torch.arange(classes)
    logits = torch.zeros(classes, classes) if loss == "cross_entropy" else torch.full((classes, classes), 1 / classes)
    likelihood = loss == "cross_entropy"
    own = functional.cross_entropy(logits, y) if likelihood else functional.mse_loss(logits, torch.eye(classes))
    assert constant_loss(loss, classes) == pytest.approx(float(own))


def test_four_rules_on_curves_that_are_known():
    sizes = [100.0 * 2**i for i in range(6)]
    rows = [
        {
            "parameters": size, "seed": 0, "train_error": max(0.0, 0.01 + 0.2 * math.log2(400 / size)),
            "train_loss": 0.01 * math.log(10) * (800 / size) ** 2, "test_loss": math.exp(-abs(math.log(size / 400))),
            "test_error": 0.5,
        }
        for size in sizes
    ]  # fmt: skip
    places = {
        row["rule"]: row for row in _thresholds(WidthSweep("one-hidden", 400, 10, "cross_entropy", "15 %", 1), rows)
    }
    assert places["training error"]["parameters"] == pytest.approx(400)
    assert places["training loss"]["parameters"] == pytest.approx(800)
    assert places["test loss"]["parameters"] == pytest.approx(400)
    assert places["test error"]["seen"] == "below"


def test_paper_plan_has_what_was_asked_for():
    config = STUDY.presets["paper"]
    trained = {plan: seeds for plan, seeds in plans(config)}  # noqa: C416
    for n in SIZES:
        for classes in CLASSES:
            for loss in ("mse", "cross_entropy"):
                for labels in ("15 %", "random"):
                    assert trained[WidthSweep("one-hidden", n, classes, loss, labels, 1)] == 5
    assert trained[WidthSweep("one-hidden", 2000, 10, "mse", "15 %", 1)] == 3
    assert trained[WidthSweep("cnn", 500, 10, "mse", "15 %", 1)] == 3
    assert trained[WidthSweep("one-hidden", 500, 2, "mse", "15 %", 4)] == 3
    done = [
        (*(cell[name] for name in WidthSweep._fields), seed)
        for cell in cells(config)
        for seed in range(cell["first"], cell["last"] + 1)
    ]
    assert len(done) == len(set(done)) == sum(trained.values())


@pytest.mark.parametrize("classes", CLASSES)
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_widths_reach_from_below_n_to_beyond_the_prediction(loss, classes):
    parameters = FAMILIES["one-hidden"].parameters
    sizes = [parameters(width, classes) for width in ThresholdsConfig().widths("one-hidden", loss, 500, classes)]
    assert sizes == sorted(sizes)
    assert sizes[0] < 0.5 * 500
    assert sizes[-1] > 1.9 * predicted(loss, 500, classes)
    assert all(b / a < 2 for a, b in pairwise(sizes))


def test_smoke_result(result):
    thresholds = result.tables["thresholds"]
    columns = ["network", "n", "classes", "loss", "labels", "times", "seed"]
    assert not thresholds.duplicated([*columns, "rule"]).any()
    assert set(thresholds.seen) == {"here", "below", "above"}
    for _, rows in result.tables["tuning"].groupby([c for c in columns if c != "seed"]):
        assert sorted(rows.rate) == [0.01, 0.03]
        (chosen,) = rows[rows.chosen].itertuples()
        assert chosen.train_loss == rows.train_loss.min()
        same = result.rows
        for column in columns[:-1]:
            same = same[same[column] == getattr(chosen, column)]
        assert set(same.rate) == {chosen.rate}
    assert len(judge(STUDY.claims, result.tables)) == len(CLAIMS)


def made_up(beta, *, alpha=1.0, level=1.0, noise=0.05, ceiling=math.inf):
    """A result whose thresholds are level * n**alpha * K**beta, those above `ceiling` * n not seen."""
    rng = np.random.default_rng(0)
    rows = []
    kinds = [("one-hidden", labels, 1, n, k) for labels in ("15 %", "random") for n in SIZES for k in CLASSES]
    kinds += [("one-hidden", labels, 1, n, k) for labels in ("0 %", "30 %") for n in SMALL for k in CLASSES]
    kinds += [("one-hidden", "15 %", 4, n, k) for n in SMALL for k in CLASSES]
    kinds += [("one-hidden", "15 %", 1, 2000, 10), *(("cnn", "15 %", 1, n, 10) for n in SMALL)]
    for network, labels, times, n, k in kinds:
        for loss in ("cross_entropy", "mse"):
            few = times > 1 or network == "cnn" or n == 2000
            for seed in range(3 if few else 5):
                for rule in ("training error", "training loss", "test loss", "test error"):
                    at = level * n**alpha * k ** beta[loss] * math.exp(rng.normal(0, noise))
                    of = {"network": network, "n": n, "classes": k, "loss": loss, "labels": labels, "times": times}
                    seen = "here" if at <= ceiling * n else "above"
                    rows.append({**of, "seed": seed, "rule": rule, "parameters": min(at, ceiling * n), "seen": seen})
    config = {"sizes": [*SIZES], "classes": [*CLASSES], "times": 4}
    sizes = [100, 1000, 10_000]
    curves = [
        {"network": "one-hidden", "n": 1000, "classes": 10, "loss": loss, "labels": "15 %", "times": 1, "seed": seed,
         "parameters": p, "train_error": 0.1, "test_error": 0.5, "train_loss": 0.1, "test_loss": 2.0}
        for loss in ("cross_entropy", "mse") for seed in range(2) for p in sizes
    ]  # fmt: skip
    return Result("thresholds", "paper", config, {"rows": pd.DataFrame(curves), "thresholds": pd.DataFrame(rows)})


def findings(result):
    return {verdict.claim.name: verdict.finding for verdict in judge(CLAIMS, result.tables)}


def test_claims_on_a_world_as_the_blog_post_has_it():
    found = findings(made_up({"cross_entropy": 0.0, "mse": 1.0}, noise=0.02))
    assert {found[claim.name] for claim in SOURCES if claim.not_tested is None} == {"holds"}
    assert {name: word for name, word in found.items() if word != "holds"} == {"explains-an-advantage": "not tested"}


def test_claims_on_a_world_in_which_the_loss_does_not_matter():
    found = findings(made_up({"cross_entropy": 0.5, "mse": 0.5}))
    assert found["likelihood-grows-with-n"] == "holds"
    assert found["likelihood-not-with-k"] == "fails"
    assert found["squared-error-grows-with-k"] == "fails"
    assert found["likelihood-at-n"] == "fails"
    assert found["k-times-larger"] == "fails"


def test_unseen_thresholds_have_exponents_and_no_place():
    found = findings(made_up({"cross_entropy": 0.0, "mse": 1.0}, ceiling=8.0))
    assert found["squared-error-grows-with-k"] == "holds"  # by two and five classes, and that ten are above
    assert found["squared-error-at-nk"] == "not tested"
    assert found["k-times-larger"] == "not tested"
    assert found["likelihood-not-with-k"] == "holds"


def test_bands_are_about_the_first_look():
    tables = made_up({"cross_entropy": 0.0, "mse": math.log10(5)}, level=1.75, noise=0.0).tables
    measured = {band.name: band.of.per_unit(tables).mean() for band in BANDS}
    assert measured["log likelihood, 250 signals, parameters per signal by the training error"] == pytest.approx(1.75)
    for band in BANDS:
        assert band.low <= measured[band.name] <= band.high


def test_figures(result):
    for made in (result, made_up({"cross_entropy": 0.0, "mse": 1.0}, ceiling=8.0)):
        figures = {name: draw(made) for name, draw in STUDY.figures.items()}
        assert [len(figure.axes) for figure in figures.values()] == [4, 8, 8]
    lines = figures["figure"].axes[0].lines
    assert {line.get_xdata()[0] for line in lines if len(set(line.get_xdata())) == 1} == {1000, 10_000}
    assert "100 %" not in {text.get_text() for text in figures["exponents"].axes[0].texts}


def test_bands_say_nothing_of_a_run_with_fewer_steps(result):
    assert not list(STUDY.outside(result))

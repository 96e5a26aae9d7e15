"""The benchmark study at its smallest, against bare loops and against what is published about the human quiz."""

import numpy as np
import pytest
import torch

from lightning_module import NETWORKS, make_network
from lightning_module.studies.benchmark.baselines import baseline_rows
from lightning_module.studies.benchmark.study import STUDY
from lightning_module.studies.framework.claims import judge
from lightning_module.studies.framework.data import fresh, fresh_test, frozen
from lightning_module.studies.methods.person import CONFUSION, QUIZ_ROWS

PRINTED_ERRORS = [6.7, 4.8, 11.1, 0, 6.4, 0, 0, 8.8, 0, 7.3]  # percent by digit, of the 400 distinct answers


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return STUDY.run("smoke", folder=tmp_path_factory.mktemp("benchmark"))


def bare_loop(name, seed, order, steps):
    """The published loop, by torch alone; returns the network."""
    torch.manual_seed(seed)
    network = make_network(name)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    x, y = frozen().train
    for step in range(steps):
        rows = slice(100 * step % 4000, 100 * step % 4000 + 100)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(x[rows][:, order]), y[rows]).backward()
        optimizer.step()
    return network


@pytest.mark.parametrize("points", ["own", "shuffled"])
@pytest.mark.parametrize("name", ["logistic", "mlp"])
def test_frozen_arm_is_the_published_loop(result, name, points):
    np_state = np.random.get_state()
    order = np.arange(40)
    if points == "shuffled":
        np.random.seed(42)
        order = np.random.permutation(40)
        np.random.set_state(np_state)
    network = bare_loop(name, 1, order, 60)
    x, y = frozen().test
    with torch.no_grad():
        logits = network(x[:, order])
    rows = result.rows
    chosen = (rows.arm == "frozen") & (rows.network == name) & (rows.points == points) & (rows.seed == 1)
    row = rows[chosen & (rows.on == "test") & (rows.step == 60)].iloc[0]
    assert row.loss == pytest.approx(float(torch.nn.functional.cross_entropy(logits, y)), abs=2e-3)
    assert row.accuracy == pytest.approx(float((logits.argmax(1) == y).float().mean()), abs=0.004)


def test_every_network_is_scored_at_every_evaluation(result):
    rows = result.rows[result.rows.network.isin(list(NETWORKS))]
    scores = 2 * 2 + 1  # twice on two splits, once on fresh
    assert len(rows) == len(NETWORKS) * 2 * 2 * 2 * scores  # arms, orders, seeds
    assert set(rows[rows.on == "fresh test"].step) == {60}
    assert not rows.duplicated(["arm", "network", "points", "seed", "step", "on"]).any()


def test_predictions_are_kept_and_are_those_that_were_scored(result):
    rows = result.rows
    for name, wrong in result.arrays.items():
        arm, network, points, on = name.split("-", 3)
        chosen = (rows.arm == arm) & (rows.network == network) & (rows.points == points)
        chosen &= (rows.on == on.replace("-", " ")) & (rows.step == 60)
        assert wrong.dtype == np.uint8
        np.testing.assert_allclose((wrong == 0).mean(1), rows[chosen].sort_values("seed").accuracy, atol=1e-9)
    # The frozen arm has a test split of its own, the fresh arm has not.
    assert len(result.arrays) == len(NETWORKS) * 2 * 3


def test_errors_by_class_add_up_to_the_error(result):
    classes = result.tables["classes"]
    y = fresh_test(frozen(), count=1000).y.numpy()
    share = np.bincount(y, minlength=10) / len(y)
    of_one = classes[(classes.arm == "frozen") & (classes.network == "cnn") & (classes.seed == 0)]
    of_one = of_one[of_one.points == "own"].sort_values("digit")
    wrong = result.arrays["frozen-cnn-own-fresh-test"][0] != 0
    assert float(of_one.error @ share) == pytest.approx(wrong.mean(), abs=1e-5)


def test_the_human_is_the_published_one():
    assert CONFUSION.sum() == len(QUIZ_ROWS) == 400
    np.testing.assert_allclose(100 * (1 - CONFUSION.diagonal() / CONFUSION.sum(1)), PRINTED_ERRORS, atol=0.051)
    # The digits of those rows, which the counts are about, are those of the frozen test split.
    np.testing.assert_array_equal(CONFUSION.sum(1), np.bincount(frozen().test.y[list(QUIZ_ROWS)]))


def test_the_confusion_of_the_cnn_is_on_the_signals_of_the_quiz(result):
    counts = result.tables["confusion"]
    cnn = counts[(counts.network == "cnn") & (counts.seed == 1)]
    assert cnn["count"].sum() == 400
    quiz = result.tables["quiz"]
    accuracy = quiz[(quiz.network == "cnn") & (quiz.seed == 1)].accuracy.iloc[0]
    assert cnn[cnn.digit == cnn.answer]["count"].sum() / 400 == pytest.approx(accuracy)


def test_each_seed_of_the_fresh_arm_has_data_of_its_own_and_one_test_set(result):
    draws = [fresh(seed, tests=1000) for seed in range(2)]
    recorded = [result.data[f"fresh/{seed}"]["sha256"] for seed in range(2)]
    assert recorded == [draw.what["sha256"] for draw in draws]
    assert recorded[0]["train"]["x"] != recorded[1]["train"]["x"]
    assert recorded[0]["test"] == recorded[1]["test"]


def test_fresh_tests_are_normalised_by_the_constants_of_the_training_set():
    signals, own = fresh_test(frozen(), count=20_000).x, fresh(0).test.x
    raw = signals * frozen().std + frozen().mean
    population = fresh(0)
    torch.testing.assert_close(raw, own * population.std + population.mean, atol=1e-6, rtol=0)


def test_neighbours_reach_the_published_accuracy():
    # On the frozen test split k = 1 has 56.7 %, 5 has 60.0 % and 10 has 59.6 %; held-out rows choose 1.
    rows = baseline_rows("frozen", [frozen()], frozen().test, penalties=[3.0])
    of = {row["network"]: row["accuracy"] for row in rows if row["on"] == "test"}
    assert of["kNN"] == 0.567
    assert of["majority"] == pytest.approx(0.089, abs=0.001)  # digit 2, the most frequent in training, 89 of 1000
    assert 0.6 < of["SVM"] < 0.9


def test_every_claim_gets_its_verdicts(result):
    verdicts = {verdict.claim.name: verdict for verdict in judge(STUDY.claims, result.tables)}
    assert verdicts["human"].number == "inside"
    assert verdicts["human-shuffled"].finding == "not tested"
    # Numbers and training accuracies are those of step 6000.
    assert verdicts["cnn"].number == verdicts["perfect-training"].finding == "not tested"
    assert not list(STUDY.outside(result))
    assert {verdict.finding for verdict in verdicts.values()} <= {"holds", "fails", "inconclusive", "not tested"}


@pytest.mark.parametrize("figure", STUDY.figures)
def test_figures_show_the_networks(result, figure):
    drawn = STUDY.figures[figure](result)
    assert len(drawn.axes) == 2
    assert all(axes.has_data() for axes in drawn.axes)

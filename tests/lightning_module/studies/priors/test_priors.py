"""The continuum of priors at its smallest: against bare loops, and exact where a network is blind to the order."""

import numpy as np
import pytest
import torch

from lightning_module.studies.framework.claims import judge
from lightning_module.studies.framework.data import TEST_SEED, fresh
from lightning_module.studies.framework.training import train
from lightning_module.studies.methods.networks.priors import PRIORS
from lightning_module.studies.priors.claims import ORDER_BLIND, SPATIAL, position
from lightning_module.studies.priors.study import STUDY, TUNING_SEED, PriorsConfig, best_rate, permuted

KEYS = ["network", "points"]


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return STUDY.run("smoke", folder=tmp_path_factory.mktemp("priors"))


def bare_loop(network, x, y, *, seed, lr, steps):
    """Adam by torch alone, minibatches in the rows' own order; returns the network."""
    torch.manual_seed(seed)
    model = PRIORS[network]()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for step in range(steps):
        rows = slice(100 * step, 100 * step + 100)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
    return model


def accuracy(model, x, y):
    with torch.no_grad():
        return float((model(x).argmax(1) == y).float().mean())


def order(seed, points):
    return np.random.RandomState(1000 + seed).permutation(40) if points == "shuffled" else np.arange(40)


def only(rows, **where):
    for column, wanted in where.items():
        rows = rows[rows[column] == wanted]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize("points", ["own", "shuffled"])
@pytest.mark.parametrize("network", PRIORS)
def test_a_row_is_a_bare_loop_at_the_chosen_rate(result, network, points):
    row = only(result.rows, network=network, points=points, seed=1, on="fresh test")
    columns, draw, tests = order(1, points), fresh(1, tests=0), fresh(0, tests=200).test
    model = bare_loop(network, draw.train.x[:, columns], draw.train.y, seed=1, lr=row.lr, steps=4)
    assert row.accuracy == pytest.approx(accuracy(model, tests.x[:, columns], tests.y), abs=1.5 / 200)
    assert row.parameters == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("points", ["own", "shuffled"])
@pytest.mark.parametrize("network", ["mlp", "locally_connected"])
def test_a_trial_is_a_bare_loop_on_what_is_not_held_out(result, network, points):
    row = only(result.tables["tuning"], network=network, points=points, lr=1e-2)
    x, y = fresh(TUNING_SEED, tests=0).train
    x = x[:, order(TUNING_SEED, points)]
    model = bare_loop(network, x[800:], y[800:], seed=TUNING_SEED, lr=1e-2, steps=2)
    assert row.accuracy == pytest.approx(accuracy(model, x[:800], y[:800]), abs=1.5 / 800)


def test_tuning_draws_are_neither_trained_nor_tested_on_later():
    used = range(PriorsConfig().seeds)
    tuning = range(TUNING_SEED, TUNING_SEED + PriorsConfig().tuning_seeds)
    assert not {*used, TEST_SEED} & set(tuning)


@pytest.mark.parametrize("preset", ["smoke", "quick", "paper"])
def test_every_network_has_a_cell_for_each_order(preset):
    cells = STUDY.cells(STUDY.config(preset))
    assert {(cell["network"], cell["points"]) for cell in cells} == {
        (network, points) for network in PRIORS for points in ("own", "shuffled")
    }


def test_every_network_has_equal_trials_and_trains_at_the_best_rate(result):
    tuning = result.tables["tuning"]
    assert set(tuning.groupby(KEYS).size()) == {2}
    best = tuning.sort_values(["accuracy", "lr"], ascending=[False, True]).groupby(KEYS).lr.first()
    chosen = result.rows.groupby(KEYS).lr.agg(["min", "max"])
    assert (chosen["min"] == chosen["max"]).all()
    assert (chosen["min"] == best).all()


def test_best_rate_is_by_the_mean_over_draws_and_the_smallest_of_equals():
    trials = [(0.1, 0.9), (0.1, 0.1), (0.01, 0.6), (0.01, 0.6)]
    assert best_rate([{"lr": lr, "accuracy": accuracy} for lr, accuracy in trials]) == 0.01
    assert best_rate([{"lr": 0.1, "accuracy": 0.5}, {"lr": 0.01, "accuracy": 0.5}]) == 0.01


def test_what_is_blind_to_the_order_is_unchanged_by_it(result):
    table = result.tables["permuted"].set_index("network")
    assert (table.loc[list(ORDER_BLIND), "unchanged"] == 1).all()
    assert (table.loc[list(ORDER_BLIND), "change"] < 1e-12).all()
    assert (table.loc[[*SPATIAL, "mlp"], "change"] > 1e-3).all()
    assert not list(STUDY.outside(result))


@pytest.mark.parametrize("network", ORDER_BLIND)
def test_blind_networks_learn_the_same_from_shuffled_points(result, network):
    rows = result.rows[(result.rows.network == network) & (result.rows["on"] == "fresh test")]
    losses = rows.pivot(index="seed", columns="points", values="loss")
    np.testing.assert_allclose(losses["own"], losses["shuffled"], rtol=1e-4)


def test_a_trained_network_in_another_order_is_found_out():
    draw = fresh(0, tests=200)
    trained = train(PRIORS["mlp"], 2, draw.train, steps=3)
    (first, second) = permuted(trained.ensemble, draw.test.x)
    assert first["unchanged"] < 1
    assert second["change"] > 0.01
    assert next(trained.ensemble.parameters()).dtype == torch.float32  # it worked on a copy


def test_position_is_0_for_the_mlp_and_1_for_the_cnn(result):
    assert position("mlp").per_unit(result.tables).tolist() == [0, 0]
    assert position("cnn").per_unit(result.tables).tolist() == [1, 1]
    by_seed = result.rows[result.rows["on"] == "fresh test"].pivot(
        index="seed", columns=["network", "points"], values="accuracy"
    )
    expected = (by_seed["transformer", "shuffled"] - by_seed["mlp", "own"]) / (
        by_seed["cnn", "own"] - by_seed["mlp", "own"]
    )
    np.testing.assert_allclose(position("transformer", "shuffled").per_unit(result.tables), expected)


def test_every_question_has_an_answer(result):
    verdicts = judge(STUDY.claims, result.tables)
    assert all(verdict.parts for verdict in verdicts)
    assert [verdict.claim.name for verdict in verdicts if not verdict.claim.exploratory] == ["moderate-prior-between"]


def test_predictions_are_those_that_were_scored(result):
    assert len(result.arrays) == 2 * len(PRIORS)
    for name, wrong in result.arrays.items():
        network, points = name.rsplit("-", 1)
        rows = result.rows[(result.rows.network == network) & (result.rows.points == points)]
        np.testing.assert_allclose((wrong == 0).mean(1), rows[rows["on"] == "fresh test"].accuracy, atol=1e-9)


def test_networks_have_as_many_parameters_as_the_cnn(result):
    parameters = result.rows.groupby("network").parameters.first()
    assert parameters["cnn"] == 5210
    assert ((parameters / 5210 - 1).abs() < 0.03).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"rates": ()}, "rates"), ({"tuning_seeds": 0}, "tuning_seeds=0"), ({"held_out": 4000}, "held_out=4000")],
)
def test_numbers_that_cannot_be(changes, message):
    with pytest.raises(ValueError, match=message):
        PriorsConfig(**changes)


def test_figures_show_every_network(result):
    figures = {name: draw(result) for name, draw in STUDY.figures.items()}
    assert len(figures["figure"].axes[0].get_yticklabels()) == len(PRIORS)
    assert len(figures["tuning"].axes) == 2
    for figure in figures.values():
        figure.draw_without_rendering()

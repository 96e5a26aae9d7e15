"""The study of soft labels at its smallest: against bare loops, hand-made curves, and its claims on made-up results."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from lightning_module import make_network
from lightning_module.replicas.ensemble import Ensemble
from lightning_module.replicas.replica import Replica
from lightning_module.studies.framework.cells import Cell
from lightning_module.studies.framework.claims import judge
from lightning_module.studies.framework.data import TEST_SEED, fresh
from lightning_module.studies.framework.training import fit
from lightning_module.studies.methods.posterior_distance import posterior_of
from lightning_module.studies.soft_labels.claims import CLAIMS
from lightning_module.studies.soft_labels.config import NETWORKS, SoftLabelsConfig, held_out
from lightning_module.studies.soft_labels.soft_ensemble import SoftEnsemble
from lightning_module.studies.soft_labels.study import STUDY, worth
from mnist1d_hf import make_slice
from mnist1d_hf.bayes import log_posterior

SMOKE = STUDY.presets["smoke"]


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return STUDY.run("smoke", folder=tmp_path_factory.mktemp("soft_labels"))


def bare_loop(name, x, targets, *, lr, steps):
    """Adam by torch alone on probabilities, all examples of at most a minibatch in each step; yields the network."""
    torch.manual_seed(1)
    network = make_network(name)
    optimizer = torch.optim.Adam(network.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(x), targets).backward()
        optimizer.step()
        yield network


@pytest.mark.parametrize("arm", ["hard", "soft"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_row_is_the_best_of_bare_loops(result, name, arm):
    # With at most 100 training examples a minibatch is all of them, so their order decides nothing but rounding.
    size, out, seed = 100, 20, 1
    draw = make_slice("high-noise", "train", 0, size, seed=seed)
    test = make_slice("high-noise", "test", seed * SMOKE.tests, (seed + 1) * SMOKE.tests, seed=TEST_SEED)
    x, y = torch.tensor(draw.x).float(), torch.tensor(draw.y).long()
    p = log_posterior(draw.x, "high-noise", stream="fast")
    targets = torch.from_numpy(np.exp(p)).float() if arm == "soft" else torch.eye(10)[y]
    log_p = log_posterior(test.x, "high-noise", stream="fast")
    looks = {}
    for lr in SMOKE.rates:
        for step, network in enumerate(bare_loop(name, x[out:], targets[out:], lr=lr, steps=4), start=1):
            if step % 2 == 0:
                with torch.no_grad():
                    loss = float(torch.nn.functional.cross_entropy(network(x[:out]), targets[:out]))
                    log_q = network(torch.tensor(test.x).float()).double().log_softmax(1).numpy()
                looks[loss] = (lr, step, float((np.exp(log_p) * (log_p - log_q)).sum(1).mean()))
    rows = result.rows
    (row,) = rows[(rows.seed == 1) & (rows.network == name) & (rows.arm == arm) & (rows.n == size)].itertuples()
    lr, step, kl = looks[min(looks)]
    assert (row.lr, row.step) == (lr, step)
    assert row.divergence == pytest.approx(kl, rel=1e-3)


def test_soft_training_on_certain_labels_is_training_on_labels():
    data = fresh(0, tests=0).train
    x, y = data.x[:300], data.y[:300]
    replicas = [Replica(seed=0, lr=1e-2), Replica(seed=1, lr=1e-3)]
    hard = Ensemble("cnn", replicas)
    soft = SoftEnsemble("cnn", replicas, targets=torch.eye(10)[y])
    fit(hard, type(data)(x, y), steps=7, shuffle=True)
    fit(soft, type(data)(x, torch.arange(300)), steps=7, shuffle=True)
    for (name, one), other in zip(hard.network.named_parameters(), soft.network.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5, msg=name)


def test_soft_targets_are_no_labels():
    data = fresh(0, "high-noise", tests=0)
    x = data.train.x[:100]
    soft = torch.from_numpy(np.exp(posterior_of(x, data, "high-noise"))).float()
    model = SoftEnsemble("mlp", 1, targets=soft)
    with torch.no_grad():
        loss = float(model.minibatch_loss(x, torch.arange(100)))
        logits = model.replica(0)(x)
        expected = float(torch.nn.functional.cross_entropy(logits, soft))
        of_labels = float(torch.nn.functional.cross_entropy(logits, data.train.y[:100]))
    assert loss == pytest.approx(expected, rel=1e-5)
    assert abs(loss - of_labels) > 1e-4


CONFIG = SoftLabelsConfig(sizes=(100, 1000, 10_000), steps=(40, 40, 40), soft_sizes=2)


def worth_of(hard, soft):
    arms = {"hard": hard, "soft": soft}
    rows = [
        {"arm": arm, "n": n, "divergence": each}
        for arm, several in arms.items()
        for n, each in zip(CONFIG.sizes, several, strict=False)
    ]
    return [(each["worth"], each["seen"]) for each in worth(CONFIG, Cell({"seed": 0, "network": "mlp"}), rows)]


def test_worth_by_hand():
    # The hard curve falls tenfold with tenfold n: half the divergence takes twice the examples.
    (first, seen), (second, _) = worth_of([1.0, 0.1, 0.01], [0.5, 0.1])
    assert (first, seen) == (pytest.approx(200), "here")
    assert second == pytest.approx(1000)
    # A fourth of the way in logarithms: 0.1 to 0.01 by a power 1; 0.1 * 10 ** -0.25 at 1000 * 10 ** 0.25.
    assert worth_of([1.0, 0.1, 0.01], [0.1 * 10**-0.25])[0][0] == pytest.approx(1000 * 10**0.25)


def test_worth_beyond_the_grid_is_said_and_no_number_made_up():
    assert worth_of([1.0, 0.5, 0.2], [0.1, 2.0]) == [(10_000, "above"), (100, "below")]


def test_a_curve_that_rises_again_counts_by_what_was_reached_before():
    # 0.3 is reached between 100 and 1000, though 10,000 has more again.
    (found, seen), *_ = worth_of([1.0, 0.25, 0.4], [0.3])
    assert seen == "here"
    assert found == pytest.approx(100 * 10 ** (math.log(1 / 0.3) / math.log(4)), rel=1e-6)


def made_up(left, slope=0.0, cnn=1.0, avoidable=0.8):
    """A paper-scale result: hard labels with a power law, of which soft ones leave a share that n may change."""
    generator, config = np.random.default_rng(2), SoftLabelsConfig()
    rows = []
    for network in NETWORKS:
        for seed in range(5):
            for k, n in enumerate(config.sizes):
                hard = 30 * n**-0.5 * math.exp(0.03 * generator.normal())
                share = left * n**slope * (cnn if network == "cnn" else 1.0) * math.exp(0.03 * generator.normal())
                of = {"network": network, "seed": seed, "n": n}
                rows.append({**of, "arm": "hard", "divergence": hard, "avoidable": hard})
                if k < config.soft_sizes:
                    rows.append({**of, "arm": "soft", "divergence": hard * share, "avoidable": hard * avoidable})
    return {"rows": pd.DataFrame(rows)}


# With a power of one half soft labels that leave a tenth are worth a hundred times as many.
EXPECTED = {"gain-shrinks": {"left": 0.05, "slope": 0.2}, "cnn-gains-less": {"left": 0.1, "cnn": 2.0}}
DENIED = {
    "gain-shrinks": {"left": 0.5, "slope": -0.1},
    "cnn-gains-less": {"left": 0.1, "cnn": 0.5},
    "fewer-errors-too": {"left": 0.1, "avoidable": 1.2},
    "soft-labels-help": {"left": 1.2},
}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_each_claim_holds_on_the_result_that_it_expects_and_fails_on_the_opposite(claim):
    assert judge([claim], made_up(**EXPECTED.get(claim.name, {"left": 0.1})))[0].finding == "holds"
    assert judge([claim], made_up(**DENIED.get(claim.name, {"left": 0.9})))[0].finding == "fails"


def test_the_grid_has_what_the_claims_compare():
    config = SoftLabelsConfig()
    assert config.sizes == tuple(250 * 4**k for k in range(5))
    assert [claim.name for claim in CLAIMS if claim.name.startswith("worth-16")] == [
        "worth-16-at-250",
        "worth-16-at-1000",
        "worth-16-at-4000",
    ]


def test_held_out_examples_count_and_are_not_trained_on():
    assert [held_out(n) for n in SoftLabelsConfig().sizes] == [50, 200, 800, 2000, 2000]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sizes": (1000, 250)}, "must rise"),
        ({"steps": (40,)}, "a number for each"),
        ({"soft_sizes": 9}, "soft_sizes=9"),
        ({"rates": ()}, "above 0"),
        ({"looks": 33}, "looks=33"),
    ],
)
def test_numbers_that_cannot_be_are_errors_with_a_remedy(changes, words):
    with pytest.raises(ValueError, match=words):
        SoftLabelsConfig(**changes)


def test_tables_and_figures(result):
    assert len(result.tables["worth"]) == 2 * len(NETWORKS) * SMOKE.soft_sizes
    assert len(result.tables["tuning"]) == len(result.rows) * len(SMOKE.rates)
    best = result.tables["tuning"].sort_values("validation_loss").groupby(["seed", "network", "arm", "n"]).first()
    rows = result.rows.set_index(["seed", "network", "arm", "n"]).sort_index()
    pd.testing.assert_series_equal(rows.lr, best.sort_index().lr)
    figures = {name: draw(result) for name, draw in STUDY.figures.items()}
    assert len(figures["figure"].axes) == 4
    for figure in figures.values():
        figure.draw_without_rendering()

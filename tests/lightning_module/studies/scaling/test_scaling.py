"""Scaling at its smallest: planted laws are found, predictions come out both ways, a row is a bare loop."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from lightning_module.networks import CNN, MLP
from lightning_module.studies.framework.claims import judge
from lightning_module.studies.framework.data import TEST_SEED
from lightning_module.studies.framework.quantities import NoRowsError
from lightning_module.studies.scaling.claims import CLAIMS, SIZES
from lightning_module.studies.scaling.config import RECIPES, ScalingConfig, held_out, units
from lightning_module.studies.scaling.curves import Curve, Excess, Fitted, Local, Miss
from lightning_module.studies.scaling.laws import Law, floored_law, power_law
from lightning_module.studies.scaling.study import STUDY, cells
from mnist1d_hf import make_slice
from mnist1d_hf.bayes import log_posterior

SMOKE = STUDY.presets["smoke"]
ENTROPY = {"high-noise": 0.757, "iid-0.05": 0.1}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return STUDY.run("smoke", folder=tmp_path_factory.mktemp("scaling"))


@pytest.mark.parametrize(("constant", "exponent"), [(30.0, 0.5), (2.0, 0.07), (500.0, 1.0)])
def test_a_planted_power_law_is_found(constant, exponent):
    law = power_law(SIZES, [constant * n**-exponent for n in SIZES])
    assert (law.constant, law.exponent, law.floor) == (pytest.approx(constant), pytest.approx(exponent), 0)


@pytest.mark.parametrize("floor", [0.0, 0.01, 0.1, 0.757])
@pytest.mark.parametrize(("constant", "exponent"), [(30.0, 0.5), (5.0, 0.3), (100.0, 0.8)])
@pytest.mark.parametrize("count", [5, 7])
def test_a_planted_floor_is_found(constant, exponent, floor, count):
    law = floored_law(SIZES[:count], [floor + constant * n**-exponent for n in SIZES[:count]])
    assert law.floor == pytest.approx(floor, abs=1e-5)
    assert law.exponent == pytest.approx(exponent, abs=1e-5)
    assert law(10**6) == pytest.approx(floor + constant * 10 ** (-6 * exponent), rel=1e-5)


def test_a_fit_with_a_floor_is_no_worse_than_a_grid_of_floors():
    generator = np.random.default_rng(3)
    loss = [(0.3 + 20 * n**-0.5) * math.exp(0.05 * generator.normal()) for n in SIZES]

    def cost(law):
        return sum((math.log(law(n)) - math.log(each)) ** 2 for n, each in zip(SIZES, loss, strict=True))

    best = cost(floored_law(SIZES, loss))
    for floor in np.linspace(0, min(loss) * 0.999, 200):
        line = power_law(SIZES, [each - floor for each in loss])
        assert best <= cost(Law(line.constant, line.exponent, floor)) + 1e-9


def made_up(exponent=0.45, mlp=2.0, floor=0.0, noise=0.01, mlp_exponent=None, bend=None):
    """A paper-scale result: excess losses by a power law with an approximation error of a width, and losses on labels.

    Args:
        exponent: Of both networks
        mlp: How many times the CNN's loss the MLP has.
        floor: The approximation error of width 1; that of width w is floor / w ** 2.
        noise: Of the logarithms.
        mlp_exponent: Of the MLP, if it is another.
        bend: How many times less than the law the loss is from 256,000 on.
    """
    generator = np.random.default_rng(4)
    rows = []
    for recipe, entropy in ENTROPY.items():
        for network in ("mlp", "cnn"):
            power = mlp_exponent if network == "mlp" and mlp_exponent else exponent
            for seed in range(3):
                shift = 0.02 * generator.normal()  # of the labels that were drawn, the same at each n
                for n in SIZES:
                    for width in (0.5, 1.0, 2.0):
                        law = 15 * (mlp if network == "mlp" else 1) * n**-power * math.exp(noise * generator.normal())
                        law /= bend if bend and n > 64_000 else 1
                        excess = law + floor / width**2
                        of = {"recipe": recipe, "network": network, "seed": seed, "n": n, "width": width}
                        measured = {
                            "divergence": excess,
                            "label_loss": entropy + shift + excess,
                            "floor_loss": entropy + shift,
                            "validation_loss": entropy + excess,
                        }
                        rows.append({**of, **measured})
    return {"rows": pd.DataFrame(rows)}


# What each claim expects, and what denies it.
HOLDS = {
    "slower-than-knowing": {"exponent": 0.45},
    "flattens": {"floor": 0.2},
    "half-width-has-a-floor": {"floor": 0.2},
    "width-matters-at-the-end": {"floor": 0.2},
    "raw-predicts": {"noise": 0.0003},
    "floor-found": {"noise": 0.0003},
    "exponent-kept": {"noise": 0.0003},
    "raw-steeper-than-hoffmann": {"noise": 0.0003},
}
FAILS = {
    "excess-predicts": {"bend": 3.0},
    "excess-from-1000-predicts": {"bend": 3.0},
    "raw-predicts": {"bend": 5.0, "noise": 0.0003},
    "floor-found": {"floor": 0.8, "noise": 0.0003},
    "exponent-kept": {"floor": 0.8, "noise": 0.0003},
    "architecture-not-exponent": {"mlp_exponent": 0.2},
    "architecture-constant": {"mlp": 1.0},
    "steeper-than-hestness": {"exponent": 0.2},
    "steeper-than-kaplan": {"exponent": 0.05},
    "raw-steeper-than-hoffmann": {"exponent": 0.1, "noise": 0.0003},
    "slower-than-knowing": {"exponent": 1.3},
    "flattens": {},
    "half-width-has-a-floor": {"noise": 0.0003},
    "width-matters-at-the-end": {},
}


def kind(claim):
    return max((name for name in FAILS if claim.name.startswith(name)), key=len)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_each_claim_comes_out_both_ways(claim):
    assert judge([claim], made_up(**HOLDS.get(kind(claim), {})))[0].finding == "holds"
    assert judge([claim], made_up(**FAILS[kind(claim)]))[0].finding == "fails"


def test_a_miss_by_hand():
    tables = made_up(noise=0.0, bend=2.0)
    # Half of what the law says is there: the law misses by one whole of it.
    np.testing.assert_allclose(Miss(Curve("high-noise", "cnn"), "excess").per_unit(tables), 1.0, rtol=1e-9)
    # The raw loss is shifted by labels, which a floor takes up; its miss is over the same excess loss.
    np.testing.assert_allclose(Miss(Curve("high-noise", "cnn"), "raw").per_unit(tables), 1.0, rtol=1e-3)
    below = Miss(Curve("high-noise", "cnn"), "excess", absolute=True).per_unit(made_up(noise=0.0, bend=0.5))
    np.testing.assert_allclose(below, 0.5, rtol=1e-9)


def test_quantities_by_hand():
    tables = made_up(noise=0.0, floor=0.05)
    half, envelope = Curve("iid-0.05", "mlp", 0.5), Curve("iid-0.05", "mlp")
    np.testing.assert_allclose(Excess(half, 1000).per_unit(tables), 30 * 1000**-0.45 + 0.2)
    np.testing.assert_allclose(Excess(envelope, 1000).per_unit(tables), 30 * 1000**-0.45 + 0.0125)  # width 2
    first, second = 30 * 4000**-0.45 + 0.2, 30 * 16_000**-0.45 + 0.2
    np.testing.assert_allclose(Local(half, 4000, 16_000).per_unit(tables), math.log(first / second) / math.log(4))
    share = Fitted(half, "floor-share", floor=True, high=SIZES[-1]).per_unit(tables)
    np.testing.assert_allclose(share, 0.2 / (30 * SIZES[-1] ** -0.45 + 0.2), rtol=1e-4)
    # Labels have another loss than the entropy: the true floor is that on the same labels.
    fitted = Fitted(Curve("iid-0.05", "mlp", 0.5), "floor", of="raw", floor=True).per_unit(tables)
    np.testing.assert_allclose(fitted, 0.2, atol=1e-3)


def test_the_envelope_is_chosen_by_validation_and_not_by_the_test():
    tables = made_up(noise=0.0)
    rows = tables["rows"]
    rows.loc[rows.width == 0.5, "validation_loss"] = 0.0
    rows.loc[rows.width == 2.0, "divergence"] = 1e-9
    assert set(Curve("high-noise", "mlp").rows(tables).width) == {0.5}


def test_what_is_not_there_is_said():
    tables = made_up()
    with pytest.raises(NoRowsError, match="no rows of"):
        Excess(Curve("default", "mlp"), 1000).per_unit(tables)
    with pytest.raises(NoRowsError, match="no rows at n=77"):
        Excess(Curve("high-noise", "mlp"), 77).per_unit(tables)
    with pytest.raises(NoRowsError, match="a fit needs 3"):
        Fitted(Curve("high-noise", "mlp"), "exponent", high=1000).per_unit(tables)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(("network", "width"), [("mlp", 0.5), ("cnn", 1.0)])
def test_a_row_is_the_best_of_bare_loops(result, recipe, network, width):
    # With at most 100 training examples a minibatch is all of them, so their order decides nothing but rounding.
    size, out, seed = 100, 20, 1
    config, changes = RECIPES[recipe]
    draw = make_slice(config, "train", 0, size, seed=seed, **changes)
    test = make_slice(config, "test", seed * SMOKE.tests, (seed + 1) * SMOKE.tests, seed=TEST_SEED, **changes)
    x, y = torch.tensor(draw.x).float(), torch.tensor(draw.y).long()
    log_p = log_posterior(test.x, config, stream="fast", **changes)
    looks = {}
    for lr in SMOKE.rates:
        torch.manual_seed(seed)
        made = MLP(hidden_size=50) if network == "mlp" else CNN(channels=25)
        optimizer = torch.optim.Adam(made.parameters(), lr=lr)
        for step in range(1, 5):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(made(x[out:]), y[out:]).backward()
            optimizer.step()
            if step % 2 == 0:
                with torch.no_grad():
                    loss = float(torch.nn.functional.cross_entropy(made(x[:out]), y[:out]))
                    log_q = made(torch.tensor(test.x).float()).double().log_softmax(1).numpy()
                looks[loss] = (lr, step, log_q)
    rows = result.rows
    rows = rows[(rows.recipe == recipe) & (rows.network == network) & (rows.width == width)]
    (row,) = rows[(rows.seed == seed) & (rows.n == size)].itertuples()
    lr, step, log_q = looks[min(looks)]
    assert (row.lr, row.step) == (lr, step)
    assert row.parameters == sum(each.numel() for each in made.parameters())
    assert row.divergence == pytest.approx((np.exp(log_p) * (log_p - log_q)).sum(1).mean(), rel=1e-3)
    at = (np.arange(SMOKE.tests), test.y)
    assert row.label_loss == pytest.approx(-log_q[at].mean(), rel=1e-3)
    assert row.floor_loss == pytest.approx(-log_p[at].mean(), rel=1e-5, abs=1e-7)


def test_each_seed_has_test_signals_of_its_own(result):
    for recipe, (config, changes) in RECIPES.items():
        test = make_slice(config, "test", 0, SMOKE.seeds * SMOKE.tests, seed=TEST_SEED, **changes)
        log_p = log_posterior(test.x, config, stream="fast", **changes)
        for seed, part in enumerate(np.split(log_p, SMOKE.seeds)):
            rows = result.rows[(result.rows.recipe == recipe) & (result.rows.seed == seed)]
            np.testing.assert_allclose(rows.entropy, -(np.exp(part) * part).sum(1).mean(), rtol=1e-4, atol=1e-8)


def test_the_paper_grid():
    config = ScalingConfig()
    assert config.sizes == tuple(250 * 4**k for k in range(7))
    assert max(config.steps) == 40_000
    assert len(cells(config)) == 7 * 2 * 2 * 3
    assert [units("mlp", width) for width in config.widths] == [50, 100, 200]
    assert [units("cnn", width) for width in config.widths] == [12, 25, 50]
    assert held_out(1000) == 200
    assert held_out(1_024_000) == 5000


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sizes": (1000, 250)}, "must rise"),
        ({"steps": (40,)}, "a number for each"),
        ({"widths": (0.01,)}, "leaves the CNN a channel"),
        ({"rates": (0.0,)}, "above 0"),
        ({"looks": 33}, "looks=33"),
    ],
)
def test_numbers_that_cannot_be_are_errors_with_a_remedy(changes, words):
    with pytest.raises(ValueError, match=words):
        ScalingConfig(**changes)


def test_figures_have_their_panels(result):
    figures = {name: draw(result) for name, draw in STUDY.figures.items()}
    assert len(figures["figure"].axes) == len(figures["slopes"].axes) == 4
    assert len(figures["prediction"].axes) == 8
    for figure in figures.values():
        figure.draw_without_rendering()

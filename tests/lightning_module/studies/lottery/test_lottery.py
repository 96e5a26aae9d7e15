"""The lottery ticket study at its smallest, against the published search and evaluation written out."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lightning_module.networks import MLP
from lightning_module.studies.framework.claims import judge
from lightning_module.studies.framework.data import fresh_test, frozen
from lightning_module.studies.framework.study import Study
from lightning_module.studies.lottery import search
from lightning_module.studies.lottery.claims import STATEMENTS
from lightning_module.studies.lottery.config import LotteryConfig
from lightning_module.studies.lottery.evaluation import Trial, order_of, shuffled_mask, trials
from lightning_module.studies.lottery.search import random_masks, smallest_that_matches, weights_of_seed
from lightning_module.studies.lottery.study import STUDY, cells
from lightning_module.studies.methods.pruning.mask_nulls import run_fraction, runs

SMOKE = STUDY.config("smoke")


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return STUDY.run("smoke", folder=tmp_path_factory.mktemp("lottery"))


def trained_by_hand(weights, masks, data, *, steps, batch_size, keep=None):
    """The published loop; returns the network at the end, and its weights at the step `keep`."""
    network = MLP(hidden_size=SMOKE.hidden_size)
    network.load_state_dict(weights)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-2)
    x, y = data
    kept = None
    for step in range(1, steps + 1):
        first = (step - 1) * batch_size % len(x)
        apply(network, masks)
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(x[first : first + batch_size]), y[first : first + batch_size])
        loss.backward()
        optimizer.step()
        apply(network, masks)
        if step == keep:
            kept = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
    return network, kept


@torch.no_grad()
def apply(network, masks):
    for name, parameter in network.named_parameters():
        parameter.mul_(masks[name])


@torch.no_grad()
def scores(network, examples):
    logits = network(examples.x)
    loss = torch.nn.functional.cross_entropy(logits, examples.y)
    return float(loss), float((logits.argmax(1) == examples.y).float().mean())


def search_by_hand(ticket):
    """The published search: sort, drop, rewind, train, go on with the weights of the earlier step."""
    torch.manual_seed(42 + ticket)
    first = {name: p.detach().clone() for name, p in MLP(hidden_size=SMOKE.hidden_size).named_parameters()}
    reached, outcomes = first, []
    for sparsity in np.linspace(0, 1, SMOKE.rounds):
        masks = {}
        for layer in ("linear1", "linear2", "linear3"):
            flat = torch.cat([reached[f"{layer}.weight"].flatten(), reached[f"{layer}.bias"]]).abs()
            mask = torch.ones_like(flat)
            mask[flat.sort()[1][: int(sparsity * len(flat))]] = 0
            count = reached[f"{layer}.weight"].numel()
            masks[f"{layer}.weight"] = mask[:count].view_as(reached[f"{layer}.weight"])
            masks[f"{layer}.bias"] = mask[count:]
        network, reached = trained_by_hand(
            first, masks, frozen().train, steps=SMOKE.steps, batch_size=100, keep=SMOKE.prune_step
        )
        outcomes.append((scores(network, frozen().test), masks))
    return outcomes


def test_the_search_is_the_published_one(result):
    by_hand = search_by_hand(1)
    rows = result.rows[(result.rows.arm == "lottery") & (result.rows.seed == 1) & (result.rows["on"] == "test")]
    assert list(rows["round"]) == list(range(SMOKE.rounds))
    for row, ((loss, accuracy), _) in zip(rows.itertuples(), by_hand, strict=True):
        assert row.loss == pytest.approx(loss, abs=5e-3)
        assert row.accuracy == pytest.approx(accuracy, abs=0.01)
    ticket = np.unpackbits(result.arrays["mask-lottery-1"], axis=1)
    differing = ticket != by_hand[SMOKE.ticket_round][1]["linear1.weight"].numpy()
    assert differing.mean() < 0.005  # rounding may exchange two


def test_dense_network_of_the_evaluation_is_a_bare_loop_on_the_new_data(result):
    draw = frozen(seed=43)
    ones = {name: torch.ones_like(weight) for name, weight in weights_of_seed(SMOKE, 42).items()}
    network, _ = trained_by_hand(weights_of_seed(SMOKE, 42), ones, draw.train, steps=4, batch_size=100)
    rows = result.tables["evaluation"]
    rows = rows[(rows.arm == "dense") & (rows.condition == "baseline") & (rows.seed == 0)].set_index("on")
    assert rows.accuracy["test"] == pytest.approx(scores(network, draw.test)[1], abs=2e-3)
    tests = fresh_test(draw, count=SMOKE.tests)
    assert rows.accuracy["fresh test"] == pytest.approx(scores(network, tests)[1], abs=4e-3)
    assert not torch.equal(draw.test.x, frozen().test.x)


def test_arms_share_initial_weights(result):
    rows = result.rows[(result.rows["round"] == 0) & (result.rows.seed == 1)]
    lottery, random = (
        rows[rows.arm == arm].drop(columns="arm").reset_index(drop=True) for arm in ("lottery", "random")
    )
    assert lottery.equals(random)  # round 0 prunes nothing: the same network, trained alike
    for arm in ("dense", "random", "lottery", "shuffled mask"):
        seeds = {trial.condition: trial.seed for trial in trials(SMOKE, arm, 1)}
        assert seeds == {"baseline": 43, "flipped": 43, "shuffled": 43, "halves": 43, "reinit": 44}


def test_unseeded_trainings_have_initial_weights_that_no_other_has():
    config = LotteryConfig()
    seeds = [trial.seed for ticket in range(config.seeds) for trial in trials(config, "unseeded", ticket)]
    assert len(set(seeds)) == len(seeds) == 4 * config.seeds
    assert not set(seeds) & set(range(42, 43 + config.seeds))


def test_conditions_are_the_published_orders():
    state = np.random.get_state()
    np.random.seed(0)
    permutation = np.random.permutation(40)
    np.random.set_state(state)
    assert order_of(Trial("shuffled", 0, 42), 3).tolist() == permutation.tolist()
    assert order_of(Trial("flipped", 0, 42), 0).tolist() == list(range(39, -1, -1))
    chunks = [*range(20, 30), *range(30, 40), *range(10), *range(10, 20)]
    assert order_of(Trial("halves", 0, 42), 0).tolist() == chunks
    assert order_of(Trial("reinit", 0, 42), 0).tolist() == list(range(40))
    others = {tuple(order_of(Trial("shuffled", k, 42), t).tolist()) for k in range(1, 5) for t in range(8)}
    assert len(others) == 32
    assert len([trial for trial in trials(LotteryConfig(), "lottery", 0) if trial.condition == "shuffled"]) == 5


def test_shuffled_mask_keeps_as_many_of_each_unit_and_input():
    masks = random_masks(SMOKE, 0, SMOKE.ticket_round)
    shuffled = shuffled_mask(masks, 0)
    first, other = masks.pop("linear1.weight"), shuffled.pop("linear1.weight")
    assert not torch.equal(first, other)
    assert torch.equal(first.sum(0), other.sum(0))
    assert torch.equal(first.sum(1), other.sum(1))
    assert all(torch.equal(masks[name], shuffled[name]) for name in masks)


def test_adjacency_is_that_of_the_masks_that_are_kept(result):
    table = result.tables["adjacency"].set_index(["arm", "seed", "run"])
    for arm in ("lottery", "random"):
        mask = np.unpackbits(result.arrays[f"mask-{arm}-0"], axis=1).astype(bool)
        assert mask.shape == (SMOKE.hidden_size, 40)
        for length in (2, 3, 4):
            row = table.loc[(arm, 0, length)]
            assert row.fraction == pytest.approx(run_fraction(mask, length))
            assert row.over_inputs == pytest.approx(runs(mask, length) / (40 * SMOKE.hidden_size))
            assert row.chance == pytest.approx(mask.mean() ** length)


@pytest.mark.parametrize("trainings", [5, 20])
def test_an_interrupted_ticket_comes_to_the_same(result, tmp_path, monkeypatch, trainings):
    # After 5 trainings it is in the search, after 20 in the evaluation.
    cell = next(cell for cell in cells(SMOKE) if (cell["arm"], cell["ticket"]) == ("lottery", 1))
    alone = Study(name="alone", question="", presets={"smoke": SMOKE}, cells=lambda _: [cell], run_cell=STUDY.run_cell)
    calls = []

    def interrupted(*arguments, **options):
        calls.append(1)
        if len(calls) == trainings:
            raise KeyboardInterrupt
        return train_masked(*arguments, **options)

    train_masked = search.train_masked
    for module in ("search", "evaluation"):
        monkeypatch.setattr(f"lightning_module.studies.lottery.{module}.train_masked", interrupted)
    with pytest.raises(KeyboardInterrupt):
        alone.run("smoke", folder=tmp_path)
    again = alone.run("smoke", folder=tmp_path)
    arms = ("lottery", "unseeded", "shuffled mask")
    assert len(calls) == 1 + SMOKE.rounds + sum(len(list(trials(SMOKE, arm, 1))) for arm in arms)
    for name, table in again.tables.items():
        whole = result.tables[name]
        whole = whole[(whole.seed == 1) & (whole.arm.isin(arms) if "arm" in whole else True)]
        assert table.equals(whole.reset_index(drop=True))
    assert np.array_equal(again.arrays["mask-lottery-1"], result.arrays["mask-lottery-1"])


def test_smallest_that_matches_is_the_last_at_least_as_accurate_as_dense():
    rows = [
        {"on": "fresh test", "kept": kept, "accuracy": accuracy}
        for kept, accuracy in ((1.0, 0.6), (0.5, 0.7), (0.3, 0.5), (0.1, 0.6), (0.05, 0.59))
    ]
    rows += [{"on": "test", "kept": 0.01, "accuracy": 0.9}]
    rows += [{"on": "fresh test", "kept": 0.02, "accuracy": 0.9, "seed": 1}]
    assert smallest_that_matches([{"seed": 0, **row} for row in rows], 0) == 0.1


def test_every_statement_gets_its_verdicts(result):
    verdicts = {verdict.claim.name: verdict for verdict in judge(STUDY.claims, result.tables)}
    untested = {claim.name for claim in STATEMENTS if verdicts[claim.name].finding == "not tested"}
    assert untested == {"frankle-carbin", "an-hour"}
    assert not list(STUDY.outside(result))  # bands are about the published steps
    assert sum(not verdict.claim.exploratory and bool(verdict.parts) for verdict in verdicts.values()) == 11


def test_published_presets_have_the_ticket_and_what_it_is_compared_with():
    for preset in STUDY.presets:
        config = STUDY.config(preset)
        assert round(100 * config.ticket_round / (config.rounds - 1)) == 92
        assert {0, config.ticket_round} <= set(config.random_rounds)
    assert len(LotteryConfig().random_rounds) == 25
    assert LotteryConfig().permutations >= 5


def test_numbers_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"ticket_round=14 must be in 0\.\.13"):
        replace(SMOKE, ticket_round=14)
    with pytest.raises(ValueError, match="random_rounds"):
        replace(SMOKE, random_rounds=(14,))
    with pytest.raises(ValueError, match="prune_step=3"):
        replace(SMOKE, prune_step=3)


@pytest.mark.parametrize("figure", STUDY.figures)
def test_figures_have_something_in_every_panel(result, figure):
    drawn = STUDY.figures[figure](result)
    drawn.draw_without_rendering()
    assert all(axes.has_data() for axes in drawn.axes)

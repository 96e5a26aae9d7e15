"""The amended rules on worlds as they are claimed, and as they are denied: neither leaves a rule without a number."""

import numpy as np
import pandas as pd
import pytest

from lightning_module.studies.double_descent.amendments import AMENDMENTS, FIRST_SEED, PRESET, SEEDS
from lightning_module.studies.double_descent.claims import CLAIMS, CNN, MLP
from lightning_module.studies.double_descent.config import DATA_SIZES, FIGURE_5, MORE_DATA
from lightning_module.studies.double_descent.study import STUDY, cells
from lightning_module.studies.framework.claims import judge
from lightning_module.studies.framework.proof.verify import findings_of
from lightning_module.studies.framework.result import Result
from lightning_module.studies.methods.networks.families import FAMILIES
from lightning_module.studies.methods.networks.hidden_layers import HiddenLayers

CONFIG = STUDY.presets[PRESET]


def world(*, rise, dead=(), seeds=SEEDS):
    """Curves that start high, fall into a valley, and rise by so much to a peak where the training set is fitted."""
    rng = np.random.default_rng(0)
    rows = []
    for network, labels, widths in (
        ("mlp", "clean", CONFIG.widths), ("mlp", "noisy", CONFIG.widths), ("cnn", "noisy", CONFIG.channels),
    ):  # fmt: skip
        sizes = {"mlp": MLP, "cnn": CNN}[network]
        fitted = FAMILIES[network].parameters(sizes["peak"][1], 10)
        for width in widths:
            parameters = FAMILIES[network].parameters(width, 10)
            away = np.log10(parameters / fitted)
            error = 0.5 - 0.15 * away - 0.05 * (network == "mlp")
            error += rise * np.exp(-((away / 0.2) ** 2)) * (labels == "noisy")
            loss = 1.3 - 0.2 * away + 30 * rise * np.exp(-(((away - 0.1) / 0.2) ** 2))
            for seed in range(FIRST_SEED, FIRST_SEED + seeds):
                of = {"form": "current", "arm": "fresh", "network": network, "labels": labels, "width": width}
                of |= {"seed": seed, "parameters": parameters, "epoch": 500, "loss": loss}
                tested = 0.9 if (network, width, seed) in dead else error + rng.normal(0, 0.002)
                train = max(0.0, 0.01 - 0.3 * away)
                rows += [{**of, "on": "fresh test", "error": tested}, {**of, "on": "train", "error": train}]
    return Result("double-descent", PRESET, {}, {"rows": pd.DataFrame(rows)})


def test_amended_claims_hold_where_there_is_a_peak_and_fail_where_there_is_none():
    shape = ("peak-at-interpolation", "loss-peak-at-interpolation", "loss-peak-above-error-peak", "cnn-descends-twice")
    there = {verdict.claim.name: verdict for verdict in STUDY.judge(world(rise=0.2))}
    gone = {verdict.claim.name: verdict for verdict in STUDY.judge(world(rise=0.0))}
    assert [there[name].finding for name in shape] == ["holds"] * 4
    assert [gone[name].finding for name in shape] == ["fails"] * 4
    assert {len(verdict.parts) > 0 for verdict in (*there.values(), *gone.values())} == {True}
    assert there["peak-at-interpolation"].parts[0].units == SEEDS


def test_the_first_rule_had_no_number_in_the_world_that_it_was_made_for():
    (verdict,) = judge([claim for claim in CLAIMS if claim.name == "peak-at-interpolation"], world(rise=0.2).tables)
    assert verdict.finding not in ("holds", "fails")


def test_a_dead_network_moves_no_mean():
    of = {verdict.claim.name: verdict for verdict in STUDY.judge(world(rise=0.2, dead={("cnn", 10, FIRST_SEED)}))}
    rise = of["cnn-descends-twice"].parts[1].interval
    assert rise.high - rise.low < 0.02


def test_the_preset_has_new_seeds_only_and_every_size_that_a_claim_names():
    assert min(CONFIG.seed_range) > max(STUDY.presets["paper"].seed_range)
    assert (len(CONFIG.seed_range), CONFIG.few_seeds) == (SEEDS, SEEDS)
    assert {size for part in MLP.values() for size in part} | {27, 61} <= set(CONFIG.widths)
    assert {size for part in CNN.values() for size in part} <= set(CONFIG.channels)
    done = cells(CONFIG)
    assert {(cell["form"], cell["arm"]) for cell in done} == {("current", "fresh")}
    assert {seed for cell in done for seed in range(cell["first"], cell["last"] + 1)} == set(CONFIG.seed_range)
    assert {each.decided_by for each in AMENDMENTS} == {PRESET, "", MORE_DATA, FIGURE_5}


def test_the_smallest_amended_run_is_judged_by_the_amended_rules_and_verified(tmp_path):
    result = STUDY.run(f"{PRESET}-smoke", folder=tmp_path)
    assert set(result.rows.seed) == {90, 91}
    assert {c.what.split()[0] for c in findings_of(STUDY, result, tmp_path) if not c.good} <= {"band"}
    assert [verdict.claim.name for verdict in STUDY.judge(result)] == [
        each.claim.name for each in AMENDMENTS if each.decided_by == PRESET
    ]
    assert [len(draw(result).axes) for draw in STUDY.figures.values()] == [6, 3, 2]


@pytest.mark.parametrize("arms", [(), ("thawed",)])
def test_arms_that_are_none_are_refused(arms):
    with pytest.raises(ValueError, match="arms="):
        STUDY.config("smoke", arms=arms)


@pytest.mark.parametrize(("bump", "finding"), [(0.1, "holds"), (0.0, "fails")])
def test_more_data_hurt_where_the_error_rises_with_them_and_not_where_it_only_falls(bump, finding):
    rng = np.random.default_rng(0)
    rows = [
        {"form": "data", "n": n, "seed": seed, "on": "fresh test"}
        | {"error": 0.6 - 0.1 * np.log10(n / 400) + bump * (n == 1600) + rng.normal(0, 0.003)}
        for n in DATA_SIZES
        for seed in range(200, 210)
    ]
    (verdict,) = STUDY.judge(Result("double-descent", MORE_DATA, {}, {"rows": pd.DataFrame(rows)}))
    assert (verdict.finding, verdict.parts[0].units) == (finding, 10)


@pytest.mark.parametrize("preset", [MORE_DATA, FIGURE_5])
def test_the_smallest_run_of_what_was_not_tested(preset, tmp_path):
    result = STUDY.run(f"{preset}-smoke", folder=tmp_path)
    assert set(result.rows.seed) == {90, 91}
    assert [c.what for c in findings_of(STUDY, result, tmp_path) if not c.good] == []
    assert STUDY.figures_of(result.preset)["figure"](result).axes[0].has_data()
    if preset == MORE_DATA:  # as many steps for each number of signals
        last = result.rows.groupby("n").epoch.max()
        assert {n * epochs for n, epochs in last.items()} == {400 * 100}
        assert set(last.index) == set(DATA_SIZES)


def test_hidden_layers_as_he_draws_them():
    network = HiddenLayers(50, he=True)
    for layer in (*network.hidden, network.linear):
        assert not layer.bias.any()
        bound = (6 / layer.in_features) ** 0.5
        assert 0.9 * bound < layer.weight.abs().max() <= bound


def test_sizes_that_are_not_whole_epochs_are_refused():
    with pytest.raises(ValueError, match=r"sizes=\(700,\) must be multiples of 100"):
        STUDY.config(MORE_DATA, sizes=(700,))

"""The pooling study at its smallest, against bare loops in torch; its claims against the published numbers."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional

from lightning_module.studies.framework.claims import judge
from lightning_module.studies.framework.data import frozen
from lightning_module.studies.framework.result import Result
from lightning_module.studies.pooling.claims import CLAIMS, SOURCES
from lightning_module.studies.pooling.published import (
    KINDS,
    POOLS,
    RUNS,
    SIZES,
    published_accuracy,
    published_advantage,
)
from lightning_module.studies.pooling.study import CELL_STEPS, COST, STUDY, PoolingConfig, cells, network_of, run_cell
from mnist1d_hf import Recipe, make_slice

VARIANTS = {"none": 9310, "stride": 3310, "max": 3310, "avg": 3310, "l2": 3310, "matched": 3442}
# The best of the three ways to pool minus none, in points, as read from the sources apart from the tables.
BEST = {2024: [19.0, 8.0, 3.4, 2.7, 3.4, 1.8], 2020: [20.8, 8.8, 3.1, 1.9, 3.3, 0.4]}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return STUDY.run("smoke", folder=tmp_path_factory.mktemp("pooling"))


def rows_of(result, **where):
    rows = result.rows
    for column, wanted in where.items():
        rows = rows[rows[column] == wanted]
    return rows


def bare_loop(variant, seed, x, y, steps):
    """The published loop, with torch's own layers and Adam; returns logits by signals."""
    torch.manual_seed(seed)
    stride, channels = (2 if variant == "stride" else 1), (8 if variant == "matched" else 20)
    first = torch.nn.Conv1d(1, channels, 3, stride=stride, padding=1)
    second = torch.nn.Conv1d(channels, channels, 3, stride=stride, padding=1)
    linear = torch.nn.Linear(channels * (40 if variant in ("none", "matched") else 10), 10)
    pool = {
        "max": lambda h: functional.max_pool1d(h, 2),
        "avg": lambda h: functional.avg_pool1d(h, 2),
        "l2": lambda h: functional.lp_pool1d(h, 2.0, 2),
    }.get(variant, lambda h: h)

    def network(x):
        h = pool(first(x[:, None]).relu())
        return linear(pool(second(h).relu()).flatten(1))

    optimizer = torch.optim.Adam([*first.parameters(), *second.parameters(), *linear.parameters()], lr=1e-2)
    for step in range(steps):
        rows = slice(100 * step % len(y), 100 * step % len(y) + 100)
        optimizer.zero_grad()
        functional.cross_entropy(network(x[rows]), y[rows]).backward()
        optimizer.step()
    return network


def assert_scores(row, network, x, y):
    with torch.no_grad():
        logits = network(x)
    assert row.loss == pytest.approx(float(functional.cross_entropy(logits, y)), abs=1e-4)
    assert row.accuracy == pytest.approx(float((logits.argmax(1) == y).float().mean()), abs=1.5 / len(y))


@pytest.mark.parametrize("variant", KINDS)
def test_published_arm_is_the_published_loop(result, variant):
    draw = frozen(num_samples=3000, train_split=1 - 1000 / 3000)
    network = bare_loop(variant, 0, *draw.train, 10)
    (row,) = rows_of(result, arm="published", variant=variant, n=2000, seed=0, on="test").itertuples()
    assert_scores(row, network, *draw.test)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("arm", "n", "steps"), [("nested", 1000, 10), ("epochs", 5000, 5)])
def test_nested_training_sets_are_the_first_rows_of_a_seeds_own_stream(result, variant, arm, n, steps):
    split = make_slice(Recipe(seed=1, num_samples=50_000, train_split=1.0), "train", 0, n)
    x, y = torch.tensor(split.x), torch.tensor(split.y).long()
    network = bare_loop(variant, 1, x, y, steps)
    (row,) = rows_of(result, arm=arm, variant=variant, n=n, seed=1, on="train").itertuples()
    assert row.step == steps
    assert_scores(row, network, x[:100], y[:100])


def test_every_cell_has_its_rows_once(result):
    sets, sizes, seeds = {"published": 3, "nested": 2, "epochs": 2}, 6, 2
    of = {"published": 5, "nested": 6, "epochs": 6}
    for arm, variants in of.items():
        assert len(rows_of(result, arm=arm)) == variants * sizes * seeds * sets[arm]
    assert not result.rows.duplicated(["arm", "variant", "n", "seed", "on"]).any()
    assert dict(result.rows.groupby("variant").parameters.first()) == VARIANTS
    assert set(rows_of(result, arm="epochs").groupby("n").step.first().items()) == {
        (1000, 1), (2000, 2), (5000, 5), (10_000, 10), (20_000, 20), (50_000, 50),
    }  # fmt: skip


def test_the_arm_of_equal_epochs_has_the_first_seeds():
    config = PoolingConfig(seeds=10, epoch_seeds=5)
    last = {arm: max(cell["last"] for cell in cells(config) if cell["arm"] == arm) for arm in ("nested", "epochs")}
    assert last == {"nested": 9, "epochs": 4}


def test_where_equal_steps_are_equal_epochs_there_is_one_training_for_both(result):
    columns = ["variant", "seed", "on", "step", "loss", "accuracy"]
    nested, epochs = (rows_of(result, arm=arm, n=10_000)[columns] for arm in ("nested", "epochs"))
    pd.testing.assert_frame_equal(nested.reset_index(drop=True), epochs.reset_index(drop=True))
    curves = result.tables["curves"]
    assert len(curves[(curves.arm == "epochs") & (curves.n == 10_000)]) == 6 * 2 * 2


def test_log_odds_are_those_of_the_accuracy(result):
    for row in rows_of(result, on="fresh test").itertuples():
        hits = row.accuracy * 200
        assert row.log_odds == pytest.approx(math.log((hits + 0.5) / (200.5 - hits)), abs=1e-6)


def test_predictions_say_which_signals_are_misread(result):
    wrong = result.arrays["arm-published-variant-max-n-5000-first-0-last-1"]
    assert wrong.shape == (2, 1000)
    accuracies = rows_of(result, arm="published", variant="max", n=5000, on="test").accuracy
    np.testing.assert_allclose((wrong == 0).mean(1), accuracies.to_numpy(float), atol=1e-9)


def test_paper_cells_are_of_bearable_length_and_of_every_seed_once():
    config = STUDY.presets["paper"]
    done = set()
    for cell in cells(config):
        seeds = range(cell["first"], cell["last"] + 1)
        assert len(seeds) * config.steps_of(cell["arm"], cell["n"]) <= CELL_STEPS
        trainings = {(cell["arm"], cell["variant"], cell["n"], seed) for seed in seeds}
        assert not trainings & done
        done |= trainings
    # 60 epochs of 10,000 signals are 6000 steps: done in the nested arm.
    assert len(done) == 10 * (5 * 6 + 6 * 6) + 5 * (6 * 5)  # equal epochs have half of the seeds
    assert {variant: sum(p.numel() for p in network_of(variant)().parameters()) for variant in COST} == VARIANTS


def test_numbers_out_of_range_are_refused():
    with pytest.raises(ValueError, match="at least 100"):
        PoolingConfig(sizes=(50, 1000))
    with pytest.raises(ValueError, match="epoch_seeds=0"):
        PoolingConfig(epoch_seeds=0)
    with pytest.raises(ValueError, match="epochs=0"):
        PoolingConfig(epochs=0)


@pytest.mark.parametrize("run", RUNS)
def test_published_tables_have_the_gaps_that_are_known_of_them(run):
    best = [
        100 * (max(published_accuracy(pool, n, run) for pool in POOLS) - published_accuracy("none", n, run))
        for n in SIZES
    ]
    np.testing.assert_allclose(best, BEST[run], atol=1e-9)
    assert published_advantage(1000) == pytest.approx(0.186)


def made_up(advantage, *, stride=-0.02, l2=0.0, spread=0.002, seeds=10):
    """A result in which pooling has a known advantage at each size, the same in all arms, and noise over seeds."""
    rng = np.random.default_rng(0)
    rows = []
    for arm, variants in (("published", KINDS), ("nested", VARIANTS), ("epochs", VARIANTS)):
        for variant in variants:
            for n in SIZES:
                plus = {"none": 0, "matched": -0.01, "stride": stride}.get(variant, advantage[n])
                mean = published_accuracy("none", n) + plus + (l2 if variant == "l2" else 0)
                for seed in range(seeds):
                    accuracy = min(mean + rng.normal(0, spread), 0.999)
                    of = {"arm": arm, "variant": variant, "parameters": 1, "n": n, "seed": seed, "step": 6000}
                    odds = math.log(accuracy / (1 - accuracy))
                    rows += [
                        {**of, "on": on, "loss": 1.0, "accuracy": accuracy, "log_odds": odds}
                        for on in ("train", "test", "fresh test")
                    ]
    return Result("pooling", "paper", {}, {"rows": pd.DataFrame(rows)})


def findings(result):
    return {verdict.claim.name: verdict.finding for verdict in judge(CLAIMS, result.tables)}


def test_claims_on_a_world_as_the_published_one():
    found = findings(made_up({n: published_advantage(n) for n in SIZES}))
    holds = {claim.name for claim in SOURCES} - {"hinders-with-much-data", "max-loses-to-l2"}
    assert {name for name in holds if found[name] != "holds"} == set()
    assert found["hinders-with-much-data"] == "fails"
    assert found["max-loses-to-l2"] == "inconclusive"
    assert found["max-and-l2-alike"] == "holds"
    assert found["worth-a-doubling"] == "fails"


def test_claims_on_a_world_in_which_pooling_hinders():
    found = findings(made_up(dict(zip(SIZES, [0.02, 0.01, 0, -0.01, -0.02, -0.03], strict=True)), stride=0.08, l2=0.01))
    assert found["helps-with-little-data"] == "fails"
    assert found["hinders-with-much-data"] == "holds"
    assert found["no-difference-with-much-data"] == "fails"
    assert found["max-loses-to-l2"] == "holds"
    assert found["striding-does-not"] == "fails"
    assert found["striding-is-nowhere-better"] == "fails"
    assert found["better-than-striding"] == "fails"
    assert found["restricts-expression"] == "holds"


def test_published_numbers_are_inside_where_they_were_drawn_from():
    result = made_up({n: published_advantage(n) for n in SIZES}, stride=0, spread=0.02)
    verdicts = {verdict.claim.name: verdict.number for verdict in judge(CLAIMS, result.tables)}
    assert sum(name.endswith(("-2024", "-2020")) for name in verdicts) == 60
    assert {verdicts[f"none-{n}-2024"] for n in SIZES} == {"inside"}
    assert verdicts["stride-10000-2024"] == "inside"
    assert verdicts["helps-with-little-data"] == "inside"
    tight = made_up({n: published_advantage(n) for n in SIZES}, stride=0)
    assert {v.number for v in judge(CLAIMS, tight.tables) if v.claim.name == "stride-10000-2024"} == {"outside"}


def test_smoke_result_has_a_verdict_on_every_claim(result):
    verdicts = {verdict.claim.name: verdict for verdict in judge(STUDY.claims, result.tables)}
    assert {verdicts[claim.name].finding for claim in CLAIMS if claim.findings} <= {"holds", "fails", "inconclusive"}
    assert {v.number for v in verdicts.values()} == {"none published", "not tested"}  # the numbers are of 6000 steps


def test_figures_show_arms_variants_and_published_numbers(result):
    for made in (result, made_up({n: published_advantage(n) for n in SIZES})):
        figures = {name: draw(made) for name, draw in STUDY.figures.items()}
        accuracy, advantage = figures["figure"], figures["advantage"]
        assert [len(axes.lines) for axes in accuracy.axes] == [5 + 2 * 5, 6, 6]
        marks = [line for line in accuracy.axes[0].lines if line.get_marker() == "x"]
        np.testing.assert_allclose(marks[0].get_ydata(), [0.592, 0.820, 0.919, 0.943, 0.944, 0.963])
        labels = advantage.axes[0].get_legend_handles_labels()[1]
        assert {"as published", "equal epochs and parameters", "published 2024", "published 2020"} <= set(labels)


@pytest.mark.slow
def test_published_accuracies_at_a_thousand_signals_come_back():
    """A minute or two: three initialisations at the published steps, inside the regression bands."""
    config = STUDY.config("paper", seeds=3, sizes=(1000,), tests=2000)
    done = [run_cell(config, cell) for cell in cells(config) if cell["arm"] == "published"]
    tables = {"rows": pd.DataFrame([row for outcome in done for row in outcome.tables["rows"]])}
    bands = [band for band in STUDY.bands if "1,000 training signals" in band.name]
    assert len(bands) == 6
    for band in bands:
        assert band.low <= band.of.per_unit(tables).mean() <= band.high, band.name

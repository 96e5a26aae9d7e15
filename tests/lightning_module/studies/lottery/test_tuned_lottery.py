"""The tuned arm of the lottery at its smallest: whole tickets, rates that others choose, and amended verdicts."""

import pandas as pd
import pytest
import torch

from lightning_module.studies.framework.claims import judge
from lightning_module.studies.framework.proof.verify import findings_of
from lightning_module.studies.framework.quantities import NoRowsError
from lightning_module.studies.framework.study import Study
from lightning_module.studies.lottery import search, tuned
from lightning_module.studies.lottery.amendments import AMENDED, AMENDMENTS, AtTunedRate, tuned_lead
from lightning_module.studies.lottery.search import FIRST_SEED, weights_of_seed
from lightning_module.studies.lottery.study import STUDY, cells
from lightning_module.studies.lottery.tuned import rounds_kept, whole_ticket

SMOKE = STUDY.config(f"{AMENDED}-smoke")


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return STUDY.run(f"{AMENDED}-smoke", folder=tmp_path_factory.mktemp("tuned"))


def test_every_arm_has_every_rate_and_only_other_tickets_see_validation(result):
    table = result.tables["tuned"]
    assert set(table[table.on == "validation"].seed) == set(SMOKE.tuning_tickets) == {100}
    assert set(table[table.on == "fresh test"].seed) == {0, 1}
    assert set(table.on) == {"validation", "fresh test", "train"}
    for (data, _), rows in table.groupby(["data", "seed"]):
        arms = {"dense", "random", "ticket", "reinit"} | ({"tenth", "hundredth"} if data == "frozen" else set())
        assert {*zip(rows.arm, rows.rate, strict=True)} == {(arm, rate) for arm in arms for rate in SMOKE.rates}


def test_a_whole_ticket_comes_back_from_the_result(result):
    masks = whole_ticket(result.arrays, SMOKE, 0)
    initial = weights_of_seed(SMOKE, FIRST_SEED)
    assert {name: mask.shape for name, mask in masks.items()} == {name: w.shape for name, w in initial.items()}
    kept = sum(int(mask.sum()) for mask in masks.values()) / sum(mask.numel() for mask in masks.values())
    assert kept == pytest.approx(1 - SMOKE.ticket_round / (SMOKE.rounds - 1), abs=0.01)
    tenth = whole_ticket(result.arrays, SMOKE, 0, "tenth")
    assert all(bool((tenth[name] <= mask).all()) for name, mask in masks.items())  # masks are nested


def test_the_published_preset_keeps_a_tenth_and_a_hundredth():
    config = STUDY.config(AMENDED)
    assert rounds_kept(config) == {"ticket": 91, "tenth": 90, "hundredth": 98}
    assert len(cells(config)) == 8 + 3
    assert (config.seeds, config.lr, config.steps) == (8, 0.02, 1500)
    assert config.record().keys() - STUDY.config("paper").record().keys() == {"rates", "tuning"}


def test_the_rate_is_the_best_on_validation_whatever_the_tests_say():
    rows = [
        {"arm": arm, "data": "frozen", "rate": rate, "seed": seed, "on": on, "accuracy": accuracy + 0.001 * seed}
        for arm, rate, on, accuracy in (
            ("dense", 0.002, "validation", 0.7),
            ("dense", 0.02, "validation", 0.6),
            ("dense", 0.002, "fresh test", 0.65),
            ("dense", 0.02, "fresh test", 0.9),
            ("ticket", 0.002, "validation", 0.5),
            ("ticket", 0.02, "validation", 0.6),
            ("ticket", 0.002, "fresh test", 0.1),
            ("ticket", 0.02, "fresh test", 0.7),
        )
        for seed in range(5)
    ]
    tables = {"tuned": pd.DataFrame(rows)}
    assert AtTunedRate("dense", "frozen").rate(tables) == 0.002
    assert tuned_lead("ticket").per_unit(tables).tolist() == pytest.approx([0.05] * 5)
    with pytest.raises(NoRowsError, match="no rate was chosen for dense, new data"):
        AtTunedRate("dense", "new").per_unit(tables)


def test_the_result_is_judged_by_the_amended_rules_and_drawn_by_their_figure(result, tmp_path):
    names = [each.claim.name for each in AMENDMENTS if each.decided_by]
    assert [verdict.claim.name for verdict in STUDY.judge(result)] == names
    assert all(verdict.parts for verdict in judge(STUDY.claims_of(result.preset), result.tables))
    assert {check.what.split()[0] for check in findings_of(STUDY, result) if not check.good} <= {"band"}
    figures = STUDY.figures_of(result.preset)
    assert list(figures) == ["tuned"]
    assert all(axes.has_data() for axes in figures["tuned"](result).axes)


def test_an_interrupted_ticket_comes_to_the_same(result, tmp_path, monkeypatch):
    cell = next(cell for cell in cells(SMOKE) if cell["ticket"] == 1)
    presets = {"smoke": SMOKE}
    alone = Study(name="alone", question="", presets=presets, cells=lambda _: [cell], run_cell=STUDY.run_cell)
    calls, train_masked = [], search.train_masked

    def interrupted(*arguments, **options):
        calls.append(1)
        if len(calls) in (8, 20):  # in the search, and among the rates
            raise KeyboardInterrupt
        return train_masked(*arguments, **options)

    for module in (search, tuned):
        monkeypatch.setattr(module, "train_masked", interrupted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            alone.run("smoke", folder=tmp_path)
    again = alone.run("smoke", folder=tmp_path)
    assert len(calls) == 2 + SMOKE.rounds + 2 * (6 + 4)
    whole = result.tables["tuned"]
    assert again.tables["tuned"].equals(whole[whole.seed == 1].reset_index(drop=True))
    for name, mask in whole_ticket(again.arrays, SMOKE, 1).items():
        assert torch.equal(mask, whole_ticket(result.arrays, SMOKE, 1)[name])


@pytest.mark.parametrize("changes", [{"tuning": 0}, {"rates": ()}, {"first_seed": 99}])
def test_numbers_that_do_not_fit_are_named(changes):
    with pytest.raises(ValueError, match=min(changes)):
        STUDY.config(f"{AMENDED}-smoke", **changes)

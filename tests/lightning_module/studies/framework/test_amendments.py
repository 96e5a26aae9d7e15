"""An amended rule stands beside the old one: neither digest nor verdict changes, and only its own run decides."""

import dataclasses

import pandas as pd
import pytest

from lightning_module.studies import Cell, Claim, Config, Finding, Outcome, Study, value
from lightning_module.studies.framework.amendments import Amendment
from lightning_module.studies.framework.claims import claims_digest
from lightning_module.studies.framework.proof.verify import config_of, findings_of
from lightning_module.studies.framework.result import Result

GAIN = value("gain")
OLD = (Claim(name="gains", text="It gains.", finding=GAIN > 0.0), Claim(name="small", text=".", finding=GAIN < 9.0))
WHY = {"date": "2026-11-28", "reason": "0 is no margin for much", "known": "the old verdict"}


def amendment(margin, **more):
    return Amendment(
        claim=Claim(name="gains", text="It gains much.", finding=Finding(of=GAIN, above=margin)), **WHY, **more
    )


def run_cell(config, cell):
    rows = [{"seed": seed, "gain": 1.0 + 0.01 * seed} for seed in config.seed_range]
    return Outcome({"rows": rows})


def study(*amendments):
    presets = {"paper": Config(seeds=5), "more": Config(seeds=4, first_seed=100)}
    cells = lambda _: [Cell({"part": "all"})]  # noqa: E731
    return Study(
        name="s", question="?", presets=presets, cells=cells, run_cell=run_cell, claims=OLD, amendments=amendments
    )


def result(preset, gains):
    rows = pd.DataFrame({"seed": range(len(gains)), "gain": gains})
    return Result(study="s", preset=preset, config={}, tables={"rows": rows})


def test_a_verdict_from_the_committed_tables_stands_beside_the_old_one():
    (row,) = study(amendment(2.0)).amended(result("paper", [1.0, 1.1, 1.2, 0.9]))
    assert (row.old.finding, row.new.finding, row.state) == ("holds", "fails", "changed")
    assert row.old.claim is OLD[0]
    assert row.amendment.known == "the old verdict"


def test_only_the_preset_of_an_amendment_decides_it():
    amended = study(amendment(0.5, decided_by="more"))
    committed, new = result("paper", [1.0, 1.1, 1.2, 0.9]), result("more", [0.1, 0.2, 0.15, 0.1])
    (row,) = amended.amended(committed)
    assert (row.old.finding, row.new, row.state) == ("holds", None, "to be run")
    (row,) = amended.amended(committed, [new])
    assert (row.new.finding, row.state) == ("fails", "changed")
    assert [verdict.claim.name for verdict in amended.judge(new)] == ["gains"]
    assert [verdict.finding for verdict in amended.judge(committed)] == ["holds", "holds"]


def test_the_digest_of_old_claims_does_not_know_of_amendments_but_a_new_run_has_that_of_its_own(tmp_path):
    plain, amended = study(), study(amendment(0.5, decided_by="more"))
    assert amended.claims_sha256_of("paper") == plain.claims_sha256 == claims_digest(OLD)
    done = amended.run("more", folder=tmp_path / "more")
    assert done.claims_sha256 == claims_digest([amended.amendments[0].claim]) != plain.claims_sha256
    assert done.rows.seed.tolist() == [100, 101, 102, 103]
    assert all(check.good for check in findings_of(amended, done, tmp_path / "more"))
    changed = study(amendment(0.6, decided_by="more"))
    words = [check.what for check in findings_of(changed, done, tmp_path / "more") if not check.good]
    assert words == ["the claims' rules were changed after the run began: run the study again"]
    assert amended.claims_of("more-smoke") == amended.claims_of("more")


def test_a_first_seed_is_in_a_result_only_where_it_is_not_0(tmp_path):
    assert Config(seeds=3).record() == {"seeds": 3}
    own = study().config("paper", seeds=2, first_seed=7)
    done = study().run(own, folder=tmp_path)
    assert done.config == {"seeds": 2, "first_seed": 7}
    assert done.rows.seed.tolist() == [7, 8]
    assert config_of(study(), done) == own


def test_a_first_seed_that_is_none_is_refused():
    for wrong in (-1, 100_000):
        with pytest.raises(ValueError, match=f"first_seed={wrong} must be in 0..99999"):
            Config(first_seed=wrong)


@pytest.mark.parametrize(
    ("change", "match"),
    [({"date": "today"}, "date='today'"), ({"reason": " "}, "reason='' must"), ({"known": ""}, "known='' must")],
)
def test_nothing_is_amended_without_when_and_why(change, match):
    with pytest.raises(ValueError, match=match):
        dataclasses.replace(amendment(1.0), **change)


def test_an_amendment_is_of_a_claim_and_does_not_hide_it():
    stray = dataclasses.replace(amendment(1.0), claim=Claim(name="gain", text=".", finding=GAIN > 1.0))
    with pytest.raises(ValueError, match="amendment of 'gain': the study has no claim"):
        study(stray)
    hidden = Claim(name="gains", text=".", finding=GAIN > 1.0, exploratory=True)
    with pytest.raises(ValueError, match="no more exploratory"):
        study(dataclasses.replace(amendment(1.0), claim=hidden))
    with pytest.raises(ValueError, match="amendments of study 's': 'gains' is the name of more than one"):
        study(amendment(1.0), amendment(2.0))

"""The preset of self-supervision that trains autoencoders: its smallest run, its rules, and what they say of curves."""

import pandas as pd
import pytest

from lightning_module.studies.framework.claims import judge
from lightning_module.studies.framework.proof.verify import findings_of
from lightning_module.studies.self_supervision.amendments import AMENDMENTS, AUTOENCODERS
from lightning_module.studies.self_supervision.config import SelfSupervisionConfig
from lightning_module.studies.self_supervision.learned import AUTOENCODER, COMPARED, MASKED_AUTOENCODER, SIMCLR
from lightning_module.studies.self_supervision.published import AUTOENCODER_LINEAR, AUTOENCODER_LOSS
from lightning_module.studies.self_supervision.study import STUDY, cells


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    folder = tmp_path_factory.mktemp("autoencoder")
    return STUDY.run(f"{AUTOENCODER}-smoke", folder=folder), folder


def test_all_learners_are_probed_at_all_layers(smoke):
    result, folder = smoke
    for arm, learner, _ in COMPARED:
        rows = result.rows[
            (result.rows.arm == arm) & (result.rows.learner == learner) & (result.rows.probe == "linear")
        ]
        assert set(rows.on) == {"validation", "fresh test"} | ({"test"} if arm == "frozen" else set())
        assert rows.name.nunique() == (6 if learner == SIMCLR else 5)
        assert set(rows.seed) == {90, 91}
    assert all(check.good for check in findings_of(STUDY, result, folder))
    assert [len(axes.get_legend().get_texts()) for axes in STUDY.figures_of(result.preset)["figure"](result).axes] == [
        4,
        1,
    ]
    findings = [verdict for verdict in judge(STUDY.claims_of(result.preset), result.tables) if verdict.claim.findings]
    assert len(findings) == 6
    assert all(verdict.parts for verdict in findings)


def test_learners_on_fresh_data_read_the_same_signals(smoke):
    rows = smoke[0].rows
    linear = rows[(rows.arm == "fresh") & (rows.on == "fresh test") & (rows.probe == "linear")]
    of_input, of_first = (
        linear[linear.layer == i].pivot(index="seed", columns="learner", values="accuracy") for i in (0, 1)
    )
    assert (of_input.nunique(axis=1) == 1).all()
    assert (of_first[AUTOENCODER] != of_first[MASKED_AUTOENCODER]).any()


def as_if(values):
    """Tables in which three seeds of both arms have the accuracies of a curve, but for a tenth of a point."""
    rows, chosen = [], []
    for arm, on in (("frozen", "test"), ("fresh", "fresh test")):
        for seed, by in enumerate((-0.0005, 0.0005, 0.0)):
            of = {"arm": arm, "learner": AUTOENCODER, "seed": seed, "epoch": 200, "on": on}
            own = [each / 100 + by * (-1) ** layer for layer, each in enumerate(values)]
            rows += [{**of, "probe": "linear", "layer": i, "accuracy": value} for i, value in enumerate(own)]
            for learner, more in ((AUTOENCODER, 0.0), (MASKED_AUTOENCODER, 2 * by), (SIMCLR, 0.2 + by)):
                chosen.append({**of, "learner": learner, "accuracy": max(own) + more})
    losses = [{**row, "loss": AUTOENCODER_LOSS + row["seed"] / 1000} for row in rows[:: len(values)]]
    return {"rows": pd.DataFrame(rows), "chosen": pd.DataFrame(chosen), "losses": pd.DataFrame(losses)}


def test_the_printed_run_supports_its_own_statements_and_another_one_does_not():
    printed, level = as_if(AUTOENCODER_LINEAR), as_if((40, 33, 48, 48, 52))
    words = [{v.claim.name: (v.finding, v.number) for v in judge(AUTOENCODERS, tables)} for tables in (printed, level)]
    of_source = [f"autoencoder-{name}" for name in ("beats-pixels", "first-layer", "output")]
    assert [words[0][name] for name in of_source] == [("holds", "inside")] * 3
    assert [words[1][name][0] for name in of_source] == ["fails"] * 3
    assert words[0]["autoencoder-loss"][1] == words[0]["autoencoder-way-back"][1] == "inside"
    assert (words[0]["simclr-beats-autoencoder"][0], words[0]["masking-helps"][0]) == ("holds", "inconclusive")


def test_the_seeds_are_eight_that_no_other_preset_has():
    config = STUDY.config(AUTOENCODER)
    others = {seed for name in ("paper", "amended", "both") for seed in STUDY.config(name).seed_range}
    assert (len(config.seed_range), config.signals, config.epochs) == (8, 4000, 200)
    assert not others & set(config.seed_range)
    assert {cell["learner"] for cell in cells(config)} == {AUTOENCODER, MASKED_AUTOENCODER, SIMCLR}
    assert "autoencoder" not in SelfSupervisionConfig().record()  # or results that came before had other numbers
    assert {each.claim.exploratory for each in AMENDMENTS if each.decided_by == AUTOENCODER} == {True}

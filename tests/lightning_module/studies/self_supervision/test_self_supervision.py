"""The self-supervision study at its smallest, against scikit-learn on its own; its claims against published numbers."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lightning_module.studies.framework.claims import judge
from lightning_module.studies.framework.data import frozen
from lightning_module.studies.framework.result import Result
from lightning_module.studies.methods.simclr.encoder import PROJECTORS
from lightning_module.studies.self_supervision.claims import CLAIMS, SOURCES
from lightning_module.studies.self_supervision.published import LINEAR, output_layer, published_gain, published_probe
from lightning_module.studies.self_supervision.study import STUDY, SelfSupervisionConfig, cells, run_cell

OUTPUT = {"default": 5, "none": 3, "deep": 7}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return STUDY.run("smoke", folder=tmp_path_factory.mktemp("self-supervision"))


def select(table, **where):
    for column, wanted in where.items():
        table = table[table[column] == wanted]
    return table


def test_every_layer_is_probed_on_every_set(result):
    for projector, output in OUTPUT.items():
        assert output_layer(projector) == output
        for arm, sets in (("frozen", {"validation", "test", "fresh test"}), ("fresh", {"validation", "fresh test"})):
            rows = select(result.rows, arm=arm, projector=projector, probe="linear")
            assert set(rows.on) == sets
            assert len(rows) == 2 * len(sets) * (output + 1)
        training = select(result.tables["training"], projector=projector, arm="fresh", probe="linear")
        assert sorted(training.epoch.unique()) == [0, 2]
        assert len(training) == 2 * 2 * (output + 1)


def test_the_input_is_probed_as_scikit_learn_does(result):
    x, y = (tensor[:400].numpy() for tensor in frozen().train)
    probe = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-2, max_iter=1000)).fit(x, y)
    expected = probe.score(frozen().test.x.numpy(), frozen().test.y.numpy())
    found = select(result.rows, arm="frozen", probe="linear", on="test", layer=0)
    assert found.accuracy.tolist() == pytest.approx([expected] * 6, abs=0.0021)


def test_kept_predictions_are_those_that_were_counted(result):
    for projector, output in OUTPUT.items():
        wrong = result.arrays[f"wrong-frozen-{projector}-test"]
        assert wrong.shape == (2, output + 1, 1000)
        rows = select(result.rows, arm="frozen", projector=projector, probe="linear", on="test")
        counted = rows.pivot(index="seed", columns="layer", values="accuracy")
        np.testing.assert_allclose((wrong == 0).mean(2), counted, atol=1e-6)


def test_the_layer_is_chosen_on_validation_and_measured_on_test(result):
    for row in result.tables["chosen"].itertuples():
        rows = select(result.rows, arm=row.arm, projector=row.projector, seed=row.seed, probe="linear")
        on_validation = select(rows, on="validation").set_index("layer").accuracy
        on_test = select(rows, on=row.on).set_index("layer").accuracy
        assert on_validation[row.layer] == on_validation.max()
        assert row.accuracy == on_test[row.layer]
        assert (row.input, row.output) == (on_test.iloc[0], on_test.iloc[-1])


def test_a_cell_comes_out_the_same_again(result):
    config = STUDY.presets["smoke"]
    cell = next(cell for cell in cells(config) if cell.of == {"arm": "fresh", "projector": "none"})
    again = Result(
        "self-supervision", "smoke", {}, {n: pd.DataFrame(r) for n, r in run_cell(config, cell).tables.items()}
    )
    for name, table in again.tables.items():
        before = select(result.tables[name], arm="fresh", projector="none").reset_index(drop=True)
        pd.testing.assert_frame_equal(before[table.columns], table)


def test_it_is_drawn_and_judged(result):
    for draw in STUDY.figures.values():
        assert draw(result).axes
    verdicts = {verdict.claim.name: verdict for verdict in judge(STUDY.claims, result.tables)}
    untested = {name for name, verdict in verdicts.items() if verdict.claim.findings and not verdict.parts}
    assert untested == set()
    assert verdicts["run-time"].finding == "not tested"


def as_if(run):
    """Tables in which two seeds of both arms have the accuracies of a published run, but for a tenth of a point."""
    rows, chosen = [], []
    for arm, on in (("frozen", "test"), ("fresh", "fresh test")):
        for projector, accuracies in LINEAR[run].items():
            for seed, by in enumerate((-0.0005, 0.0005, 0.0)):
                # Not the same for all layers, or differences would have no spread.
                values = [each / 100 + by * (-1) ** layer for layer, each in enumerate(accuracies)]
                of = {"arm": arm, "projector": projector, "seed": seed, "epoch": 200, "on": on}
                rows += [{**of, "probe": "linear", "layer": i, "accuracy": value} for i, value in enumerate(values)]
                chosen.append({**of, "accuracy": max(values), "input": values[0], "output": values[-1]})
    return {"rows": pd.DataFrame(rows), "chosen": pd.DataFrame(chosen)}


def findings(run):
    return {verdict.claim.name: verdict.finding for verdict in judge(SOURCES, as_if(run))}


def test_the_published_runs_support_what_the_source_says_of_them():
    for run in ("latest", "January 2024"):
        assert {findings(run)[name] for name in ("pixels", "before-the-head", "peaks-in-the-middle")} == {"holds"}
        assert findings(run)["similar-quality"] == "holds"
    assert findings("January 2024")["second-layer"] == "holds"
    assert findings("latest")["second-layer"] == "fails"


def test_numbers_find_the_published_run_where_they_should():
    tables = as_if("latest")
    wrong = [
        verdict.claim.name
        for verdict in judge(CLAIMS, tables)
        if verdict.claim.name.endswith("-latest") and "linear" in verdict.claim.name and verdict.number != "inside"
    ]
    assert wrong == []
    for band, mean in STUDY.measured(Result("", "", {}, tables)):
        assert band.low <= mean <= band.high, band.name


def test_published_numbers_are_read_as_they_stand():
    assert published_probe("default", 3) == 0.821
    assert published_probe("deep", 7, "January 2024") == 0.62
    assert [published_gain(projector) for projector in PROJECTORS] == [0.071, 0.288, 0.213]


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ({"probed": (0, 100)}, "must go from 0 to epochs=200"),
        ({"probed": (1, 200)}, "must go from 0"),
        ({"signals": 100}, "must be at least 300"),
    ],
)
def test_numbers_out_of_range_are_explained(numbers, says):
    with pytest.raises(ValueError, match=says):
        SelfSupervisionConfig(**numbers)


@pytest.mark.slow
def test_the_published_protocol_stays_in_its_bands(tmp_path):
    config = SelfSupervisionConfig(probed=(0, 200))  # the bands are for the mean of its five seeds
    cell = next(cell for cell in cells(config) if cell.of == {"arm": "frozen", "projector": "default"})
    tables = {name: pd.DataFrame(rows) for name, rows in run_cell(config, cell).tables.items()}
    measured = list(STUDY.measured(Result("self-supervision", "custom", {}, tables)))
    assert len(measured) >= 4
    for band, mean in measured:
        assert band.low <= mean <= band.high, band.name

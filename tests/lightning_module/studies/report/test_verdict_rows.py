"""The table of verdicts: each claim once, in words, and what kind of claim it is."""

import pandas as pd
import pytest

from lightning_module.studies import Claim, Config, Finding, Number, Result, Study, value, verdict_table

CNN = value("accuracy", network="cnn")
LEAD = CNN - value("accuracy", network="mlp")
CLAIMS = (
    Claim(name="lead", text="The CNN is ahead.", source="a paper", finding=Finding(of=LEAD, above=0.0)),
    Claim(name="cnn", text="94 %.", source="a table", number=Number(of=CNN, published=0.94)),
    Claim(name="wide", text="By 10 points?", finding=Finding(of=LEAD, above=0.1), exploratory=True),
    Claim(name="human", text="People are better.", source="a paper", not_tested="nobody was asked"),
)


@pytest.fixture
def table():
    study = Study(
        name="made-up",
        question="Is the CNN ahead?",
        presets={"quick": Config()},
        cells=lambda config: [],
        run_cell=lambda config, cell: [],
        claims=CLAIMS,
    )
    rows = [
        {"network": network, "seed": seed, "accuracy": accuracy + seed / 1000}
        for network, accuracy in (("cnn", 0.93), ("mlp", 0.65))
        for seed in range(4)
    ]
    result = Result(study="made-up", preset="quick", config={}, tables={"rows": pd.DataFrame(rows)})
    return verdict_table(study, result)


def test_a_row_for_each_claim_by_its_name(table):
    assert list(table.index) == ["lead", "cnn", "wide", "human"]
    assert list(table.kind) == ["statement", "number", "question", "statement"]


def test_findings_are_in_words(table):
    assert list(table.finding) == [
        "✓ holds",
        "○ not tested: the source states a number only",
        "✓ holds",
        "○ not tested: nobody was asked",
    ]
    lead = table.loc["lead"]
    assert (lead.statement, lead.source, lead.needed, lead.n) == ("The CNN is ahead.", "a paper", "> 0", "4")
    assert lead.contrast.startswith("0.28")


def test_the_published_number_stands_beside_ours(table):
    # 0.93 to 0.933, four runs: the next is within t(3) * sd * sqrt(1 + 1/4) = 3.18 * 0.00129 * 1.118 of their mean.
    assert table.loc["cnn", ["published", "ours", "number"]].tolist() == [
        "0.94",
        "0.9315 (0.9269 to 0.9361)",
        "✗ outside",
    ]
    assert table.loc["lead", "published"] == "-"

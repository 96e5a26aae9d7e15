"""The tab Findings without a browser: what is kept is what the committed results are judged to be."""

import json
import re
from collections import Counter

import pytest

from lightning_module.explorer.findings import pictures, renew
from lightning_module.explorer.findings.rows import ALL, FILE, VERDICTS, Claim, chosen, claims, counted, studies
from lightning_module.studies import STUDIES
from lightning_module.studies.report.entries import entries

ANEW = "the kept verdicts are not those of the results; python -m lightning_module.explorer.findings.renew docs/results"


def kept(request):
    file = request.config.rootpath / "lightning_module" / "explorer" / "findings" / FILE
    return file.read_text(encoding="utf-8")


@pytest.mark.parametrize("study", ["benchmark", "learning-rate", "soft-labels"])
def test_kept_verdicts_are_those_of_the_committed_results(study, request):
    folder = request.config.rootpath / "docs" / "results" / study
    found = renew.content(entries(folder, {study: STUDIES[study]}))
    ours = [each for each in json.loads(kept(request)) if each["study"].partition(",")[0] == study]
    assert ours
    assert json.loads(renew.text(found)) == ours, ANEW


@pytest.mark.slow
def test_the_kept_file_is_what_all_committed_results_make(request):
    found = renew.content(entries(request.config.rootpath / "docs" / "results", STUDIES))
    assert renew.text(found) == kept(request), ANEW


def test_every_claim_of_every_study_is_there():
    there = {(claim.study.partition(",")[0], claim.told["claim"]) for claim in claims()}
    assert there >= {(study.name, claim.name) for study in STUDIES.values() for claim in study.claims}, ANEW


def test_there_are_as_many_statements_as_the_report_counts(request):
    report = (request.config.rootpath / "docs" / "REPORT.md").read_text(encoding="utf-8")
    numbers = Counter(claim.told["finding"] for claim in chosen())
    counted_there = re.search(
        r"Of (\d+) statements .*\*\*(\d+) hold, (\d+) fail and (\d+) are inconclusive\*\*; (\d+) could", report
    )
    ours = [len(chosen()), *(numbers[verdict] for verdict in VERDICTS)]
    assert list(map(int, counted_there.groups())) == ours


def test_a_filter_finds_what_it_says():
    assert len(chosen(statements=False)) == sum(not claim.again for claim in claims())
    for study in studies():
        assert {claim.study for claim in chosen(study, statements=False)} <= {study}
    parts = [chosen(verdict=verdict) for verdict in VERDICTS]
    assert sum(map(len, parts)) == len(chosen())
    assert all(claim.told["finding"] == "fails" for claim in parts[1])
    assert all(claim.told["kind"] == "statement" for claim in chosen())
    with pytest.raises(ValueError, match="study='no' must be one of all"):
        chosen("no")
    with pytest.raises(ValueError, match="verdict='no'"):
        chosen(ALL, "no")


def test_each_has_its_figure_its_contrast_and_its_page(request):
    html = pictures.found(chosen("benchmark"), "benchmark")
    assert html.count("<details") == len(chosen("benchmark"))
    assert html.count("m1-forest") == sum("bars" in claim.told for claim in chosen("benchmark")) > 8
    assert counted(chosen("benchmark")) in html
    for claim in claims():
        assert (request.config.rootpath / "docs" / f"{claim.page}.md").is_file()


def test_texts_are_escaped():
    told = dict(chosen("benchmark")[0].told, text="<script>", source="<i>", claim='"<b>')
    html = pictures.found([Claim("<u>", "report/benchmark", False, told)], ALL)
    assert not any(tag in html for tag in ("<script>", "<i>", "<b>", "<u>"))

"""The committed report is what the command writes from the committed results, and complete."""

import re
from pathlib import Path

import pytest
from test_report import assert_links_lead_somewhere

from lightning_module.studies import STUDIES
from lightning_module.studies.report.entries import entries
from lightning_module.studies.report.markdown import escape
from lightning_module.studies.report.pages import report

DOCS = Path(__file__).parents[4] / "docs"
PAGES = sorted([DOCS / "REPORT.md", *(DOCS / "report").rglob("*.md")])
KIBIBYTES = {"REPORT.md": 40, "verdicts.md": 256}
LARGEST = 64  # of all others, in KiB
CLAIMS = {name: STUDIES[name].claims for name in STUDIES}  # here, not in a test: Lightning's import sets up its log


def test_the_committed_report_is_that_of_the_committed_results() -> None:
    files = report(entries(DOCS / "results", STUDIES), DOCS, "REPORT.md")
    committed = {
        file.relative_to(DOCS).as_posix(): file.read_text(encoding="utf-8")
        for file in (DOCS / "REPORT.md", *(DOCS / "report").rglob("*.*"))
    }
    again = "write it again: mnist1d study report --folder docs/results --output docs/REPORT.md"
    assert {str(path) for path in files} == set(committed), again
    for path, text in files.items():
        assert committed[str(path)] == text, f"{path}; {again}"


@pytest.mark.parametrize("name", CLAIMS)
def test_every_claim_is_on_its_studys_page_and_in_the_one_table(name: str) -> None:
    own = (DOCS / "report" / f"{name}.md").read_text(encoding="utf-8")
    one = (DOCS / "report" / "verdicts.md").read_text(encoding="utf-8")
    for claim in CLAIMS[name]:
        said = f"**{escape(claim.name)}**: {escape(claim.text)} *"
        assert own.count(f"\n| {said}") == 1, claim.name
        assert len(re.findall(rf"\n\| \[{name}\]\({name}\.md\) \| \w+ \| {re.escape(said)}", one)) == 1, claim.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_links_and_figures_lead_somewhere_and_no_page_is_too_large(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert_links_lead_somewhere(page, text)
    assert len(text.encode()) < 1024 * KIBIBYTES.get(page.name, LARGEST)


def test_reasons_are_in_words() -> None:
    for page in PAGES:
        if "supplement" not in page.parts:
            assert not re.search(r"no rows with|no number for unit|\(nan\)|\w='\w", page.read_text(encoding="utf-8")), (
                page
            )


def test_studies_without_a_result_are_named_on_the_first_page() -> None:
    text = (DOCS / "REPORT.md").read_text(encoding="utf-8")
    missing = [name for name in CLAIMS if not (DOCS / "results" / name / "result.json").is_file()]
    said = re.search(r"^Not run yet: (.*)\. What", text, re.MULTILINE)
    assert re.findall(r"\[([^]]+)\]", said[1] if said else "") == missing


def test_every_committed_result_has_an_answer() -> None:
    assert all((file.parent / "answer.md").is_file() for file in (DOCS / "results").rglob("result.json"))

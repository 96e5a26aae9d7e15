"""Amended rules in the report: beside the old ones, marked in every table, counted once."""

import dataclasses
import shutil
from pathlib import Path

import pytest
from tiny_study import CNN, MLP, study

from lightning_module.studies.framework.amendments import Amendment
from lightning_module.studies.framework.cells import Config
from lightning_module.studies.framework.claims import Claim, Finding
from lightning_module.studies.framework.study import Study
from lightning_module.studies.report.pages import write_report

SAID = {"date": "2026-12-01", "reason": "it was too strict", "known": "the verdict | of the old rule"}


def amendment(name: str, above: float, decided_by: str = "") -> Amendment:
    claim = Claim(name=name, text="As amended.", source="Blog", finding=Finding(of=CNN - MLP, above=above))
    return Amendment(claim=claim, decided_by=decided_by, **SAID)


@pytest.fixture(scope="module")
def amended() -> Study[Config]:
    """Returns the study with "true" denied by its tables, and "false" to be decided by a run of its own."""
    rules = (amendment("true", 0.5), amendment("false", 0.1, decided_by="amended"))
    plain = study()
    return dataclasses.replace(plain, amendments=rules, presets={**plain.presets, "amended": Config(seeds=4)})


def written(results: Path, output: Path, a_study: Study[Config]) -> dict[str, str]:
    files = write_report(results, output / "r.md", studies={"tiny": a_study})
    return {file.relative_to(output).as_posix(): file.read_text(encoding="utf-8") for file in files}


def test_both_verdicts_stand_side_by_side(results: Path, tmp_path: Path, amended: Study[Config]) -> None:
    shutil.copytree(results / "tiny", tmp_path / "results" / "tiny")
    texts = written(tmp_path / "results", tmp_path, amended)
    said = "it was too strict | the verdict \\| of the old rule"
    (row,) = (line for line in texts["r.md"].splitlines() if line.startswith("| 2026-12-01"))
    assert row == (
        "| 2026-12-01 | [tiny](r/tiny.md) | it was too strict | **true**: ✓ holds, now ✗ fails; 1 to be run |"
    )
    rows = texts["r/amendments.md"]
    assert f"| [tiny](tiny.md) | **true**: As amended. | {said} | ✓ holds | ✗ fails |" in rows
    assert f"**false**: As amended. | {said} | ✗ fails | to be run |" in rows
    assert (
        "Rules that were amended later: 2. By them 1 verdicts are others, 0 are the same, and 1 wait" in texts["r.md"]
    )
    for page in ("r/tiny.md", "r/verdicts.md"):
        assert "*Blog & paper* **Amended 2026-12-01**: ✗ fails |".replace("&", "\\&") in texts[page]


def test_a_run_that_decides_is_a_page_and_counts_no_claim_twice(
    results: Path, tmp_path: Path, amended: Study[Config]
) -> None:
    shutil.copytree(results / "tiny", tmp_path / "results" / "tiny")
    without = written(tmp_path / "results", tmp_path, amended)["r.md"]
    amended.run("amended", folder=tmp_path / "results" / "again")
    texts = written(tmp_path / "results", tmp_path, amended)
    assert "| ✗ fails | ✓ holds |" in texts["r/amendments.md"]
    own = texts["r/tiny-amended-in-again.md"]
    assert "**false**: As amended." in own
    assert "**true**" not in own
    assert "✓ the same as recorded before the run" in texts["r/supplement/tiny-amended-in-again.md"]
    (counted, again) = (text.split("## In short")[1].split("\n\n")[1] for text in (without, texts["r.md"]))
    assert counted == again

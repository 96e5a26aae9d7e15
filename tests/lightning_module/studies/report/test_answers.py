"""Answers beside results: every number comes from a verdict, of this study or another, by the old or the new rule."""

import dataclasses
import re
import shutil
from pathlib import Path

import pytest
from tiny_study import CNN, MLP, study

from lightning_module.studies.framework.amendments import Amendment
from lightning_module.studies.framework.claims import Claim, Finding
from lightning_module.studies.framework.result import Result
from lightning_module.studies.framework.shares import Share
from lightning_module.studies.report.answers import answer
from lightning_module.studies.report.entries import Entry, entries

ROOT = Path(__file__).parents[4]
SAID = {"date": "2026-12-01", "reason": "it was too strict", "known": "all"}


@pytest.fixture(scope="module")
def found(results: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    """Returns two studies on the same tables: one with amendments, and one without."""
    own = shutil.copytree(results, tmp_path_factory.mktemp("answers") / "results")
    mostly = Claim(name="often", text=".", finding=Share(CNN, above=0.905) > 0.5, exploratory=True)
    stricter = Claim(name="true", text=".", finding=Finding(of=CNN - MLP, above=0.5))
    waits = Claim(name="false", text=".", finding=Finding(of=CNN - MLP, above=0.1))
    rules = (
        Amendment(claim=stricter, **SAID),
        Amendment(claim=mostly, **SAID),
        Amendment(claim=waits, decided_by="amended", **SAID),
    )
    return entries(own, {"tiny": dataclasses.replace(study(), amendments=rules), "foreign": study("foreign")})


def answered(found: list[Entry], text: str, folder: Path) -> str:
    (folder / "answer.md").write_text(text, encoding="utf-8")
    return answer(dataclasses.replace(found[0], folder=folder), found)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{true}", "0.3000 (no spread)"),
        ("{true:points}", "30 points (no spread)"),
        ("{true:word}, now {amended/true:word}", "holds, now fails"),
        ("{amended/true:points}", "30 points (no spread)"),
        ("{amended/often:count}", "2 of 3"),
        ("{amended/false}; {amended/false[1]:points}", "to be run; to be run"),
        ("{foreign/open[0]}", "0.910 (0.885 to 0.935)"),
    ],
)
def test_what_a_name_in_braces_becomes(found: list[Entry], written: str, said: str, tmp_path: Path) -> None:
    assert answered(found, written, tmp_path) == f"- {said}".replace("0.3000", "0.3")


@pytest.mark.parametrize("written", ["{nothing}", "{true[3]}", "{true:dozens}", "{foreign/nothing}", "{amended/open}"])
def test_what_is_not_there_is_an_error_that_lists_what_is(found: list[Entry], written: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"write \{claim\}.* for a claim with a finding: true, false"):
        answered(found, written, tmp_path)


# Numbers of the protocols and of the sources; what was measured is in braces.
GIVEN = {"learning-rate": {"0.15", "0.62"}}


@pytest.mark.parametrize("file", sorted((ROOT / "docs" / "results").rglob("answer.md")), ids=lambda f: f.parent.name)
def test_no_measured_number_is_written_by_hand(file: Path) -> None:
    text = re.sub(r"\{[^}]*\}", "", file.read_text(encoding="utf-8"))
    study_name = Result.load(file.parent).study
    assert set(re.findall(r"\d+\.\d+", text)) <= GIVEN.get(study_name, set())

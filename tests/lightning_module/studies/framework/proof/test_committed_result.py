import shutil
from pathlib import Path

import pytest

from lightning_module.studies import Result, committed_result
from lightning_module.studies.framework.proof import committed

RESULTS = Path(__file__).parents[5] / "docs" / "results"


def test_it_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert committed_result("learning-rate") == Result.load(RESULTS / "learning-rate")


@pytest.mark.parametrize("place", ["docs/results", "lightning_module/results"], ids=["in a clone", "in a wheel"])
def test_where_it_lies(place, tmp_path, monkeypatch):
    package = tmp_path / "lightning_module"
    monkeypatch.setattr(committed, "_package", lambda: package)
    with pytest.raises(ValueError, match="study run learning-rate --preset paper"):
        committed_result("learning-rate")
    folder = tmp_path / place / "learning-rate"
    shutil.copytree(RESULTS / "learning-rate", folder, ignore=shutil.ignore_patterns("*.png", "*.md"))
    assert committed_result("learning-rate").study == "learning-rate"
    head = folder / "result.json"
    head.write_text(head.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="is not the committed one"):
        committed_result("learning-rate")


def test_a_study_without_a_result_is_named():
    with pytest.raises(ValueError, match=r"study='pooled' has no result in this package; there are activation, "):
        committed_result("pooled")

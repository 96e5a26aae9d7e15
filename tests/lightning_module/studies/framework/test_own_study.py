"""The study that the documentation writes, as a file: from the command line, and its verdict worked out by hand."""

import re
from pathlib import Path

import pytest
from scipy import stats

from lightning_module.cli import main
from lightning_module.studies import Result

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "own-study.md"
(CODE,) = (
    block
    for block in re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    if "STUDY = Study(" in block
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("own")


def study(folder, command, *arguments):
    place = ["--folder", str(folder / "result")]
    return main(["study", command, str(folder / "translation_study.py"), *place, *arguments])


def test_is_twenty_lines():
    study_and_claim, _ = CODE.split("if __name__")
    assert sum(bool(line.strip()) for line in study_and_claim.splitlines()) <= 20
    assert max(map(len, CODE.splitlines())) <= 120


def test_runs_from_the_command_line(folder, capsys):
    (folder / "translation_study.py").write_text(CODE)
    assert study(folder, "run", "--workers", "1", "--set", "seeds=2") == 0
    capsys.readouterr()
    assert study(folder, "verify") == 0
    assert "2 of 2 data sets are made anew" in capsys.readouterr().out
    rows = Result.load(folder / "result").rows.set_index(["network", "data", "seed"])["accuracy"]
    gain = [
        (rows["cnn", "default", seed] - rows["mlp", "default", seed])
        - (rows["cnn", "no-shift", seed] - rows["mlp", "no-shift", seed])
        for seed in (0, 1)
    ]
    assert study(folder, "plot") == 0
    (verdict,) = _judged(folder)
    assert verdict.parts[0].interval.estimate == pytest.approx(sum(gain) / 2)
    assert verdict.p == pytest.approx(stats.ttest_1samp(gain, 0.1).pvalue)
    assert (verdict.finding == "holds") == (verdict.p < 0.05)


def _judged(folder):
    from lightning_module.studies import STUDIES

    return STUDIES.find(str(folder / "translation_study.py")).judge(Result.load(folder / "result"))

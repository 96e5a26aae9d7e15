"""A replication on other seeds: every study knows its first seed, and disagreement is said."""

import re
from pathlib import Path

import pandas as pd
import pytest

import lightning_module.studies
from lightning_module.commands.study import main
from lightning_module.studies import Claim, value
from lightning_module.studies.framework.claims import judge
from lightning_module.studies.framework.proof.replication import compare_verdicts
from lightning_module.studies.recipe_sweep.study import STUDY as SWEEP

CLAIM = [Claim(name="a", text=".", finding=value("gain") > 0.5)]
COUNTED = re.compile(r"range\((?:config\.)?(?:\w+_)?seeds\)|train\([^)]*config\.seeds")


def verdicts(*numbers):
    return judge(CLAIM, {"rows": pd.DataFrame({"seed": range(len(numbers)), "gain": numbers})})


@pytest.mark.parametrize(
    ("here", "agreement"),
    [
        ([1.0, 1.1, 0.9], "same"),
        ([0.1, 0.11, 0.12], "opposite"),
        ([3.0, 3.1, 3.05], "apart"),
        ([0.2, 1.4, 1.5], "less certain"),
        ([1.0], "not compared"),
    ],
)
def test_agreement(here, agreement):
    (compared,) = compare_verdicts(verdicts(1.05, 1.0, 0.95), verdicts(*here))
    assert compared.agreement == agreement


def test_no_study_counts_its_seeds_from_zero():
    folder = Path(lightning_module.studies.__file__).parent
    for file in folder.glob("*/*.py"):
        if file.parent.name not in ("framework", "report"):
            assert not COUNTED.search(file.read_text(encoding="utf-8")), file


def test_a_first_seed_decides_data_and_networks():
    changes = {"iid_noise_scale": (0.02,), "corr_noise_scale": (), "max_translation": (), "final_seq_length": ()}
    changes = {name: value for name, value in changes.items() if value}
    cell = SWEEP.cells(SWEEP.config("smoke"))[0]
    one = SWEEP.run_cell(SWEEP.config("smoke", seeds=2, first_seed=1, **changes), cell)
    two = SWEEP.run_cell(SWEEP.config("smoke", seeds=2, first_seed=2, **changes), cell)
    of = [{row["seed"]: row for row in each.tables["rows"]} for each in (one, two)]
    assert (set(of[0]), set(of[1])) == ({1, 2}, {2, 3})
    assert of[0][2] == of[1][2]  # the same seed, wherever it stands among the others
    assert [sorted(label for label in each.data if "seed" in label)[0][-1] for each in (one, two)] == ["1", "2"]


def test_the_command_compares_with_a_result(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    study = "from lightning_module.studies import Cell, Claim, Config, Study, value\n"
    study += "def run_cell(config, cell):\n"
    study += "    sign = -1 if config.first_seed else 1\n"
    study += '    return [{"seed": s, "gain": sign * (1 + 0.01 * (s % 5))} for s in config.seed_range]\n'
    study += (
        'STUDY = Study(name="mine", question="?", presets={"quick": Config(seeds=5)}, cells=lambda _: [Cell({})],\n'
    )
    study += '    run_cell=run_cell, claims=[Claim(name="a", text=".", finding=value("gain") > 0.0)])\n'
    Path("mine_replicated.py").write_text(study, encoding="utf-8")
    assert main(["run", "mine_replicated.py", "--workers", "1", "--folder", "first"]) == 0
    arguments = ["replicate", "mine_replicated.py", "--workers", "1", "--against", "first"]
    assert main([*arguments, "--first-seed", "0", "--folder", "same"]) == 0
    assert "1 same" in capsys.readouterr().out
    assert main(arguments) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "seeds 50000 to 50004" in said
    assert "opposite: there a: holds" in said
    assert main([*arguments[:-2], "--against", "nowhere"]) == 2
    assert main(arguments[:-2]) == 2
    assert "no result of study 'mine' comes with the package: name yours, --against FOLDER" in capsys.readouterr().err

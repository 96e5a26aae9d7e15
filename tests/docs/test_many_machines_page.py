"""What the page about many machines shows: its Slurm script, run as Slurm would, on the page's own study."""

import os
import re
import subprocess
from pathlib import Path

from lightning_module.cli import main
from lightning_module.studies import Result

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


def test_the_script_of_the_page_runs_the_study_of_the_page(tmp_path, monkeypatch, capsys):
    page = (HOW_TO / "many-machines.md").read_text(encoding="utf-8")
    study, *_ = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "mlp_sweep.py").write_text(study)
    (tmp_path / "bin").mkdir()
    srun = tmp_path / "bin" / "srun"
    srun.write_text('#!/bin/bash\nprintf \'%s\\n\' "$OMP_NUM_THREADS" "$@"\n')
    srun.chmod(0o755)
    variables = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "SLURM_CPUS_PER_TASK": "1"}
    said = subprocess.run(
        ["bash", str(HOW_TO / "sweep.sbatch")], env=os.environ | variables, capture_output=True, text=True, check=True
    )
    threads, program, *arguments = said.stdout.splitlines()
    assert (threads, program) == ("1", "mnist1d")
    monkeypatch.chdir(tmp_path)
    assert main([each.replace("paper", "smoke") for each in arguments]) == 0
    assert len(Result.load("runs/mlp-sweep").rows) == 4
    assert "everything is in runs/mlp-sweep/" in capsys.readouterr().out
    last = re.search(r'--wrap "mnist1d ([^"]+)"', page)[1].split()  # what is to follow the array
    assert main([each.replace("paper", "smoke") for each in last] + ["--workers", "1"]) == 0

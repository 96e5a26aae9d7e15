import subprocess
import sys
from pathlib import Path

import counting
import pytest
from rich.console import Console

from lightning_module.cli import main
from lightning_module.commands.study import printing
from lightning_module.studies import STUDIES, Result
from lightning_module.twin import pl  # noqa: F401  # else the first test that checks a result is who sets its log's level

FILE = str(Path(counting.__file__))


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "lightning_module.studies.framework.records.environment.cores", lambda: 1
    )  # other processes take long to start


@pytest.fixture
def run(capsys):
    """Runs a command; returns its exit status and what it printed on both."""

    def command(*arguments):
        try:
            status = main(["study", *map(str, arguments)])
        except SystemExit as stop:
            status = stop.code
        return status, *capsys.readouterr()

    return command


def test_list_names_every_study(run):
    status, out, _ = run("list")
    assert status == 0
    for name in STUDIES:
        assert name in out
        assert STUDIES.summary(name)[:40] in out


def test_every_listed_study_is_there_under_its_name():
    for name, study in STUDIES.items():
        assert study.name == name
        assert {"smoke", "quick", "paper"} <= study.presets.keys()
        assert name == name.lower().replace("_", "-")


@pytest.mark.parametrize(("width", "last"), [(60, "has to be"), (120, "published")])
def test_no_column_of_the_verdicts_is_squeezed_away(run, monkeypatch, width, last):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(printing, "console", Console())
    status, out, _ = run("run", FILE, "--preset", "quick")
    assert status == 0
    lines = out.splitlines()
    (head,) = [line for line in lines if line.startswith("claim ")]
    assert head.rstrip().endswith(last)
    assert any("1 ✓ inside" in line for line in lines) == (width == 120)
    assert any(" 3 " in line for line in lines if line.startswith("small")) == (width == 120)


def test_a_smoke_run_has_no_verdicts(run):
    for arguments in (["run", FILE, "--preset", "smoke"], ["verify", FILE, "--preset", "smoke"]):
        status, out, _ = run(*arguments)
        assert status == 0
        assert "a smoke run says nothing, so there are no verdicts" in out
        assert "holds" not in out
        assert "inside" not in out
    # More seeds do not make a smoke run another one; more cells do.
    assert "no verdicts" in run("run", FILE, "--preset", "smoke", "--set", "seeds=4")[1]
    assert "no verdicts" not in run("run", FILE, "--preset", "smoke", "--set", "cells=5")[1]


def test_run_prints_verdicts_and_writes_everything(run, tmp_path):
    status, out, _ = run("run", FILE, "--preset", "quick")
    assert status == 0
    lines = {line.split()[0]: line for line in reversed(out.splitlines()) if line.split()}
    estimate = Result.load("outputs/studies/counting-quick").rows.query("cell == 0")["number"].mean()
    assert "holds" in lines["small"]
    assert f"{estimate:.1f}" in lines["small"]
    assert "< 100" in lines["small"]
    assert " 3 " in lines["small"]
    assert "1 ✓ inside" in lines["one"]
    assert "never was not tested: numbers have no taste" in out
    assert "one was not tested" not in out  # its number was
    names = {path.name for path in (tmp_path / "outputs" / "studies" / "counting-quick").iterdir()}
    assert {"result.json", "rows.csv", "notes.csv", "arrays.npz", "figure.png"} <= names
    assert "everything is in outputs/studies/counting-quick/" in out


def test_many_numbers_are_counted_and_those_outside_are_named(run, monkeypatch):
    monkeypatch.setattr("lightning_module.commands.study.verdicts.MOST_NUMBERS", 0)
    status, out, _ = run("run", FILE, "--preset", "quick")
    assert status == 0
    assert "Of 1 further published numbers 1 are inside" in out
    assert "one was not tested" not in out


def test_run_goes_on_where_it_was(run, tmp_path, monkeypatch):
    notes = tmp_path / "notes"
    monkeypatch.setenv(counting.NOTES, str(notes))
    monkeypatch.setenv(counting.FAILS, "2")
    status, _, error = run("run", FILE, "--preset", "smoke", "--folder", "mine")
    assert status == 1
    assert "error: cell cell=2,kind=a_b: LookupError: no such thing" in error
    assert "1 of 4 cells failed, each 3 times; 3 are done and kept" in error
    assert "the same command goes on" in error
    assert "Traceback" not in error
    assert "in run_cell" in Path("mine/cells/cell=2,kind=a_b.error.txt").read_text()
    assert not Path("mine/result.json").exists()
    monkeypatch.delenv(counting.FAILS)
    assert run("run", FILE, "--preset", "smoke", "--folder", "mine")[0] == 0
    assert notes.read_text().split() == ["0", "1", "2", "3", "2", "2", "2"]
    assert not list(Path("mine/cells").glob("*.error.txt"))
    assert run("run", FILE, "--preset", "smoke", "--folder", "mine", "--restart")[0] == 0
    assert len(notes.read_text().split()) == 11


def test_set_changes_numbers(run):
    status, _, _ = run("run", FILE, "--preset", "smoke", "--set", "seeds=2", "scale=1e-1")
    assert status == 0
    result = Result.load("outputs/studies/counting-custom")
    assert result.config == {"seeds": 2, "cells": 4, "scale": 0.1}


def test_plot_draws_again(run, tmp_path):
    run("run", FILE, "--preset", "smoke")
    figure = tmp_path / "outputs" / "studies" / "counting-smoke" / "figure.png"
    before = figure.read_bytes()
    figure.unlink()
    status, out, _ = run("plot", FILE, "--preset", "smoke")
    assert (status, figure.read_bytes()) == (0, before)
    assert "figure.png" in out


@pytest.fixture
def saved(run):
    run("run", FILE, "--preset", "smoke", "--folder", "mine")
    return Result.load("mine")


def verify(run):
    return run("verify", FILE, "--folder", "mine")


def test_verify_is_content_with_what_is_as_it_was(run, saved):
    status, out, _ = verify(run)
    assert status == 0
    assert "DIFFERS" not in out
    assert "band first" in out
    assert "hundredth" not in out
    assert "not verified  4 of 4 data sets, which are not ours" in out


def test_report_of_all_results(run):
    run("run", FILE, "--preset", "smoke")
    status, out, _ = run("report", "--output", "pages")
    assert status == 0
    written = {Path(line).relative_to(Path("pages").resolve()).as_posix() for line in out.split()}
    assert written >= {"report.md", "report.html", "report/verdicts.md", "report/counting.md"}
    assert all(Path("pages", file).is_file() for file in written)
    assert "counting" in Path("pages/report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "benchmrk"], "did you mean 'benchmark'? Known: "),
        (["verify", FILE, "--recompute", "-1"], "--recompute -1 must be at least 1"),
        (["verify", FILE, "--mnist", "digits.npz"], "--mnist and --set say where data are that --recompute N needs"),
        (["verify", "benchmark"], "holds no result.json; run the study first"),
        (["plot", "nothing.py"], "file='nothing.py' does not exist"),
        (["run", FILE, "--preset", "papper"], "did you mean 'paper'? Known: smoke, quick, paper"),
        (["run", FILE, "--set", "sceds=3"], "did you mean 'seeds'? Known: seeds, first_seed, cells, scale"),
        (["run", FILE, "--set", "seeds"], "must be NAME=VALUE"),
        (["run", FILE, "--set", "seeds=many"], "--set seeds=many"),
        (["run", FILE, "--set", "seeds=0"], "seeds=0 must be at least 1"),
        (["run", FILE, "--mnist", "digits.npz"], "mnist=digits.npz"),
        (
            ["run", "comparison", "--preset", "smoke", "--mnist", "digits.npz"],
            "No such file or directory: 'digits.npz'",
        ),
        (["run", FILE, "--workers", "0"], "workers=0 must be at least 1"),
        (["report"], "holds no result.json; run a study first"),
    ],
)
def test_errors_are_one_line_and_status_2(run, arguments, message):
    status, _, error = run(*arguments)
    assert status == 2
    first, *more = error.splitlines()
    assert message in first
    assert more == ([f"see mnist1d study {arguments[0]} --help"] if first.startswith("error: --") else [])


def test_result_of_another_study_is_refused(run, saved):
    status, _, error = run("verify", "benchmark", "--folder", "mine")
    assert status == 2
    assert "holds a result of study 'counting', not of 'benchmark'" in error


def test_files_that_are_no_study(run, tmp_path):
    before = sys.path.copy()
    Path("empty_study.py").write_text("")
    assert "has no STUDY" in run("run", "empty_study.py")[2]
    Path("statistics.py").write_text("")
    assert "there is a module 'statistics' already" in run("run", "statistics.py")[2]
    assert sys.path == before  # else a process that is spawned later finds this file in place of Python's own


@pytest.mark.slow  # both processes import torch
def test_own_study_in_a_file_is_run_by_two_processes(tmp_path):
    command = [sys.executable, "-c", "from lightning_module.cli import main; raise SystemExit(main())"]
    arguments = ["study", "run", FILE, "--preset", "smoke", "--workers", "2", "--folder", "mine"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stderr
    assert len(Result.load("mine").rows) == 12


LIGHT = [
    "import lightning_module",
    "import lightning_module.cli",
    "import lightning_module.studies; list(lightning_module.studies.STUDIES)",
    "from lightning_module.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass",
]


@pytest.mark.parametrize("code", LIGHT)
def test_neither_torch_nor_pandas_nor_scipy(python, code):
    loaded = python(f"{code}\nimport sys; print(*sys.modules)").split()
    assert "lightning_module" in loaded
    assert not {"torch", "pandas", "scipy", "sklearn", "matplotlib", "pytorch_lightning"} & set(loaded)


def test_listing_needs_no_torch(python):
    code = "from lightning_module.cli import main; main(['study', 'list'])\nimport sys; print(*sys.modules)"
    loaded = python(code).split()
    assert "benchmark" in loaded
    assert not {"torch", "scipy", "pytorch_lightning"} & set(loaded)


def test_every_public_name_is_there():
    from lightning_module import studies

    for name in studies.__all__:
        assert getattr(studies, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Studdy'"):
        studies.Studdy  # noqa: B018
    assert set(studies.__all__) <= set(dir(studies))


def test_a_study_without_claims_has_no_table_of_verdicts(tmp_path, capsys):
    path = tmp_path / "plain_sweep.py"
    path.write_text(
        "from dataclasses import dataclass\n\n"
        "from lightning_module.studies import Cell, Config, Outcome, Study\n\n\n"
        "@dataclass(frozen=True, kw_only=True)\nclass Plain(Config):\n    seeds: int = 1\n\n\n"
        "def cells(config):\n    return [Cell({'seed': seed}) for seed in config.seed_range]\n\n\n"
        "def run_cell(config, cell):\n"
        "    return Outcome({'rows': [{**cell.of, 'number': 1.5}]}, data={'none': 'no data'})\n\n\n"
        "PRESETS = {'smoke': Plain(), 'paper': Plain(seeds=3)}\n"
        "STUDY = Study(name='plain', question='What is it?', presets=PRESETS, cells=cells, run_cell=run_cell)\n"
    )
    for preset in ("smoke", "paper"):
        assert main(["study", "run", str(path), "--preset", preset, "--folder", str(tmp_path / preset)]) == 0
        out = capsys.readouterr().out
        assert "It has no claims, so there are no verdicts" in out
        assert "finding" not in out


FILED = """
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from lightning_module.studies import Config, Study, grid

@dataclass(frozen=True, kw_only=True)
class FiledConfig(Config):
    '''Numbers.

    Args:
        seeds: Number of seeds.
        table: A file with a number.
    '''

    seeds: int = 2
    table: str | None = field(default=None, compare=False)

    def record(self):
        digest = hashlib.sha256(Path(self.table).read_bytes()).hexdigest() if self.table else None
        return {**super().record(), "table": digest}

def run_cell(config, cell):
    return [{"a": cell["a"], "number": float(Path(config.table).read_text())}]

STUDY = Study(
    name="filed", question="?", presets={"smoke": FiledConfig(), "quick": FiledConfig()}, cells=grid(a=[1, 2]),
    run_cell=run_cell,
)
"""


def test_data_in_files_are_named_again(run, tmp_path):
    study, table, other = (tmp_path / name for name in ("filed.py", "a.txt", "b.txt"))
    study.write_text(FILED)
    table.write_text("1.5")
    other.write_text("2.5")
    assert run("run", study, "--folder", tmp_path / "mine", "--set", f"table={table}", "--workers", "1")[0] == 0
    verify = ("verify", study, "--folder", tmp_path / "mine", "--recompute", "1")
    for more in ((), ("--set", f"table={other}")):
        status, out, _ = run(*verify, *more)
        assert (status, "name the file with --set table=PATH" in out) == (3, True), out
    status, out, _ = run(*verify, "--set", f"table={table}")
    assert (status, "the same to the last bit" in out) == (0, True), out
    for change in ("seeds=3", "tabel=x"):
        status, _, error = run(*verify, "--set", change)
        assert status == 2
        assert "must be one of table: only where data come from may be another here" in error
    status, _, error = run("verify", FILE, "--folder", tmp_path / "mine", "--recompute", "1", "--set", "table=x")
    assert status == 2

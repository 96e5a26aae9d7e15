"""Every command and every public function where a package that an extra brings is not installed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mnist1d_hf
from mnist1d_hf.extras import EXTRAS

ROOT = Path(__file__).parents[2]

# A package as if it were not installed, in a process and in those that it starts.
BLOCKER = """
import importlib.machinery, importlib.metadata, os

blocked = os.environ["BLOCKED"].split(",")
distributions = [{"sklearn": "scikit-learn"}.get(name, name) for name in blocked]
find_spec, from_name = importlib.machinery.PathFinder.find_spec, importlib.metadata.Distribution.from_name

def hiding(name, path=None, target=None):
    return None if name.partition(".")[0] in blocked else find_spec(name, path, target)

def without(name):
    if name in distributions:
        raise importlib.metadata.PackageNotFoundError(name)
    return from_name(name)

importlib.machinery.PathFinder.find_spec = staticmethod(hiding)
importlib.metadata.Distribution.from_name = without
"""
RUN = """
import contextlib, io, json, sys

def run(kind, code):
    if kind == "command":
        from lightning_module.cli import main
        return main(code)
    exec(code, {})
    return 0

for kind, code in json.loads(sys.argv.pop()):
    error = io.StringIO()
    with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
        try:
            status = run(kind, code)
        except SystemExit as stopped:
            status = stopped.code
        except BaseException as raised:
            status = f"{type(raised).__name__}: {raised}"
    print(json.dumps([status, error.getvalue()]), flush=True)
"""

FIT = ["--config", "logistic.yaml", "--trainer.fast_dev_run=true", "--trainer.logger=false"]
COMMANDS = {
    "list": ["data", "list"],
    "info": ["data", "info", "default"],
    "build": ["data", "build", "train-1k"],
    "install": ["data", "install", "train-1k"],
    "export": ["data", "export", "exported", "--config", "train-1k", "--overwrite"],
    "verify": ["data", "verify"],
    "animate": ["data", "animate", "--out", "moving.gif", "--fps", "2", "--duration", "9"],
    "still": ["data", "animate", "--out", "still.png"],
    "push": ["data", "push", "someone/data", "--config", "train-1k", "--dry-run"],
    "model push": ["model", "push", "someone/model", "none.ckpt"],
    "model pull": ["model", "pull", "someone/model", "pulled"],
    "studies": ["study", "list"],
    "plot": ["study", "plot", "benchmark", "--folder", "saved"],
    "study verify": ["study", "verify", "benchmark", "--folder", "saved"],
    "report": ["study", "report", "--folder", "results"],
    "run": ["study", "run", "benchmark", "--preset", "smoke", "--folder", "run", "--workers", "1"],
    "neighbours": ["study", "run", "priors", "--preset", "smoke", "--folder", "neighbours", "--workers", "1"],
    "quiz": ["quiz", "--number", "1"],
    "demo": ["demo", "--network", "logistic", "--steps", "1"],
    "fit": ["fit", *FIT],
    "validate": ["validate", *FIT],
    "test": ["test", *FIT],
    "predict": ["predict", *FIT],
}
PYTHON = {
    "plot_signals": "import mnist1d_hf as m; from mnist1d_hf import plot; plot.plot_templates()",
    "animation": """
import mnist1d_hf
from mnist1d_hf.plot import animation
from mnist1d_hf.plot.construction import Construction
next(animation.animate(Construction.make(mnist1d_hf.Recipe(), stream='reference'), fps=2, duration=9))""",
    "data module": "import lightning_module as m; m.MNIST1DDataModule().plot()",
    "studies": "from lightning_module.studies import *; from lightning_module.studies import verdict_table",
    "power": "from lightning_module.studies.framework.statistics import seeds_needed",
    "censored": "from lightning_module.studies.framework.censored_fit import censored_fit",
    "panels": "from lightning_module.studies.framework.figures import panels; panels()",
    "sklearn": "from lightning_module.studies.methods.other_data.tasks import sklearn; sklearn('svm')",
    "tsne": "import numpy; from lightning_module.studies.methods.embedding import tsne;"
    " tsne(numpy.zeros((200, 4)), seed=0)",
    "each study": "from lightning_module.studies import STUDIES; [STUDIES[name] for name in STUDIES]",
}
FAILING = {"push", "model push", "model pull"}  # without a network, and a checkpoint
# What may be done without each, and what not.
NEEDING = {
    "matplotlib": {"animate", "still", "plot", "run", "neighbours"}  # a report has the figures beside the result
    | {"plot_signals", "animation", "data module", "panels"},
    "scipy": {"plot", "study verify", "report", "run", "neighbours"}
    | {"studies", "power", "censored", "panels", "sklearn", "tsne", "each study"},
    "sklearn": {"run", "sklearn", "tsne"},  # openTSNE stands on it
    "openTSNE": {"tsne"},
}


@pytest.fixture(scope="module")
def without(tmp_path_factory):
    """Runs all commands without a package; returns what came of each, by name."""

    def run(package):
        folder = tmp_path_factory.mktemp("without")
        (folder / "sitecustomize.py").write_text(BLOCKER)
        published = ROOT / "docs" / "results" / "benchmark"
        (folder / "saved").symlink_to(published)
        shutil.copytree(published, folder / "results" / "benchmark")  # reports look into no linked folders
        lines = [("command", arguments) for arguments in COMMANDS.values()] + [("python", x) for x in PYTHON.values()]
        done = subprocess.run(
            [sys.executable, "-c", RUN, json.dumps(lines)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "BLOCKED": package},
            check=False,
        )
        found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
        assert len(found) == len(lines), done.stderr
        return dict(zip([*COMMANDS, *PYTHON], found, strict=True))

    return run


def assert_said(outcomes, packages):
    """What needs one of the packages says how to get one of them, in one line; the rest never speaks of them."""
    installs = [
        f'{each} is needed here and is not installed: pip install "mnist1d-hf[{EXTRAS[each]}]"' for each in packages
    ]
    needing = set().union(*(NEEDING[each] for each in packages))
    for name, (status, error) in outcomes.items():
        assert "Traceback" not in error, name
        if name not in needing:
            assert name in FAILING or status == 0, (name, status, error)
            assert not any(install in f"{status}{error}" for install in installs), name
        elif name in PYTHON:
            assert status in [f"MissingExtraError: {install}" for install in installs], name
        else:
            assert status == 2, name
            assert error.splitlines()[-1] in [f"error: {install}" for install in installs], name


def test_without_any_extra_what_needs_one_says_so_and_the_rest_works(without):
    assert_said(without(",".join(NEEDING)), list(NEEDING))


@pytest.mark.slow
@pytest.mark.parametrize("package", NEEDING)
def test_what_needs_it_says_so_in_a_line_and_the_rest_works(without, package):
    assert_said(without(package), [package])


def test_every_extra_of_the_table_is_one_of_the_package():
    import tomllib

    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {"plot", "studies", "notebooks"} <= set(EXTRAS.values()) & set(known)
    assert mnist1d_hf.extras.missing_extra(ImportError("of something else", name="elsewhere")) is None

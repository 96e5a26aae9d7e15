"""`pytorch_lightning` or `lightning.pytorch`: which one our classes are made for, and what is said of the other."""

import ast
import importlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from fits import trainer_in
from torch import nn

import lightning_module
from lightning_module import Classifier, MNIST1DDataModule, twin
from lightning_module.cli import main

hparams_mixin = importlib.import_module(f"{twin.PACKAGE}.core.mixins.hparams_mixin")
needs_both = pytest.mark.skipif(not all(map(find_spec, twin.PACKAGES)), reason="only one of the two is installed")


def run(code: str, path: Path, *, variable: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != twin.VARIABLE}
    environment |= {"OMP_NUM_THREADS": "1"} | ({twin.VARIABLE: variable} if variable is not None else {})
    command = [sys.executable, "-W", "always::UserWarning", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=path, check=False, timeout=240)


# What is imported, the variable, what is chosen.
CHOICES = [
    ((), None, "pytorch_lightning"),
    (("lightning", "lightning.pytorch"), None, "lightning"),
    (("lightning",), None, "pytorch_lightning"),  # something else of that name
    (("pytorch_lightning",), None, "pytorch_lightning"),
    (("lightning.pytorch", "pytorch_lightning"), None, "pytorch_lightning"),
    ((), "lightning", "lightning"),
    (("lightning.pytorch",), "pytorch_lightning", "pytorch_lightning"),
    (("pytorch_lightning",), "lightning", "lightning"),
    (("lightning.pytorch",), "", "lightning"),
]


@pytest.mark.parametrize(("imported", "variable", "expected"), CHOICES)
def test_choice(imported, variable, expected):
    assert twin.choice({} if variable is None else {twin.VARIABLE: variable}, imported) == expected


def test_a_variable_that_names_neither_is_an_error():
    with pytest.raises(ValueError, match=r"^MNIST1D_LIGHTNING='torch' must be pytorch_lightning or lightning"):
        twin.choice({twin.VARIABLE: "torch"}, ())


def test_this_process_hands_its_choice_on():
    assert os.environ[twin.VARIABLE] == twin.CHOSEN
    assert twin.pl.__name__ == twin.PACKAGE == twin.PACKAGES[twin.CHOSEN]
    assert issubclass(Classifier, twin.pl.LightningModule)
    assert issubclass(MNIST1DDataModule, twin.pl.LightningDataModule)


def test_a_package_that_is_not_installed_is_named(tmp_path):
    hide = (
        "import importlib.util as u; real = u.find_spec; u.find_spec = lambda n: n != 'lightning' and real(n) or None"
    )
    done = run(f"{hide}\nfrom lightning_module.twin import pl", tmp_path, variable="lightning")
    assert 'pip install "mnist1d-hf[lightning]"' in done.stderr.splitlines()[-1]


LATE = """
import torch
from lightning_module import Classifier, Ensemble, MNIST1DDataModule, StepsPerExecution
from lightning_module.commands.predictions import PredictionWriter
from lightning_module.replicas.rows import OwnRows
from lightning_module.loop.threads import ThreadPerNetwork
import lightning as L
Classifier("mlp"), Ensemble("mlp", 2), MNIST1DDataModule()

class Own(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(40, 10)
    def training_step(self, batch, batch_idx):
        return torch.nn.functional.cross_entropy(self.linear(batch[0]), batch[1])
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

def fit(*data, callbacks=(), **keywords):
    quiet = dict(logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
    L.Trainer(max_steps=1, accelerator="cpu", callbacks=list(callbacks), **quiet).fit(Own(), *data, **keywords)

data = MNIST1DDataModule(val=None)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.rand(8, 40), torch.arange(8)))
"""
REFUSED = [
    ("fit(datamodule=data)", "MNIST1DDataModule"),
    ("fit(data)", "MNIST1DDataModule"),
    ("fit(loader, callbacks=[PredictionWriter()])", "PredictionWriter"),
    ("fit(loader, callbacks=[OwnRows()])", "OwnRows"),
    ("fit(loader, callbacks=[StepsPerExecution()])", "StepsPerExecution"),
    ("fit(loader, callbacks=[ThreadPerNetwork()])", "ThreadPerNetwork"),
]


@needs_both
def test_the_other_one_imported_later_is_warned_of_once_and_refused_by_name(tmp_path):
    code = LATE
    for call, _ in REFUSED:
        code += f"try:\n    {call}\n    print('TAKEN')\nexcept ValueError as error:\n    print('REFUSED', error)\n"
    done = run(code, tmp_path)
    (line,) = [line for line in done.stderr.splitlines() if "does not take it" in line]
    assert line.startswith("<string>:8: UserWarning: Classifier is one of pytorch_lightning, and lightning.pytorch is")
    lines = [line for line in done.stdout.splitlines() if line.startswith(("REFUSED", "TAKEN"))]
    assert len(lines) == len(REFUSED), done.stderr[-3000:]
    for line, (_, name) in zip(lines, REFUSED, strict=True):
        if (
            line == "REFUSED Expected a parent"
        ):  # Lightning 2.5 does so by itself, before it tells a callback of the trainer
            assert twin.pl.__version__.startswith("2.5")
            continue
        assert line.startswith(f"REFUSED this {name} is ")
        assert "import lightning before the first class of lightning_module" in line
        assert "set the environment variable MNIST1D_LIGHTNING=lightning" in line


@needs_both
def test_commands_use_pytorch_lightning_whatever_the_variable_says(tmp_path):
    code = (
        "import sys\nsys.argv = ['mnist1d', 'fit', '--config', 'logistic.yaml', '--trainer.fast_dev_run=true']\n"
        "from lightning_module.cli import main\nprint(main())\nfrom lightning_module.twin import CHOSEN\nprint(CHOSEN)"
    )
    done = run(code, tmp_path, variable="lightning")
    assert done.stdout.splitlines()[-2:] == ["0", "pytorch_lightning"], done.stderr[-2000:]
    assert "MNIST1D_LIGHTNING=lightning is for Python programs; mnist1d uses pytorch_lightning" in done.stderr


# With the other package imported first: goes on from our checkpoint, then trains and saves by its own LightningCLI.
OTHER = """
import {other} as L
from lightning_module import Classifier, MNIST1DDataModule
from lightning_module.commands.training import main
model, data = Classifier.load_from_checkpoint({path!r}), MNIST1DDataModule.load_from_checkpoint({path!r})
quiet = dict(accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False)
trainer = L.Trainer(max_steps=4, **quiet)
trainer.fit(model, data, ckpt_path={path!r})
print("steps", trainer.global_step, isinstance(model, L.LightningModule))
assert main({arguments!r}) == 0
"""
FIT = [
    *("fit", "--config", "logistic.yaml", "--trainer.max_steps=2", "--trainer.val_check_interval=2"),
    *("--trainer.enable_progress_bar=false", "--trainer.logger=false", "--trainer.enable_model_summary=false"),
]


@needs_both
def test_a_checkpoint_of_either_loads_in_both(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(FIT) == 0
    (path,) = tmp_path.rglob("*.ckpt")
    code = OTHER.format(other=twin.OTHER, path=str(path), arguments=[*FIT, "--trainer.default_root_dir=other"])
    done = run(code, tmp_path)
    assert "steps 4 True" in done.stdout, done.stderr[-3000:]
    assert "does not take it" not in done.stderr
    (theirs,) = (tmp_path / "other").rglob("*.ckpt")
    content = torch.load(theirs, weights_only=True)
    assert not [name for name in content["hyper_parameters"] if name.startswith("_")]
    model, data = Classifier.load_from_checkpoint(theirs), MNIST1DDataModule.load_from_checkpoint(theirs)
    trainer = trainer_in(tmp_path, max_steps=4)
    trainer.fit(model, data, ckpt_path=theirs)
    assert trainer.global_step == 4


class Encoded(Classifier):
    """A subclass with an argument that only its config can tell how to make."""

    def __init__(self, encoder: nn.Module, **keywords):
        super().__init__(encoder, **keywords)
        self.save_hyperparameters()


@pytest.mark.parametrize("package", twin.PACKAGES.values())
def test_what_a_command_line_leaves_among_the_hyperparameters_is_known_to_both(package):
    given = {"encoder": {"class_path": "torch.nn.Linear"}}
    with hparams_mixin._given_hyperparameters_context(given, f"{package}.cli.instantiate_module"):
        module, plain = Encoded(nn.Linear(40, 10)), Classifier("mlp")
    assert module.hparams["_instantiator"] == "pytorch_lightning.cli.instantiate_module"
    assert "_instantiator" not in plain.hparams


def test_no_other_file_names_either_package_in_an_import():
    folder = Path(lightning_module.__file__).parent
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            if {name.split(".")[0] for name in names} & {"pytorch_lightning", "lightning", "lightning_fabric"}:
                found.add(path.relative_to(folder).as_posix())
    assert found == {"twin.py"}

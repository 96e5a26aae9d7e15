"""Small fits that the tests compare."""

import csv
import inspect
from pathlib import Path
from typing import Any

import torch

from lightning_module import Classifier, MNIST1DDataModule
from lightning_module.twin import pl

# How a checkpoint is loaded to go on training: Lightning has had the choice since 2.6.
SAFELY = {"weights_only": True} if "weights_only" in inspect.signature(pl.Trainer.fit).parameters else {}


def data_of(folder: Path, **keywords: Any) -> MNIST1DDataModule:
    return MNIST1DDataModule(str(folder), **{"batch_size": 40, "val": "test", **keywords})


def classifier(network: Any = "mlp", steps: Any = "auto", kind: type[Classifier] = Classifier) -> Classifier:
    torch.manual_seed(3)
    return kind(network() if isinstance(network, type) else network, steps_per_execution=steps)


def trainer_in(path: Path, **keywords: Any) -> pl.Trainer:
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    return pl.Trainer(default_root_dir=path, **{"accelerator": "cpu", **quiet, **keywords})


class Batches(pl.Callback):
    """What a callback around batches sees: the batch's number and the steps taken so far."""

    allows_several_steps = True

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.seen.append((batch_idx, trainer.global_step))


class Validations(pl.Callback):
    """The steps taken before each validation."""

    def __init__(self) -> None:
        self.steps: list[int] = []

    def on_validation_start(self, trainer: pl.Trainer, module: Any) -> None:
        if not trainer.sanity_checking:
            self.steps.append(trainer.global_step)


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def same(a: Any, b: Any) -> bool:
    """Returns whether two checkpoints, or parts of them, are equal in every entry and every bit."""
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and torch.equal(a, b)
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def same_weights(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    return same(dict(a.state_dict()), dict(b.state_dict()))

"""What `mnist1d fit` says before it trains and afterwards, and what Lightning does not say meanwhile."""

import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, cast

import torch
from torch import Tensor

import lightning_module
from lightning_module.classifier import Classifier
from lightning_module.datamodule import MNIST1DDataModule
from lightning_module.networks import NETWORKS, count_parameters, registered
from lightning_module.twin import PACKAGE, pl

FABRIC: Final = {"pytorch_lightning": "lightning_fabric", "lightning.pytorch": "lightning.fabric"}[PACKAGE]
OURS: Final = str(Path(lightning_module.__file__).parent)

# Which examples a network is evaluated on, and how many at once.
OF_DATA: Final = (
    *("path", "name", "revision", "val", "seed", "recipe", "classes", "batch_size", "eval_batch_size", "endless"),
)

# Warnings that somebody at a command line can do nothing about.
NOISE: Final = (
    "LightningCLI's args parameter",  # main passes the arguments on
    "`isinstance\\(treespec, LeafSpec\\)` is deprecated",  # Lightning and torch have to settle it
    "The number of training batches",  # rows of the log are counted through all epochs, so short epochs lose none
)


@contextmanager
def calm() -> Iterator[None]:
    """Lets Lightning warn, but not tell of devices, seeds and its other products; what we say by its log is heard."""
    handlers = [handler for name in (PACKAGE, FABRIC) for handler in logging.getLogger(name).handlers]
    for handler in handlers:
        handler.addFilter(_is_worth_it)
    try:
        with warnings.catch_warnings():
            for message in NOISE:
                warnings.filterwarnings("ignore", message=message)
            for package in (PACKAGE, FABRIC):
                warnings.filterwarnings("ignore", module=package)
            yield
    finally:
        for handler in handlers:
            handler.removeFilter(_is_worth_it)


def _is_worth_it(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.pathname.startswith(OURS)


def announcement(model: Classifier, data: MNIST1DDataModule, trainer: pl.Trainer) -> str:
    """Returns a sentence about a training that is to begin: network, data, length."""
    size = data.training_examples
    examples = "new examples at every step" if size is None else f"{size:,} examples"
    steps, epochs = trainer.max_steps, trainer.max_epochs
    long = f"for {steps:,} steps" if steps >= 0 else f"for {epochs:,} epochs" if (epochs or -1) >= 0 else "without end"
    where = data.name if data.path == "mnist1d" else f"{data.path}, {data.name}"
    return (
        f"Training {name_of(model)} ({count_parameters(model):,} parameters) on the data {where!r}: "
        f"{examples}, {data.batch_size} at a time, {long}."
    )


def outcome(model: Classifier, data: MNIST1DDataModule, steps: int) -> str:
    """Returns a sentence about a trained network: its accuracy on the test split, and the published one."""
    accuracy = test_accuracy(model, data)
    published = _published(model, data)
    beside = f"; published: {published:.0%}" if published is not None else ""
    return f"Test accuracy of {name_of(model)} after {steps:,} steps: {accuracy:.1%}{beside}."


def name_of(model: Classifier) -> str:
    """Returns the name of a classifier's network."""
    name = model.hparams.get("network")
    return str(name) if name in NETWORKS else type(model.network).__name__


def _published(model: Classifier, data: MNIST1DDataModule) -> float | None:
    name = model.hparams.get("network")
    if name not in NETWORKS or data.path != "mnist1d" or data.recipe or data.classes:
        return None
    found = registered(str(name))
    return {"default": found.accuracy, "shuffled": found.shuffled_accuracy}.get(str(data.name))


def test_accuracy(model: Classifier, data: MNIST1DDataModule) -> float:
    """Returns the fraction of the test split that a network reads right; whether it is in training stays as it is."""
    device, was_training = next(model.parameters()).device, model.training
    model.eval()
    with torch.inference_mode():
        right = seen = 0
        for x, y in cast(Iterable[tuple[Tensor, Tensor]], data.test_dataloader()):
            right += int((model(x.to(device)).argmax(1) == y.to(device)).sum())
            seen += len(y)
    model.train(was_training)
    return right / seen


def step_of(path: str) -> int:
    """Returns the number of optimiser steps that a checkpoint of this run has seen."""
    return int(_content(path)["global_step"])


def weights_of(path: str) -> Mapping[str, Tensor]:
    """Returns the weights in a checkpoint of this run."""
    return _content(path)["state_dict"]  # type: ignore[no-any-return]


def defaults_of(path: str) -> dict[str, Any]:
    """Returns network and data of a checkpoint as defaults of options; nothing of a file that is no such checkpoint.

    Only values that decide what is evaluated, and no name of a function or class: nothing is imported that a file
    names.
    """
    with suppress(Exception):  # Lightning reads it next, and says what is wrong
        checkpoint = _content(path)
        network = checkpoint[pl.LightningModule.CHECKPOINT_HYPER_PARAMS_KEY].get("network")
        found = {"model.network": network} if isinstance(network, str) and network in NETWORKS else {}
        data = checkpoint[pl.LightningDataModule.CHECKPOINT_HYPER_PARAMS_KEY]
        return found | {f"data.{name}": data[name] for name in OF_DATA if name in data}
    return {}


def _content(path: str) -> dict[str, Any]:
    return torch.load(path, map_location="cpu", weights_only=True)  # type: ignore[no-any-return]

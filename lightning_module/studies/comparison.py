"""MNIST-1D beside MNIST and the data sets that people take instead: what tells models apart, and with how many seeds?

Source: Greydanus (2020), "Scaling down Deep Learning", introduction and t-SNE figure; Greydanus & Kobak (2024).
"""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from lightning_module.datamodule import Examples
from lightning_module.networks import CNN, MLP, Logistic, count_parameters
from lightning_module.replica import Replica
from lightning_module.studies.base import Cell, Config, Outcome, Row, Study
from lightning_module.studies.comparison_claims import BANDS, CLAIMS
from lightning_module.studies.comparison_data import DIGITS, SETS, Sizes, Task, draw, sklearn
from lightning_module.studies.comparison_figures import draw_accuracies, draw_differences, draw_embeddings
from lightning_module.studies.comparison_protocol import PROTOCOL
from lightning_module.studies.data import frozen
from lightning_module.studies.embedding import agreement, baselines, tsne
from lightning_module.studies.image_cnn import ImageCNN
from lightning_module.studies.image_files import HUB, Array, NotToBeHadError, file_sha256, images
from lightning_module.studies.quantities import Scalar
from lightning_module.studies.trained import train

# What is compared at which n: "equal", all that scikit-learn's digits allow, or all of MNIST.
TRAININGS = {"digits": ("small",), "mnist1d": ("equal", "small"), "mnist": ("equal", "whole")}

# Seconds of a cell with three learning rates at paper scale, for the remaining time.
COST = {"logistic": 4.0, "mlp": 8.0, "cnn": 20.0}
IMAGE_COST = {"logistic": 8.0, "mlp": 15.0, "cnn": 90.0}
TSNE_COST, BASELINES_COST, SETS_COST = 20.0, 5.0, 0.5


@dataclass(frozen=True, kw_only=True)
class ComparisonConfig(Config):
    """The numbers of the comparison.

    Args:
        seeds: Number of seeds, which are 0, 1, 2, ...
        steps: Optimiser steps.
        rates: Learning rates, of which validation chooses one for each seed and network.
        train: Training examples, the same for all data sets that have as many.
        validation: Examples to choose a learning rate by.
        tests: Test examples of what has any number; of the others all that are left.
        points: Examples in a t-SNE picture.
        mnist: An npz file with MNIST's images, x (n, 28, 28) uint8 and y (n,); None for the Hub's.
        fashion_mnist: The same with FashionMNIST's; None for the Hub's.
        cifar10: The same with CIFAR-10's, x (n, 32, 32, 3); None for the Hub's.
        hub: Whether to ask the Hub for what no file is named for.

    Raises:
        ValueError: If a number is out of its range.
    """

    seeds: int = 5
    steps: int = 6000
    rates: tuple[float, ...] = (0.001, 0.003, 0.01)
    train: int = 4000
    validation: int = 1000
    tests: int = 20_000
    points: int = 5000
    # Where data come from is no number of the study: a preset is that preset with a file too.
    mnist: str | None = field(default=None, compare=False)
    fashion_mnist: str | None = field(default=None, compare=False)
    cifar10: str | None = field(default=None, compare=False)
    hub: bool = field(default=True, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.rates:
            raise ValueError("rates=() must have at least one learning rate")
        for name in ("steps", "train", "validation", "tests"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if self.points < 100:
            raise ValueError(f"points={self.points} must be at least 100: a perplexity of 30 looks at 90 neighbours")

    @property
    def sizes(self) -> Sizes:
        """Returns how many examples of each kind."""
        return Sizes(self.train, self.validation, self.tests)

    def record(self) -> dict[str, Any]:
        """Returns the numbers, with the name and the SHA-256 of a file in place of where it is."""
        files = {name: getattr(self, name) for name in HUB}
        return super().record() | {
            name: None if file is None else {"file": os.path.basename(file), "sha256": file_sha256(file)}
            for name, file in files.items()
        }


def cells(config: ComparisonConfig) -> list[Cell]:
    """Returns a cell for each training, each set of baselines and each t-SNE picture."""
    found = [Cell({"part": "sets", "dataset": name}, SETS_COST) for name in SETS]
    found.append(Cell({"part": "baselines", "dataset": "mnist1d", "training": "frozen", "seed": 0}, BASELINES_COST))
    for seed in range(config.seeds):
        found.append(Cell({"part": "tsne", "dataset": "mnist1d", "training": "frozen", "seed": seed}, TSNE_COST))
        for name, about in SETS.items():
            for training in _trainings(name):
                of: dict[str, Scalar] = {"dataset": name, "training": training, "seed": seed}
                found += [
                    Cell({"part": "train", **of, "network": network}, (IMAGE_COST if name in HUB else COST)[network])
                    for network in _networks(name)
                ]
                if training == "whole":
                    continue
                found.append(Cell({"part": "baselines", **of}, BASELINES_COST))
                if about.ordered and training == _trainings(name)[0]:
                    found.append(Cell({"part": "tsne", **of}, TSNE_COST))
    return found


def run_cell(config: ComparisonConfig, cell: Cell) -> Outcome:
    """Returns what came out; nothing, if the data set is not to be had, which the table `sets` says."""
    try:
        return PARTS[cell["part"]](config, cell)
    except NotToBeHadError:
        return Outcome({})


def _task(config: ComparisonConfig, name: str, training: str, seed: int) -> Task:
    if training == "frozen":
        data = frozen()
        return Task(data.train, data.train, data.test, data.what)
    sizes = config.sizes.small() if training == "small" else config.sizes
    return draw(name, seed, sizes, file=_file(config, name), hub=config.hub, whole=training == "whole")


def _sets(config: ComparisonConfig, cell: Cell) -> Outcome:
    """Returns what the data set is, and for each number of examples whether it was tested, or why not."""
    name = cell["dataset"]
    about, rows = SETS[name], []
    for training in _trainings(name):
        row: Row = {
            "dataset": name,
            "training": training,
            "dimensions": about.dimensions,
            "bytes": about.dimensions * about.stored,
            "classes": about.classes,
            "examples": None,
            "source": None,
            "train": None,
            "test": None,
            "status": "tested",
        }
        try:
            if name in HUB:
                held = images(name, _file(config, name), hub=config.hub)
                row |= {"examples": len(held), "source": f"{len(held):,} images from {_place(held.origin)}"}
            task = _task(config, name, training, seed=0)
            row |= {"train": len(task.train.y), "test": len(task.test.y)}
        except NotToBeHadError as error:
            row["status"] = f"not tested ({error})"
        rows.append(row)
    return Outcome({"sets": rows})


def _place(origin: dict[str, Any]) -> str:
    return str(origin.get("file") or origin["hub"])


def _train(config: ComparisonConfig, cell: Cell) -> Outcome:
    """Returns what a network scored with each learning rate, and which one validation chose."""
    name, training, seed = cell["dataset"], cell["training"], cell["seed"]
    task = _task(config, name, training, seed)
    make = _maker(name, cell["network"])
    trained = train(
        make,
        [Replica(seed=seed, lr=rate) for rate in config.rates],
        task.train,
        steps=config.steps,
        evaluate={"validation": task.validation, "test": task.test},
        num_classes=SETS[name].classes,
    )
    validation, test = trained.at_end("validation").accuracy, trained.at_end("test")
    rows = [
        {
            "dataset": name,
            "training": training,
            "network": cell["network"],
            "seed": seed,
            "lr": rate,
            "selected": i == int(np.argmax(validation)),
            "validation": float(validation[i]),
            "loss": float(test.loss[i]),
            **_score(float(test.accuracy[i]), len(task.test.y)),
            "parameters": count_parameters(make()),
        }
        for i, rate in enumerate(config.rates)
    ]
    return Outcome({"rows": rows}, data={f"{name}/{training}/{seed}": task.what})


def _baselines(config: ComparisonConfig, cell: Cell) -> Outcome:
    name, training, seed = cell["dataset"], cell["training"], cell["seed"]
    task = _task(config, name, training, seed)
    of = {"dataset": name, "training": training, "seed": seed}
    rows = [
        {**of, "method": each.method, "k": each.k, **_score(each.accuracy, len(task.test.y))}
        for each in baselines(task.train, task.test, SETS[name].classes)
    ]
    return Outcome({"baselines": rows}, data={f"{name}/{training}/{seed}": task.what})


def _tsne(config: ComparisonConfig, cell: Cell) -> Outcome:
    """Returns the numbers of a picture; that of seed 0 is kept."""
    name, training, seed = cell["dataset"], cell["training"], cell["seed"]
    x, y = (tensor.numpy() for tensor in _pictured(config, name, training, seed))
    embedding = tsne(x, seed=seed)
    row: Row = {
        "dataset": name,
        "training": training,
        "seed": seed,
        "n": len(y),
        "kl": embedding.kl,
        "agreement": agreement(embedding.points, y),
        "agreement_in_pixels": agreement(x, y),
        "silhouette": float(sklearn("metrics").silhouette_score(embedding.points, y)),
    }
    kept: dict[str, Array] = {
        f"tsne_{name}_{training}": embedding.points.astype(np.float16),
        f"classes_{name}_{training}": y.astype(np.uint8),
    }
    return Outcome({"tsne": [row]}, arrays=kept if seed == 0 else {})


def _pictured(config: ComparisonConfig, name: str, training: str, seed: int) -> Examples:
    """Returns the examples of a picture; of the frozen data all 5000, as published."""
    if training == "frozen":
        data = frozen()
        return Examples(*(torch.cat(both)[: config.points] for both in zip(data.train, data.test, strict=True)))
    count = min(config.points, DIGITS) if name == "digits" else config.points
    return draw(name, seed, Sizes(count, 0, 0), file=_file(config, name), hub=config.hub).train


def _trainings(name: str) -> tuple[str, ...]:
    return TRAININGS.get(name, ("equal",))


def _networks(name: str) -> tuple[str, ...]:
    return ("logistic", "mlp", "cnn") if SETS[name].ordered else ("logistic", "mlp")


def _maker(name: str, network: str) -> Callable[[], nn.Module]:
    about = SETS[name]
    if network == "cnn" and len(about.shape) == 3:
        return partial(ImageCNN, about.shape, about.classes)
    kinds: dict[str, Callable[..., nn.Module]] = {"logistic": Logistic, "mlp": MLP, "cnn": CNN}
    return partial(kinds[network], about.dimensions, about.classes)


def _file(config: ComparisonConfig, name: str) -> str | None:
    return getattr(config, name) if name in HUB else None


def _score(accuracy: float, tests: int) -> Row:
    """Returns an accuracy with its log-odds, which are finite: half an example more on either side."""
    hits = accuracy * tests
    return {"accuracy": accuracy, "log_odds": math.log((hits + 0.5) / (tests - hits + 0.5)), "tests": tests}


PARTS: dict[str, Callable[[ComparisonConfig, Cell], Outcome]] = {
    "sets": _sets,
    "train": _train,
    "baselines": _baselines,
    "tsne": _tsne,
}

PRESETS = {
    "smoke": ComparisonConfig(
        seeds=2, steps=20, rates=(0.003, 0.01), train=200, validation=50, tests=200, points=150, hub=False
    ),
    "quick": ComparisonConfig(seeds=2, steps=1000, points=1500),
    "paper": ComparisonConfig(),
}

STUDY = Study(
    name="comparison",
    question="Does MNIST-1D tell models apart better than MNIST, and than the other data sets that people take?",
    presets=PRESETS,
    cells=cells,
    run_cell=run_cell,
    claims=CLAIMS,
    bands=BANDS,
    figures={"figure": draw_accuracies, "differences": draw_differences, "tsne": draw_embeddings},
    protocol=PROTOCOL,
)

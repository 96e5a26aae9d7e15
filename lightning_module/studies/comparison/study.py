"""MNIST-1D beside MNIST and the data sets that people take instead: what tells models apart, and with how many seeds?

Source: Greydanus (2020), "Scaling down Deep Learning", introduction and t-SNE figure; Greydanus & Kobak (2024).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from lightning_module.datamodule import Examples
from lightning_module.networks import CNN, MLP, Logistic, count_parameters
from lightning_module.replicas.replica import Replica
from lightning_module.studies.comparison.amendments import AMENDMENTS
from lightning_module.studies.comparison.claims import BANDS, CLAIMS
from lightning_module.studies.comparison.config import PRESETS, ComparisonConfig
from lightning_module.studies.comparison.figures import draw_accuracies, draw_differences, draw_embeddings
from lightning_module.studies.framework.cells import Cell, Outcome, Row, SharedTests
from lightning_module.studies.framework.data import frozen
from lightning_module.studies.framework.protocol import ProtocolFile
from lightning_module.studies.framework.quantities import Scalar
from lightning_module.studies.framework.statistics import log_odds
from lightning_module.studies.framework.study import Study
from lightning_module.studies.framework.training import train
from lightning_module.studies.methods.embedding import agreement, baselines, libraries, tsne
from lightning_module.studies.methods.networks.image_cnn import ImageCNN
from lightning_module.studies.methods.other_data.image_files import HUB, Array, MissingDataError, images
from lightning_module.studies.methods.other_data.tasks import DIGITS, SETS, Sizes, Task, draw, sklearn

# What is compared at which n: "equal", all that scikit-learn's digits allow, or all of MNIST.
TRAININGS = {"digits": ("small",), "mnist1d": ("equal", "small"), "mnist": ("equal", "whole")}

# Seconds of a cell with three learning rates at paper scale, for the remaining time.
COST = {"logistic": 2.0, "mlp": 6.0, "cnn": 20.0}
IMAGE_COST = {"logistic": 4.0, "mlp": 18.0, "cnn": 52.0}
TSNE_COST, BASELINES_COST, SETS_COST = 20.0, 2.0, 0.5


def cells(config: ComparisonConfig) -> list[Cell]:
    """Returns a cell for each training, each set of baselines and each t-SNE picture."""
    if config.only:
        described = [Cell({"part": "sets", "dataset": name}, SETS_COST) for name in config.only]
        trained = ((name, seed) for name in config.only for seed in config.seed_range)
        return [*described, *(cell for name, seed in trained for cell in _training_cells(name, "equal", seed))]
    found = [Cell({"part": "sets", "dataset": name}, SETS_COST) for name in SETS]
    found.append(Cell({"part": "baselines", "dataset": "mnist1d", "training": "frozen", "seed": 0}, BASELINES_COST))
    for seed in config.seed_range:
        found.append(Cell({"part": "tsne", "dataset": "mnist1d", "training": "frozen", "seed": seed}, TSNE_COST))
        for name, about in SETS.items():
            for training in _trainings(name):
                of: dict[str, Scalar] = {"dataset": name, "training": training, "seed": seed}
                found += _training_cells(name, training, seed)
                if training == "whole":
                    continue
                found.append(Cell({"part": "baselines", **of}, BASELINES_COST))
                if about.ordered and training == _trainings(name)[0]:
                    found.append(Cell({"part": "tsne", **of}, TSNE_COST))
    return found


def _training_cells(name: str, training: str, seed: int) -> list[Cell]:
    """Returns a cell for each network of a seed on a data set."""
    of: dict[str, Scalar] = {"part": "train", "dataset": name, "training": training, "seed": seed}
    costs = IMAGE_COST if name in HUB else COST
    return [Cell({**of, "network": network}, costs[network]) for network in _networks(name)]


def run_cell(config: ComparisonConfig, cell: Cell) -> Outcome:
    """Returns the outcome of a cell; nothing, if the data set is not to be had, which the table `sets` says."""
    try:
        return PARTS[cell["part"]](config, cell)
    except MissingDataError:
        return Outcome({})


def _task(config: ComparisonConfig, name: str, training: str, seed: int) -> Task:
    if training == "frozen":
        data = frozen()
        return Task(data.train, data.train, data.test, data.what)
    sizes = config.sizes.small() if training == "small" else config.sizes
    return draw(name, seed, sizes, file=_file(config, name), hub=config.hub, whole=training == "whole")


def _sets(config: ComparisonConfig, cell: Cell) -> Outcome:
    """Returns the description of a data set, and for each number of examples whether it was tested, or why not."""
    name = cell["dataset"]
    about, rows = SETS[name], []
    for training in ("equal",) if config.only else _trainings(name):
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
                what = "digits" if name == "mnist" else "images"
                row |= {"examples": len(held), "source": f"{len(held):,} {what} from {_place(held.origin)}"}
            task = _task(config, name, training, seed=0)
            row |= {"train": len(task.train.y), "test": len(task.test.y)}
        except MissingDataError as error:
            row["status"] = f"not tested ({error})"
        rows.append(row)
    return Outcome({"sets": rows}, data={"libraries": libraries()})


def _place(origin: dict[str, Any]) -> str:
    return str(origin.get("file") or origin["hub"])


def _train(config: ComparisonConfig, cell: Cell) -> Outcome:
    """Returns the scores of a network with each learning rate, and the rate that validation chose."""
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
    """Returns an accuracy with its log-odds."""
    return {"accuracy": accuracy, "log_odds": log_odds(accuracy, tests), "tests": tests}


PARTS: dict[str, Callable[[ComparisonConfig, Cell], Outcome]] = {
    "sets": _sets,
    "train": _train,
    "baselines": _baselines,
    "tsne": _tsne,
}

STUDY = Study(
    name="comparison",
    question="Does MNIST-1D tell models apart better than MNIST, and than the other data sets that people take?",
    presets=PRESETS,
    cells=cells,
    run_cell=run_cell,
    claims=CLAIMS,
    amendments=AMENDMENTS,
    bands=BANDS,
    figures={"figure": draw_accuracies, "differences": draw_differences, "tsne": draw_embeddings},
    amended_figures={"figure": draw_accuracies},
    of_the_moment={"sets": ("status",)},
    shared_tests=(SharedTests(where={"dataset": "mnist1d", "training": "equal"}, examples="tests"),),
    protocol=ProtocolFile(__file__),
)

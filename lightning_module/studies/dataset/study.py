"""What the sources say of the data set itself: its size, its run times, its neighbours, and the sets beside it.

Source: Greydanus (2020), "Scaling down Deep Learning", introduction and other small datasets; Greydanus & Kobak (2024),
"Scaling Down Deep Learning with MNIST-1D", ICML, sections 1 to 4; the README of their repository.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch

from lightning_module.datamodule import Examples
from lightning_module.replicas.replica import Replica
from lightning_module.studies.dataset.amendments import AMENDMENTS
from lightning_module.studies.dataset.claims import BANDS, CLAIMS
from lightning_module.studies.dataset.facts import fact_rows, size_rows
from lightning_module.studies.dataset.figures import draw_classical, draw_digits, draw_promises
from lightning_module.studies.dataset.published import VERY_WELL
from lightning_module.studies.dataset.times import time_rows
from lightning_module.studies.framework.cells import Cell, Config, Outcome, Row, SharedTests
from lightning_module.studies.framework.data import fresh, frozen
from lightning_module.studies.framework.protocol import ProtocolFile
from lightning_module.studies.framework.study import Study
from lightning_module.studies.framework.training import train
from lightning_module.studies.methods.other_data.image_files import Array
from lightning_module.studies.methods.other_data.tasks import MOONS_NOISE, sklearn
from lightning_module.studies.methods.person import HUMAN_ERRORS
from lightning_module.studies.methods.probes import one_numpy_thread

# Of scikit-learn: those that come with it for classification, and those that it generates, with the noise of its own
# comparison of classifiers.
LOADED: Final = ("digits", "iris", "wine", "breast_cancer")
GENERATED: Final[dict[str, dict[str, Any]]] = {
    "moons": {"noise": MOONS_NOISE},
    "circles": {"noise": 0.2, "factor": 0.5},
    "blobs": {},
    "classification": {},
}
HELD_OUT: Final = 0.3
NEIGHBOURS: Final = 10
SEEN_ROWS: Final = 500  # test signals of the published errors by digit


@dataclass(frozen=True, kw_only=True)
class DatasetConfig(Config):
    """The numbers of the study.

    Attributes:
        seeds: Number of seeds, which are 0, 1, 2, ...
        steps: Optimiser steps of the CNN whose errors are compared with a person's.
        tests: Fresh test signals.
        generated: Examples of each data set that scikit-learn generates.
        repeats: Turns in which run times are measured.
        effort: How much of an experiment is done in a turn, next to the paper preset.
    """

    seeds: int = 10
    steps: int = 3000
    tests: int = 5000
    generated: int = 1000
    repeats: int = 7
    effort: float = 1.0


def cells(config: DatasetConfig) -> list[Cell]:
    """Returns a cell for what is counted, for the times and for the digits, and one for each seed without networks."""
    one_each = [Cell({"part": "counts"}, 1.0), Cell({"part": "times"}, 60.0), Cell({"part": "digits"}, 30.0)]
    return [*one_each, *(Cell({"part": "classical", "seed": seed}, 4.0) for seed in config.seed_range)]


def run_cell(config: DatasetConfig, cell: Cell) -> Outcome:
    """Returns the outcome of a part of the study."""
    match cell["part"]:
        case "counts":
            return Outcome({"sizes": size_rows(), "facts": fact_rows()}, data={"frozen": frozen().what})
        case "times":
            wholes, pieces = time_rows(config.repeats, config.effort)
            return Outcome({"rows": wholes, "pieces": pieces}, data={"frozen": frozen().what})
        case "digits":
            digits, profiles = _digit_rows(config)
            return Outcome({"digits": digits, "profiles": profiles}, data={"frozen": frozen().what})
    seed = cell["seed"]
    drawn = fresh(seed, tests=config.tests)
    with one_numpy_thread():
        rows = _classical_rows(config, seed)
        best = [max(row["linear"], row["kernel"]) for row in rows if row["dataset"] != "mnist1d"]
        share = {"seed": seed, "share": sum(each > VERY_WELL for each in best) / len(best)}
        neighbours = {"seed": seed, "k": NEIGHBOURS, "accuracy": _neighbours(drawn.train, drawn.test)}
    return Outcome(
        {"classical": rows, "shares": [share], "neighbours": [neighbours]}, data={f"fresh/{seed}": drawn.what}
    )


def _digit_rows(config: DatasetConfig) -> tuple[list[Row], list[Row]]:
    """Returns the errors by digit of each seed's CNN, and how they go along with a person's."""
    draw = frozen()
    y = draw.test.y[:SEEN_ROWS]
    trained = train("cnn", [Replica(seed=seed) for seed in config.seed_range], draw.train, steps=config.steps)
    wrong = (trained.ensemble.predictions(draw.test.x[:SEEN_ROWS]) != y).double()
    rows: list[Row] = []
    profiles: list[Row] = []
    for seed, of_one in zip(config.seed_range, wrong, strict=True):
        errors = torch.stack([of_one[y == digit].mean() for digit in range(10)]).numpy()
        rows += [
            {"seed": seed, "digit": digit, "cnn": round(float(errors[digit]), 5), "human": round(human, 5)}
            for digit, human in enumerate(HUMAN_ERRORS.tolist())
        ]
        together = float(np.corrcoef(errors, HUMAN_ERRORS)[0, 1])
        profiles.append({"seed": seed, "correlation": round(together, 5)})
    return rows, profiles


def _classical_rows(config: DatasetConfig, seed: int) -> list[Row]:
    """Returns the test accuracy of a linear and of a kernel method on each of scikit-learn's sets, and on MNIST-1D."""
    sets, split = sklearn("datasets"), sklearn("model_selection").train_test_split
    rows = []
    for name in (*LOADED, *GENERATED):
        if name in LOADED:
            x, y = getattr(sets, f"load_{name}")(return_X_y=True)
        else:
            x, y = getattr(sets, f"make_{name}")(config.generated, random_state=seed, **GENERATED[name])
        x, x_test, y, y_test = split(x, y, test_size=HELD_OUT, random_state=seed, stratify=y)
        rows.append({"dataset": name, "seed": seed, **_scores(x, y, x_test, y_test)})
    drawn = fresh(seed, tests=config.tests)
    signals = [tensor.numpy() for examples in (drawn.train, drawn.test) for tensor in examples]
    rows.append({"dataset": "mnist1d", "seed": seed, **_scores(*signals)})
    return rows


def _scores(x: Array, y: Array, x_test: Array, y_test: Array) -> dict[str, float]:
    """Returns the accuracies of scikit-learn's logistic regression and support vector machine, as they come."""
    scaler = sklearn("preprocessing").StandardScaler().fit(x)
    methods = {"linear": sklearn("linear_model").LogisticRegression(max_iter=1000), "kernel": sklearn("svm").SVC()}
    return {
        name: round(float(method.fit(scaler.transform(x), y).score(scaler.transform(x_test), y_test)), 5)
        for name, method in methods.items()
    }


def _neighbours(train_set: Examples, test: Examples) -> float:
    """Returns the accuracy of the nearest neighbours in pixel space."""
    method = sklearn("neighbors").KNeighborsClassifier(NEIGHBOURS, algorithm="brute")
    fitted = method.fit(train_set.x.numpy(), train_set.y.numpy())
    return round(float(fitted.score(test.x.numpy(), test.y.numpy())), 5)


STUDY = Study(
    name="dataset",
    question="Is MNIST-1D as small, as fast and as telling as its texts say, and is this package's the published one?",
    presets={
        "smoke": DatasetConfig(seeds=2, steps=60, tests=500, generated=120, repeats=2, effort=0.02),
        "quick": DatasetConfig(seeds=3, steps=1000, tests=2000, repeats=3, effort=0.3),
        "paper": DatasetConfig(),
    },
    cells=cells,
    run_cell=run_cell,
    claims=CLAIMS,
    amendments=AMENDMENTS,
    figures={"figure": draw_promises, "digits": draw_digits, "classical": draw_classical},
    bands=BANDS,
    shared_tests=(SharedTests(where={"k": NEIGHBOURS}, examples="tests"),),
    protocol=ProtocolFile(__file__),
    of_the_moment={"rows": ("minutes", "of_a_core"), "pieces": ("seconds",)},
)

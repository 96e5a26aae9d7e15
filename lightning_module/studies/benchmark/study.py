"""The headline table of MNIST-1D with error bars: four networks, points in their own order and shuffled.

Source: Greydanus & Kobak (2024), "Scaling Down Deep Learning with MNIST-1D", ICML, table 1 and figure 2; Greydanus
(2020), "Scaling down Deep Learning", the first results.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from lightning_module.datamodule import Examples
from lightning_module.networks import MLP
from lightning_module.replicas.replica import Replica
from lightning_module.studies.benchmark.amendments import AMENDED, AMENDMENTS, FIRST_SEED, MATCHED_MLP, SEEDS
from lightning_module.studies.benchmark.baselines import baseline_rows
from lightning_module.studies.benchmark.claims import BANDS, CLAIMS
from lightning_module.studies.benchmark.figures import draw_confusion, draw_curves, draw_final, draw_matched
from lightning_module.studies.framework.cells import FRESH_TESTS, Cell, Outcome, Row, SharedTests, later
from lightning_module.studies.framework.data import Draw, fresh, fresh_test, frozen
from lightning_module.studies.framework.protocol import ProtocolFile
from lightning_module.studies.framework.study import Study
from lightning_module.studies.framework.training import Trained, score, train, wrong_by
from lightning_module.studies.methods.networks.config import NetworksConfig, network_cost
from lightning_module.studies.methods.person import CONFUSION, QUIZ_ROWS

Arm = Literal["frozen", "fresh"]

# What the baselines cost next to logistic regression, for the remaining time.
BASELINES_COST = 8.0

# Fresh test examples that the curves are measured on; the final accuracies are those on all of them.
CURVE_ROWS = 1000

# Fresh test examples whose predictions are kept: enough for a paired comparison of two networks, in a small file.
KEPT_ROWS = 5000


@dataclass(frozen=True, kw_only=True)
class BenchmarkConfig(NetworksConfig):
    """The numbers of the benchmark.

    Attributes:
        seeds: Number of seeds; in the fresh arm each has its own draw of the data set.
        steps: Optimiser steps.
        every: Steps between two evaluations.
        tests: Examples in the fresh test set.
        penalties: Penalties of the support vector machine to choose from.
        matched: Whether the CNN is compared with an MLP of as many parameters alone, on fresh data.
    """

    seeds: int = 10
    steps: int = 6000
    every: int = 250
    tests: int = 20_000
    penalties: tuple[float, ...] = (0.3, 1.0, 3.0, 10.0, 30.0)
    matched: bool = later(False)


def cells(config: BenchmarkConfig) -> list[Cell]:
    """Returns a cell for each arm, network and order of the points, and one for each arm's baselines."""
    if config.matched:
        costs = {MATCHED_MLP: network_cost("mlp"), "cnn": network_cost("cnn")}
        return [
            Cell({"arm": "fresh", "network": network, "points": points}, cost)
            for network, cost in costs.items()
            for points in ("own", "shuffled")
        ]
    trainings = [
        Cell({"arm": arm, "network": network, "points": points}, network_cost(network))
        for arm in ("frozen", "fresh")
        for network in config.compared
        for points in ("own", "shuffled")
    ]
    baselines = [Cell({"arm": arm, "network": "baselines"}, BASELINES_COST) for arm in ("frozen", "fresh")]
    return [*trainings, *baselines, Cell({"arm": "human"}, 0.1)]


def run_cell(config: BenchmarkConfig, cell: Cell) -> Outcome:
    """Returns the scores of the networks of a cell."""
    if cell["arm"] == "human":
        return Outcome({"rows": _human_rows(), "confusion": _confusion_rows(CONFUSION, network="human", seed=0)})
    draws = [frozen()] if cell["arm"] == "frozen" else [_draw(config, seed) for seed in config.seed_range]
    test = fresh_test(draws[0], count=config.tests) if cell["arm"] == "frozen" else _fresh_test(config)
    labels = [0] if len(draws) == 1 else config.seed_range
    data = {f"{cell['arm']}/{seed}": draw.what for seed, draw in zip(labels, draws, strict=True)}
    if cell["network"] == "baselines":
        return Outcome({"rows": baseline_rows(cell["arm"], draws, test, penalties=config.penalties)}, data=data)
    trained = _train(config, cell, draws)
    tables: dict[str, list[Row]] = {"rows": trained.rows(**cell.of)}
    arrays = {}
    for on, examples in {"fresh test": test, **({"test": draws[0].test} if len(draws) == 1 else {})}.items():
        predictions = trained.ensemble.predictions(examples.x)
        if on == "fresh test":
            scored = score(trained.ensemble, examples, step=config.steps, on=on)
            tables["rows"] += Trained(trained.ensemble, [scored]).rows(**cell.of)
            tables["classes"] = _class_rows(config, cell, predictions, examples.y)
        if on == "test" and cell["points"] == "own":
            tables["quiz"] = _quiz_rows(config, cell, predictions, examples.y)
            if cell["network"] == "cnn":
                rows = list(QUIZ_ROWS)
                tables["confusion"] = [
                    row
                    for seed, of_one in zip(config.seed_range, predictions, strict=True)
                    for row in _confusion_rows(_confusion(examples.y[rows], of_one[rows]), network="cnn", seed=seed)
                ]
        name = f"{cell['arm']}-{cell['network']}-{cell['points']}-{on.replace(' ', '-')}"
        arrays[name] = wrong_by(predictions[:, :KEPT_ROWS], examples.y[:KEPT_ROWS])
    return Outcome(tables, arrays, data)


def _train(config: BenchmarkConfig, cell: Cell, draws: Sequence[Draw]) -> Trained:
    """Returns the ensemble of a cell: all seeds of one network."""
    own_data = len(draws) > 1
    replicas = [
        Replica(
            seed=seed,
            points=_points(cell, seed),
            data=draws[i].train if own_data else None,
        )
        for i, seed in enumerate(config.seed_range)
    ]
    train_set, test_set = draws[0].train, draws[0].test
    if own_data:
        train_set = Examples.stacked(draw.train for draw in draws)
        test_set = _fresh_test(config).first(CURVE_ROWS)
    return train(
        matched_mlp if cell["network"] == MATCHED_MLP else cell["network"],
        replicas,
        draws[0].train,
        steps=config.steps,
        evaluate={"train": train_set, "test": test_set},
        every=config.every,
    )


def matched_mlp() -> MLP:
    """Returns the MLP with as many parameters as the CNN: 5,263, 1 % more; the study of priors has the same one."""
    return MLP(hidden_size=51)


def _points(cell: Cell, seed: int) -> list[int] | None:
    """Returns the order of the points: the reference's one permutation for the frozen data, else one of each seed."""
    if cell["points"] == "own":
        return None
    permutation_seed = 42 if cell["arm"] == "frozen" else 1000 + seed
    return np.random.RandomState(permutation_seed).permutation(40).tolist()  # type: ignore[no-any-return]


def _draw(config: BenchmarkConfig, seed: int) -> Draw:
    return fresh(seed, tests=config.tests)


def _fresh_test(config: BenchmarkConfig) -> Examples:
    return _draw(config, 0).test  # the same for every seed


def _class_rows(config: BenchmarkConfig, cell: Cell, predictions: torch.Tensor, y: torch.Tensor) -> list[Row]:
    """Returns the errors of each model in each class of the fresh test set."""
    return [
        {
            **cell.of,
            "seed": seed,
            "digit": digit,
            "error": round(float((of_one[y == digit] != digit).float().mean()), 6),
        }
        for seed, of_one in zip(config.seed_range, predictions, strict=True)
        for digit in range(10)
    ]


def _quiz_rows(config: BenchmarkConfig, cell: Cell, predictions: torch.Tensor, y: torch.Tensor) -> list[Row]:
    """Returns each model's accuracy on the rows of the human quiz, and its errors on 3 and 6 in the first 500 rows."""
    rows = list(QUIZ_ROWS)
    first = slice(0, 500)
    easy = (y[first] == 3) | (y[first] == 6)
    return [
        {
            "network": cell["network"],
            "seed": seed,
            "accuracy": round(float((of_one[rows] == y[rows]).double().mean()), 6),
            "errors_on_3_and_6": int((of_one[first] != y[first])[easy].sum()),
        }
        for seed, of_one in zip(config.seed_range, predictions, strict=True)
    ]


def _confusion(y: torch.Tensor, predictions: torch.Tensor) -> Any:
    return torch.bincount(10 * y + predictions, minlength=100).view(10, 10).numpy()


def _confusion_rows(counts: Any, *, network: str, seed: int) -> list[Row]:
    return [
        {"network": network, "seed": seed, "digit": truth, "answer": answer, "count": int(counts[truth, answer])}
        for truth in range(10)
        for answer in range(10)
        if counts[truth, answer]
    ]


def _human_rows() -> list[Row]:
    hits, trials = int(np.trace(CONFUSION)), int(CONFUSION.sum())
    return [
        {
            "arm": "human",
            "network": "human",
            "points": "own",
            "on": "quiz",
            "accuracy": hits / trials,
            "hits": hits,
            "trials": trials,
        }
    ]


STUDY = Study(
    name="benchmark",
    question="How well do a linear, a fully connected, a convolutional and a recurrent network read MNIST-1D, and how "
    "much of that is spatial structure?",
    presets={
        "smoke": BenchmarkConfig(seeds=2, steps=60, every=30, tests=1000, penalties=(3.0,)),
        "quick": BenchmarkConfig(seeds=3, steps=2000, tests=5000),
        "paper": BenchmarkConfig(),
        AMENDED: BenchmarkConfig(seeds=SEEDS, first_seed=FIRST_SEED, matched=True),
        f"{AMENDED}-smoke": BenchmarkConfig(seeds=2, first_seed=90, steps=60, every=30, tests=1000, matched=True),
    },
    cells=cells,
    run_cell=run_cell,
    claims=CLAIMS,
    figures={"figure": draw_final, "curves": draw_curves, "confusion": draw_confusion},
    bands=BANDS,
    amendments=AMENDMENTS,
    amended_figures={"figure": draw_matched},
    shared_tests=(FRESH_TESTS, SharedTests(where={"arm": "frozen", "on": "test"}, examples=1000)),
    protocol=ProtocolFile(__file__),
)

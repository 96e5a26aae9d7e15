"""Does pooling make a network need less data? Five kinds of pooling over six sizes of the training set.

Source: Greydanus & Kobak (2024), "Scaling Down Deep Learning with MNIST-1D", ICML, section 5.6; Greydanus (2020),
"Scaling down Deep Learning", the case study on pooling.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from lightning_module.datamodule import Examples
from lightning_module.networks import count_parameters
from lightning_module.replicas.replica import Replica
from lightning_module.studies.framework.cells import FRESH_TESTS, Cell, Config, Outcome, Row, SharedTests
from lightning_module.studies.framework.data import Draw, fresh, fresh_test, frozen
from lightning_module.studies.framework.protocol import ProtocolFile
from lightning_module.studies.framework.statistics import log_odds
from lightning_module.studies.framework.study import Study
from lightning_module.studies.framework.training import Trained, score, train, wrong_by
from lightning_module.studies.methods.networks.pooling import MATCHED_CHANNELS, Pool, PoolingCNN
from lightning_module.studies.pooling.claims import BANDS, CLAIMS
from lightning_module.studies.pooling.figures import draw_accuracy, draw_advantage
from lightning_module.studies.pooling.published import KINDS, SIZES, STEPS, TESTS

Arm = Literal["published", "nested", "epochs"]

# What has no pooling and about as many parameters as those with, and is not in the published comparison.
MATCHED: Final = "matched"

# What a step of a variant costs next to one of striding, for the remaining time.
COST: Final = {"none": 2.8, "stride": 1.0, "max": 1.7, "avg": 1.8, "l2": 2.3, MATCHED: 1.1}

# Steps times replicas of one cell, at most: two or three minutes of one core. More are shared among cells.
CELL_STEPS: Final = 150_000

# Signals of the fresh test set that the curves are measured on, and whose final predictions are kept.
CURVE_ROWS: Final = 2000


@dataclass(frozen=True, kw_only=True)
class PoolingConfig(Config):
    """The numbers of the pooling study.

    Attributes:
        seeds: Number of seeds, which are 0, 1, 2, ...; each has its own draw of the data except as published.
        sizes: Training signals.
        steps: Optimiser steps at every size, as published.
        epoch_seeds: Number of seeds in the arm of equal epochs, the first of all; it is the longest.
        epochs: Passes through the training set at every size, in the arm of equal epochs; may be a fraction.
        evaluations: Evaluations on the way, which are evenly spaced.
        tests: Examples in the fresh test set; half as many training examples are evaluated, if there are so many.

    Raises:
        ValueError: If a number is out of its range.
    """

    seeds: int = 10
    epoch_seeds: int = 5
    sizes: tuple[int, ...] = SIZES
    steps: int = STEPS
    epochs: float = 60
    evaluations: int = 6
    tests: int = 20_000

    batch_size = 100  # as published; a constant

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.sizes or min(self.sizes) < self.batch_size:
            raise ValueError(f"sizes={self.sizes} must each be at least {self.batch_size}, which is one minibatch")
        if self.epoch_seeds < 1:
            raise ValueError(f"epoch_seeds={self.epoch_seeds} must be at least 1; intervals need 2")
        if self.steps < 1 or self.evaluations < 1 or self.epochs <= 0:
            raise ValueError(
                f"steps={self.steps}, epochs={self.epochs}, evaluations={self.evaluations} must all be above 0"
            )

    def seeds_of(self, arm: str) -> int:
        """Returns the number of seeds of an arm."""
        return min(self.epoch_seeds, self.seeds) if arm == "epochs" else self.seeds

    def steps_of(self, arm: str, n: int) -> int:
        """Returns the optimiser steps of an arm at a training size."""
        return max(1, round(self.epochs * n / self.batch_size)) if arm == "epochs" else self.steps


def cells(config: PoolingConfig) -> list[Cell]:
    """Returns a cell for each arm, variant and size; for a part of the seeds where all would take too long."""
    return [
        Cell(
            {"arm": arm, "variant": variant, "n": n, "first": seeds[0], "last": seeds[-1]},
            COST[variant] * len(seeds) * config.steps_of(arm, n),
        )
        for arm in ("published", "nested", "epochs")
        for variant in (KINDS if arm == "published" else (*KINDS, MATCHED))
        for n in config.sizes
        if not (arm == "epochs" and _same_training(config, n))
        for seeds in _parts(config.range_of(config.seeds_of(arm)), config.steps_of(arm, n))
    ]


def run_cell(config: PoolingConfig, cell: Cell) -> Outcome:
    """Returns the scores of the networks of a cell, and how they misread the first test signals."""
    seeds = range(cell["first"], cell["last"] + 1)
    as_published = cell["arm"] == "published"
    draws = [_published(cell["n"])] if as_published else [_fresh(config, seed) for seed in seeds]
    own = [draw.train.first(cell["n"]) for draw in draws]
    test = fresh_test(draws[0], count=config.tests) if as_published else draws[0].test
    kept = draws[0].test if as_published else test.first(CURVE_ROWS)
    steps = config.steps_of(cell["arm"], cell["n"])
    trained = train(
        network_of(cell["variant"]),
        [Replica(seed=seed, data=None if as_published else own[k]) for k, seed in enumerate(seeds)],
        own[0],
        steps=steps,
        batch_size=config.batch_size,
        evaluate={"curve": kept},
        every=max(1, steps // config.evaluations),
    )
    finals = {
        "train": _training_rows(own, config.tests // 2),
        "fresh test": test,
        **({"test": kept} if as_published else {}),
    }
    scores = [score(trained.ensemble, examples, step=steps, on=on) for on, examples in finals.items()]
    arms = ["nested", "epochs"] if cell["arm"] == "nested" and _same_training(config, cell["n"]) else [cell["arm"]]
    counts = {on: examples.y.shape[-1] for on, examples in finals.items()}
    return Outcome(
        {
            "rows": [
                row
                for arm in arms
                for row in _rows(cell, arm, Trained(trained.ensemble, scores), counts)
                if row["seed"] in config.range_of(config.seeds_of(arm))
            ],
            "curves": [
                row
                for arm in arms
                for row in _curve(cell, arm, trained)
                if row["seed"] in config.range_of(config.seeds_of(arm))
            ],
        },
        {cell.name.replace(",", "-").replace("=", "-"): wrong_by(trained.ensemble.predictions(kept.x), kept.y)},
        {f"published/{cell['n']}": draws[0].what}
        if as_published
        else {f"fresh/{seed}": draw.what for seed, draw in zip(seeds, draws, strict=True)},
    )


def network_of(variant: str) -> "partial[PoolingCNN]":
    """Returns the function that makes the network of a variant."""
    kind: Pool = "none" if variant == MATCHED else variant  # type: ignore[assignment]  # the others are kinds
    return partial(PoolingCNN, pool=kind, channels=MATCHED_CHANNELS if variant == MATCHED else 20)


def _published(n: int) -> Draw:
    """Returns the published data set of a size: seed 42, as any other, and a test split that no other size has."""
    return frozen(num_samples=n + TESTS, train_split=1 - TESTS / (n + TESTS))


def _fresh(config: PoolingConfig, seed: int) -> Draw:
    """Returns a seed's draw of the largest size, whose first signals are the smaller training sets."""
    return fresh(seed, tests=config.tests, num_samples=max(config.sizes), train_split=1.0)


def _same_training(config: PoolingConfig, n: int) -> bool:
    """Returns whether equal steps and equal epochs are the same at a size: it is done once, and counts for both."""
    return config.steps_of("epochs", n) == config.steps


def _parts(seeds: range, steps: int) -> Iterator[range]:
    size = math.ceil(len(seeds) / math.ceil(len(seeds) * steps / CELL_STEPS))
    return (seeds[first : first + size] for first in range(0, len(seeds), size))


def _training_rows(own: Sequence[Examples], count: int) -> Examples:
    """Returns the signals to measure training accuracy on: (n, length), or (k, n, length) if replicas have own data."""
    first = [each.first(count) for each in own]
    return first[0] if len(first) == 1 else Examples.stacked(first)


def _rows(cell: Cell, arm: str, trained: Trained, counts: Mapping[str, int]) -> list[Row]:
    parameters = count_parameters(network_of(cell["variant"])())
    rows = trained.rows(arm=arm, variant=cell["variant"], parameters=parameters, n=cell["n"])
    return [{**row, "log_odds": round(log_odds(row["accuracy"], counts[row["on"]]), 6)} for row in rows]


def _curve(cell: Cell, arm: str, trained: Trained) -> list[Row]:
    of = {"arm": arm, "variant": cell["variant"], "n": cell["n"]}
    return [
        {**of, "step": measured.step, "seed": replica.seed, "accuracy": measured.accuracy}
        for replica, measured in trained.measured()
    ]


STUDY = Study(
    name="pooling",
    question="Does pooling help where training data are few, and hinder where they are many?",
    presets={
        "smoke": PoolingConfig(seeds=2, steps=10, epochs=0.1, evaluations=2, tests=200),
        "quick": PoolingConfig(seeds=3, steps=1000, epochs=10, evaluations=2, tests=5000),
        "paper": PoolingConfig(),
    },
    cells=cells,
    run_cell=run_cell,
    claims=CLAIMS,
    figures={"figure": draw_accuracy, "advantage": draw_advantage},
    bands=BANDS,
    shared_tests=(FRESH_TESTS, SharedTests(where={"arm": "published", "on": "test"}, examples=1000)),
    protocol=ProtocolFile(__file__, {"matched_channels": MATCHED_CHANNELS, "curve_rows": CURVE_ROWS}),
)

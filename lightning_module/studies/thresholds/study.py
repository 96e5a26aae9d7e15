"""Where is the interpolation threshold: at n parameters under a log likelihood, and at n K under a mean squared error?

Source: Greydanus (2020), "Scaling down Deep Learning", the remark on double descent, of which neither data nor code are
left; the README of that year repeated it, and later versions and the paper of 2024 do not.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import torch

from lightning_module.datamodule import Examples
from lightning_module.replicas.replica import Replica, noisy_labels
from lightning_module.studies.framework.cells import Cell, Config, Outcome, Row
from lightning_module.studies.framework.data import Draw, fresh
from lightning_module.studies.framework.protocol import ProtocolFile
from lightning_module.studies.framework.study import Study
from lightning_module.studies.framework.training import Score, Trained, score
from lightning_module.studies.framework.turning_points import Place, crossing, peak
from lightning_module.studies.methods.full_batch import train_on_all
from lightning_module.studies.methods.networks.families import FAMILIES, side_by_side
from lightning_module.studies.thresholds.amendments import AMENDMENTS
from lightning_module.studies.thresholds.claims import BANDS, CLAIMS
from lightning_module.studies.thresholds.config import CLASSES, LOSSES, MOST, SIZES, SMALL, predicted
from lightning_module.studies.thresholds.figures import draw_curves, draw_exponents, draw_thresholds

ERROR_BOUND: Final = 0.01
LOSS_BOUND: Final = 0.01  # of the loss of the best constant prediction
NOISE: Final = {"0 %": 0.0, "15 %": 0.15, "30 %": 0.3, "random": 0.0}
POOL: Final = 8000  # signals of a draw, whose first ones with the right digits are trained on

# Learning rates are chosen on a draw that is none of the seeds', where this part of the predicted parameters is there.
TUNING_SEED: Final = 1_000_000
TUNING_SIZE: Final = 0.7

SECONDS_PER_PRODUCT: Final = 6 / 40e9
CELL_SECONDS: Final = 240.0


@dataclass(frozen=True, kw_only=True)
class ThresholdsConfig(Config):
    """The numbers of the study of thresholds.

    Attributes:
        seeds: Number of seeds, which are 0, 1, 2, ...
        few_seeds: Number of seeds of the CNN, of the large training set, and with more steps.
        sizes: Training signals.
        small: Training signals of the further kinds of labels, with more steps, and of the CNN.
        large: Training signals with ten classes only.
        classes: Numbers of classes; the last is that of the data set.
        steps: Optimiser steps.
        times: How many times as many the repetition has.
        rates: Learning rates to choose from.
        per_doubling: Sizes of networks for each doubling of the parameters.
        least: Parameters of the smallest network for each signal.
        tests: Test signals.

    Raises:
        ValueError: If there are no sizes or rates.
    """

    seeds: int = 5
    few_seeds: int = 3
    sizes: tuple[int, ...] = SIZES
    small: tuple[int, ...] = SMALL
    large: int = 2000
    classes: tuple[int, ...] = CLASSES
    steps: int = 4000
    times: int = 4
    rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2)
    per_doubling: int = 2
    least: float = 1 / 3
    tests: int = 3000

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.sizes and self.small and self.classes and self.rates):
            raise ValueError("sizes, small, classes and rates must each have at least one entry")
        if max(*self.sizes, *self.small, self.large) > POOL // 4:
            raise ValueError(f"sizes and large must be at most {POOL // 4}: a draw has {POOL} signals of all digits")

    def widths(self, network: str, loss: str, n: int, classes: int) -> list[int]:
        """Returns the widths to be trained: from below n parameters to beyond the threshold, wherever it lies."""
        top = max(6.0 * n, 2.0 * predicted(loss, n, classes))
        count = math.floor(self.per_doubling * math.log2(top / (self.least * n))) + 1
        family = FAMILIES[network]
        sizes = [top / 2 ** (i / self.per_doubling) for i in range(count)]
        return sorted({family.width_near(size, classes) for size in sizes})


class WidthSweep(NamedTuple):
    """Networks of all widths that are trained alike.

    Attributes:
        network: The kind of network.
        n: Training signals.
        classes: Digits that they show.
        loss: What is minimised.
        labels: The kind of labels.
        times: Factor of the number of steps.
    """

    network: str
    n: int
    classes: int
    loss: str
    labels: str
    times: int


def plans(config: ThresholdsConfig) -> Iterator[tuple[WidthSweep, int]]:
    """Yields the networks to be trained, and the number of their seeds."""
    most = config.classes[-1]
    grid = [(n, classes) for n in config.sizes for classes in config.classes]
    small = [(n, classes) for n in config.small for classes in config.classes]
    for loss in LOSSES:
        for n, classes in grid:
            for labels in ("15 %", "random"):
                yield WidthSweep("one-hidden", n, classes, loss, labels, 1), config.seeds
        for n, classes in small:
            for labels in ("0 %", "30 %"):
                yield WidthSweep("one-hidden", n, classes, loss, labels, 1), config.seeds
            yield WidthSweep("one-hidden", n, classes, loss, "15 %", config.times), config.few_seeds
        yield WidthSweep("one-hidden", config.large, most, loss, "15 %", 1), config.few_seeds
        for n in config.small:
            yield WidthSweep("cnn", n, most, loss, "15 %", 1), config.few_seeds


def cells(config: ThresholdsConfig) -> list[Cell]:
    """Returns a cell for each plan; for each of its seeds where all would take too long."""
    found = []
    for plan, seeds in plans(config):
        each = seeds * _seconds(config, plan) > CELL_SECONDS
        numbers = config.range_of(seeds)
        for first, last in ((seed, seed) for seed in numbers) if each else [(numbers[0], numbers[-1])]:
            of = {**plan._asdict(), "labels": plan.labels.replace(" %", ""), "first": first, "last": last}
            found.append(Cell(of, (last - first + 2) * _seconds(config, plan)))
    return found


def _seconds(config: ThresholdsConfig, plan: WidthSweep) -> float:
    """Returns about what one seed of a plan takes."""
    products = FAMILIES[plan.network].products
    widths = config.widths(plan.network, plan.loss, plan.n, plan.classes)
    each = (plan.n * products(width, plan.classes) * SECONDS_PER_PRODUCT + 4e-5 for width in widths)
    return config.steps * plan.times * sum(each)


def run_cell(config: ThresholdsConfig, cell: Cell) -> Outcome:
    """Returns the scores of the networks of a cell, and their thresholds."""
    labels = cell["labels"] if cell["labels"] == "random" else f"{cell['labels']} %"
    plan = WidthSweep(**{**{name: cell[name] for name in WidthSweep._fields}, "labels": labels})
    seeds = range(cell["first"], cell["last"] + 1)
    rate, tuning = _tuned(config, plan)
    widths = config.widths(plan.network, plan.loss, plan.n, plan.classes)
    rows = sorted(
        _trained(config, plan, widths, tuple(seeds), (rate,)), key=lambda row: (row["seed"], row["parameters"])
    )
    found = [row for seed in seeds for row in _thresholds(plan, [each for each in rows if each["seed"] == seed])]
    return Outcome(
        {"rows": rows, "thresholds": found, "tuning": tuning if cell["first"] == config.first_seed else []},
        data={f"seed {seed}": _draw(seed).what for seed in seeds},
    )


def _tuned(config: ThresholdsConfig, plan: WidthSweep) -> tuple[float, list[Row]]:
    """Returns the learning rate with the lowest training loss on a draw of its own, and what all of them scored."""
    width = FAMILIES[plan.network].width_near(TUNING_SIZE * predicted(plan.loss, plan.n, plan.classes), plan.classes)
    rows = _trained(config, plan, [width], (TUNING_SEED,), config.rates)
    best = min(rows, key=lambda row: row["train_loss"] if math.isfinite(row["train_loss"]) else math.inf)
    return best["rate"], [{**row, "chosen": row is best} for row in rows]


def _trained(
    config: ThresholdsConfig, plan: WidthSweep, widths: list[int], seeds: tuple[int, ...], rates: tuple[float, ...]
) -> list[Row]:
    """Returns a row for each network of these widths, seeds and learning rates."""
    family, steps = FAMILIES[plan.network], config.steps * plan.times
    train_sets, test_sets = {}, {}
    for seed in seeds:
        train_sets[seed], test_sets[seed] = task(plan.n, plan.classes, plan.labels, seed=seed, tests=config.tests)

    def cost(width: int) -> float:
        work = plan.n * family.products(width, plan.classes) * SECONDS_PER_PRODUCT
        return len(seeds) * len(rates) * steps * (work + 4e-5)

    rows: list[Row] = []
    for group in side_by_side(widths, cost, most=max(4.0, steps * 2e-3)):
        replicas = [
            Replica(seed=seed, width=width, lr=rate, data=train_sets[seed])
            for width in group
            for seed in seeds
            for rate in rates
        ]
        trained = train_on_all(
            family.of_width(plan.classes),
            replicas,
            train_sets[seeds[0]],
            steps=steps,
            loss=plan.loss,
            num_classes=plan.classes,
        )
        of_each = (
            score(trained.ensemble, Examples.stacked(sets[each.seed] for each in replicas), step=steps, on=on)
            for on, sets in (("train", train_sets), ("test", test_sets))
        )
        rows += _rows(plan, trained, *of_each)
    return rows


def task(n: int, classes: int, labels: str, *, seed: int, tests: int) -> tuple[Examples, Examples]:
    """Returns n training signals of a seed and test signals, with labels 0..classes - 1.

    Args:
        n: Training signals; the first ones of those of more.
        classes: Number of classes: as many digits, which the seed decides.
        labels: "0 %", "15 %" or "30 %" of the training labels redrawn from all classes; or "random", where signals of
            all digits have labels, in training and test, that say nothing.
        seed: Decides signals, digits and labels.
        tests: Test signals, at most.
    """
    draw, generator = _draw(seed), torch.Generator().manual_seed(seed)
    digits = torch.randperm(MOST, generator=generator)[:classes].sort().values
    if labels == "random":
        drawn = (torch.randint(classes, (len(each.y),), generator=generator) for each in (draw.train, draw.test))
        (x, y), (x_test, y_test) = ((each.x, own) for each, own in zip((draw.train, draw.test), drawn, strict=True))
    else:
        (x, y), (x_test, y_test) = (_of_digits(digits, each) for each in (draw.train, draw.test))
    y = noisy_labels(y[:n], NOISE[labels], seed=seed, num_classes=classes)
    return Examples(x[:n], y), Examples(x_test[:tests], y_test[:tests])


def _of_digits(digits: torch.Tensor, examples: Examples) -> Examples:
    """Returns the examples of some digits, which are numbered in their order."""
    chosen = torch.isin(examples.y, digits)
    return Examples(examples.x[chosen], torch.searchsorted(digits, examples.y[chosen]))


@cache
def _draw(seed: int) -> Draw:
    return fresh(seed, num_samples=POOL, train_split=1.0)


def _rows(plan: WidthSweep, trained: Trained, train: Score, test: Score) -> list[Row]:
    parameters = FAMILIES[plan.network].parameters
    return [
        {
            **plan._asdict(),
            "seed": replica.seed,
            "width": replica.width,
            "parameters": parameters(replica.width or 0, plan.classes),
            "rate": replica.lr,
            "train_loss": on_train.loss,
            "train_error": round(1 - on_train.accuracy, 6),
            "test_loss": on_test.loss,
            "test_error": round(1 - on_test.accuracy, 6),
        }
        for (replica, on_train), (_, on_test) in zip(trained.measured([train]), trained.measured([test]), strict=True)
    ]


def constant_loss(loss: str, classes: int) -> float:
    """Returns the loss of the best prediction that is the same for all signals, of as many of each class."""
    return math.log(classes) if loss == "cross_entropy" else (1 - 1 / classes) / classes


def _thresholds(plan: WidthSweep, rows: list[Row]) -> list[Row]:
    """Returns where one seed's networks, by size, come to fit the training set or are worst on the test set."""
    sizes = [row["parameters"] for row in rows]
    curves = {name: [row[name] for row in rows] for name in ("train_error", "train_loss", "test_loss", "test_error")}
    bound = LOSS_BOUND * constant_loss(plan.loss, plan.classes)
    places: dict[str, Place] = {
        "training error": crossing(sizes, curves["train_error"], ERROR_BOUND),
        "training loss": crossing(sizes, curves["train_loss"], bound, log=True),
        "test loss": peak(sizes, [math.log(value) if value > 0 else math.nan for value in curves["test_loss"]]),
        "test error": peak(sizes, curves["test_error"]),
    }
    return [
        {**plan._asdict(), "seed": rows[0]["seed"], "rule": rule, "parameters": round(place.at, 2), "seen": place.seen}
        for rule, place in places.items()
    ]


STUDY = Study(
    name="thresholds",
    question="At how many parameters does a network become able to fit its training set: does the number of classes "
    "matter, and does the loss?",
    presets={
        "smoke": ThresholdsConfig(
            seeds=2,
            few_seeds=2,
            sizes=(250, 500),
            small=(250,),
            large=1000,
            classes=(2, 10),
            steps=20,
            rates=(1e-2, 3e-2),
            per_doubling=1,
            tests=100,
        ),
        "quick": ThresholdsConfig(
            seeds=2,
            few_seeds=2,
            sizes=(125, 250),
            small=(125,),
            large=500,
            steps=1500,
            rates=(3e-3, 1e-2, 3e-2),
            per_doubling=1,
            tests=2000,
        ),
        "paper": ThresholdsConfig(),
    },
    cells=cells,
    run_cell=run_cell,
    claims=CLAIMS,
    figures={"figure": draw_curves, "thresholds": draw_thresholds, "exponents": draw_exponents},
    bands=BANDS,
    amendments=AMENDMENTS,
    protocol=ProtocolFile(
        __file__,
        {"tuning_size": TUNING_SIZE, "error_percent": 100 * ERROR_BOUND, "loss_percent": 100 * LOSS_BOUND},
    ),
)

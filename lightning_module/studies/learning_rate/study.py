"""A learning rate learned by gradient descent through a whole training: where it ends, and the landscape it crosses.

Source: Greydanus (2020), "Scaling down Deep Learning", metalearning a learning rate; Greydanus & Kobak (2024), "Scaling
Down Deep Learning with MNIST-1D", ICML, the same section.
"""

import math
import time
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # as everywhere in PyTorch

from lightning_module.datamodule import Examples
from lightning_module.studies.framework.cells import Cell, Outcome, Row
from lightning_module.studies.framework.data import Draw, fresh, fresh_test, frozen
from lightning_module.studies.framework.protocol import ProtocolFile
from lightning_module.studies.framework.study import Study
from lightning_module.studies.learning_rate.amendments import AMENDMENTS
from lightning_module.studies.learning_rate.claims import BANDS, CLAIMS
from lightning_module.studies.learning_rate.config import PUBLISHED_STARTS, LearningRateConfig
from lightning_module.studies.learning_rate.figures import draw_cost, draw_landscape, draw_paths
from lightning_module.studies.methods.unrolled import (
    Weights,
    descend,
    held_for_backward,
    hypergradient,
    initial_weights,
    logits,
    minibatches,
    unroll,
)

ARMS = ("frozen", "fresh")


def cells(config: LearningRateConfig) -> list[Cell]:
    """Returns a cell for each arm and seed, and one for the cost."""
    runs = [Cell({"arm": arm, "seed": seed}) for arm in ARMS for seed in config.seed_range]
    return [*runs, Cell({"part": "cost"}, sum(config.lengths) / 100)]


def run_cell(config: LearningRateConfig, cell: Cell) -> Outcome:
    """Returns the paths of the learning rates from all starts, and the landscape, of one initialisation and draw."""
    if "part" in cell.of:
        return Outcome({"cost": list(_cost_rows(config))}, data={"cost": frozen().what})
    arm, seed = cell["arm"], cell["seed"]
    draw = frozen() if arm == "frozen" else fresh(seed, tests=config.tests)
    test = fresh_test(draw, count=config.tests) if arm == "frozen" else draw.test
    weights = initial_weights(seed)
    landscape = _landscape(config, draw, weights, test)
    tables = {
        "rows": list(_path_rows(config, draw, weights)),
        "landscape": landscape,
        "optima": [_optimum(landscape, objective) for objective in ("mean_loss", "last_loss", "test_loss")],
    }
    label = "frozen" if arm == "frozen" else f"fresh/{seed}"
    return Outcome(
        {name: [{**cell.of, **row} for row in rows] for name, rows in tables.items()}, data={label: draw.what}
    )


def _path_rows(config: LearningRateConfig, draw: Draw, weights: Weights) -> Iterator[Row]:
    """Yields for each outer step and start the learning rate after it, and the losses that it was made from."""
    starts = list(dict.fromkeys([*PUBLISHED_STARTS, *config.starts]))
    batches = minibatches(draw.train, steps=config.steps, size=config.batch_size)
    path = descend(starts, weights, batches, steps=config.outer_steps, outer_rate=config.outer_rate)
    for step, (rates, found) in enumerate(path):
        columns = zip(
            starts,
            rates.tolist(),
            found.gradient.tolist(),
            found.mean_loss.tolist(),
            found.losses[:, -1].tolist(),
            strict=True,
        )
        for start, rate, gradient, mean_loss, last_loss in columns:
            yield {
                "steps": config.steps,
                "start": start,
                "step": step,
                "last": step == config.outer_steps - 1,
                "rate": _digits(rate),
                "gradient": _digits(gradient, 4),  # nothing is judged by this, or by the next but one
                "mean_loss": _digits(mean_loss),
                "last_loss": _digits(last_loss, 4),
            }


def _landscape(config: LearningRateConfig, draw: Draw, weights: Weights, test: Examples) -> list[Row]:
    """Returns the losses after training with each learning rate of the grid."""
    rates = torch.logspace(math.log10(0.01), math.log10(4.0), config.grid)
    stacked = tuple(tensor.expand(len(rates), *tensor.shape[1:]) for tensor in weights)
    batches = minibatches(draw.train, steps=config.steps, size=config.batch_size)
    losses, trained = unroll(rates, stacked, batches, graph=False)
    tested = _test_loss(trained, test)
    return [
        {
            "rate": _digits(rate),
            "mean_loss": _digits(float(of_one.mean())),
            "last_loss": _digits(float(of_one[-20:].mean())),
            "test_loss": _digits(float(on_test)),
        }
        for rate, of_one, on_test in zip(rates.tolist(), losses, tested, strict=True)
    ]


def _test_loss(weights: Weights, test: Examples) -> Tensor:
    """Returns the mean cross-entropy (k,) on the test examples, one network at a time to bound the memory."""
    with torch.no_grad():
        return torch.stack(
            [
                F.cross_entropy(logits(tuple(w[i : i + 1] for w in weights), test.x)[0], test.y)
                for i in range(len(weights[0]))
            ]
        )


def _optimum(landscape: list[Row], objective: str) -> Row:
    best = min(landscape, key=lambda row: float(row[objective]))
    return {"objective": objective, "rate": best["rate"], "loss": best[objective], "test_loss": best["test_loss"]}


def _cost_rows(config: LearningRateConfig) -> Iterator[Row]:
    """Yields time and memory of one hypergradient, by the length of the training, kept whole or in segments."""
    weights, rates = initial_weights(0), torch.tensor([0.6])
    state = sum(tensor.nbytes for tensor in weights)
    for length in config.lengths:
        batches = minibatches(frozen().train, steps=length, size=config.batch_size)
        for method, segment in (("whole", length), ("segments", math.isqrt(length))):
            first = batches.first(segment)
            with held_for_backward() as held:
                hypergradient(rates, weights, first)
            row = {
                "length": length,
                "method": method,
                "segment": segment,
                "megabytes": round((held[0] + state * math.ceil(length / segment)) / 1e6, 3),
            }
            if config.repeats:
                row["seconds"] = round(min(_seconds(rates, weights, batches, segment, config.repeats)), 4)
            yield row


def _seconds(rates: Tensor, weights: Weights, batches: Examples, segment: int, repeats: int) -> Iterator[float]:
    for _ in range(repeats):
        started = time.process_time()
        hypergradient(rates, weights, batches, segment=segment)
        yield time.process_time() - started


def _digits(number: float, count: int = 7) -> float:
    """Returns the first digits of a number; of one that exploded, infinity, which no mean hides."""
    return float(f"{number:.{count}g}") if math.isfinite(number) else math.inf


STUDY = Study(
    name="learning-rate",
    question="Does gradient descent through a whole training find the best learning rate, from wherever it begins?",
    presets={
        "smoke": LearningRateConfig(
            seeds=2, starts=(0.6,), steps=40, outer_steps=6, grid=12, tests=500, lengths=(10, 20), repeats=0
        ),
        "quick": LearningRateConfig(seeds=3, starts=(0.3, 1.0), tests=5000, repeats=1),
        "paper": LearningRateConfig(),
    },
    cells=cells,
    run_cell=run_cell,
    claims=CLAIMS,
    figures={"figure": draw_paths, "landscape": draw_landscape, "cost": draw_cost},
    bands=BANDS,
    amendments=AMENDMENTS,
    protocol=ProtocolFile(__file__),
    of_the_moment={"cost": ("seconds",)},
)

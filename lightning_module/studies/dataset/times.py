"""The run times that the paper promises: how long the published experiments take one core, from parts of them.

A whole experiment is a small piece of work many times over. The piece is measured, in processor time of one thread, and
multiplied. All pieces take turns, so that what else the machine does meets all of them.

Source: the captions and sections 4 and 5 of Greydanus & Kobak (2024) for the times, its notebooks for the counts.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # as everywhere in PyTorch

from lightning_module.datamodule import Examples
from lightning_module.networks import CNN, MLP, Logistic
from lightning_module.studies.framework.cells import Row
from lightning_module.studies.framework.data import frozen
from lightning_module.studies.framework.training import fit
from lightning_module.studies.methods.activation.meta_activation import meta_train, reference_draws
from lightning_module.studies.methods.networks.pooling import PoolingCNN
from lightning_module.studies.methods.simclr.encoder import PROJECTORS, Projector, SimCLR
from lightning_module.studies.methods.unrolled import descend, initial_weights, minibatches
from lightning_module.twin import pl
from mnist1d_hf import make_mnist1d

BATCH: Final = 100
STEPS, EVERY = 6000, 250  # of the benchmark, and between two of its evaluations
POOLING_EVERY: Final = 100
POOLING_SIZES: Final = (1000, 2000, 5000, 10_000, 20_000, 50_000)  # and 1,000 to test
ORDERS: Final = 2  # points in their own order, and shuffled
OUTER_STEPS: Final = {"learning-rate": 50, "activation": 301}
INNER_STEPS: Final = {"learning-rate": 200, "activation": 301}
EPOCHS: Final = 200

IMAGE_LENGTH: Final = 784


class Piece(NamedTuple):
    """A piece of an experiment.

    Attributes:
        name: What it is.
        work: Does it; says itself how many seconds it took, or nothing.
        units: How many units are done at once.
        times: How many units the published experiment has.
    """

    name: str
    work: Callable[[], object]
    units: float
    times: float


def time_rows(repeats: int, effort: float) -> tuple[list[Row], list[Row]]:
    """Returns the minutes of each experiment by repeat, and the seconds of its pieces.

    Args:
        repeats: Turns that are measured; one before them is not.
        effort: How much of a piece is done in a turn, next to what the paper preset does.
    """
    experiments = published_experiments(effort)
    for pieces in experiments.values():
        for piece in pieces:
            piece.work()
    wholes: list[Row] = []
    parts: list[Row] = []
    for repeat in range(repeats):
        for name, pieces in experiments.items():
            measured = [(piece, *_seconds(piece.work)) for piece in pieces]
            minutes = sum(seconds / piece.units * piece.times for piece, seconds, _ in measured) / 60
            wall = sum(wall for _, _, wall in measured)
            share = sum(seconds for _, seconds, _ in measured) / wall
            row = {"experiment": name, "repeat": repeat}
            wholes.append({**row, "minutes": _digits(minutes), "of_a_core": round(share, 3)})
            parts += [
                {**row, "piece": piece.name, "seconds": _digits(seconds / piece.units), "times": piece.times}
                for piece, seconds, _ in measured
            ]
    return wholes, parts


def published_experiments(effort: float) -> Mapping[str, list[Piece]]:
    """Returns the pieces of each experiment by its name."""
    x, y = frozen().train
    draw = Examples(x, y)
    few = max(1, round(2 * effort))
    return {
        "generation": [Piece("all signals", lambda: make_mnist1d(), 1, 1)],
        "classification": [*_classification(draw, max(2, round(50 * effort)))],
        "pooling": [*_pooling(draw, max(2, round(30 * effort)))],
        "learning-rate": [
            Piece(
                "outer step",
                partial(_learning_rate, draw, 2 * few, steps=max(4, round(INNER_STEPS["learning-rate"] * effort))),
                2 * few * max(4, round(INNER_STEPS["learning-rate"] * effort)) / INNER_STEPS["learning-rate"],
                OUTER_STEPS["learning-rate"],
            )
        ],
        "activation": [_activation(effort)],
        "self-supervision": [_contrastive("default", draw, 1 + few, effort)],
        "self-supervision, three": [_contrastive(name, draw, 1 + few, effort) for name in PROJECTORS],
        "length": [*_lengths(draw, max(2, round(100 * effort)))],
    }


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Returns the processor's seconds, or those that the work says it took, and those of the clock."""
    wall, processor = time.perf_counter(), time.process_time()
    own = work()
    seconds = time.process_time() - processor
    return (own if isinstance(own, float) else seconds), time.perf_counter() - wall


class TorchGRU(nn.Module):
    """The benchmark's GRU by torch's own, as it is published; this package's is faster."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(1, 6, batch_first=True, bidirectional=True)
        self.linear = nn.Linear(40 * 12, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (batch, 10) of signals (batch, 40)."""
        return self.linear(self.gru(x.unsqueeze(2))[0].flatten(1))  # type: ignore[no-any-return]


def _classification(data: Examples, steps: int) -> Iterator[Piece]:
    networks = {"logistic": Logistic(), "mlp": MLP(), "cnn": CNN(), "gru": TorchGRU()}
    for name, network in networks.items():
        yield Piece(f"{name} step", partial(_train, network, data, steps), steps, ORDERS * STEPS)
        yield Piece(f"{name} signal evaluated", partial(_evaluate, network, data), len(data.y), ORDERS * _evaluated())


def _evaluated() -> int:
    """Returns how many signals one network of the benchmark is evaluated on: both splits, at each evaluation."""
    return (STEPS // EVERY + 1) * 5000


def _pooling(data: Examples, steps: int) -> Iterator[Piece]:
    evaluated = (STEPS // POOLING_EVERY + 1) * sum(size + 1000 for size in POOLING_SIZES)
    for kind in ("none", "stride", "max", "avg", "l2"):
        network = PoolingCNN(pool=kind)
        yield Piece(f"{kind} step", partial(_train, network, data, steps), steps, STEPS * len(POOLING_SIZES))
        yield Piece(f"{kind} signal evaluated", partial(_evaluate, network, data), len(data.y), evaluated)


def _lengths(data: Examples, steps: int) -> Iterator[Piece]:
    """Yields a step on signals of 40 points, and on ones as long as MNIST's images, of the same network."""
    long = Examples(data.x.repeat(1, 20)[:, :IMAGE_LENGTH].contiguous(), data.y)
    for length, examples in ((40, data), (IMAGE_LENGTH, long)):
        yield Piece(f"mlp step, {length} points", partial(_train, MLP(length), examples, steps), steps, STEPS)


def _train(network: nn.Module, data: Examples, steps: int) -> None:
    """Trains as the published loop does: Adam, minibatches in the rows' own order."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    batches = len(data.y) // BATCH
    for step in range(steps):
        rows = slice(step % batches * BATCH, (step % batches + 1) * BATCH)
        loss = F.cross_entropy(network(data.x[rows]), data.y[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()


@torch.no_grad()
def _evaluate(network: nn.Module, data: Examples) -> Tensor:
    return F.cross_entropy(network(data.x), data.y)


def _learning_rate(data: Examples, outer_steps: int, *, steps: int) -> None:
    """Takes outer steps of both published starts."""
    batches = minibatches(data, steps=steps, size=50)
    for _ in descend([1.5, 0.15], initial_weights(0), batches, steps=outer_steps, outer_rate=0.3):
        pass


def _activation(effort: float) -> Piece:
    whole = INNER_STEPS["activation"]
    steps = max(4, round(whole * effort))
    draws, train, test = reference_draws(0, steps=steps), frozen().train, frozen().test
    evaluation = Examples(test.x[:500], test.y[:500])

    def work() -> None:
        for _ in meta_train(train, evaluation, draws, outer_steps=1, window=max(1, steps - 101)):
            pass

    return Piece("outer step", work, steps / whole, OUTER_STEPS["activation"])


def _contrastive(projector: Projector, data: Examples, epochs: int, effort: float) -> Piece:
    """Returns the piece that is an epoch; the first one of each turn is not measured."""
    signals = max(2 * BATCH, round(len(data.y) * min(effort, 1) / BATCH) * BATCH)
    part = Examples(data.x[:signals], data.y[:signals])

    def work() -> float:
        stamps = EpochStamps()
        fit(SimCLR(projector, 1), part, steps=epochs * signals // BATCH, shuffle=True, callbacks=[stamps])
        return stamps.taken[-1] - stamps.taken[0]

    return Piece(f"{projector} epoch", work, (epochs - 1) * signals / len(data.y), EPOCHS)


class EpochStamps(pl.Callback):
    """A callback that notes the processor's time at the end of each epoch."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Notes the processor's time."""
        self.taken.append(time.process_time())


def _digits(number: float) -> float:
    return float(f"{number:.4g}")

"""What a network of the double descent sweeps costs: in the reference notebook's way, and in the study's cells.

    python benchmarks/double_descent.py [--runs 3]

Two sweeps over all published widths, in one run on the same 4000 signals with noisy labels, alternating:

- reference: one network after another; a `DataLoader` over a `TensorDataset`, shuffled, minibatches of 100; the layers
  and the gradient descent of torch.nn and torch.optim. One seed.
- here: the ensembles of the study's cells, with its groups of widths and its seeds, 5 for the MLP and 3 for the CNN,
  each with signals and order of its own; `Trainer.fit`.
- limit: the multiplications and additions of the networks at 60 GFLOP/s on each thread.

Both train for a few of the 500 epochs, whose times are alike: the first one, which finds cold caches and makes the
optimiser's state, is not counted. Evaluations are left out on both sides. The sum over the widths is divided by the
number of networks. Both have one thread, and its processor time is taken, so that what else the machine does counts as
little as it can. It prints a table and writes nothing.
"""

import argparse
import logging
import statistics
import time
import warnings
from typing import Any

import pytorch_lightning as pl
import torch
from report import machine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from lightning_module import CNN
from lightning_module.datamodule import Examples
from lightning_module.replicas.replica import Replica
from lightning_module.studies import fresh, train
from lightning_module.studies.double_descent.config import DoubleDescentConfig
from lightning_module.studies.double_descent.study import CURRENT, cells
from lightning_module.studies.methods.networks.families import FAMILIES

EPOCHS = 500
N, BATCH = 4000, 100
GIGAFLOP_PER_SECOND = 60.0  # of a core
WANTED = {"mlp": 4.0, "cnn": 1.5}


class Clock(pl.Callback):
    """The processor seconds of all epochs but the first."""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the clock, with the second epoch."""
        if trainer.current_epoch == 1:
            self._started = time.process_time()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stops the clock."""
        self.seconds = time.process_time() - self._started


def reference_network(name: str, width: int) -> nn.Module:
    """Returns a network as the notebook makes it."""
    if name == "cnn":
        return CNN(channels=width)
    hidden = [nn.Linear(40, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*hidden, nn.Linear(width, 10))


def reference(name: str, width: int, data: Examples, epochs: int) -> float:
    """Returns the seconds that some epochs of the notebook's loop take one network."""
    torch.manual_seed(0)
    network = reference_network(name, width)
    loader = DataLoader(TensorDataset(*data), batch_size=BATCH, shuffle=True)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    loss_of = nn.CrossEntropyLoss()
    start = 0.0
    for epoch in range(1 + epochs):
        if epoch == 1:
            start = time.process_time()
        for x, y in loader:
            optimizer.zero_grad()
            loss_of(network(x), y).backward()
            optimizer.step()
    return time.process_time() - start


def ensemble(name: str, widths: list[int], seeds: range, data: list[Examples], epochs: int) -> float:
    """Returns the seconds that some epochs take a cell."""
    clock = Clock()
    replicas = [
        Replica(seed=seed, width=width, shuffle_seed=10_000 * (1 + seed), data=data[seed])
        for width in widths
        for seed in seeds
    ]
    train(
        FAMILIES[name].of_width(),
        replicas,
        data[0],
        steps=(1 + epochs) * N // BATCH,
        batch_size=BATCH,
        shuffle=True,
        callbacks=[clock],
        **CURRENT,
    )
    return clock.seconds


def measure(name: str, config: DoubleDescentConfig, data: list[Examples], *, epochs: int) -> tuple[float, float]:
    """Returns the seconds of 500 epochs of the mean network of a sweep, by the reference and here."""
    widths = config.widths if name == "mlp" else config.channels
    theirs = sum(reference(name, width, data[0], epochs) for width in widths) / len(widths)
    own, networks = 0.0, 0
    for cell in cells(config):
        if (cell["form"], cell["arm"], cell["network"], cell["labels"]) == ("current", "fresh", name, "noisy"):
            chosen = [width for width in widths if cell["least"] <= width <= cell["most"]]
            seeds = range(cell["first"], cell["last"] + 1)
            own += ensemble(name, chosen, seeds, data, epochs)
            networks += len(chosen) * len(seeds)
    return theirs * EPOCHS / epochs, own / networks * EPOCHS / epochs


def limit(name: str, config: DoubleDescentConfig) -> float:
    """Returns the seconds of the arithmetic alone: forward once and backward twice, a sum for each product."""
    widths = config.widths if name == "mlp" else config.channels
    products = sum(FAMILIES[name].products(width, 10) for width in widths) / len(widths)
    return 6 * products * N * EPOCHS / (1e9 * GIGAFLOP_PER_SECOND)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="the time of a network of the double descent sweeps")
    parser.add_argument("--networks", nargs="+", default=list(WANTED), choices=list(WANTED))
    parser.add_argument("--runs", type=int, default=3, help="alternating runs; the table has medians")
    parser.add_argument("--epochs", type=int, default=2, help="epochs that are counted in each, of 500")
    options = parser.parse_args()

    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    config = DoubleDescentConfig()
    noisy: dict[str, Any] = {"config": "double-descent-noisy", "tests": 100}
    data = [fresh(seed, label_noise_seed=seed, **noisy).train for seed in range(config.seeds)]
    print(f"{machine()}, 1 thread")
    print("seconds of 500 epochs of the mean network of a sweep: medians and ranges")
    print(f"{'sweep':8}{'reference':>12}{'here':>10}{'limit':>10}{'faster':>22}{'wanted':>10}{'of the limit':>14}")
    for name in options.networks:
        ensemble(name, [8], range(2), data, 1)  # warms up
        reference(name, 8, data[0], 1)
        pairs = [measure(name, config, data, epochs=options.epochs) for _ in range(options.runs)]
        ratios = [theirs / own for theirs, own in pairs]
        theirs, own = (statistics.median(column) for column in zip(*pairs, strict=True))
        faster = f"{statistics.median(ratios):.2f}x ({min(ratios):.2f} to {max(ratios):.2f})"
        least = limit(name, config)
        line = f"{name:8}{theirs:12.1f}{own:10.1f}{least:10.1f}{faster:>22}{WANTED[name]:>9.1f}x"
        print(f"{line}{100 * least / own:>12.0f} %", flush=True)


if __name__ == "__main__":
    main()

"""What `trainer.fit` costs, in units of a bare PyTorch loop: what a user really types, and one step of it.

    python benchmarks/fit_step.py

Per network, alternating in one process, two tables:

What a user really types: `Trainer(max_epochs=...).fit(Classifier(...), MNIST1DDataModule())` with everything on: a
progress bar, a logger, and in each epoch a new permutation, a validation and a checkpoint. The clock runs from the
first step to the end of the last epoch; what comes before (data, model summary, sanity check) has its own column.

- bare: a loop that shuffles and validates as often, and nothing else. The unit.
- fit: as it is typed.
- stock: the same with steps_per_execution=1, Lightning's own loop over the same whole-tensor minibatches.

One step, in the reference protocol (batch 100, val="test", shuffle="none", an evaluation every 250 steps) with the
Trainer's own defaults. The clock runs from the first training step to the last and stands still from the start of a
validation to its end, with the checkpoint that is saved there.

- bare: slice, forward, loss, backward, fused Adam, in a loop. The unit.
- fit: `Trainer.fit` of `Classifier` on `MNIST1DDataModule`.
- single steps: the same with steps_per_execution=1.
- stock: the same again, over a `DataLoader` of a `TensorDataset`.

It prints the tables and writes nothing that stays.
"""

import argparse
import logging
import os
import platform
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import torch
from torch.utils.data import DataLoader, TensorDataset

from lightning_module import NETWORKS, Classifier, MNIST1DDataModule, make_network
from lightning_module.twin import pl

BATCH = 100


class Timed(Classifier):
    """A classifier that counts the seconds from the first training step to the last, without validations."""

    seconds = 0.0

    def on_train_start(self) -> None:
        """Starts the clock."""
        self._started = time.perf_counter()

    def on_validation_start(self) -> None:
        """Stops the clock."""
        if not self.trainer.sanity_checking:
            self.seconds += time.perf_counter() - self._started

    def on_validation_end(self) -> None:
        """Starts the clock: a module's hook runs after those of the callbacks, one of which saves a checkpoint."""
        self._started = time.perf_counter()

    def on_train_end(self) -> None:
        """Stops the clock."""
        self.seconds += time.perf_counter() - self._started


def bare(name: str, data: MNIST1DDataModule, steps: int) -> float:
    """Returns the seconds of a bare loop."""
    torch.manual_seed(0)
    network = make_network(name)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2, fused=True)
    x, y = data.examples("train")
    start = time.perf_counter()
    for step in range(steps):
        first = step * BATCH % len(x)
        loss = torch.nn.functional.cross_entropy(network(x[first : first + BATCH]), y[first : first + BATCH])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start


def fit(name: str, data: MNIST1DDataModule, steps: int, *, execution: Any = "auto", stock: bool = False) -> float:
    """Returns the seconds of `Trainer.fit`, without start-up and validations."""
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        trainer = pl.Trainer(
            accelerator="cpu",
            max_steps=steps,
            val_check_interval=250,
            check_val_every_n_epoch=None,
            default_root_dir=folder,
        )
        model = Timed(name, steps_per_execution=execution)
        if stock:
            train = DataLoader(TensorDataset(*data.examples("train")), batch_size=BATCH)
            trainer.fit(model, train, DataLoader(TensorDataset(*data.examples("test")), batch_size=1000))
        else:
            trainer.fit(model, datamodule=data)
    if trainer.global_step != steps:
        raise RuntimeError(f"took {trainer.global_step} steps, not {steps}")
    return model.seconds


class Clock(pl.Callback):
    """The seconds from the first training step to the end of the last epoch."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the clock."""
        self.started = time.perf_counter()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stops the clock."""
        self.seconds = time.perf_counter() - self.started


def bare_epochs(name: str, data: MNIST1DDataModule, epochs: int) -> float:
    """Returns the seconds of a bare loop that shuffles in each epoch and validates after it."""
    torch.manual_seed(0)
    network = make_network(name)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2, fused=True)
    (x, y), (x_val, y_val) = data.examples("train"), data.examples("val")
    start = time.perf_counter()
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(BATCH):
            loss = torch.nn.functional.cross_entropy(network(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            logits = network(x_val)
            torch.nn.functional.cross_entropy(logits, y_val).item()
            (logits.argmax(1) == y_val).float().mean().item()
        network.train()
    return time.perf_counter() - start


def typed(name: str, epochs: int, *, execution: Any = "auto") -> tuple[float, float]:
    """Returns the seconds of the epochs of what a user types, and of what comes before them."""
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        clock = Clock()
        trainer = pl.Trainer(accelerator="cpu", max_epochs=epochs, default_root_dir=folder, callbacks=[clock])
        trainer.fit(Classifier(name, steps_per_execution=execution), MNIST1DDataModule())
    if trainer.current_epoch != epochs:
        raise RuntimeError(f"took {trainer.current_epoch} epochs, not {epochs}")
    return clock.seconds, clock.started - start


def ratio(mine: list[float], unit: list[float]) -> str:
    """Returns the median and the range of the ratios of neighbouring runs.

    A machine that slows down for a while slows both.
    """
    ratios = [a / b for a, b in zip(mine, unit, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def table_of_epochs(networks: list[str], steps: int, runs: int) -> list[str]:
    """Measures what a user types, and returns the lines of its table."""
    data = MNIST1DDataModule()
    per_epoch = len(data.examples("train").x) // BATCH
    lines = [
        f"{'network':10}{'epochs':>7}{'bare ms/epoch':>15}{'fit / bare':>22}{'stock / bare':>22}{'stock / fit':>22}"
        f"{'start-up s':>12}"
    ]
    for name in networks:
        epochs = max(2, (steps // 8 if name == "gru" else steps) // per_epoch)
        seconds: dict[str, list[float]] = {"bare": [], "fit": [], "stock": [], "before": []}
        for run in range(runs + 1):
            bare_seconds = bare_epochs(name, data, epochs)
            fit_seconds, before = typed(name, epochs)
            stock_seconds, _ = typed(name, epochs, execution=1)
            if run:  # the first is to warm up
                found = {"bare": bare_seconds, "fit": fit_seconds, "stock": stock_seconds, "before": before}
                for label, value in found.items():
                    seconds[label].append(value)
        lines.append(
            f"{name:10}{epochs:7}{statistics.median(seconds['bare']) / epochs * 1e3:15.1f}"
            f"{ratio(seconds['fit'], seconds['bare']):>22}{ratio(seconds['stock'], seconds['bare']):>22}"
            f"{ratio(seconds['stock'], seconds['fit']):>22}{statistics.median(seconds['before']):12.2f}"
        )
    return lines


def table_of_steps(networks: list[str], steps: int, runs: int) -> list[str]:
    """Measures one step, and returns the lines of its table."""
    data = MNIST1DDataModule(val="test", shuffle="none", batch_size=BATCH)
    contenders: dict[str, Callable[[str, int], float]] = {
        "bare": lambda name, steps: bare(name, data, steps),
        "fit": lambda name, steps: fit(name, data, steps),
        "single steps": lambda name, steps: fit(name, data, steps, execution=1),
        "stock": lambda name, steps: fit(name, data, steps, stock=True),
    }
    others = [label for label in contenders if label != "bare"]
    lines = [
        f"{'network':10}{'steps':>6}{'bare us/step':>14}" + "".join(f"{label + ' / bare':>22}" for label in others)
    ]
    for name in networks:
        of_this = steps // 8 if name == "gru" else steps
        for contender in contenders.values():
            contender(name, min(of_this, 250))  # warm up
        seconds: dict[str, list[float]] = {label: [] for label in contenders}
        for _ in range(runs):
            for label, contender in contenders.items():
                seconds[label].append(contender(name, of_this))
        line = f"{name:10}{of_this:6}{statistics.median(seconds['bare']) / of_this * 1e6:14.0f}"
        lines.append(line + "".join(f"{ratio(seconds[label], seconds['bare']):>22}" for label in others))
    return lines


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="the cost of trainer.fit, in units of a bare loop")
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=list(NETWORKS))
    parser.add_argument("--steps", type=int, default=2000, help="steps in one run; the GRU takes an eighth of them")
    parser.add_argument("--runs", type=int, default=7, help="alternating runs of each; the tables have medians")
    options = parser.parse_args()

    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    epochs = table_of_epochs(options.networks, options.steps, options.runs)
    steps = table_of_steps(options.networks, options.steps, options.runs)

    machine = f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"
    libraries = f"torch {torch.__version__}, Lightning {version('pytorch-lightning')}"
    print(f"\n{machine}; Python {platform.python_version()}, {libraries}")
    print(f"medians (and ranges) of {options.runs} alternating runs")
    print("\nwhat a user types, with everything on\n" + "\n".join(epochs))
    print("\none step, in the reference protocol, without validations\n" + "\n".join(steps))


if __name__ == "__main__":
    main()

"""What a whole step of `trainer.fit` costs, in steps of a bare PyTorch loop.

    python benchmarks/fit_step.py

Per network, alternating in one process:

- bare: slice, forward, loss, backward, fused Adam, in a loop. The unit.
- fit: `Trainer.fit` of `Classifier` on `MNIST1DDataModule`, with the reference protocol (batch 100, val="test",
  shuffle="none", an evaluation every 250 steps) and the Trainer's own defaults: progress bar, logger, checkpoints.
- single steps: the same with steps_per_execution=1, Lightning's loop over the same whole-tensor minibatches.
- stock: the same again, over a `DataLoader` of a `TensorDataset`.

Start-up and validation are apart: the clock runs from the first training step to the last and stands still from the
start of a validation to its end, with the checkpoint that is saved there. It prints a table and writes nothing that
stays.
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
from typing import Any

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, TensorDataset

from lightning_module import NETWORKS, Classifier, MNIST1DDataModule, make_network

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


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="the cost of a step of trainer.fit, in steps of a bare loop")
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=list(NETWORKS))
    parser.add_argument("--steps", type=int, default=2000, help="steps in one run; the GRU takes an eighth of them")
    parser.add_argument("--runs", type=int, default=7, help="alternating runs of each; the table has medians")
    options = parser.parse_args()

    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
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
    for name in options.networks:
        steps = options.steps // 8 if name == "gru" else options.steps
        for contender in contenders.values():
            contender(name, min(steps, 250))  # warm up
        seconds: dict[str, list[float]] = {label: [] for label in contenders}
        for _ in range(options.runs):
            for label, contender in contenders.items():
                seconds[label].append(contender(name, steps))
        line = f"{name:10}{steps:6}{statistics.median(seconds['bare']) / steps * 1e6:14.0f}"
        for label in others:
            # Ratios of neighbouring runs: a machine that slows down for a while slows both.
            ratios = [mine / unit for mine, unit in zip(seconds[label], seconds["bare"], strict=True)]
            line += f"{f'{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})':>22}"
        lines.append(line)

    machine = f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"
    print(f"\n{machine}; Python {platform.python_version()}, torch {torch.__version__}, Lightning {pl.__version__}")
    print(f"medians (and ranges) of {options.runs} alternating runs\n" + "\n".join(lines))


if __name__ == "__main__":
    main()

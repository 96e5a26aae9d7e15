"""What endless training costs beside training on data in memory, and how many examples a core makes.

    python benchmarks/endless.py

Per network, alternating in one process: `Trainer.fit` on `MNIST1DDataModule(endless=True)`, and on as many examples of
the fast stream in memory, both without validation. The clock runs from the first training step to the last. The ratio
is the median over neighbouring pairs, so that a machine that slows down for a while slows both.

Then the examples that one core makes in a second of its processor time, as the background threads make them; and how
many cores would keep a faster device busy. The latter is arithmetic: steps of a given length, none of them measured.
"""

import argparse
import logging
import statistics
import tempfile
import time
import warnings

import torch
from report import machine

from lightning_module import Classifier, MNIST1DDataModule
from lightning_module.loop.stream_loader import StreamLoader
from lightning_module.twin import pl
from mnist1d_hf import RECIPES

EPOCH = 1000
GOALS = {"mlp": 1.3, "cnn": 1.1}
STEPS_OF_A_DEVICE = (1.0, 0.3, 0.1)  # milliseconds


class Clock(pl.Callback):
    """The seconds from the first training step to the last."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the clock."""
        self.started = time.perf_counter()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stops the clock."""
        self.seconds = time.perf_counter() - self.started


def data_module(endless: bool) -> MNIST1DDataModule:
    """Returns examples without end, or as many as an epoch has, in memory."""
    if endless:
        return MNIST1DDataModule(endless=True, steps_per_epoch=EPOCH, val=None)
    recipe = {"stream": "fast", "num_samples": 125 * EPOCH, "train_split": 0.8}
    return MNIST1DDataModule(recipe=recipe, val=None)


def fit(network: str, data: MNIST1DDataModule, steps: int) -> float:
    """Returns the seconds of a fit."""
    torch.manual_seed(0)
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        trainer = pl.Trainer(
            accelerator="cpu",
            max_steps=steps,
            max_epochs=-1,
            default_root_dir=folder,
            callbacks=[clock],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(Classifier(network), data)
    if trainer.global_step != steps:
        raise RuntimeError(f"took {trainer.global_step} steps, not {steps}")
    return clock.seconds


def table_of_fits(steps: int, runs: int) -> list[str]:
    """Measures both fits of each network."""
    in_memory, endless = data_module(False), data_module(True)
    lines = []
    for network, goal in GOALS.items():
        fit(network, in_memory, 100), fit(network, endless, 100)
        ratios, each = [], []
        for _ in range(runs):
            unit = fit(network, in_memory, steps)
            ratios.append(fit(network, endless, steps) / unit)
            each.append(unit / steps * 1e3)
        low, high = min(ratios), max(ratios)
        lines.append(
            f"{network:8}{statistics.median(each):12.3f}"
            f"{f'{statistics.median(ratios):.2f} ({low:.2f} to {high:.2f})':>24}{goal:8.1f}"
        )
    return lines


def examples_of_a_core(runs: int) -> float:
    """Returns how many examples the background threads make in a second of one core's processor time."""
    loader = StreamLoader(RECIPES["default"].recipe, batch_size=100, steps=EPOCH)
    seconds = []
    for run in range(runs):
        start = time.thread_time()
        x, _ = loader._make(run)
        seconds.append((time.thread_time() - start) / len(x))
    return 1 / statistics.median(seconds)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="endless training beside data in memory")
    parser.add_argument("--steps", type=int, default=2000, help="optimiser steps of a fit")
    parser.add_argument("--runs", type=int, default=7, help="pairs of fits; the table has medians")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    print(machine())
    print(f"\n{'network':8}{'memory ms':>12}{'endless / memory':>24}{'goal':>8}")
    print("\n".join(table_of_fits(options.steps, options.runs)))
    per_core = examples_of_a_core(10 * options.runs)
    print(f"\n{per_core:,.0f} examples a second and core, signals of 40 points")
    print("arithmetic, not measured: cores that a device needs which takes a step of 100 examples in")
    for step in STEPS_OF_A_DEVICE:
        print(f"  {step} ms: {100 / (step / 1e3):11,.0f} examples a second, {100 / (step / 1e3) / per_core:4.1f} cores")


if __name__ == "__main__":
    main()

"""What a training step of one model costs: in the reference's own loop, alone in `Classifier`, and in an `Ensemble`.

    python benchmarks/ensemble.py [--sizes 10] [--accelerator cuda] [--compiled]

Per network, alternating in one process, all on the same batches of 100 in a fixed order:

- reference: the published benchmark's loop over the same network by torch.nn, with torch's own GRU: slice, forward,
  loss, backward, `torch.optim.Adam` with its defaults. The unit.
- Classifier: `Trainer.fit` of one model.
- K = 1, 10, 40: `Trainer.fit` of an `Ensemble`, divided by the number of replicas.
- limit: the arithmetic of a step at 60 GFLOP/s on each thread.

Then the headline: 5 seeds of 4 networks on 2 data sets, in units of what the reference takes for one seed. Of the two
data sets each replica has the one in the points' own order or the one with its points shuffled, so a network's 10
trainings are one ensemble. Both also with what the reference's loop does every 250 steps: the loss over the test split
and the accuracies over both, there by three forward passes that keep what a backward pass would need, and a sum in
Python; here by `Ensemble.evaluate` of both splits.

With --compiled, last, what `Ensemble(..., compiled=True)` costs and gains for 10 replicas. It needs a C++ compiler.
With torch 2.13 on CPU it gains nothing: the products, which take most of a step, stay the same calls, and 20 to 90
seconds go by before the first one.

Fits are timed from the first step to the last, and evaluations by themselves. By default all runs have one thread:
networks this small gain nothing from a second, and threads that wait for each other measure whatever else the machine
does. It prints a table and writes nothing.
"""

import argparse
import logging
import math
import statistics
import time
import warnings
from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from report import machine
from torch import Tensor, nn

from lightning_module import NETWORKS, Classifier, Ensemble, MNIST1DDataModule, Replica, make_network
from lightning_module.datamodule import Examples

BATCH = 100
EVALUATION_INTERVAL = 250
SIZES = (1, 10, 40)
HEADLINE = ("reference", "reference evaluation", "headline", "headline evaluation")
MEGAFLOP = {"logistic": 0.25, "mlp": 9.0, "cnn": 20.0, "gru": 8.0}  # of a step: forward, backward, batch of 100
GIGAFLOP_PER_SECOND = 60.0  # of a core


class ReferenceGRU(nn.Module):
    """The reference's GRU, by torch's."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(1, 6, batch_first=True, bidirectional=True)
        self.linear = nn.Linear(480, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (batch, 10) of signals (batch, 40)."""
        h, _ = self.gru(x.unsqueeze(2), torch.zeros(2, len(x), 6, device=x.device))
        return self.linear(h.flatten(1))


class Clock(pl.Callback):
    """The seconds between the first training step and the last."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the clock."""
        self._started = time.perf_counter()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stops the clock."""
        self.seconds = time.perf_counter() - self._started


def reference_network(name: str, device: str) -> nn.Module:
    """Returns a network of the reference."""
    torch.manual_seed(0)
    return (ReferenceGRU() if name == "gru" else make_network(name)).to(device)


def reference(name: str, data: MNIST1DDataModule, steps: int, device: str) -> float:
    """Returns the seconds per step of the reference's loop."""
    network = reference_network(name, device)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    x, y = (part.to(device) for part in data.examples("train"))
    loss_of = nn.CrossEntropyLoss()
    start = time.perf_counter()
    for step in range(steps):
        first = step * BATCH % len(x)
        loss = loss_of(network(x[first : first + BATCH]), y[first : first + BATCH])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    loss.item()  # waits for the device
    return (time.perf_counter() - start) / steps


def reference_evaluation(name: str, data: MNIST1DDataModule, device: str, times: int = 3) -> float:
    """Returns the seconds of the reference's evaluation of both splits."""
    network = reference_network(name, device)
    train, test = (Examples(*(part.to(device) for part in data.examples(split))) for split in ("train", "test"))
    start = time.perf_counter()
    for _ in range(times):
        nn.CrossEntropyLoss()(network(test.x), test.y).item()
        for x, y in (train, test):
            hits = network(x).argmax(-1).cpu().numpy() == y.cpu().numpy().astype("float32")
            100 * sum(hits) / len(y)
    return (time.perf_counter() - start) / times


def evaluation(ensemble: Ensemble, data: MNIST1DDataModule, device: str, times: int = 3) -> float:
    """Returns the seconds of an ensemble's evaluation of both splits."""
    ensemble = ensemble.to(device)
    splits = [[part.to(device) for part in data.examples(split)] for split in ("train", "test")]
    start = time.perf_counter()
    for _ in range(times):
        for x, y in splits:
            loss, accuracy = ensemble.evaluate(x, y)
            loss.tolist(), accuracy.tolist()
    return (time.perf_counter() - start) / times


def fit(model: pl.LightningModule, data: MNIST1DDataModule, steps: int, device: str) -> float:
    """Returns the seconds per step of `Trainer.fit`."""
    clock = Clock()
    quiet: dict[str, Any] = {"logger": False, "enable_checkpointing": False, "enable_model_summary": False}
    trainer = pl.Trainer(
        accelerator=device,
        max_steps=steps,
        limit_val_batches=0,
        enable_progress_bar=False,
        callbacks=[clock],
        **quiet,
    )
    trainer.fit(model, data)
    if trainer.global_step != steps:
        raise RuntimeError(f"took {trainer.global_step} steps, not {steps}")
    return clock.seconds / steps


def replicas(count: int) -> list[Replica]:
    """Returns as many seeds, every other one with its points shuffled."""
    shuffled = torch.randperm(40, generator=torch.Generator().manual_seed(42)).tolist()
    return [Replica(seed=k // 2, points=shuffled if k % 2 else None) for k in range(count)]


def measure(
    name: str, data: MNIST1DDataModule, *, sizes: Sequence[int], steps: int, runs: int, device: str
) -> dict[str, list[float]]:
    """Returns seconds per step and model, for each contender one number a run."""
    contenders = {
        "reference": lambda: reference(name, data, steps, device),
        "Classifier": lambda: fit(Classifier(name), data, steps, device),
        **{f"K={k}": lambda k=k: fit(Ensemble(name, k), data, steps, device) / k for k in sizes},
        "headline": lambda: fit(Ensemble(name, replicas(10)), data, steps, device) / 10,
        "reference evaluation": lambda: reference_evaluation(name, data, device),
        "headline evaluation": lambda: evaluation(Ensemble(name, replicas(10)), data, device) / 10,
    }
    seconds: dict[str, list[float]] = {label: [] for label in contenders}
    for run in range(runs + 1):
        for label, contender in contenders.items():
            taken = contender()
            if run:  # the first warms up
                seconds[label].append(taken)
    return seconds


def compiled(name: str, data: MNIST1DDataModule, *, steps: int, runs: int, device: str) -> str:
    """Returns what compilation costs, and a step with it and without it."""
    plain, other = Ensemble(name, 10), Ensemble(name, 10, compiled=True)
    first = fit(other, data, 1, device)
    seconds = [(fit(plain, data, steps, device), fit(other, data, steps, device)) for _ in range(runs)]
    without, with_it = (statistics.median(column) / 10 for column in zip(*seconds, strict=True))
    return (
        f"{name:10}{1000 * without:10.3f}{1000 * with_it:10.3f}"
        f"{statistics.median(eager / own for eager, own in seconds):9.2f}x{first:12.0f}"
    )


def headline(seconds: dict[str, list[float]], interval: float) -> str:
    """Returns our time for 5 seeds in units of the reference's for one, the median and the range of the runs."""
    ratios = [
        5 * (ours + of_ours / interval) / (theirs + of_theirs / interval)
        for theirs, of_theirs, ours, of_ours in zip(*(seconds[label] for label in HEADLINE), strict=True)
    ]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="the time of a training step of one model among many")
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=list(NETWORKS))
    parser.add_argument("--sizes", nargs="*", type=int, default=SIZES, help="replicas; none for the headline only")
    parser.add_argument("--steps", type=int, default=300, help="steps of each measurement")
    parser.add_argument("--runs", type=int, default=5, help="alternating runs of each; the table has medians")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--accelerator", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--compiled", action="store_true", help="also what torch.compile costs and gains")
    options = parser.parse_args()

    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    torch.set_num_threads(options.threads)
    data = MNIST1DDataModule(val="test", shuffle="none", batch_size=BATCH)
    labels = ["Classifier", *(f"K={k}" for k in options.sizes)]
    lines = [f"{'network':10}{'reference':>10}" + "".join(f"{label:>22}" for label in labels) + f"{'limit':>9}"]
    totals = {label: [0.0] * options.runs for label in HEADLINE}
    for name in options.networks:
        seconds = measure(
            name, data, sizes=options.sizes, steps=options.steps, runs=options.runs, device=options.accelerator
        )
        line = f"{name:10}{1000 * statistics.median(seconds['reference']):10.3f}"
        for label in labels:
            # Ratios of neighbouring runs: a machine that slows down for a while slows both.
            faster = [unit / own for unit, own in zip(seconds["reference"], seconds[label], strict=True)]
            line += f"{f'{1000 * statistics.median(seconds[label]):.3f} ({statistics.median(faster):.1f}x)':>22}"
        lines.append(line + f"{MEGAFLOP[name] / GIGAFLOP_PER_SECOND / options.threads:9.3f}")
        for label, of_runs in totals.items():
            totals[label] = [total + own for total, own in zip(of_runs, seconds[label], strict=True)]

    print(f"\n{machine()}, {options.threads} thread(s), on {options.accelerator}")
    print(f"seconds per 1000 steps and model, and how often faster than the reference: medians of {options.runs} runs")
    print(f"of {options.steps} steps each, alternating\n" + "\n".join(lines))
    print(
        f"\n5 seeds x 2 data sets of {', '.join(options.networks)}, in times of the reference for one seed: "
        f"{headline(totals, math.inf)}; with an evaluation of both splits every {EVALUATION_INTERVAL} steps on both "
        f"sides {headline(totals, EVALUATION_INTERVAL)}"
    )
    if options.compiled:
        print(f"\nten replicas\n{'network':10}{'plain':>10}{'compiled':>10}{'gain':>10}{'seconds once':>14}")
        for name in options.networks:
            print(compiled(name, data, steps=options.steps, runs=options.runs, device=options.accelerator))


if __name__ == "__main__":
    main()

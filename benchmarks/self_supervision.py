"""What an epoch of contrastive training costs: in the reference's own loop, and for one and five encoders in `SimCLR`.

    python benchmarks/self_supervision.py

Per projector, alternating in one process, all on the 4000 training signals of the frozen data set in minibatches of
100, in a new order each epoch:

- reference: the published notebook's loop, after its description: two augmented views of a minibatch, of which each
  signal is shifted by itself, in place; the encoder by torch.nn, once for each view; InfoNCE by torch's cross-entropy;
  `torch.optim.Adam` with its defaults. The orders are permutations of whole tensors, which is no slower than a
  DataLoader would be. The unit.
- shifts: the share of the reference's time in that loop over single signals.
- K = 1, 5: `Trainer.fit` of `SimCLR`, divided by the number of replicas, each with an order and augmentations of its
  own.

One thread, and its processor's time: what other programs do meanwhile does not count. The last line is the work of the
study, all projectors with as many seeds. It prints a table and writes nothing.
"""

import argparse
import statistics
import time

import pytorch_lightning as pl
import torch
from report import machine
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # as everywhere in PyTorch

from lightning_module import Replica
from lightning_module.datamodule import Examples
from lightning_module.studies.framework.data import frozen
from lightning_module.studies.framework.training import fit
from lightning_module.studies.methods.simclr.encoder import PROJECTORS, Encoder, Projector, SimCLR

BATCH = 100
TEMPERATURE = 0.5


class ReferenceAugmentation:
    """The published augmentation, and the seconds that its loop took."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._t = torch.arange(40) - 19.5

    def __call__(self, x: Tensor) -> Tensor:
        """Returns one view (batch, 40)."""
        slope = (x * self._t).sum(1, keepdim=True) / (self._t**2).sum()
        view = x - x.mean(1, keepdim=True) - slope * self._t
        start = time.process_time()
        for i in range(len(view)):
            shift = int(torch.randint(0, 10, (1,)))
            view[i] = torch.roll(view[i], shift)
        self.seconds += time.process_time() - start
        return view + 0.04 * torch.randn(len(x), 1) * self._t + 0.3 * torch.randn(len(x), 1)


def reference(projector: Projector, x: Tensor, epochs: int) -> tuple[float, float]:
    """Returns the seconds per epoch of the reference's loop, and those of shifting."""
    torch.manual_seed(42)
    encoder, augmentation = Encoder(projector), ReferenceAugmentation()
    optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-2)
    start = time.process_time()
    for _ in range(epochs):
        for rows in torch.split(torch.randperm(len(x)), BATCH):
            batch = x[rows]
            z1, z2 = (F.normalize(encoder(augmentation(batch)), dim=1) for _ in range(2))
            loss = F.cross_entropy(z1 @ z2.t() / TEMPERATURE, torch.arange(len(batch)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()
    return (time.process_time() - start) / epochs, augmentation.seconds / epochs


class Clock(pl.Callback):
    """The seconds between the first training step and the last."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the clock."""
        self._started = time.process_time()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stops the clock."""
        self.seconds = time.process_time() - self._started


def ours(projector: Projector, data: Examples, epochs: int, *, count: int) -> float:
    """Returns the seconds per epoch of `Trainer.fit` and encoder."""
    clock = Clock()
    model = SimCLR(projector, [Replica(seed=seed, shuffle_seed=1000 * seed) for seed in range(count)])
    steps = epochs * len(data.y) // BATCH
    fit(model, data, steps=steps, batch_size=BATCH, shuffle=True, callbacks=[clock])
    return clock.seconds / epochs / count


def row(name: str, seconds: dict[int, list[float]], shifts: str) -> str:
    """Returns a line of the table from the seconds of each run, by the number of replicas; 0 for the reference."""
    line = f"{name:10}{statistics.median(seconds[0]):10.3f}{shifts:>9}"
    for k in filter(None, seconds):
        # Ratios of neighbouring runs: a machine that slows down for a while slows both.
        faster = [unit / own for unit, own in zip(seconds[0], seconds[k], strict=True)]
        own = f"{statistics.median(seconds[k]):.3f}"
        line += f"{f'{own} ({statistics.median(faster):.1f}x, {min(faster):.1f} to {max(faster):.1f})':>28}"
    return line


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="the time of an epoch of contrastive training")
    parser.add_argument("--projectors", nargs="+", default=list(PROJECTORS), choices=list(PROJECTORS))
    parser.add_argument("--replicas", nargs="+", type=int, default=[1, 5])
    parser.add_argument("--epochs", type=int, default=2, help="epochs of each measurement")
    parser.add_argument("--runs", type=int, default=5, help="alternating runs of each; the table has medians")
    options = parser.parse_args()

    torch.set_num_threads(1)
    data = frozen().train
    lines = [f"{'projector':10}{'reference':>10}{'shifts':>9}" + "".join(f"{f'K={k}':>28}" for k in options.replicas)]
    totals: dict[int, list[float]] = {k: [0.0] * options.runs for k in (0, *options.replicas)}
    for projector in options.projectors:
        seconds: dict[int, list[float]] = {k: [] for k in (0, *options.replicas)}
        shifts: list[float] = []
        for run in range(options.runs + 1):
            measured = reference(projector, data.x, options.epochs)
            of_ours = {k: ours(projector, data, options.epochs, count=k) for k in options.replicas}
            if run:  # the first warms up
                shifts.append(measured[1] / measured[0])
                seconds[0].append(measured[0])
                for k, taken in of_ours.items():
                    seconds[k].append(taken)
        lines.append(row(projector, seconds, f"{100 * statistics.median(shifts):.0f}%"))
        totals = {k: [a + b for a, b in zip(totals[k], seconds[k], strict=True)] for k in totals}
    lines.append(row("all", totals, ""))
    print(f"\n{machine()}, 1 thread")
    print(
        f"processor seconds per epoch and encoder; how often faster than the reference: medians of {options.runs} runs"
    )
    print(f"of {options.epochs} epochs each, alternating\n" + "\n".join(lines))


if __name__ == "__main__":
    main()

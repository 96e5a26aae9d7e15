"""What only a GPU can show: that replicas stay equal there, and what training costs. benchmarks/on_gpu.sh runs it.

    python benchmarks/on_gpu.py [--device cuda] [--small]

- replicas: in float64, each replica of an `Ensemble` against the same network trained alone in `Classifier`, at most
  1e-9 apart after 200 steps; for all four networks. In float32, how far they are apart: a number, no condition.
- ensembles: milliseconds of a training step for each model, for 1, 10 and 40 models at once.
- fit step: a step of `trainer.fit` in units of a bare PyTorch loop on the same device; at most 1.5 times.
- endless fit: examples a second, where this version has endless training, and that the loss falls.
- posterior: of signals that lie on the device, the same as of those that do not.

One table, a line for each; exit status 1 if a condition does not hold. With --device cpu it runs anywhere, as the tests
do it with --small: then the times say nothing.
"""

import argparse
import inspect
import logging
import statistics
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import torch

from lightning_module import NETWORKS, Classifier, Ensemble, MNIST1DDataModule, make_network
from lightning_module.twin import pl, quiet

BATCH = 100
APART = 1e-9  # in float64, after all steps
SLOWER = 1.5  # times a bare loop
Row = tuple[str, str, bool | None]  # what, what came of it, whether it holds; None: there is nothing to hold


@dataclass(frozen=True)
class Size:
    """How much is done.

    Attributes:
        networks: Their names.
        steps: Optimiser steps of a comparison.
        timed: Steps that are timed.
        counts: Models at once.
    """

    networks: Sequence[str]
    steps: int = 200
    timed: int = 500
    counts: Sequence[int] = (1, 10, 40)


class Clock(pl.Callback):
    """The seconds between the first training step and the last, when the device has done them."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the clock."""
        synchronize(pl_module.device)
        self._started = time.perf_counter()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stops the clock."""
        synchronize(pl_module.device)
        self.seconds = time.perf_counter() - self._started


def synchronize(device: torch.device) -> None:
    """Waits until the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def fit(model: pl.LightningModule, steps: int, device: str, precision: Any = "32-true") -> float:
    """Returns the seconds of a fit."""
    clock = Clock()
    trainer = pl.Trainer(
        accelerator=device,
        devices=1,
        precision=precision,
        max_steps=steps,
        max_epochs=-1,
        limit_val_batches=0,
        callbacks=[clock],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, MNIST1DDataModule(val="test", shuffle="none", batch_size=BATCH))
    return clock.seconds


def replicas(device: str, size: Size) -> Iterator[Row]:
    """Compares replicas with networks trained alone."""
    for name in size.networks:
        apart = {}
        for precision in ("64-true", "32-true"):
            ensemble = Ensemble(name, 3)
            fit(ensemble, size.steps, device, precision)
            torch.manual_seed(2)
            alone = Classifier(name)
            fit(alone, size.steps, device, precision)
            pairs = zip(ensemble.replica(2).network.parameters(), alone.network.parameters(), strict=True)
            apart[precision] = max(float((a.cpu().double() - b.cpu().double()).abs().max()) for a, b in pairs)
        said = f"apart {apart['64-true']:.1e} in float64, {apart['32-true']:.1e} in float32"
        yield f"replicas, {name}", said, apart["64-true"] <= APART


def ensembles(device: str, size: Size) -> Iterator[Row]:
    """Times steps of many models at once."""
    for name in size.networks:
        costs = []
        for count in size.counts:
            fit(Ensemble(name, count), 20, device)  # the first steps compile and allocate
            costs.append(1000 * fit(Ensemble(name, count), size.timed, device) / size.timed / count)
        said = ", ".join(f"{count}: {cost:.3f}" for count, cost in zip(size.counts, costs, strict=True))
        yield f"ms a step and model, {name}", said, None


def fit_step(device: str, size: Size) -> Iterator[Row]:
    """Times a step of `trainer.fit` against a bare loop, in turn."""
    for name in size.networks:
        bare(name, 20, device)
        fit(Classifier(name), 20, device)
        times = [(bare(name, size.timed, device), fit(Classifier(name), size.timed, device)) for _ in range(3)]
        units, mine = zip(*times, strict=True)
        ratio = statistics.median(mine) / statistics.median(units)
        said = f"{ratio:.2f} times a bare loop of {1e6 * statistics.median(units) / size.timed:.0f} us a step"
        yield f"fit step, {name}", said, ratio <= SLOWER


def bare(name: str, steps: int, device: str) -> float:
    """Returns the seconds of a bare loop."""
    torch.manual_seed(0)
    data = MNIST1DDataModule(val="test")
    data.prepare_data()
    data.setup("fit")
    x, y = (tensor.to(device) for tensor in data.examples("train"))
    network = make_network(name).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2, fused=True)
    synchronize(x.device)
    begun = time.perf_counter()
    for step in range(steps):
        first = step * BATCH % len(x)
        loss = torch.nn.functional.cross_entropy(network(x[first : first + BATCH]), y[first : first + BATCH])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    synchronize(x.device)
    return time.perf_counter() - begun


def endless_fit(device: str, size: Size) -> Iterator[Row]:
    """Trains on data that do not end, if this version can."""
    if "endless" not in inspect.signature(MNIST1DDataModule).parameters:
        yield "endless fit", "not in this version", None
        return
    clock, model = Clock(), Classifier("mlp")
    trainer = pl.Trainer(
        accelerator=device,
        devices=1,
        max_steps=size.timed,
        max_epochs=-1,
        callbacks=[clock],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, MNIST1DDataModule(endless=True, batch_size=BATCH))
    loss = float(trainer.callback_metrics["train/loss"])
    yield (
        "endless fit, mlp",
        f"{size.timed * BATCH / clock.seconds:,.0f} examples a second, loss {loss:.2f}",
        loss < 2.3,
    )


def posterior(device: str, size: Size) -> Iterator[Row]:
    """Compares the posterior of signals on the device with that of the same signals."""
    from mnist1d_hf import Recipe, make_mnist1d
    from mnist1d_hf.bayes import log_posterior

    signals = make_mnist1d(num_samples=100).test.x[:5]
    here = log_posterior(signals, Recipe())
    there = log_posterior(torch.tensor(signals, device=device), Recipe())
    apart = float(abs(here - there).max())
    yield "posterior of five signals", f"apart {apart:.1e}", apart == 0.0


CHECKS: Sequence[Callable[[str, Size], Iterator[Row]]] = (replicas, ensembles, fit_step, endless_fit, posterior)


def rows(device: str, size: Size) -> Iterator[Row]:
    """Yields what came of every check; one that cannot be done does not hold."""
    for check in CHECKS:
        try:
            yield from check(device, size)
        except Exception as error:
            traceback.print_exc()
            yield check.__name__.replace("_", " "), f"{type(error).__name__}: {error}", False


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--small", action="store_true", help="a few steps of one network, to see that it runs")
    options = parser.parse_args(arguments)
    if options.device == "cuda" and not torch.cuda.is_available():
        print(f"no GPU here: torch {version('torch')} finds no CUDA device, so nothing is measured", file=sys.stderr)
        return 2
    with quiet(logging.ERROR), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return table(options.device, small=options.small)


def table(device: str, *, small: bool) -> int:
    """Prints what came of every check; returns the exit status."""
    begun, held = time.monotonic(), []
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    print(f"{name}, torch {version('torch')}, Lightning {version('pytorch-lightning')}")
    size = Size(["mlp"], steps=10, timed=10, counts=(1, 3)) if small else Size(list(NETWORKS))
    for what, said, holds in rows(device, size):
        held.append(holds)
        print(f"{what:32}{said:64}{ {True: 'ok', False: 'DOES NOT HOLD', None: ''}[holds] }".rstrip(), flush=True)
    count = held.count(False)
    print(f"{'all hold' if not count else f'{count} do not hold'}, in {(time.monotonic() - begun) / 60:.1f} minutes")
    return int(bool(count))


if __name__ == "__main__":
    sys.exit(main())

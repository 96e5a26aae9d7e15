"""One thread for each small network, so that what it learns does not depend on how many threads there are.

Several threads divide the products of one network among themselves, and round their sums otherwise than one thread. An
ensemble gives each thread products of its own. So that a network alone learns what it learns there, and the same on a
laptop with eight cores and on a server with two, it is trained on one thread; and an ensemble on no more threads than
it has networks. To networks as small as the reference ones, more threads give next to nothing.
"""

import math
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from lightning_module.loop.loader import Execution
from lightning_module.twin import Callback, pl

# Floating-point operations of a forward pass up to which a network has one thread. The reference MLP at 400 signals and
# the CNN at 200 are just below; up to there one thread took 0.9 to 1.1 of the time of two, and beyond it up to 1.7, on
# an AMD EPYC of the fifth generation.
SMALL = 1.3e7
# An evaluation has a forward pass only, so that four times the signals take about as long. Two threads would gain less
# than a millisecond there, and on a busy machine they lose tens of them waiting for each other.
EVALUATED = 4


@runtime_checkable
class UsesThreads(Protocol):
    """A LightningModule that knows how many threads it trains on."""

    def threads(self, rows: int, length: int, available: int) -> int:
        """Returns the number of threads for minibatches of `rows` signals (length,), where so many are available."""
        ...


class ThreadPerNetwork(Callback):
    """A callback that sets the number of threads for each batch of training, validation and test, and sets it back.

    `Classifier.configure_callbacks` and that of `Ensemble` add it by themselves.
    """

    def __init__(self) -> None:
        self._chosen: dict[tuple[int, int, int], int] = {}
        self._before: int | None = None

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Forgets the number of threads that was chosen for another module."""
        super().setup(trainer, pl_module, stage)
        self._chosen.clear()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Sets the number of threads that the module asks for."""
        self._set(pl_module, batch)

    def on_validation_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Sets the number of threads that the module asks for."""
        self._set(pl_module, batch, EVALUATED)

    def on_test_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Sets the number of threads that the module asks for."""
        self._set(pl_module, batch, EVALUATED)

    def _set(self, pl_module: pl.LightningModule, batch: Any, share: int = 1) -> None:
        available = torch.get_num_threads()
        if available == 1 or pl_module.device.type != "cpu" or not isinstance(pl_module, UsesThreads):
            return
        if (shape := _shape(batch)) is None:
            return
        rows, length = shape
        key = math.ceil(rows / share), length, available
        if key not in self._chosen:
            self._chosen[key] = pl_module.threads(*key)
        if self._chosen[key] != available:
            self._before = available
            torch.set_num_threads(self._chosen[key])

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Sets the number of threads back."""
        self._set_back()

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Sets the number of threads back."""
        self._set_back()

    def on_test_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Sets the number of threads back."""
        self._set_back()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Sets the number of threads back after a batch that was skipped."""
        self._set_back()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Sets the number of threads back after a batch that failed."""
        self._set_back()

    def _set_back(self) -> None:
        if self._before is not None:
            torch.set_num_threads(self._before)
        self._before = None


def _shape(batch: Any) -> tuple[int, int] | None:
    """Returns the number of signals in a minibatch and of their points, or None where that cannot be seen."""
    x = batch[0] if isinstance(batch, list | tuple) and batch else None
    if not isinstance(x, Tensor) or x.dim() < 2:
        return None
    return batch.batch_size if isinstance(batch, Execution) else len(x), x.shape[-1]


def is_small(network: nn.Module, length: int, rows: int) -> bool:
    """Returns whether a network is small enough for one thread, with minibatches of `rows` signals (length,)."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(next(network.parameters()).new_zeros(1, length))
    return bool(rows * counter.get_total_flops() <= SMALL)

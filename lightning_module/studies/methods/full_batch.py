"""Training on all examples at every step, with a learning rate that decays like a cosine: how well can a network fit?

Minibatches would leave a noise that depends on the learning rate; here what is left of the training loss is left
because of the network's size or because the steps were too few.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from lightning_module.datamodule import Examples
from lightning_module.replicas.replica import Replica
from lightning_module.studies.framework.training import Trained, train
from lightning_module.twin import pl

# An epoch of one minibatch would cost more than its step, so the rows are repeated, up to so many rows, so often.
REPEATED_ROWS = 200_000
REPEATS = 50


class CosineDecay(pl.Callback):
    """A callback that lets every learning rate fall to zero as half a cosine over all steps, in proportion.

    A scheduler of Lightning's would need every single optimiser step; this goes with several in one execution.

    Args:
        steps: Optimiser steps from the full rate to nothing.

    Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017, without restarts.
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self._hook: Any = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Lets every optimiser step begin with its own rate."""
        (optimizer,) = trainer.optimizers
        full = [group["lr"] for group in optimizer.param_groups]
        taken = trainer.global_step

        def before_step(optimizer: torch.optim.Optimizer, *_: Any) -> None:
            nonlocal taken
            for group, rate in zip(optimizer.param_groups, full, strict=True):
                group["lr"] = rate * (1 + math.cos(math.pi * taken / self.steps)) / 2
            taken += 1

        self._hook = optimizer.register_step_pre_hook(before_step)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Lets go of the optimiser."""
        if self._hook is not None:
            self._hook.remove()


def train_on_all(
    network: Callable[..., nn.Module], replicas: Sequence[Replica], data: Examples, *, steps: int, **ensemble: Any
) -> Trained:
    """Returns an ensemble after steps of Adam on all examples at once, the learning rate decaying like a cosine.

    Args:
        network: As in `Ensemble`.
        replicas: As in `Ensemble`.
        data: The training examples of all replicas without their own.
        steps: Optimiser steps.
        **ensemble: Further arguments of `Ensemble`.
    """
    rows = len(data.y)
    times = max(2, min(REPEATS, REPEATED_ROWS // (rows * len(replicas))))
    repeated = [replace(each, data=each.data and _repeated(each.data, times)) for each in replicas]
    return train(
        network,
        repeated,
        _repeated(data, times),
        steps=steps,
        batch_size=rows,
        callbacks=[CosineDecay(steps)],
        **ensemble,
    )


def _repeated(data: Examples, times: int) -> Examples:
    return Examples(data.x.repeat(times, 1), data.y.repeat(times))

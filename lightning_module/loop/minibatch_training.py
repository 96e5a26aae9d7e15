"""`MinibatchTraining`: what `Classifier` and `Ensemble` have in common, the training on minibatches."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

import mnist1d_hf
from lightning_module.checkpoint_files import WholeCheckpoints
from lightning_module.hyper_parameters import settle_instantiator
from lightning_module.loop.bare_step import bare_step
from lightning_module.loop.execution import LOSS, StepsPerExecution, steps_at_once, train_on
from lightning_module.loop.loader import Execution
from lightning_module.loop.threads import ThreadPerNetwork
from lightning_module.loop.training_bar import TrainingBar, is_of_the_trainer
from lightning_module.twin import pl
from mnist1d_hf.checks import shown, whole_number

Batch = Execution | tuple[Tensor, Tensor]


def checked_steps(steps_per_execution: int | Literal["auto"]) -> int | Literal["auto"]:
    """Returns the number of steps as an int, or "auto".

    Raises:
        ValueError: If it is neither.
    """
    if isinstance(steps_per_execution, str) and str.__str__(steps_per_execution) == "auto":
        return "auto"
    if isinstance(steps_per_execution, str):
        raise ValueError(f'steps_per_execution={shown(steps_per_execution)} must be "auto" or a number from 1')
    return whole_number("steps_per_execution", steps_per_execution, 1, also=', or "auto"')


class MinibatchTraining(pl.LightningModule, ABC):
    """A LightningModule that trains on `minibatch_loss`, one minibatch or one execution at a time.

    Args:
        length: Points in a signal.
        steps_per_execution: Optimiser steps in one step of Lightning's loop, see `lightning_module.loop.execution`.

    Raises:
        ValueError: If `steps_per_execution` is out of its range.
    """

    def __init__(self, *, length: int, steps_per_execution: int | Literal["auto"]) -> None:
        super().__init__()
        self.length = whole_number("length", length, 1)
        self.steps_per_execution: int | Literal["auto"] = checked_steps(steps_per_execution)

    @abstractmethod
    def minibatch_loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the loss of a minibatch, as the loader gives it."""

    def step_of(self, optimizer: torch.optim.Optimizer) -> Callable[[Tensor, Tensor], Tensor]:
        """Returns a function that takes one optimiser step on a minibatch of an execution, and returns its loss."""
        differentiate, step = self._gradients_of(optimizer), bare_step(optimizer)

        def take_step(x: Tensor, y: Tensor) -> Tensor:
            loss = differentiate(x, y)
            step()
            return loss

        return take_step

    def _gradients_of(self, optimizer: torch.optim.Optimizer) -> Callable[[Tensor, Tensor], Tensor]:
        """Returns a function that sets the gradients of a minibatch's loss, and returns the loss."""
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        loss_of = self.minibatch_loss

        def differentiate(x: Tensor, y: Tensor) -> Tensor:
            loss = loss_of(x, y)
            for parameter in parameters:
                parameter.grad = None  # what zero_grad does, without its 10 us of bookkeeping
            loss.backward()  # type: ignore[no-untyped-call]
            return loss

        return differentiate

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Returns the loss of a minibatch; or trains on all those of an execution, and returns the loss of the last."""
        if isinstance(batch, Execution):
            return train_on(batch, self.trainer, self)
        loss = self.minibatch_loss(*batch)
        self.log(LOSS, loss, prog_bar=True, batch_size=len(batch[1]))
        return loss

    def log(self, name: str, value: Any, *args: Any, **kwargs: Any) -> None:
        """Logs a value, as `LightningModule.log` does; one that is logged among several steps at once is an error.

        Raises:
            RuntimeError: If it is, see `lightning_module.loop.execution`.
        """
        steps = steps_at_once(self._trainer) if self._trainer is not None else None
        if steps is not None:
            steps.look_at(name, self.trainer)
        super().log(name, value, *args, **kwargs)

    def threads(self, rows: int, length: int, available: int) -> int:
        """Returns the number of threads for minibatches of `rows` signals (length,): all that are available."""
        return available

    def configure_callbacks(self) -> list[pl.Callback]:
        """Returns the callbacks that the trainer lacks: for several steps at once, threads, checkpoints, and a bar."""
        bar = self.trainer.progress_bar_callback
        bars = [TrainingBar()] if is_of_the_trainer(bar) else []  # else it has none, or the user's
        return [*self.missing(StepsPerExecution, ThreadPerNetwork, WholeCheckpoints), *bars]

    def missing(self, *kinds: type[pl.Callback]) -> list[pl.Callback]:
        """Returns a new callback of each kind that the trainer has none of."""
        present: list[pl.Callback] = self.trainer.callbacks  # type: ignore[attr-defined]  # set in a connector
        return [kind() for kind in kinds if not any(isinstance(callback, kind) for callback in present)]

    def training_step_is_plain(self) -> bool:
        """Returns whether `training_step` is the one above, which takes an execution for its last minibatch."""
        return type(self).training_step is MinibatchTraining.training_step

    def setup(self, stage: str) -> None:
        """Compares the lengths of the data's signals and of those the network was made for.

        Raises:
            ValueError: If they differ.
        """
        length = getattr(getattr(self.trainer, "datamodule", None), "length", self.length)
        if length != self.length:
            raise ValueError(
                f"length={self.length} must be {length}, as the data have; "
                f"make {type(self).__name__}(..., length={length})"
            )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Records the versions of the code and of the data set, and lets either package of Lightning load it."""
        for key in (self.CHECKPOINT_HYPER_PARAMS_KEY, pl.LightningDataModule.CHECKPOINT_HYPER_PARAMS_KEY):
            settle_instantiator(checkpoint.get(key, {}))
        checkpoint["mnist1d_hf"] = {"code_version": mnist1d_hf.__version__, "data_version": mnist1d_hf.DATA_VERSION}

    def has_fused_optimizer(self) -> bool:
        """Returns whether the device has Adam as one kernel, and the precision leaves the gradients to it.

        Mixed precision does not: Lightning clips no gradients there that the optimiser itself would unscale.
        """
        precision = str(self.trainer.precision) if self._trainer is not None else "32-true"
        return self.device.type in ("cpu", "cuda") and not precision.endswith("mixed")

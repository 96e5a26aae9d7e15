"""Several optimiser steps in one step of Lightning's loop: Keras's `steps_per_execution`.

One turn of Lightning's loop costs several optimiser steps of networks as small as these: hooks, progress bar, results,
profiler. So the loader hands out k consecutive minibatches at once, and `train_on` takes the k steps in a bare loop
inside one `training_step`.

Three decisions keep everything else as it was:

- **The counters count minibatches.** As an execution is handed out, the loop's own counters move on by k - 1, and by
  one more when Lightning counts it. So every interval given to the `Trainer`, every logged step, the progress bar and
  every file name mean optimiser steps; and a checkpoint is, entry by entry, the one that single steps would have left,
  to be resumed with any other number of steps per execution.
- **An execution ends wherever something is due**: the end of the epoch, `max_steps`, a validation, a checkpoint. So
  nothing needs to divide anything, and nothing is late. A row of the logger that falls into an execution is written
  from there; only if a callback watches the batches, and may have a row of its own, does the execution end at it.
- **An execution is optimised by us, everything else by Lightning.** The module is one of automatic optimisation, except
  for the moment in which Lightning looks who is to optimise an execution.

What sees less: hooks around a batch (`on_train_batch_start`, `on_train_batch_end`) run once per execution. What needs
every single step gets single steps, and the log says why, once: see `lightning_module.single_steps`.

The counters are reached by public names (`trainer.fit_loop.epoch_loop`), in this file only, and tested on every
supported version.
"""

import sys
from typing import Any

from torch import Tensor

from lightning_module.loader import Execution, TensorLoader
from lightning_module.single_steps import (
    StepsByMinibatch,
    callbacks_of,
    checkpoint_interval,
    reasons_for_single_steps,
    watches_batches,
)
from lightning_module.twin import pl, rank_zero_info

# At most as many as Lightning's default interval between two rows of the log; more would save less than one percent.
AUTO_LIMIT = 50


class StepsPerExecution(pl.Callback):
    """Lets a `TensorLoader` hand out several minibatches at once.

    `Classifier.configure_callbacks` adds it by itself; the number is the classifier's `steps_per_execution`: "auto" for
    as many as the next due event allows (50 at most), a number for at most that many, 1 for stock Lightning.
    """

    def __init__(self) -> None:
        self._loader: TensorLoader | None = None
        self._limit = 1
        self._intervals: list[int] = []  # in optimiser steps: what is due at every multiple
        self._ends_at_rows = False
        self._told: set[str] = set()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Decides whether this run can take several steps at once.

        Raises:
            ValueError: If the classifier asks for a number of steps that this run cannot take at once.
        """
        self._detach()
        if isinstance(loader := trainer.train_dataloader, TensorLoader):
            loader.limit = int(trainer.num_training_batches)
        if not isinstance(pl_module, StepsByMinibatch) or pl_module.steps_per_execution == 1:
            return
        reason = next(reasons_for_single_steps(trainer, pl_module), None)
        if reason is None:
            self._limit = AUTO_LIMIT if pl_module.steps_per_execution == "auto" else pl_module.steps_per_execution
            self._intervals = list(filter(None, map(checkpoint_interval, trainer.checkpoint_callbacks)))
            self._ends_at_rows = any(watches_batches(other) for other in callbacks_of(trainer) if other is not self)
            self._attach(trainer)
        elif pl_module.steps_per_execution != "auto":
            raise ValueError(
                f"steps_per_execution={pl_module.steps_per_execution} cannot be: {reason}; "
                'use steps_per_execution="auto", which takes single steps where it must, or 1'
            )
        elif reason not in self._told:
            self._told.add(reason)
            rank_zero_info(f'steps_per_execution="auto" takes single steps: {reason}')

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Finds the loader again if Lightning has made a new one (`reload_dataloaders_every_n_epochs`)."""
        if self._loader is not None and trainer.train_dataloader is not self._loader:
            self._attach(trainer)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Says who optimises this batch, and whether it is the last one."""
        if self._loader is None:
            return
        # Lightning learns from the loader's length where an epoch ends, and an execution is one item to it.
        progress = trainer.fit_loop.epoch_loop.batch_progress
        progress.is_last_batch = progress.current.ready >= trainer.num_training_batches
        # An execution is optimised by `train_on`, a single minibatch by Lightning. Only from here to the start of
        # `train_on`: everything else, from the counters to the checkpoints, is that of automatic optimisation.
        pl_module.automatic_optimization = not isinstance(batch, Execution)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Leaves the loader as it was."""
        self._detach()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Leaves the loader and the module as they were."""
        if self._loader is not None:
            pl_module.automatic_optimization = True
        self._detach()

    def _attach(self, trainer: pl.Trainer) -> None:
        self._loader = trainer.train_dataloader
        assert isinstance(self._loader, TensorLoader)  # for the type checker: on_train_start has made sure
        self._loader.plan = lambda: self._hand_out(trainer)

    def _detach(self) -> None:
        if self._loader is not None:
            self._loader.plan = None
        self._loader = None

    def _hand_out(self, trainer: pl.Trainer) -> int:
        """Returns the number of minibatches in the next execution, all but one of them counted already."""
        count = min(self._limit, steps_until_due(trainer, self._intervals))
        if self._ends_at_rows:
            count = min(count, steps_until_row(trainer))
        # Here, before Lightning takes the number of the batch: that of the execution's last minibatch, which the
        # progress bar shows.
        count_minibatches(trainer, count - 1)
        return count


def train_on(execution: Execution, trainer: pl.Trainer, module: StepsByMinibatch) -> Tensor:
    """Returns the loss of the last minibatch, after one bare optimiser step for each."""
    module.automatic_optimization = True
    (optimizer,) = trainer.optimizers
    minibatches = execution.minibatches()
    take_step = module.step_of(optimizer)
    inner = len(minibatches) - 1  # all but the last are counted already
    row, done = steps_until_row(trainer, before=inner), 0
    try:
        for x, y in minibatches:
            loss = take_step(x, y)
            done += 1
            if done == row:
                write_row(trainer, loss.item(), before=inner - done + 1)
                row += row_interval(trainer)
    finally:
        count_optimizer_steps(trainer, done)
        loader = trainer.train_dataloader
        if done < inner and isinstance(loader, TensorLoader):
            # Interrupted: a checkpoint saved from here on continues at the step that failed, as one of single steps
            # would.
            count_minibatches(trainer, done - inner)
            loader.rewind(inner - done)
    show(trainer, loss)
    return loss


def steps_until_due(trainer: pl.Trainer, intervals: list[int]) -> int:
    """Returns how many steps can be taken before Lightning has anything else to do: at least 1."""
    loop = trainer.fit_loop.epoch_loop
    in_epoch, in_all = loop.batch_progress.current.ready, loop.batch_progress.total.ready
    due = [trainer.num_training_batches - in_epoch]
    if trainer.max_steps != -1:
        due.append(trainer.max_steps - trainer.global_step)
    every = trainer.val_check_batch  # in batches; inf or None where validation goes by the epoch or by the clock
    if trainer.enable_validation and isinstance(every, int):
        due.append(every - (in_all if trainer.check_val_every_n_epoch is None else in_epoch) % every)
    due += [interval - trainer.global_step % interval for interval in intervals]
    return max(1, int(min(due)))


def steps_until_row(trainer: pl.Trainer, *, before: int = 0) -> int:
    """Returns how many steps after `before` steps ago the loggers have their next row: a huge number for never."""
    interval = row_interval(trainer)
    return interval - (logged_steps(trainer) - before) % interval if trainer.loggers and interval else sys.maxsize


def row_interval(trainer: pl.Trainer) -> int:
    """Returns after how many steps the loggers have a row each: 0 for never."""
    return int(trainer.log_every_n_steps)  # type: ignore[attr-defined]  # set in a connector


def write_row(trainer: pl.Trainer, loss: float, *, before: int) -> None:
    """Writes the row that Lightning would have written, `before` steps back on the loggers' axis."""
    for logger in trainer.loggers:
        row = {"train/loss": loss, "epoch": trainer.current_epoch}
        logger.log_metrics(row, step=logged_steps(trainer) - before)
        logger.save()


def show(trainer: pl.Trainer, loss: Tensor) -> None:
    """Puts the loss where callbacks, progress bars and users look for the newest one.

    `LightningModule.log` does the same for half of the price of a turn of the loop, most of it for averages over epochs
    and devices that are not asked for here.
    """
    trainer.callback_metrics["train/loss"] = loss.detach()
    trainer.logged_metrics["train/loss"] = loss.detach()
    trainer.progress_bar_metrics["train/loss"] = loss.item()


def logged_steps(trainer: pl.Trainer) -> int:
    """Returns the place on the loggers' axis."""
    return int(trainer.fit_loop.epoch_loop.on_save_checkpoint()["_batches_that_stepped"])


def count_minibatches(trainer: pl.Trainer, count: int) -> None:
    """Moves Lightning's counters of minibatches, and the logger's axis, on by `count`."""
    loop = trainer.fit_loop.epoch_loop
    loop.batch_progress.increment_by(count)
    state = loop.on_save_checkpoint()
    loop.on_load_checkpoint({**state, "_batches_that_stepped": state["_batches_that_stepped"] + count})


def count_optimizer_steps(trainer: pl.Trainer, count: int) -> None:
    """Moves Lightning's counters of optimiser steps, among them `trainer.global_step`, on by `count`."""
    progress = trainer.fit_loop.epoch_loop.automatic_optimization.optim_progress.optimizer
    progress.step.increment_by(count)
    progress.zero_grad.increment_by(count)

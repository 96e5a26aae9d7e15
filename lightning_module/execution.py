"""Several optimiser steps in one step of Lightning's loop: Keras's `steps_per_execution`.

One turn of Lightning's loop costs about as much as a whole optimiser step of a network as small as these: hooks, progress bar, results,
profiler. So the loader hands out k consecutive minibatches at once, the callback below walks the first k - 1 of them in a bare loop,
and Lightning takes the last one through its own `training_step`, backward pass and optimiser step, as always.

Two decisions keep everything else as it was:

- **The counters count minibatches.** As the minibatches are handed out, the loop's own counters move on by k - 1, and by one more when
  Lightning counts the last. So every interval given to the `Trainer`, every logged step and every file name means optimiser steps; and a
  checkpoint is the one that single steps would have left, to be resumed with any other number of steps per execution.
- **An execution ends wherever something is due**: the end of the epoch, `max_steps`, a validation, a row of the logger, a checkpoint. So
  nothing needs to divide anything, and nothing is late.

What sees less: hooks around a batch (`on_train_batch_start`, `on_train_batch_end`) run once per execution. What needs every single step
(gradient clipping, accumulation, several devices, other precisions, hooks around a backward pass, schedulers by the step, data from
elsewhere) gets single steps, and the first line of the log says why.

The counters are reached by public names (`trainer.fit_loop.epoch_loop`), in this file only, and tested on every supported version.
"""

import inspect
import re
from collections.abc import Iterator
from typing import Any, Literal, Protocol, runtime_checkable

import pytorch_lightning as pl
from pytorch_lightning import callbacks as lightning_callbacks
from pytorch_lightning.strategies import SingleDeviceStrategy
from pytorch_lightning.utilities import rank_zero_info
from torch import Tensor

from lightning_module.loader import Execution, TensorLoader

# At most as many as Lightning's default interval between two rows of the log; more would save less than one percent.
AUTO_LIMIT = 50

# Hooks that belong to one backward pass or one update, and so cannot run once per execution.
STEP_HOOKS = ("on_before_zero_grad", "on_before_backward", "on_after_backward", "on_before_optimizer_step")
MODULE_HOOKS = (*STEP_HOOKS, "backward", "optimizer_step", "optimizer_zero_grad", "configure_gradient_clipping")

# Callbacks that steer the optimisation itself, batch by batch or by trial runs of their own. By name: not every version has every one.
STEERING_CALLBACKS = (
    "BatchSizeFinder",
    "GradientAccumulationScheduler",
    "LearningRateFinder",
    "SpikeDetection",
    "StochasticWeightAveraging",
    "WeightAveraging",
)


@runtime_checkable
class StepsByMinibatch(Protocol):
    """A LightningModule whose training step is the loss of one minibatch and nothing else."""

    steps_per_execution: int | Literal["auto"]

    def minibatch_loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the loss of signals (batch, length) with labels (batch,)."""
        ...

    def training_step_is_plain(self) -> bool:
        """Returns whether `training_step` is still the one that was written for executions."""
        ...


class StepsPerExecution(pl.Callback):
    """Lets a `TensorLoader` hand out several minibatches at once, and trains on all of them but the last.

    `Classifier.configure_callbacks` adds it by itself; the number is the classifier's `steps_per_execution`: "auto" for as many as the
    next due event allows (50 at most), a number for at most that many, 1 for stock Lightning.
    """

    def __init__(self) -> None:
        self._loader: TensorLoader | None = None
        self._limit = 1
        self._checkpoint_intervals: list[int] = []
        self._told: set[str] = set()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Decides whether this run can take several steps at once.

        Raises:
            ValueError: If the classifier asks for a number of steps that this run cannot take at once.
        """
        self._detach()
        if not isinstance(pl_module, StepsByMinibatch) or pl_module.steps_per_execution == 1:
            return
        reason = next(reasons_for_single_steps(trainer, pl_module), None)
        if reason is None:
            self._limit = AUTO_LIMIT if pl_module.steps_per_execution == "auto" else pl_module.steps_per_execution
            self._checkpoint_intervals = list(filter(None, map(checkpoint_interval, trainer.checkpoint_callbacks)))
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
        """Trains on all minibatches of an execution but the last, which is Lightning's."""
        if self._loader is None:
            return
        # Lightning learns from the loader's length where an epoch ends, and an execution is one item to it.
        progress = trainer.fit_loop.epoch_loop.batch_progress
        progress.is_last_batch = progress.current.ready >= trainer.num_training_batches
        if isinstance(batch, Execution):
            self._walk(trainer, pl_module, batch)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Leaves the loader as it was."""
        self._detach()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Leaves the loader as it was."""
        self._detach()

    def _attach(self, trainer: pl.Trainer) -> None:
        loader = trainer.train_dataloader
        self._loader = loader
        loader.plan = lambda: self._hand_out(trainer)

    def _detach(self) -> None:
        if self._loader is not None:
            self._loader.plan = None
        self._loader = None

    def _hand_out(self, trainer: pl.Trainer) -> int:
        """Returns the number of minibatches in the next execution, all but one of them counted already."""
        count = min(self._limit, steps_until_due(trainer, self._checkpoint_intervals))
        # Here, before Lightning takes the number of the batch: that of the execution's last minibatch, which the progress bar shows.
        count_minibatches(trainer, count - 1)
        return count

    def _walk(self, trainer: pl.Trainer, pl_module: pl.LightningModule, execution: Execution) -> None:
        """Takes one bare optimiser step for each minibatch but the last."""
        assert isinstance(pl_module, StepsByMinibatch)  # for the type checker: on_train_start has made sure
        (optimizer,) = trainer.optimizers
        minibatches = execution.minibatches()[:-1]
        loss_of, zero_grad, step = pl_module.minibatch_loss, optimizer.zero_grad, optimizer.step
        done = 0
        try:
            for x, y in minibatches:
                loss = loss_of(x, y)
                zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                step()
                done += 1
        finally:
            count_optimizer_steps(trainer, done)
            if (missing := len(minibatches) - done) and self._loader is not None:
                # Interrupted: a checkpoint saved from here on continues at the step that failed, as one of single steps would.
                count_minibatches(trainer, -missing)
                self._loader.rewind(missing)


def reasons_for_single_steps(trainer: pl.Trainer, module: StepsByMinibatch) -> Iterator[str]:
    """Yields whatever in this run needs to see every single step; nothing if several can be taken at once."""
    loader = trainer.train_dataloader
    if not isinstance(loader, TensorLoader):
        yield f"the training data come from a {type(loader).__name__}, not from a TensorLoader"
    if trainer.world_size > 1 or not isinstance(trainer.strategy, SingleDeviceStrategy):
        yield f"{type(trainer.strategy).__name__} on {trainer.world_size} device(s) synchronises at every step"
    if trainer.precision != "32-true":
        yield f"precision={trainer.precision!r} wraps every step"
    if trainer.gradient_clip_val:
        yield f"gradient_clip_val={trainer.gradient_clip_val} acts on every gradient"
    if trainer.accumulate_grad_batches != 1:
        yield f"accumulate_grad_batches={trainer.accumulate_grad_batches} makes one step of several minibatches"
    yield from _reasons_in_module(trainer, module)
    yield from _reasons_in_callbacks(trainer)
    if not hasattr(trainer.fit_loop.epoch_loop, "batch_progress"):
        yield f"pytorch-lightning {pl.__version__} keeps its counters elsewhere"


def _reasons_in_module(trainer: pl.Trainer, module: StepsByMinibatch) -> Iterator[str]:
    name = type(module).__name__
    if not module.training_step_is_plain():
        yield f"{name} has a training_step of its own"
    for hook in MODULE_HOOKS:
        if getattr(type(module), hook) is not getattr(pl.LightningModule, hook):
            yield f"{name}.{hook} acts on every step"
    if len(trainer.optimizers) != 1:
        yield f"{name} has {len(trainer.optimizers)} optimisers"
    for optimizer in trainer.optimizers:
        closure = inspect.signature(type(optimizer).step).parameters.get("closure")
        if closure is not None and closure.default is inspect.Parameter.empty:
            yield f"{type(optimizer).__name__} evaluates the loss several times a step"
    if any(config.interval == "step" for config in trainer.lr_scheduler_configs):
        yield "a learning-rate scheduler acts on every step"


def _reasons_in_callbacks(trainer: pl.Trainer) -> Iterator[str]:
    steering = tuple(getattr(lightning_callbacks, n) for n in STEERING_CALLBACKS if hasattr(lightning_callbacks, n))
    for callback in trainer.callbacks:
        name = type(callback).__name__
        if isinstance(callback, steering):
            yield f"{name} acts on every step"
        for hook in STEP_HOOKS:
            if getattr(type(callback), hook) is not getattr(pl.Callback, hook):
                yield f"{name}.{hook} acts on every step"
    for checkpoint in trainer.checkpoint_callbacks:
        if checkpoint_interval(checkpoint) is None:
            yield f"{type(checkpoint).__name__} does not say after how many steps it saves"


def checkpoint_interval(callback: pl.Callback) -> int | None:
    """Returns after how many steps a checkpoint callback saves: 0 for never by the step, None if it cannot be known."""
    if not isinstance(callback, lightning_callbacks.ModelCheckpoint):
        return 0 if isinstance(callback, lightning_callbacks.OnExceptionCheckpoint) else None
    # The state key is the documented place of these arguments; the attribute is private.
    found = re.search(r"'every_n_train_steps': (\d+)", callback.state_key)
    return int(found.group(1)) if found else None


def steps_until_due(trainer: pl.Trainer, checkpoint_intervals: list[int]) -> int:
    """Returns how many steps can be taken before Lightning has anything else to do: at least 1."""
    loop = trainer.fit_loop.epoch_loop
    in_epoch, in_all = loop.batch_progress.current.ready, loop.batch_progress.total.ready
    due = [trainer.num_training_batches - in_epoch]
    if trainer.max_steps != -1:
        due.append(trainer.max_steps - trainer.global_step)
    every = trainer.val_check_batch  # in batches; inf or None where validation goes by the epoch or by the clock
    if trainer.enable_validation and isinstance(every, int):
        due.append(every - (in_all if trainer.check_val_every_n_epoch is None else in_epoch) % every)
    if trainer.loggers and trainer.log_every_n_steps:
        logged = loop.on_save_checkpoint()["_batches_that_stepped"]
        due.append(trainer.log_every_n_steps - logged % trainer.log_every_n_steps)
    due += [interval - trainer.global_step % interval for interval in checkpoint_intervals]
    return max(1, int(min(due)))


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

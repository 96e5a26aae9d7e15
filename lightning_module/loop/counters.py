"""The counters of Lightning's training loop, moved on as its own loop moves them.

They are reached by public names (`trainer.fit_loop.epoch_loop`), in this file only, and tested on every supported
version. `global_step`, `batch_idx` and all that a checkpoint holds come from them.
"""

import math
import sys

from lightning_module.twin import pl


class Counters:
    """The counters during one execution: at each minibatch they are what they would be with single steps.

    So whatever looks at them in between (a loss that depends on `self.global_step`, a checkpoint, a row, an exception)
    finds the truth.
    """

    def __init__(self, trainer: pl.Trainer) -> None:
        self._loop = trainer.fit_loop.epoch_loop
        self._batches = self._loop.batch_progress
        self._optimizer = self._loop.automatic_optimization.optim_progress.optimizer
        self._manual = self._loop.manual_optimization.optim_step_progress.total
        self._last = trainer.num_training_batches

    def begin(self) -> None:
        """Counts a minibatch that is handed out."""
        self._batches.increment_ready()
        self._batches.increment_started()
        self.say_whether_last()

    def before_step(self) -> None:
        """Counts an optimiser step that is about to be taken."""
        self._optimizer.step.increment_ready()

    def after_step(self) -> None:
        """Counts the optimiser step as taken."""
        self._optimizer.step.increment_completed()
        self._optimizer.zero_grad.increment_by(1)

    def complete(self) -> None:
        """Counts a minibatch as done."""
        self._batches.increment_processed()
        self._batches.increment_completed()

    def say_whether_last(self) -> None:
        """Says whether the minibatch that was handed out is the last one of the epoch.

        Lightning learns from the loader's length where an epoch ends, and an execution is one item to it.
        """
        self._batches.is_last_batch = self._batches.current.ready >= self._last

    def move(self, count: int) -> None:
        """Moves the counters of minibatches, and the loggers' axis, on by `count`."""
        self._batches.increment_by(count)
        self.move_axis(count)

    def move_axis(self, count: int) -> None:
        """Moves the loggers' axis on."""
        state = self._loop.on_save_checkpoint()
        self._loop.on_load_checkpoint({**state, "_batches_that_stepped": state["_batches_that_stepped"] + count})

    def lend(self) -> None:
        """Lets `global_step` stay the truth while Lightning takes the optimisation for a manual one."""
        self._manual.completed += self._optimizer.step.total.completed

    def take_back(self) -> None:
        """Ends what `lend` began."""
        self._manual.completed -= self._optimizer.step.total.completed

    @property
    def in_flight(self) -> bool:
        """Returns whether a minibatch is handed out and not done."""
        total = self._batches.total
        return bool(total.ready > total.completed)


def logged_steps(trainer: pl.Trainer) -> int:
    """Returns the place on the loggers' axis."""
    return int(trainer.fit_loop.epoch_loop.on_save_checkpoint()["_batches_that_stepped"])


def row_interval(trainer: pl.Trainer) -> int:
    """Returns after how many steps the loggers have a row each: 0 for never; 1 once somebody has asked to stop."""
    if not trainer.loggers:
        return 0
    return 1 if trainer.should_stop else int(trainer.log_every_n_steps)  # type: ignore[attr-defined]


def steps_until_row(trainer: pl.Trainer) -> int:
    """Returns after how many more steps the loggers have their next row: a huge number for never."""
    interval = row_interval(trainer)
    return interval - logged_steps(trainer) % interval if interval else sys.maxsize


def steps_until_due(trainer: pl.Trainer, intervals: list[int]) -> int:
    """Returns how many steps can be taken before Lightning has anything else to do: at least 1.

    Args:
        trainer: The trainer, in training.
        intervals: In optimiser steps, what is due at every multiple.
    """
    loop = trainer.fit_loop.epoch_loop
    in_epoch, in_all = loop.batch_progress.current.ready, loop.batch_progress.total.ready
    due = [trainer.num_training_batches - in_epoch]
    if trainer.max_steps != -1:
        due.append(trainer.max_steps - trainer.global_step)
    if trainer.should_stop and trainer.min_steps and trainer.global_step < trainer.min_steps:
        due.append(trainer.min_steps - trainer.global_step)  # there Lightning does stop
    every = trainer.val_check_batch  # in batches; inf or None where validation goes by the epoch or by the clock
    if trainer.enable_validation and isinstance(every, int):
        due.append(every - (in_all if trainer.check_val_every_n_epoch is None else in_epoch) % every)
    due += [interval - trainer.global_step % interval for interval in intervals]
    return max(1, int(min(due)))


def steps_in_all(trainer: pl.Trainer) -> int | None:
    """Returns after how many optimiser steps the training ends at the latest, by steps and by epochs; None if never.

    Asked in an epoch, after a batch or before the first one.
    """
    ends = [trainer.max_steps] if trainer.max_steps != -1 else []
    in_epoch, epochs = trainer.num_training_batches, trainer.max_epochs
    if epochs not in (None, -1) and math.isfinite(in_epoch):
        batches = trainer.accumulate_grad_batches  # of a step; the last one of an epoch may have fewer
        of_epoch, ready = math.ceil(in_epoch / batches), trainer.fit_loop.epoch_loop.batch_progress.current.ready
        taken = of_epoch if ready >= in_epoch else ready // batches
        ends.append(trainer.global_step + of_epoch - taken + (epochs - trainer.current_epoch - 1) * of_epoch)
    return max(trainer.global_step, min(ends)) if ends else None

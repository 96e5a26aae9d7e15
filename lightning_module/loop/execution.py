"""Several optimiser steps in one step of Lightning's loop: Keras's `steps_per_execution`.

One turn of Lightning's loop costs several optimiser steps of networks as small as these: hooks, progress bar, results,
profiler. So the loader hands out k consecutive minibatches at once, and `train_on` takes the k steps in a bare loop
inside one `training_step`.

Five decisions keep everything else as it was:

- **Only what is proven goes with it.** Before each execution everything that is called at a step is looked at: module,
  data module, callbacks, optimiser, strategy and the rest. What is not known to leave every step as it is gets single
  steps, and the log says why, once: see `lightning_module.loop.single_steps`. A user's class or object that goes well
  with executions says `allows_several_steps = True`; its hooks around a batch then run once per execution.
- **The counters count minibatches**, each as it begins and ends: `global_step` is the truth at any time, also in a
  loss. As an execution is handed out they move on by k - 1, since Lightning asks for the number of the batch just then
  (the progress bar shows it), and as it begins they are taken back. So every interval given to the `Trainer`, every
  logged step and every file name mean optimiser steps; and a checkpoint is, entry by entry, the one that single steps
  would have left, to be resumed with any other number of steps per execution.
- **An execution ends wherever something is due**: the end of the epoch, `max_steps`, a validation, a checkpoint; and
  after the minibatch in which somebody sets `trainer.should_stop`. So nothing needs to divide anything, and nothing is
  late but what goes by the clock. A row of the logger that falls into an execution is written from there; only if
  somebody may act at a row does the execution end at it.
- **An execution is optimised by us, everything else by Lightning.** The module is one of automatic optimisation, except
  for the moment in which Lightning looks who is to optimise an execution.
- **It is checked.** If after an execution `global_step` has not moved by the minibatches handed out, the run ends with
  an error, before a checkpoint or a row is written.

Within an execution nothing but `train/loss` is logged. So the first minibatch of a module of a user's is a step of
Lightning's own, and if anything else is logged in it, there are single steps.
"""

from typing import Any

from torch import Tensor

from lightning_module.loop.counters import Counters, logged_steps, row_interval, steps_until_due, steps_until_row
from lightning_module.loop.loader import Execution, MinibatchLoader
from lightning_module.loop.single_steps import (
    LOADERS,
    Gate,
    StepsByMinibatch,
    all_vouched_for,
    checkpoint_interval,
    rows_have_company,
)
from lightning_module.loop.transparency import is_known
from lightning_module.twin import Callback, pl, rank_zero_info

# At most as many as Lightning's default interval between two rows of the log; more would save less than one percent.
AUTO_LIMIT = 50
LOSS = "train/loss"


class StepsPerExecution(Callback):
    """A callback that lets a `TensorLoader` or a `StreamLoader` hand out several minibatches at once.

    `Classifier.configure_callbacks` adds it by itself; the number is the classifier's `steps_per_execution`: "auto" for
    as many as the next due event allows (50 at most), a number for at most that many, 1 for stock Lightning.

    A callback, classifier, data module, optimiser, strategy, or another part of a run that is not known to leave every
    step as it is means single steps, and the log says so. If yours goes well with several (its hooks around a training
    batch may run once for all of an execution, and count, change and log nothing there), let the class or the object
    say `allows_several_steps = True`. It vouches for the class that says it and for those it is derived from.
    """

    def __init__(self) -> None:
        self._loader: MinibatchLoader | None = None
        self._limit = 1
        self._gate = Gate()
        self._told: set[str] = set()
        self._several = False  # whether this turn of the loop is an execution, and not a step of Lightning's
        self._handed: int | None = None  # minibatches of an execution that is not begun
        self._expected: int | None = None  # `global_step` after an execution that is taken
        self._looked = False  # whether it is known that nothing else is logged in a step
        self._logged: list[str] = []  # in this step of Lightning's
        self._others: set[str] = set()  # logged in any of them
        self._results_in_use = False  # whether Lightning has a loss of this epoch, which it would show for the newest

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Decides whether this run can take several steps at once, as it is now.

        Raises:
            ValueError: If the classifier asks for a number of steps that this run cannot take at once.
        """
        self._detach()
        if isinstance(loader := trainer.train_dataloader, MinibatchLoader):
            loader.limit = int(trainer.num_training_batches)
        if not isinstance(pl_module, StepsByMinibatch) or pl_module.steps_per_execution == 1:
            return
        self._gate = Gate()
        auto = pl_module.steps_per_execution == "auto"
        reason = self._gate.reason(trainer, pl_module)
        if reason is not None and not auto:
            raise ValueError(
                f"steps_per_execution={pl_module.steps_per_execution} cannot be: {reason}; "
                'use steps_per_execution="auto", which takes single steps where it must, or 1'
            )
        if reason is not None:
            self._log_reason(reason)
        self._limit = AUTO_LIMIT if pl_module.steps_per_execution == "auto" else pl_module.steps_per_execution
        self._looked = is_known(pl_module) and not all_vouched_for(trainer)
        self._logged, self._others, self._results_in_use = [], set(), False
        self._attach(trainer)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Finds the loader again if Lightning has made a new one (`reload_dataloaders_every_n_epochs`)."""
        self._results_in_use = False
        if self._loader is not None and trainer.train_dataloader is not self._loader:
            self._attach(trainer)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Decides who optimises this batch, and notes whether it is the last one.

        Raises:
            RuntimeError: If the minibatches handed out at once are not what arrives.
        """
        if self._loader is None:
            return
        arrived = batch.number if isinstance(batch, Execution) else None
        if arrived != self._handed:
            raise RuntimeError(
                f"{self._handed or 1} minibatches were handed out at once, and what arrives is "
                f"{'a ' + type(batch).__name__ if arrived is None else f'{arrived} minibatches'}: "
                f"a hook on the way changes them{_of_those_vouched_for(trainer)}"
            )
        counters = Counters(trainer)
        counters.say_whether_last()
        if arrived is not None:
            # An execution is optimised by `train_on`, a single minibatch by Lightning. Only from here to the start of
            # `train_on`: everything else, from the counters to the checkpoints, is that of automatic optimisation.
            counters.lend()
            pl_module.automatic_optimization = False

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Makes sure that the steps were taken: checkpoints and rows come later."""
        self._check(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Makes sure that the steps were taken where a batch was skipped."""
        self._check(trainer)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Makes sure that the steps were taken if somebody saves a checkpoint before the batch has ended."""
        if self._handed is None:  # else it is saved on the way to the execution, or after an exception there
            self._check(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Leaves the loader as it was."""
        self._detach()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Leaves the loader and the module as they were, and counts no minibatch that was not begun."""
        if self._loader is not None and self._handed is not None:
            Counters(trainer).move(1 - self._handed)
            self._loader.move(1 - self._handed)
            self._give_back(trainer, pl_module)
        self._detach()

    def look_at(self, name: str, trainer: pl.Trainer) -> None:
        """Notes that a module logs something; see `MinibatchTraining.log`.

        Raises:
            RuntimeError: If it is logged in an execution, where no row would show it.
        """
        if self._loader is None or not trainer.training or not Counters(trainer).in_flight:
            return
        if self._several:
            raise RuntimeError(
                f"{name!r} is logged for the first time at step {trainer.global_step}, among several steps taken at "
                "once, where it would be in no row; log it in the first minibatch too, or use steps_per_execution=1"
            )
        self._logged.append(name)

    def take(self, execution: Execution, trainer: pl.Trainer, module: StepsByMinibatch) -> Tensor:
        """Returns the loss of the last minibatch, after one bare optimiser step for each.

        Raises:
            RuntimeError: If these minibatches were not handed out, or were taken before.
        """
        minibatches = execution.minibatches()
        if self._loader is None or self._handed != len(minibatches):
            raise RuntimeError(
                f"{len(minibatches)} minibatches at once are to be trained on, and {self._handed or 0} are handed out: "
                f"training_step runs twice, or was given other ones{_of_those_vouched_for(trainer)}"
            )
        self._give_back(trainer, module)
        before, counters = trainer.global_step, Counters(trainer)
        ahead, self._handed = 1 - len(minibatches), None
        counters.move(ahead)  # from here on each as it begins
        self._loader.move(ahead)
        counters.say_whether_last()
        (optimizer,) = trainer.optimizers
        take_step = module.step_of(optimizer)
        rows, stopping, loss = steps_until_row(trainer), trainer.should_stop, execution.x.new_zeros(())
        for number, (x, y) in enumerate(minibatches, start=1):
            if number > 1:
                counters.complete()
                if number > rows:
                    write_row(trainer, loss.item())  # of the minibatch before
                    rows += row_interval(trainer)
                counters.move_axis(1)
                self._loader.move(1)
                counters.begin()
            counters.before_step()
            loss = take_step(x, y)
            counters.after_step()
            if trainer.should_stop and not stopping:
                break
        self._expected = before + number
        self._results_in_use |= number == rows or trainer.should_stop
        self._show(trainer, loss)
        return loss

    def _give_back(self, trainer: pl.Trainer, module: Any) -> None:
        """Gives the optimisation back to Lightning."""
        if not module.automatic_optimization:
            module.automatic_optimization = True
            Counters(trainer).take_back()

    def _show(self, trainer: pl.Trainer, loss: Tensor) -> None:
        """Puts the loss where callbacks, progress bars and users look for the newest one.

        `LightningModule.log` takes half of the price of a turn of the loop for that, most of it for averages over
        epochs and devices that are not asked for here. But if there is a row at the end of an execution, Lightning is
        to write it, after the hooks of the batch; and from then on in this epoch it has a loss that it would show
        instead of one put there.
        """
        if self._results_in_use:
            pl.LightningModule.log(trainer.lightning_module, LOSS, loss, prog_bar=True, batch_size=1)
        else:
            trainer.callback_metrics[LOSS] = loss.detach()
            trainer.logged_metrics[LOSS] = loss.detach()
            trainer.progress_bar_metrics[LOSS] = loss.item()

    def _attach(self, trainer: pl.Trainer) -> None:
        self._detach()
        loader, module = trainer.train_dataloader, trainer.lightning_module
        # Any other loader has been given as a reason, and has no plan to be asked for.
        if isinstance(loader, LOADERS) and type(loader) in LOADERS and isinstance(module, StepsByMinibatch):
            loader.plan = lambda left: self._hand_out(left, trainer, module)
            self._loader = loader

    def _detach(self) -> None:
        if self._loader is not None:
            self._loader.plan = None
        self._several, self._loader, self._handed, self._expected = False, None, None, None

    def _hand_out(self, left: int, trainer: pl.Trainer, module: StepsByMinibatch) -> int | None:
        """Returns how many of the minibatches left are in the next execution, all but one of them counted already.

        None for a single minibatch, which is Lightning's.
        """
        self._several, self._handed, self._expected = False, None, None
        reason_in_log = self._reason_in_log()
        reason = self._gate.reason(trainer, module) or reason_in_log
        if reason is not None:
            self._log_reason(reason)
        if reason is not None or not self._looked:
            self._results_in_use = True
            return None
        intervals = list(filter(None, map(checkpoint_interval, trainer.checkpoint_callbacks)))
        count = min(left, self._limit, steps_until_due(trainer, intervals))
        if rows_have_company(trainer):
            count = min(count, steps_until_row(trainer))
        # Here, before Lightning takes the number of the batch: that of the execution's last minibatch, which the
        # progress bar shows.
        Counters(trainer).move(count - 1)
        self._several, self._handed = True, count
        return count

    def _reason_in_log(self) -> str | None:
        """Returns what was logged in Lightning's own steps beside the loss, as a reason."""
        if self._logged:
            self._looked = True
            if LOSS in self._logged:
                self._logged.remove(LOSS)
            self._others.update(self._logged)
            self._logged = []
        return f"{min(self._others)!r} is logged in a step" if self._others else None

    def _check(self, trainer: pl.Trainer) -> None:
        handed, expected, self._handed, self._expected = self._handed, self._expected, None, None
        if handed is not None:
            raise RuntimeError(
                f"{handed} minibatches were handed out at once and none was trained on: a hook skipped the batch"
                f"{_of_those_vouched_for(trainer)}; use steps_per_execution=1"
            )
        if expected is not None and trainer.global_step != expected:
            raise RuntimeError(
                f"global_step is {trainer.global_step} and not {expected} after an execution of several steps: "
                f"somebody else counted{_of_those_vouched_for(trainer)}; use steps_per_execution=1"
            )

    def _log_reason(self, reason: str) -> None:
        if reason not in self._told:
            self._told.add(reason)
            rank_zero_info(f'steps_per_execution="auto" takes single steps: {reason}')


def steps_at_once(trainer: pl.Trainer) -> StepsPerExecution | None:
    """Returns the trainer's callback for several steps at once, if it has one."""
    callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]  # set in a connector
    return next((each for each in callbacks if isinstance(each, StepsPerExecution)), None)


def train_on(execution: Execution, trainer: pl.Trainer, module: StepsByMinibatch) -> Tensor:
    """Returns the loss of the last minibatch, after one bare optimiser step for each.

    Raises:
        RuntimeError: If the loss of a minibatch raises StopIteration, by which Lightning would end the epoch silently.
    """
    steps = steps_at_once(trainer)
    assert steps is not None  # for the type checker: who else would hand out an execution
    try:
        return steps.take(execution, trainer, module)
    except StopIteration as stop:
        raise RuntimeError(f"minibatch_loss raised StopIteration at step {trainer.global_step}") from stop


def write_row(trainer: pl.Trainer, loss: float) -> None:
    """Writes the row of the log that Lightning would have written."""
    for logger in trainer.loggers:
        logger.log_metrics({LOSS: loss, "epoch": trainer.current_epoch}, step=logged_steps(trainer))
        logger.save()


def _of_those_vouched_for(trainer: pl.Trainer) -> str:
    vouched = all_vouched_for(trainer)
    return f"; allows_several_steps vouches for {', '.join(vouched)}" if vouched else ""

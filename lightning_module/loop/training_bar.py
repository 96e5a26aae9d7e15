"""The progress bar of a fit: optimiser steps done and to do, their speed, the time that is left, loss and accuracy.

    3,400/6,000 - 420 steps/s - 0:14 left - train 0.012 - val 93.1 %

Lightning's bars count the turns of its loop in an epoch, and a turn can be fifty steps here.
"""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from lightning_module.loop.counters import steps_in_all
from lightning_module.terminal.progress import Part, ProgressLine, clock_words, count_words, speed_words
from lightning_module.twin import pl, refuse_foreign

# What the line says of training and validation: the names of what is logged, the first that there is.
TRAIN: Final = ("train/loss",)
VALIDATION: Final = ("val/acc", "val/loss")


class TrainingBar(pl.callbacks.ProgressBar):
    """A progress bar over optimiser steps, in one line, whatever the number of epochs.

    `Classifier.configure_callbacks` and that of `Ensemble` add it in place of the bar that a Trainer has by itself: of
    one that was given any other bar, or `enable_progress_bar=False`, nothing is changed. (A `RichProgressBar()` without
    an argument cannot be told from Lightning's own; `RichProgressBar(leave=True)` can.)

    In a terminal or a notebook the line is drawn anew, five times a second at most, by rich; in a file, a pipe, or with
    `NO_COLOR`, lines are printed now and then, ten seconds apart and more. The loss is that of the newest step, the
    accuracy that of the newest validation; both are asked for when the line is drawn, and at no other step, so that a
    GPU is not waited for. Where `max_time` ends the training first, the time that is left is the one until then.
    """

    def __init__(self) -> None:
        super().__init__()
        self._enabled = True
        self._line: ProgressLine | None = None
        self._first = 0

    def enable(self) -> None:
        """Lets it be shown."""
        self._enabled = True

    def disable(self) -> None:
        """Lets it not be shown."""
        self._enabled = False

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Takes the place of the bar that the Trainer has by itself.

        Raises:
            ValueError: If the trainer is one of the other package.
        """
        refuse_foreign(self, trainer)
        # A new list: Lightning is going through the old one.
        trainer.callbacks = [each for each in trainer.callbacks if not is_of_the_trainer(each)]  # type: ignore[attr-defined]
        super().setup(trainer, pl_module, stage)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Shows the line, with what is done already."""
        self._stop()
        if self._enabled:
            self._first = trainer.global_step
            self._line = ProgressLine()
            self._line.start(self._first, *self._state(trainer))

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Says how far the training is, if it is time for that."""
        if self._line is not None and self._line.is_due:
            self._line.tell(trainer.global_step, *self._state(trainer))

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Says what the validation found, if it is time for that."""
        if self._line is not None and not trainer.sanity_checking and self._line.is_due:
            self._line.tell(trainer.global_step, *self._state(trainer))

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Ends the line, which stays."""
        if self._line is not None:
            self._line.finish(trainer.global_step, *self._state(trainer, ended=True))
            self._line = None

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Says how far a validation outside of a fit is."""
        self._evaluated(trainer, sum(trainer.num_val_batches))

    def on_test_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Says how far a test is."""
        self._evaluated(trainer, sum(trainer.num_test_batches))

    def on_predict_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Says how far a prediction is."""
        self._evaluated(trainer, sum(trainer.num_predict_batches))

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Leaves the line as it is."""
        self._stop()

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Leaves the line as it is."""
        self._stop()

    def _stop(self) -> None:
        if self._line is not None:
            self._line.stop()
            self._line = None

    def _state(self, trainer: pl.Trainer, *, ended: bool = False) -> tuple[float | None, Any]:
        """Returns the share that is done, and a function that returns the parts of the line."""
        done, total = trainer.global_step, steps_in_all(trainer)
        limits, shares = [], [done / total] if total else []
        for each in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(each, pl.callbacks.Timer) and (left := each.time_remaining()) is not None:
                limits.append(left)
                shares.append(each.time_elapsed() / max(each.time_elapsed() + left, 1e-9))
        # What has to be asked of a GPU is asked here; when the line is drawn, only its speed is.
        parts = partial(self._parts, done, total, limits, metric_parts(trainer), ended)
        return (min(1.0, max(shares)) if shares else None), parts

    def _parts(self, done: int, total: int | None, limits: list[float], metrics: list[Part], ended: bool) -> list[Part]:
        line = self._line
        elapsed, speed = (0.0, None) if line is None else (line.elapsed, line.speed)
        if ended:
            speed = (done - self._first) / elapsed if elapsed else None  # of all, not of late
        times = [*limits, *([(total - done) / speed] if total is not None and speed else [])]
        parts = [Part(count_words(done, total, "steps"))]
        if speed:
            parts.append(Part(speed_words(speed, "steps"), rank=4))
        if ended:
            parts.append(Part(f"in {clock_words(elapsed)}", rank=1))
        elif times:
            parts.append(Part(f"{clock_words(min(times))} left", rank=1))
        return parts + metrics

    def _evaluated(self, trainer: pl.Trainer, batches: int | float) -> None:
        """Says how far a validation, test or prediction of several batches is, outside of a fit."""
        if trainer.state.fn == "fit" or not self._enabled or batches == 1:
            return
        if self._line is None:
            self._first, self._line = 0, ProgressLine()
            self._line.start(0, None, list)
        self._first += 1
        if self._line.is_due:
            total = int(batches) if math.isfinite(batches) else None
            parts = [Part(count_words(self._first, total, "batches"))]
            if total and self._line.speed:
                parts.append(Part(f"{clock_words((total - self._first) / self._line.speed)} left", rank=1))
            self._line.tell(self._first, self._first / total if total else None, partial(list, parts))


def metric_parts(trainer: pl.Trainer) -> list[Part]:
    """Returns the newest loss of training, and the newest accuracy (or else loss) of validation, as far as known."""
    found: Mapping[str, Any] = {**trainer.callback_metrics, **trainer.progress_bar_metrics}
    parts = []
    for label, names, rank in (("train", TRAIN, 3), ("val", VALIDATION, 2)):
        name = next((name for name in names if name in found), None)
        if name is not None:
            value = float(found[name])
            words = f"{100 * value:.1f} %" if name.endswith("/acc") else loss_words(value)
            parts.append(Part(f"{label}{' loss' if name == 'val/loss' else ''} {words}", rank))
    return parts


def loss_words(loss: float) -> str:
    """Returns a loss with three decimals, or with two digits if it is smaller."""
    return f"{loss:.3f}" if abs(loss) >= 0.001 or loss == 0 or not math.isfinite(loss) else f"{loss:.1e}"


def is_of_the_trainer(callback: object) -> bool:
    """Returns whether a callback is the progress bar that a Trainer makes by itself, as it was made."""
    if type(callback) is not own_bar():
        return False
    fresh: Any = type(callback)()
    settings = {name: value for name, value in vars(fresh).items() if value is not None}
    return all(vars(callback).get(name) == value for name, value in settings.items())


def own_bar() -> type[pl.callbacks.ProgressBar]:
    """Returns the class of the bar that a Trainer makes by itself, which is another one since Lightning 2.6."""
    version = tuple(map(int, pl.__version__.split(".")[:2]))  # type: ignore[attr-defined]
    return pl.callbacks.RichProgressBar if version >= (2, 6) else pl.callbacks.TQDMProgressBar

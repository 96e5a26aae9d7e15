"""One training, as ``mnist1d fit`` does it, with a report on the way; runs in the worker's process."""

import logging
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from lightning_module.classifier import Classifier
from lightning_module.datamodule import MNIST1DDataModule
from lightning_module.explorer.train.settings import Settings
from lightning_module.twin import pl, quiet
from mnist1d_hf.bayes import frozen_posterior, log_posterior
from mnist1d_hf.generator.recipe import RecipeError

SHOWN: Final = 20  # misread signals that are shown
Report = Callable[[int, float], None]


class PageReport(pl.Callback):
    """A callback that reports the accuracy at each evaluation, and ends the training when it is asked to."""

    allows_several_steps = True  # it changes nothing between two steps

    def __init__(self, report: Report, asked_to_stop: Callable[[], bool]) -> None:
        self._report, self._asked_to_stop = report, asked_to_stop

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Tells the accuracy on the test split."""
        del pl_module
        if not trainer.sanity_checking:
            self._report(trainer.global_step, float(trainer.callback_metrics["val/acc"]))

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Ends the training if that was asked for; it comes after 50 steps at the latest."""
        if self._asked_to_stop():
            trainer.should_stop = True


def trained(settings: Settings, report: Report, asked_to_stop: Callable[[], bool]) -> dict[str, Any]:
    """Returns what a training came to, as JSON has it: accuracy, errors of each digit, misread signals.

    Args:
        settings: What is trained. The data are made anew, or found in the cache of the datasets library.
        report: Is told step and accuracy at each evaluation.
        asked_to_stop: Whether the training is to end before its last step.
    """
    pl.seed_everything(settings.seed, verbose=False)
    data = MNIST1DDataModule(recipe=settings.recipe, val="test", shuffle="none")
    model = Classifier(settings.network, lr=settings.lr, length=data.length, num_classes=data.num_classes)
    with quiet(logging.ERROR):
        trainer = pl.Trainer(
            max_steps=settings.steps,
            accelerator="cpu",
            val_check_interval=settings.every,
            check_val_every_n_epoch=None,
            logger=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=False,
            num_sanity_val_steps=0,
            callbacks=[PageReport(report, asked_to_stop)],
        )
        trainer.fit(model, datamodule=data)
    model.eval()
    x, y = data.examples("test")
    with torch.inference_mode():
        answers = model(x).argmax(1)
    found = {"step": trainer.global_step, "accuracy": float((answers == y).double().mean())}
    return found | _errors(settings, x.numpy(), y.numpy(), answers.numpy())


def _errors(settings: Settings, x: npt.NDArray[Any], y: npt.NDArray[Any], answers: npt.NDArray[Any]) -> dict[str, Any]:
    """Returns the share of each digit that is misread, and the first misread signals with their posteriors."""
    missed = np.flatnonzero(answers != y)
    shown = missed[:SHOWN]
    p, reason = _posterior(settings, x, shown)
    return {
        "digits": [float((answers[y == digit] != digit).mean()) for digit in range(10)],
        "misread": len(missed),
        "signals": [
            {
                "row": int(row),
                "x": [round(float(each), 4) for each in x[row]],
                "truth": int(y[row]),
                "answer": int(answers[row]),
                "p": None if p is None else [round(float(each), 6) for each in p[place]],
            }
            for place, row in enumerate(shown)
        ],
        "reason": reason,
    }


def _posterior(
    settings: Settings, x: npt.NDArray[Any], rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[Any] | None, str]:
    """Returns the exact posterior of some signals; None, with the reason, where there is none."""
    if not settings.recipe:
        return np.exp(frozen_posterior().test[rows]), ""
    try:
        return np.exp(log_posterior(x[rows], "default", **settings.recipe)), ""
    except (RecipeError, ImportError) as error:
        return None, str(error)

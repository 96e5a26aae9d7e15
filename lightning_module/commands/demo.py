"""``mnist1d demo``: the whole line once, from the templates to a trained network, its accuracy and its pictures."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datasets
import torch
from jsonargparse import ActionConfigFile  # type: ignore[attr-defined]  # it is documented so
from rich.console import Console
from rich.table import Table

import mnist1d_hf
from lightning_module.classifier import Classifier
from lightning_module.commands.group import Parser, run_command
from lightning_module.datamodule import MNIST1DDataModule
from lightning_module.networks import NETWORKS
from lightning_module.twin import pl, quiet
from mnist1d_hf.atomic import replace
from mnist1d_hf.cache import golden
from mnist1d_hf.checks import one_of, whole_number
from mnist1d_hf.generator.columns import column_digests

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BATCHES_PER_EPOCH = 40  # 4,000 examples, 100 at a time

NEXT = """\
Next:
  mnist1d fit --config gru.yaml                  another reference network: logistic, mlp, cnn, gru
  mnist1d data list                              the other configs; any number of a recipe can be changed
  mnist1d data build default --iid-noise-scale 0.1
  python -c 'import mnist1d_hf, datasets; print(datasets.load_dataset("mnist1d", "shuffled"))'"""


@dataclass(frozen=True)
class DemoResult:
    """The outcome of the demonstration.

    Attributes:
        rows: One mapping per evaluation: step, accuracy and loss on train and test.
        parameters: Trainable numbers of the network.
        seconds: Wall time of the fit, evaluations included.
        digest: SHA-256 of the training signals.
        figures: The pictures written; none without matplotlib.
    """

    rows: list[dict[str, float]]
    parameters: int
    seconds: float
    digest: str
    figures: list[Path]


class LearningCurve(pl.Callback):
    """A callback that keeps accuracy and loss on all of train and of test at each evaluation.

    Attributes:
        rows: One mapping per evaluation.
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Adds a row; the sanity check before the first step adds none."""
        if trainer.sanity_checking:
            return
        x, y = trainer.datamodule.examples("train")  # type: ignore[attr-defined]  # the demonstration's own data module
        with torch.no_grad():
            logits = pl_module(x)
        metrics = trainer.callback_metrics
        self.rows.append(
            {
                "step": trainer.global_step,
                "train_accuracy": float((logits.argmax(1) == y).float().mean()),
                "train_loss": float(torch.nn.functional.cross_entropy(logits, y)),
                "test_accuracy": float(metrics["val/acc"]),
                "test_loss": float(metrics["val/loss"]),
            }
        )


def run_demo(network: str = "cnn", steps: int = 6000, seed: int = 42, out: Path = Path("outputs/demo")) -> DemoResult:
    """Generates the default data set, trains a reference network as the blog post does, and draws what came out.

    Args:
        network: The name of a registered network: "logistic", "mlp", "cnn", "gru", or one of your own.
        steps: Optimiser steps of 100 examples; evaluated 24 times.
        seed: Of the network's initial weights.
        out: Folder of the figures.

    Raises:
        ValueError: If the network does not exist or there are no steps.
    """
    network = one_of("network", network, NETWORKS)
    steps, seed = whole_number("steps", steps, 1), whole_number("seed", seed, 0, 2**32 - 1)
    out.mkdir(parents=True, exist_ok=True)  # if that cannot be, before a minute of training
    train = datasets.load_dataset("mnist1d", "default", split="train")
    digest = column_digests([train.with_format("arrow")[:]])["x"]
    pl.seed_everything(seed, verbose=False)
    classifier = Classifier(network)
    curve = LearningCurve()
    with quiet(logging.WARNING):  # devices and a table of layers would hide what the demonstration is about
        trainer = _trainer(steps, curve)
        start = time.perf_counter()
        trainer.fit(classifier, MNIST1DDataModule(val="test", shuffle="none"))
    seconds = time.perf_counter() - start
    return DemoResult(
        rows=curve.rows,
        parameters=sum(p.numel() for p in classifier.parameters() if p.requires_grad),
        seconds=seconds,
        digest=digest,
        figures=_write_figures(curve.rows, out),
    )


def main(network: str = "cnn", steps: int = 6000, seed: int = 42, out: Path = Path("outputs/demo")) -> int:
    """Generate MNIST-1D, train a network on it, and print and draw the outcome; takes about a minute.

    Args:
        network: Which network: logistic, mlp, cnn, gru, or one that is registered.
        steps: Optimiser steps of 100 examples.
        seed: Of the network's initial weights.
        out: Folder of the figures.
    """
    result = run_demo(network, steps, seed, out)
    console = Console(soft_wrap=True)
    frozen = golden.committed()["default"]["train"]["x"]
    last = result.rows[-1]
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("network", f"{network}, {result.parameters:,} parameters")
    table.add_row("accuracy on train", f"{last['train_accuracy']:.1%}")
    table.add_row("accuracy on test", f"{last['test_accuracy']:.1%}")
    table.add_row(
        "training", f"{last['step']:,} steps in {result.seconds:.1f} s, {last['step'] / result.seconds:.0f} steps/s"
    )
    verdict = "the frozen 2020 data, bit for bit" if result.digest == frozen else "NOT the frozen 2020 data"
    table.add_row("data", f"version {mnist1d_hf.DATA_VERSION}, SHA-256 {result.digest[:16]}…: {verdict}")
    for figure in result.figures:
        table.add_row("figure", str(figure))
    console.print(table)
    if not result.figures:
        console.print('No figures: pip install "mnist1d-hf\\[plot]"')
    console.print(NEXT, highlight=False, markup=False, soft_wrap=True)
    return 0


def parser() -> Parser:
    """Returns the parser of the demonstration's options, which are the keywords of `main`."""
    options = Parser(prog="mnist1d demo", description=(main.__doc__ or "").split("\n")[0])
    options.add_argument("--config", action=ActionConfigFile, help="a YAML file with values of the other options")
    options.add_function_arguments(main, as_group=False)
    return options


def command(arguments: Sequence[str] | None = None) -> int:
    """Runs the demonstration; returns its exit status: 0, or 2 if the input cannot be used."""
    options = parser()
    keywords = options.parse_args(arguments).as_dict()
    keywords.pop("config")
    return run_command(partial(main, **keywords), lambda: options)


def _trainer(steps: int, curve: LearningCurve) -> pl.Trainer:
    return pl.Trainer(
        accelerator="cpu",  # networks this small are fastest there
        max_steps=steps,
        max_epochs=-(-steps // BATCHES_PER_EPOCH),  # never the limit; it gives the progress bar an end
        val_check_interval=max(1, steps // 24),
        check_val_every_n_epoch=None,
        callbacks=[curve],
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
    )


def _write_figures(rows: list[dict[str, float]], out: Path) -> list[Path]:
    try:
        from mnist1d_hf.plot import signals

        signals.require_matplotlib()
    except ImportError:
        return []
    arrays = mnist1d_hf.make_mnist1d()
    first = [int((arrays.train.y == digit).argmax()) for digit in range(10)]
    figures: dict[str, Any | Figure] = {
        "templates": signals.plot_templates(),
        "examples": signals.plot_signals(arrays.train.x[first], arrays.train.y[first]),
        "learning_curve": signals.plot_learning_curve(rows),
    }
    for name, figure in figures.items():
        replace(out / f"{name}.png", partial(figure.savefig, format="png"))
    return [out / f"{name}.png" for name in figures]

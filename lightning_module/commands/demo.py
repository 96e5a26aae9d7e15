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

import mnist1d_hf
from lightning_module.classifier import Classifier
from lightning_module.commands.group import Parser, run_command
from lightning_module.datamodule import MNIST1DDataModule
from lightning_module.networks import NETWORKS, registered
from lightning_module.terminal.tables import Column, Pairs, Table, show
from lightning_module.twin import pl, quiet
from mnist1d_hf.atomic import replace
from mnist1d_hf.cache import golden
from mnist1d_hf.checks import one_of, whole_number
from mnist1d_hf.generator.columns import column_digests
from mnist1d_hf.generator.recipe import RECIPES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEFAULT = "default"

# No line is longer than a narrow terminal is wide.
NEXT = """\
Next:
  mnist1d demo --network mlp --data shuffled
      the same network on shuffled signals, in one figure
  mnist1d fit --config gru
      another reference network: logistic, mlp, cnn, gru
  mnist1d data list
      the other configs; each number of a recipe can change
  mnist1d data build default --iid-noise-scale 0.1
      signals with more noise"""


@dataclass(frozen=True)
class DemoRun:
    """One network, trained on one config.

    Attributes:
        rows: One mapping per evaluation: step, accuracy and loss on train and test.
        steps: Optimiser steps.
        parameters: Trainable numbers of the network.
        seconds: Wall time of the fit, evaluations included.
        digest: SHA-256 of the training signals.
    """

    rows: list[dict[str, float]]
    steps: int
    parameters: int
    seconds: float
    digest: str


@dataclass(frozen=True)
class DemoResult:
    """The outcome of the demonstration.

    Attributes:
        runs: By their config: the default one first, then, if another was asked for, that one.
        figures: The pictures written; none without matplotlib.
    """

    runs: dict[str, DemoRun]
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


def run_demo(
    network: str = "cnn",
    steps: int = 6000,
    seed: int = 42,
    out: Path = Path("outputs/demo"),
    data: str = "default",
) -> DemoResult:
    """Generates the default data set, trains a reference network as the blog post does, and draws what came out.

    Args:
        network: The name of a registered network: "logistic", "mlp", "cnn", "gru", or one of your own.
        steps: Optimiser steps of 100 examples; evaluated 24 times or a few more, at last after the last one.
        seed: Of the network's initial weights.
        out: Folder of the figures.
        data: The name of a config to compare the default one with: the same network is trained on both.

    Raises:
        ValueError: If the network or the config does not exist or there are no steps.
    """
    network, data = one_of("network", network, NETWORKS), one_of("data", data, RECIPES)
    steps, seed = whole_number("steps", steps, 1), whole_number("seed", seed, 0, 2**32 - 1)
    out.mkdir(parents=True, exist_ok=True)  # if that cannot be, before a minute of training
    runs = {config: _run(network, config, steps, seed) for config in dict.fromkeys([DEFAULT, data])}
    return DemoResult(runs=runs, figures=_write_figures(runs, out))


def _run(network: str, config: str, steps: int, seed: int) -> DemoRun:
    train = datasets.load_dataset("mnist1d", config, split="train")
    digest = column_digests([train.with_format("arrow")[:]])["x"]
    pl.seed_everything(seed, verbose=False)
    module = MNIST1DDataModule(name=config, val="test", shuffle="none")
    classifier = Classifier(network, length=module.length)
    curve = LearningCurve()
    with quiet(logging.WARNING):  # devices and a table of layers would hide what the demonstration is about
        trainer = _trainer(steps, curve)
        start = time.perf_counter()
        trainer.fit(classifier, module)
    return DemoRun(
        rows=curve.rows,
        steps=steps,
        parameters=sum(p.numel() for p in classifier.parameters() if p.requires_grad),
        seconds=time.perf_counter() - start,
        digest=digest,
    )


def main(
    network: str = "cnn",
    steps: int = 6000,
    seed: int = 42,
    out: Path = Path("outputs/demo"),
    data: str = "default",
) -> int:
    """Generate MNIST-1D, train a network on it, and print and draw the outcome; takes about a minute.

    Args:
        network: Which network: logistic, mlp, cnn, gru, or one that is registered.
        steps: Optimiser steps of 100 examples.
        seed: Of the network's initial weights.
        out: Folder of the figures.
        data: A config to compare the default one with, such as shuffled; the network is trained on both.
    """
    result = run_demo(network, steps, seed, out, data)
    console = Console()
    if len(result.runs) > 1:
        show(_comparison(result.runs), console)
    show(Pairs(_account(network, result)), console)
    if not result.figures:
        print_line('No figures: pip install "mnist1d-hf[plot]"')
    print_line(NEXT)
    return 0


def print_line(text: str) -> None:
    """Prints text as it is."""
    Console().print(text, highlight=False, markup=False, soft_wrap=True)


def _comparison(runs: dict[str, DemoRun]) -> Table:
    """Returns a row for each run: how right it is on train and on test."""
    columns = [Column("signals"), Column("test", right=True), Column("train", right=True), Column("time", rank=1)]
    rows = [
        [config, f"{run.rows[-1]['test_accuracy']:.1%}", f"{run.rows[-1]['train_accuracy']:.1%}", _time(run)]
        for config, run in runs.items()
    ]
    return Table(columns, rows)


def _account(network: str, result: DemoResult) -> dict[str, str]:
    """Returns what was done, and what came out if it was done once."""
    run = result.runs[DEFAULT]
    last, frozen = run.rows[-1], golden.committed()[DEFAULT]["train"]["x"]
    verdict = "the frozen 2020 data, bit for bit" if run.digest == frozen else "NOT the frozen 2020 data"
    lines = {"network": f"{network}, {run.parameters:,} parameters"}
    if len(result.runs) == 1:
        lines["accuracy on train"] = f"{last['train_accuracy']:.1%}"
        published = registered(network).accuracy
        beside = f"; published: {published:.0%}, after 6,000 steps" if published else ""
        lines["accuracy on test"] = f"{last['test_accuracy']:.1%}{beside}"
        lines["training"] = _time(run)
    lines["data"] = f"version {mnist1d_hf.DATA_VERSION}, SHA-256 {run.digest[:16]}…: {verdict}"
    return lines | {f"figure {number}": str(path) for number, path in enumerate(result.figures, start=1)}


def _time(run: DemoRun) -> str:
    return f"{run.steps:,} steps in {run.seconds:.1f} s, {run.steps / run.seconds:,.0f} steps/s"


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
        max_epochs=-1,  # the steps are the limit
        val_check_interval=_steps_between(steps),
        check_val_every_n_epoch=None,
        callbacks=[curve],
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
    )


def _steps_between(steps: int) -> int:
    """Returns the steps from one evaluation to the next: a 24th of all, or a little less to end with the last one."""
    most = max(1, steps // 24)
    return next((each for each in range(most, most // 2, -1) if steps % each == 0), most)


def _write_figures(runs: dict[str, DemoRun], out: Path) -> list[Path]:
    try:
        from mnist1d_hf.plot import curves, signals

        signals.require_matplotlib()
    except ImportError:
        return []
    figures: dict[str, Any | Figure] = {"templates": signals.plot_templates()}
    for config in runs:
        figures["examples" if config == DEFAULT else f"examples_{config}"] = _examples(config)
    rows = {config: run.rows for config, run in runs.items()}
    alone = len(runs) == 1
    figures["learning_curve"] = signals.plot_learning_curve(rows[DEFAULT]) if alone else curves.plot_runs(rows)
    for name, figure in figures.items():
        replace(out / f"{name}.png", partial(figure.savefig, format="png"))
    return [out / f"{name}.png" for name in figures]


def _examples(config: str) -> Any:
    """Returns a figure of the first training example of each digit."""
    from mnist1d_hf.plot import signals

    train = datasets.load_dataset("mnist1d", config, split="train[:200]").with_format("numpy")
    x, y = train["x"][:], train["y"][:]
    first = [int((y == digit).argmax()) for digit in range(10)]
    return signals.plot_signals(x[first], y[first])

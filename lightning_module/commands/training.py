"""`mnist1d fit | validate | test | predict`: LightningCLI over `Classifier` and `MNIST1DDataModule`."""

import logging
import os
import sys
import warnings
from argparse import SUPPRESS, Action, ArgumentError
from collections.abc import Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonargparse import ActionConfigFile  # type: ignore[attr-defined]
from rich.console import Console

from lightning_module.checkpoint_files import is_local
from lightning_module.classifier import Classifier
from lightning_module.commands.group import run_command
from lightning_module.commands.help_pages import TRAINING, training_page
from lightning_module.commands.options import StrictOptions
from lightning_module.commands.parser_messages import brief
from lightning_module.commands.predictions import PredictionWriter
from lightning_module.datamodule import MNIST1DDataModule
from lightning_module.twin import PACKAGE, MisconfigurationException, cli, pl
from mnist1d_hf.atomic import replace
from mnist1d_hf.checks import nearest

log = logging.getLogger(__name__)

# Warnings of Lightning that somebody at a command line can do nothing about.
NOISE = (
    "LightningCLI's args parameter",  # main passes the arguments on with the packaged configs' paths
    "`isinstance\\(treespec, LeafSpec\\)` is deprecated",  # Lightning and torch have to settle it
    "The number of training batches",  # rows of the log are counted through all epochs, so short epochs lose none
)

CONFIGS = files("lightning_module") / "configs"
CONFIG_HELP = "The name of a packaged config (cnn, gru, logistic, mlp), or the path of a file in YAML or JSON."


class HelpAll(Action):
    """The option that prints the help of all options."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **{**keywords, "nargs": 0, "dest": SUPPRESS, "default": SUPPRESS})

    def __call__(self, parser: Any, *_: Any) -> None:
        """Prints it and exits."""
        sys.stdout.write(parser.format_help(every=True))
        parser.exit()


class ConfigFile(ActionConfigFile):
    """The option that takes a YAML file, or the name of a packaged config."""

    def __call__(self, parser: Any, cfg: Any, values: Any, option_string: str | None = None) -> None:
        """Reads the file; one of that name in the current folder comes before a packaged one."""
        super().__call__(parser, cfg, packaged(values), option_string)  # type: ignore[no-untyped-call]


class TrainingParser(StrictOptions, cli.LightningArgumentParser):
    """LightningCLI's parser under the rules of all commands."""

    def format_help(self, *arguments: Any, every: bool = False, **keywords: Any) -> str:
        """Returns the help with the options that people want first.

        Args:
            arguments: As `StrictOptions` has them.
            every: Whether it has all options.
            keywords: As `StrictOptions` has them.
        """
        command = self.prog.rpartition(" ")[2]
        if not every and command in TRAINING:
            return training_page(command)
        return super().format_help(*arguments, **keywords)

    def save(self, cfg: Any, path: Any, *args: Any, multifile: bool = True, **kwargs: Any) -> None:
        """Writes a configuration: whole or not at all, for half of one may be read as another."""
        write = partial(super().save, cfg, *args, multifile=multifile, **kwargs)
        if multifile or not is_local(path) or (Path(path).exists() and not kwargs.get("overwrite")):
            write(path)  # several files, a store, or an error
        else:
            replace(Path(path), lambda part: write(part))


class MNIST1DCLI(cli.LightningCLI):
    """LightningCLI with the lengths of data and network linked, and predictions that end in a file.

    Args:
        args: As LightningCLI has them.
        parsers: Where the parsers go: that of all commands, then that of each.
        kwargs: As LightningCLI has them.
    """

    def __init__(self, *args: Any, parsers: list[TrainingParser], **kwargs: Any) -> None:
        self._parsers = parsers
        super().__init__(*args, **kwargs)

    def init_parser(self, **kwargs: Any) -> cli.LightningArgumentParser:
        """Returns a new parser under the rules of all commands; Lightning 2.5 has no `parser_class` to ask for one."""
        version = pl.__version__  # type: ignore[attr-defined]
        parser = TrainingParser(**{"dump_header": [f"{PACKAGE}=={version}"], **kwargs})
        parser.add_argument("-c", "--config", action=ConfigFile, help=CONFIG_HELP)
        parser.add_argument("--help-all", action=HelpAll, help="Show the help of every option, and exit.")
        self._parsers.append(parser)
        return parser

    def add_arguments_to_parser(self, parser: cli.LightningArgumentParser) -> None:
        """Lets the data decide the size of the network, and adds `--predictions.path`."""
        parser.link_arguments("data.length", "model.length", apply_on="instantiate")
        parser.link_arguments("data.num_classes", "model.num_classes", apply_on="instantiate")
        parser.add_lightning_class_args(PredictionWriter, "predictions")

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """Returns the trainer.

        Raises:
            ValueError: If it cannot be made with the options that were given.
        """
        try:
            return super().instantiate_trainer(**kwargs)
        except TypeError as error:  # Lightning's own, as of devices that are no number
            raise ValueError(str(error)) from error

    def after_fit(self) -> None:
        """Says where the checkpoint is, and writes it if the run was too short for the validation that it waits for."""
        trainer, checkpoint = self.trainer, self.trainer.checkpoint_callback
        dry = getattr(trainer, "fast_dev_run", False)
        if dry or not isinstance(checkpoint, pl.callbacks.ModelCheckpoint) or not checkpoint.dirpath:
            return
        path = checkpoint.best_model_path or checkpoint.last_model_path
        if not path and checkpoint.save_top_k and trainer.global_step:
            name = f"epoch={trainer.current_epoch}-step={trainer.global_step}.ckpt"
            path = str(Path(checkpoint.dirpath) / name)
            trainer.save_checkpoint(path, checkpoint.save_weights_only)
        if path and trainer.is_global_zero:
            Console(soft_wrap=True, markup=False, highlight=False).print(f"Checkpoint: {os.path.relpath(path)}")


def main(arguments: Sequence[str]) -> int:
    """Runs one training command and returns its exit status: 0, or 2 if the input cannot be used."""
    for message in NOISE:
        warnings.filterwarnings("ignore", message=message)
    parsers: list[TrainingParser] = []  # of all commands, then of each, as LightningCLI makes them
    return run_command(partial(_run, arguments, parsers), lambda: parsers[0].of_command(arguments[0]))


def _run(arguments: Sequence[str], parsers: list[TrainingParser]) -> int:
    try:
        MNIST1DCLI(
            Classifier,
            MNIST1DDataModule,
            save_config_kwargs={"overwrite": True},  # a second run in the same folder is no error
            auto_configure_optimizers=False,  # the classifier has its own
            parsers=parsers,
            parser_kwargs={"prog": "mnist1d", "description": "Train and evaluate networks on MNIST-1D."},
            args=list(arguments),
        )
    except MisconfigurationException as error:
        raise ValueError(str(error)) from error
    return 0


def packaged(name: str) -> str:
    """Returns the path of a config: a file that is there, else the packaged one of that name, as cnn or cnn.yaml.

    Raises:
        ArgumentError: If there is neither.
    """
    known = {Path(each.name).stem: each for each in CONFIGS.iterdir() if each.name.endswith(".yaml")}
    if any(mark in name for mark in ("/", os.sep, "\n", "{", ":")) or Path(name).is_file():
        return name  # a path, whether there is a file or not, or a config that is written out
    if Path(f"{name}.yaml").is_file():
        return f"{name}.yaml"
    if (stem := name.removesuffix(".yaml")) in known:
        return str(known[stem])
    what = f"--config={brief(name)} is neither a file nor a packaged config{nearest(stem, sorted(known))}"
    raise ArgumentError(None, what)

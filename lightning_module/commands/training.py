"""`mnist1d fit | validate | test | predict`: LightningCLI over `Classifier` and `MNIST1DDataModule`."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from lightning_module.classifier import Classifier
from lightning_module.commands.group import STOPPED, run_command
from lightning_module.commands.predictions import PredictionWriter
from lightning_module.commands.training_parser import CONFIG_HELP, ConfigFile, HelpAll, TrainingParser
from lightning_module.commands.training_words import announcement, calm, defaults_of, outcome, step_of, weights_of
from lightning_module.datamodule import MNIST1DDataModule
from lightning_module.terminal.say import say
from lightning_module.twin import PACKAGE, MisconfigurationException, cli, pl


class MNIST1DCLI(cli.LightningCLI):
    """LightningCLI with the lengths of data and network linked, a last state that is kept, and words at both ends.

    Args:
        args: As LightningCLI has them.
        made: Where it puts itself as soon as it is made, for who wants to know while it runs.
        kwargs: As LightningCLI has them.

    Attributes:
        parsers: That of all commands, then that of each, as LightningCLI makes them.
        asked: Whether a training has been asked to end.
    """

    def __init__(self, *args: Any, made: list["MNIST1DCLI"], **kwargs: Any) -> None:
        self.parsers: list[TrainingParser] = []
        self.asked = False
        self._last: pl.callbacks.ModelCheckpoint | None = None  # the one that this command has added
        made.append(self)
        super().__init__(*args, **kwargs)

    def init_parser(self, **kwargs: Any) -> cli.LightningArgumentParser:
        """Returns a new parser under the rules of all commands; Lightning 2.5 has no `parser_class` to ask for one."""
        version = pl.__version__  # type: ignore[attr-defined]
        parser = TrainingParser(**{"dump_header": [f"{PACKAGE}=={version}"], **kwargs})
        parser.add_argument("-c", "--config", action=ConfigFile, help=CONFIG_HELP)
        parser.add_argument("--help-all", action=HelpAll, help="Show the help of every option, and exit.")
        self.parsers.append(parser)
        return parser

    def parse_arguments(self, parser: cli.LightningArgumentParser, args: Any) -> None:
        """Parses arguments; what is evaluated without a `--config` is network and data of the checkpoint."""
        super().parse_arguments(parser, args)
        command = self.config["subcommand"]
        given = self.config[command]
        if command != "fit" and given["ckpt_path"] and not given["config"]:
            self.parsers[0].of_command(command).set_defaults(defaults_of(given["ckpt_path"]))
            super().parse_arguments(parser, args)

    def add_arguments_to_parser(self, parser: cli.LightningArgumentParser) -> None:
        """Lets the data decide the size of the network, and adds `--predictions.path`."""
        parser.link_arguments("data.length", "model.length", apply_on="instantiate")
        parser.link_arguments("data.num_classes", "model.num_classes", apply_on="instantiate")
        parser.add_lightning_class_args(PredictionWriter, "predictions")

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """Returns the trainer: without a table of layers unless it is asked for, and one checkpoint, of the last state.

        A checkpoint callback of the user's, and `--trainer.enable_checkpointing=false`, stay as they are.

        Raises:
            ValueError: If it cannot be made with the options that were given.
        """
        given = self.config_init[self.subcommand]["trainer"]
        if given["enable_model_summary"] is None:
            kwargs["enable_model_summary"] = False
        callbacks = given["callbacks"] or []
        callbacks = callbacks if isinstance(callbacks, list) else [callbacks]
        has_own = any(isinstance(each, pl.callbacks.Checkpoint) for each in callbacks)
        if self.subcommand == "fit" and given["enable_checkpointing"] is None and not has_own:
            self._last = pl.callbacks.ModelCheckpoint(filename="last")  # renewed at each validation
            kwargs["callbacks"] = [*callbacks, self._last]
        try:
            return super().instantiate_trainer(**kwargs)
        except TypeError as error:  # Lightning's own, as of devices that are no number
            raise ValueError(str(error)) from error

    def before_fit(self) -> None:
        """Says what is trained, on what, and for how long."""
        if self.trainer.is_global_zero:
            say(announcement(self.model, self.datamodule, self.trainer))
            if not self.config[self.subcommand]["config"]:
                say("There was no --config; with --config cnn it is trained as published, for 6,000 steps.")

    def after_fit(self) -> None:
        """Keeps the last state; says how well it reads the test split, where it is kept, and what can be done next."""
        path = self._keep_last_state()
        if self.asked or self.trainer.fast_dev_run or not self.trainer.is_global_zero:  # type: ignore[attr-defined]
            return
        if path and step_of(path) != self.trainer.global_step:  # a callback of the user's has kept the best
            self.model.load_state_dict(weights_of(path))
        say(outcome(self.model, self.datamodule, step_of(path) if path else self.trainer.global_step))
        if path:
            say(f"Checkpoint: {os.path.relpath(path)}", copy=True)
            say("Next:")
            say(f"mnist1d test --ckpt_path {os.path.relpath(path)}", copy=True)
            say(f"mnist1d model push OWNER/NAME {os.path.relpath(path)}", copy=True)

    def ask_to_end(self) -> bool:
        """Ends a training after the step that it is in; returns whether one is going on."""
        trainer = getattr(self, "trainer", None)
        if trainer is None or trainer.state.status != "running" or trainer.state.fn != "fit":
            return False
        if not (trainer.training or trainer.validating):  # it is being prepared, or checked before the first step
            return False
        self.asked = trainer.should_stop = True
        return True

    def words_of_a_stop(self) -> str:
        """Returns what is said of a command that was ended: what is kept, and how to go on."""
        trainer = getattr(self, "trainer", None)
        if self.subcommand != "fit":
            return STOPPED
        if trainer is None or not trainer.global_step:
            return "stopped before the first step; nothing is kept, and the same command begins again"
        step, path = f"stopped at step {trainer.global_step:,}", self._kept()
        if not path:
            return f"{step}; nothing is kept, and the same command begins again"
        return f"{step}; kept: {os.path.relpath(path)}; to go on, add --ckpt_path {os.path.relpath(path)}"

    def _kept(self) -> str:
        """Returns the path of the newest checkpoint, or of the best; none if there is none."""
        checkpoint = getattr(self.trainer, "checkpoint_callback", None)
        if not isinstance(checkpoint, pl.callbacks.ModelCheckpoint):
            return ""
        return checkpoint.best_model_path or checkpoint.last_model_path

    def _keep_last_state(self) -> str:
        """Writes the last state where nothing of the kind is kept yet; returns the path of what is kept."""
        trainer, checkpoint = self.trainer, self.trainer.checkpoint_callback
        dry = getattr(trainer, "fast_dev_run", False)
        if dry or not isinstance(checkpoint, pl.callbacks.ModelCheckpoint) or not checkpoint.dirpath:
            return ""
        path = self._kept()
        outdated = checkpoint is self._last and path and step_of(path) != trainer.global_step
        if (outdated or not path) and checkpoint.save_top_k and trainer.global_step:
            name = "last" if checkpoint is self._last else f"epoch={trainer.current_epoch}-step={trainer.global_step}"
            path = path or str(Path(checkpoint.dirpath) / f"{name}.ckpt")
            trainer.save_checkpoint(path, checkpoint.save_weights_only)
            checkpoint.best_model_path = path
        return path


def main(arguments: Sequence[str]) -> int:
    """Runs one training command and returns its exit status: 0, 2 if the input cannot be used, 130 after Ctrl-C."""
    made: list[MNIST1DCLI] = []
    return run_command(
        partial(_run, arguments, made),
        lambda: made[0].parsers[0].of_command(arguments[0]),
        stopped=lambda: made[0].words_of_a_stop() if made else STOPPED,
        ask=lambda: bool(made) and made[0].ask_to_end(),
    )


def _run(arguments: Sequence[str], made: list[MNIST1DCLI]) -> int:
    try:
        with calm():
            MNIST1DCLI(
                Classifier,
                MNIST1DDataModule,
                save_config_kwargs={"overwrite": True},  # a second run in the same folder is no error
                auto_configure_optimizers=False,  # the classifier has its own
                made=made,
                parser_kwargs={"prog": "mnist1d", "description": "Train and evaluate networks on MNIST-1D."},
                args=list(arguments),
            )
    except MisconfigurationException as error:
        raise ValueError(str(error)) from error
    return 0

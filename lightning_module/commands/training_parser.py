"""The parser of `mnist1d fit | validate | test | predict`: LightningCLI's, under the rules of all commands."""

import os
import sys
from argparse import SUPPRESS, Action, ArgumentError
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonargparse import ActionConfigFile  # type: ignore[attr-defined]

from lightning_module.checkpoint_files import is_local
from lightning_module.commands.help_pages import TRAINING, training_page
from lightning_module.commands.options import StrictOptions
from lightning_module.commands.parser_messages import brief
from lightning_module.twin import cli
from mnist1d_hf.atomic import replace
from mnist1d_hf.checks import nearest

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

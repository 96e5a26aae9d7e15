"""Every parser of the program, by the command that it belongs to, as the program itself makes them."""

import contextlib
from functools import cache

from lightning_module.cli import COMMANDS, parser
from lightning_module.commands import data as data_commands
from lightning_module.commands import demo
from lightning_module.commands import model as model_commands
from lightning_module.commands import quiz as quiz_commands
from lightning_module.commands import study as study_commands
from lightning_module.commands import training as training_commands


@cache
def parsers():
    """The parser of each command, `{"data build": ..., "fit": ...}`, and those above them."""
    training = []
    with contextlib.suppress(SystemExit):
        training_commands._run(["--help"], training)
    groups = {"data": data_commands.GROUP, "model": model_commands.GROUP, "study": study_commands.GROUP}
    found = {"": parser(), "fit, validate, test, predict": training[0]}
    found |= {name: training[0].of_command(name) for name in ("fit", "validate", "test", "predict")}
    found |= {"demo": demo.parser(), "quiz": quiz_commands.parser()}
    for group, commands in groups.items():
        found[group] = commands.parser()
        found |= {f"{group} {name}": found[group].of_command(name) for name in commands.commands}
    assert {name.split()[0] for name in found if name and "," not in name} == COMMANDS.keys()  # none is left out
    return found


def options():
    """Each option of each command: the command, its parser and the action."""
    return [
        (command, parser, action)
        for command, parser in parsers().items()
        for action in parser._actions
        if action.option_strings
    ]

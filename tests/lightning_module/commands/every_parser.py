"""Every parser of the program, by the command that it belongs to, as the program itself makes them."""

import contextlib
from functools import cache

from lightning_module.cli import COMMANDS, parser
from lightning_module.commands import data, demo, explore, model, quiz, study, training


@cache
def parsers():
    """The parser of each command, `{"data build": ..., "fit": ...}`, and those above them."""
    clis = []
    with contextlib.suppress(SystemExit):
        training._run(["--help"], clis)
    made = clis[0].parsers
    groups = {"data": data.GROUP, "model": model.GROUP, "study": study.GROUP}
    found = {"": parser(), "fit, validate, test, predict": made[0]}
    found |= {name: made[0].of_command(name) for name in ("fit", "validate", "test", "predict")}
    found |= {"demo": demo.parser(), "explore": explore.parser(), "quiz": quiz.parser()}
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

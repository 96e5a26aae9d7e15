"""A group of subcommands: functions that return an exit status, their options, and errors as one line. No torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import jsonargparse
from datasets.exceptions import DatasetsError
from rich.console import Console

Parser = jsonargparse.ArgumentParser


@dataclass(frozen=True)
class CommandGroup:
    """Commands that are run as ``mnist1d GROUP COMMAND``.

    Attributes:
        prog: What the user types before the command.
        description: What the group is for.
        commands: By name, the function and what adds its options to a parser. The first line of the function's
            docstring is the command's help; the options are its keyword arguments.
    """

    prog: str
    description: str
    commands: Mapping[str, tuple[Callable[..., int], Callable[[Parser], None]]]

    def parser(self) -> Parser:
        """The parser of all the commands."""
        group = Parser(prog=self.prog, description=self.description, allow_abbrev=False)
        subcommands = group.add_subcommands(required=True, dest="command")
        for name, (function, add_options) in self.commands.items():
            summary = (function.__doc__ or "").split("\n")[0]
            parser = Parser(description=summary, allow_abbrev=False)
            add_options(parser)
            subcommands.add_subcommand(name, parser, help=summary)
        return group

    def run(self, arguments: Sequence[str] | None = None) -> int:
        """Run one command and return its exit status: what the function returns, 2 if the input cannot be used."""
        options = self.parser().parse_args(arguments)
        function, _ = self.commands[options.command]
        return exit_status(partial(function, **options[options.command].as_dict()))


def exit_status(command: Callable[[], int]) -> int:
    """Run a command and return its exit status: what it returns, 2 and a line that says why if it cannot do it."""
    try:
        return command()
    except (ValueError, OSError, DatasetsError) as error:
        # What datasets raises says that something failed; its cause says what.
        cause = f": {error.__cause__}" if isinstance(error, DatasetsError) and error.__cause__ else ""
        Console(stderr=True).print(f"error: {error}{cause}", highlight=False, markup=False, soft_wrap=True)
        return 2

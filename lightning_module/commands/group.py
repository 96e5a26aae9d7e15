"""A group of subcommands: functions that return an exit status, their options, and errors as one line. No torch."""

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from datasets.exceptions import DatasetsError

from lightning_module.commands.options import StrictOptions as Parser
from lightning_module.commands.options import add_signature, see_help
from lightning_module.commands.parser_messages import as_typed
from lightning_module.stopping import Stopped, stopping
from lightning_module.terminal.say import complain
from mnist1d_hf.extras import missing_extra
from mnist1d_hf.one_line import one_line

__all__ = ["CommandGroup", "Parser", "run_command"]

log = logging.getLogger(__name__)

STOPPED: Final = "stopped; nothing has changed, and the same command begins again"


@dataclass(frozen=True)
class CommandGroup:
    """Commands that are run as ``mnist1d GROUP COMMAND``.

    Attributes:
        prog: What the user types before the command.
        description: What the group is for.
        commands: By name, the function. Its signature has the options, see `add_signature`; the first line of its
            docstring is the command's help.
        stopped: By name, what is said after Ctrl-C: what is kept, and how to go on; `STOPPED` for the others.
    """

    prog: str
    description: str
    commands: Mapping[str, Callable[..., int]]
    stopped: Mapping[str, str] = field(default_factory=dict)

    def parser(self) -> Parser:
        """Returns the parser of all the commands."""
        group = Parser(prog=self.prog, description=self.description)
        subcommands = group.add_subcommands(required=True, dest="command")
        for name, parser in self.parsers().items():
            subcommands.add_subcommand(name, parser, help=parser.description)
            parser.prog = f"{self.prog} {name}"
        return group

    def parsers(self) -> dict[str, Parser]:
        """Returns the parser of each command by its name."""
        made = {}
        for name, function in self.commands.items():
            made[name] = Parser(description=(function.__doc__ or "").split("\n")[0])
            add_signature(made[name], function)
        return made

    def run(self, arguments: Sequence[str] | None = None) -> int:
        """Runs one command and returns its exit status: what the function returns, 2 if the input cannot be used.

        Without any argument it prints the commands.
        """
        group = self.parser()
        if not (sys.argv[1:] if arguments is None else arguments):
            group.print_help()
            return 0
        options = group.parse_args(arguments)
        function = self.commands[options.command]
        keywords = options[options.command].as_dict()
        words = self.stopped.get(options.command, STOPPED)
        call = partial(_call, function, keywords)
        return run_command(call, lambda: group.of_command(options.command), stopped=lambda: words)


def _call(function: Callable[..., int], keywords: Mapping[str, Any]) -> int:
    for name, value in keywords.items():
        if "" in (value if isinstance(value, list) else [value]):  # of a path that would be the current folder
            raise ValueError(f"{name}='' must not be empty; leave it out, or give a name, a path or a number")
    return function(**keywords)


def run_command(
    command: Callable[[], int],
    parser: Callable[[], Parser],
    *,
    stopped: Callable[[], str] = lambda: STOPPED,
    ask: Callable[[], bool] | None = None,
) -> int:
    """Runs a command and returns its exit status.

    That is what the command returns; 2 and a line that says why if it cannot do it; 130 and a line within two seconds
    of Ctrl-C, 143 of SIGTERM.

    Args:
        command: What to run.
        parser: Returns the parser of its options, which are named in the line as they are typed.
        stopped: Returns what is said after Ctrl-C: what is kept, and how to go on.
        ask: Asks the command to end by itself, and returns whether it will.
    """
    try:
        with stopping(stopped, ask=ask):
            return command()
    except Stopped as signal:
        complain(f"{chr(10) * sys.stderr.isatty()}{stopped()}")  # a terminal shows ^C where the cursor is
        return signal.status
    except (ValueError, OSError, DatasetsError, ImportError) as error:
        if isinstance(error, ImportError) and missing_extra(error) is None:
            raise
        log.debug("the traceback of the error below", exc_info=True)
        options = parser()
        line = one_line(as_typed(said(error), options), 10_000)  # it may repeat what somebody else wrote
        complain(f"error: {line}")
        if line.startswith("--"):  # an option
            complain(see_help(options))
        return 2


def said(error: Exception) -> str:
    """Returns what an error says to somebody at a command line."""
    if isinstance(error, ImportError):
        return str(missing_extra(error) or error)
    # What datasets raises says that something failed; its cause says what.
    cause = f": {error.__cause__}" if isinstance(error, DatasetsError) and error.__cause__ else ""
    return f"{error}{cause}"

"""The options of every command: those of its function's signature, and errors of a line or two.

Nothing may be abbreviated, and lists keep all their values.
`StrictOptions` is mixed into each parser class, so that the commands of LightningCLI obey the same rules as the others.
"""

import os
from argparse import Action, _SubParsersAction
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, signature
from types import NoneType, UnionType
from typing import Annotated, Any, Final, NoReturn, Union, get_args, get_origin, get_type_hints

import jsonargparse

from lightning_module.commands.help_pages import page
from lightning_module.commands.parser_messages import brief, in_words, who_requires

LISTS: Final = ("*", "+")  # numbers of values that make an option one that takes a list
MOST_DIGITS: Final = 300


class Compact(jsonargparse.DefaultHelpFormatter):
    """A layout of help that leaves room for the explanations in a narrow terminal."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **{"max_help_position": 16, **keywords})  # type: ignore[no-untyped-call]


class StrictOptions(jsonargparse.ArgumentParser):
    """A parser without abbreviations in which a list option, typed several times, keeps all its values.

    Args:
        arguments: As jsonargparse has them.
        synonyms: What people may type for one of its commands, for a hint at it.
        end: What stands below its help, if it has commands.
        keywords: As jsonargparse has them.
    """

    def __init__(
        self, *arguments: Any, synonyms: Mapping[str, str] | None = None, end: str = "", **keywords: Any
    ) -> None:
        self._synonyms, self._end = synonyms or {}, end
        super().__init__(*arguments, **{"allow_abbrev": False, "formatter_class": Compact, **keywords})

    def format_help(self, *arguments: Any, **keywords: Any) -> str:
        """Returns the help: of a parser of commands a list of them, else that of all options."""
        commands = next((each for each in self._actions if isinstance(each, _SubParsersAction)), None)
        if commands is None:
            return super().format_help(*arguments, **keywords)
        about = {name: parser.description for name, parser in commands._name_parser_map.items()}
        more = f"{self.prog} COMMAND --help says what a command can do."
        return page(f"{self.prog} COMMAND ...", self.description or "", {"commands": about}, self._end or more)

    def add_argument(self, *names: Any, **keywords: Any) -> Action:
        """Adds an argument; one that takes a list adds to it each time it is typed."""
        if keywords.get("nargs") in LISTS and str(names[0]).startswith("-"):
            keywords.setdefault("action", "extend")
        return super().add_argument(*names, **keywords)  # type: ignore[no-any-return]

    def parse_args(self, args: Sequence[str] | None = None, *more: Any, **keywords: Any) -> Any:  # type: ignore[override]
        """Parses arguments; of an option whose type is a list, the second and each later one adds to the first."""
        try:
            return super().parse_args(None if args is None else self._adding(args), *more, **keywords)
        except OverflowError:  # of a number that is no number for the machine
            large = [each for each in getattr(self, "args", None) or [] if sum(map(str.isdigit, each)) > MOST_DIGITS]
            what = brief(large[0]) if large else "a number in the file of --config"
            self.error(f"{what} is too large for a number")

    def of_command(self, name: str) -> "StrictOptions":
        """Returns the parser of a subcommand."""
        (found,) = (action for action in self._actions if isinstance(action, _SubParsersAction))
        return found._name_parser_map[name]  # type: ignore[no-any-return]

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Prints a line that names the option as it is typed, and where to read more, and exits with status 2."""
        parser = getattr(ex, "subcommand_parser", None) or self
        words = in_words(message, parser, self._synonyms)
        if not self.exit_on_error or os.environ.get("JSONARGPARSE_DEBUG"):
            super().error(words, ex)
        from lightning_module.terminal.say import complain

        complain(f"error: {words}")
        complain(see_help(who_requires(message, parser)))
        self.exit(2)

    def _adding(self, arguments: Sequence[str]) -> list[str]:
        """Returns the arguments with ``--name+``, by which jsonargparse adds to a list, where a ``--name`` is repeated.

        One value alone, of an option that takes nothing but a list, is put into brackets.
        """
        seen: set[str] = set()
        adding = list(arguments)
        for i, argument in enumerate(arguments):
            name, equals, value = argument.partition("=")
            if f"{name}+" not in self._option_string_actions:
                continue
            if name in seen:
                adding[i] = f"{name}+{equals}{value}"
            elif _takes_only_lists(self._option_string_actions[name]):
                if equals:
                    adding[i] = f"{name}={_as_list(value)}"
                elif i + 1 < len(arguments):
                    adding[i + 1] = _as_list(arguments[i + 1])
            seen.add(name)
        return adding


def see_help(parser: jsonargparse.ArgumentParser) -> str:
    """Returns the line that says where a parser's options are explained."""
    return f"see {parser.prog.replace(' [options]', '')} --help"


@dataclass(frozen=True)
class Option:
    """What an option is called and said to take, where that is not its parameter's name.

    Attributes:
        help: What it is.
        name: As it is typed, such as ``--set``.
        metavar: What stands for its value.
    """

    help: str
    name: str = ""
    metavar: str | None = None


@dataclass(frozen=True)
class MoreOptions:
    """The options that a function takes by ``**keywords``.

    Attributes:
        add: Adds them to a parser.
        first: Whether the help has them before the others.
    """

    add: Callable[[StrictOptions], None]
    first: bool = False


def add_signature(parser: StrictOptions, function: Callable[..., Any]) -> None:
    """Adds a function's parameters to a parser; each is ``Annotated`` with its help, an `Option` or `MoreOptions`.

    Those before the ``*`` are typed without their names, those behind it are options: a switch for a bool, one value or
    more for a list, else a value of the parameter's type.
    """
    kinds = get_type_hints(function, include_extras=True)
    parameters = list(signature(function).parameters.values())
    # Sorted by whether they are typed without names, and what is to come first; else as in the signature.
    for parameter in sorted(parameters, key=lambda each: _place(each, kinds[each.name])):
        kind, said = get_args(kinds[parameter.name])
        if isinstance(said, MoreOptions):
            said.add(parser)
        elif parameter.kind is Parameter.KEYWORD_ONLY:
            _add_option(parser, parameter, kind, said if isinstance(said, Option) else Option(said))
        else:
            _add_positional(parser, parameter, kind, said)
    typed = [_usage(each, kinds[each.name]) for each in parameters if each.kind is Parameter.POSITIONAL_OR_KEYWORD]
    parser.usage = " ".join(["%(prog)s", *typed, "[options]"])


def _usage(parameter: Parameter, kind: Any) -> str:
    if parameter.default is Parameter.empty:
        return parameter.name
    return f"[{parameter.name}{' ...' if _is_list(get_args(kind)[0]) else ''}]"


def _place(parameter: Parameter, kind: Any) -> int:
    if get_origin(kind) is not Annotated:
        raise TypeError(f"parameter {parameter.name!r} must be Annotated with what its help says")
    said = get_args(kind)[1]
    first = isinstance(said, MoreOptions) and said.first
    return 0 if parameter.kind is Parameter.POSITIONAL_OR_KEYWORD else 1 if first else 2


def _add_positional(parser: StrictOptions, parameter: Parameter, kind: Any, said: str) -> None:
    default = parameter.default
    if default is Parameter.empty:
        parser.add_argument(parameter.name, help=said)
        return
    several = _is_list(kind)
    parser.add_argument(parameter.name, nargs="*" if several else "?", help=said)
    if default is not None:  # jsonargparse takes it for positional arguments in this way only
        parser.set_defaults({parameter.name: list(default) if several else default})


def _add_option(parser: StrictOptions, parameter: Parameter, kind: Any, said: Option) -> None:
    keywords: dict[str, Any] = {"help": said.help}
    if said.metavar:
        keywords["metavar"] = said.metavar
    if said.name:
        keywords["dest"] = parameter.name
    if kind is bool:
        keywords["action"] = "store_true"
    elif _is_list(kind):
        keywords["nargs"] = "+"
    else:
        keywords |= {"type": kind, "default": parameter.default}
    parser.add_argument(said.name or f"--{parameter.name.replace('_', '-')}", **keywords)


def _takes_only_lists(action: Action) -> bool:
    """Returns whether a value of an option, but for None, is a list; else a value alone may be meant as it is."""
    return _is_list(getattr(action, "_typehint", None))


def _is_list(kind: Any) -> bool:
    """Returns whether a type's values, but for None, are lists."""
    kinds = (
        [each for each in get_args(kind) if each is not NoneType] if get_origin(kind) in (Union, UnionType) else [kind]
    )
    origins = [get_origin(each) for each in kinds]
    return all(isinstance(origin, type) and issubclass(origin, Sequence) for origin in origins)


def _as_list(value: str) -> str:
    return value if value.lstrip().startswith(("[", "-")) or value in {"null", "None"} else f"[{value}]"

"""The options of every command: those of its function's signature, and errors that name what is typed.

Nothing may be abbreviated, and lists keep all their values.
`StrictOptions` is mixed into each parser class, so that the commands of LightningCLI obey the same rules as the others.
"""

import re
from argparse import Action, _SubParsersAction
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from inspect import Parameter, signature
from types import NoneType, UnionType
from typing import Annotated, Any, Final, NoReturn, Union, get_args, get_origin, get_type_hints

import jsonargparse

LISTS: Final = ("*", "+")  # numbers of values that make an option one that takes a list
LONGEST: Final = 200  # characters of a value in a message
MOST_DIGITS: Final = 300
UNKNOWN: Final = "unrecognized arguments:"

# A call, such as load_dataset("mnist1d", revision=...), whose keywords are not options; or a keyword and its value.
_KEYWORD: Final = re.compile(
    r"\b[A-Za-z_][\w.]*\((?:[^()]|\([^()]*\))*\)|(?<![\w.-])(?P<name>[a-z_]\w*)=(?P<on>True\b)?(?P<bare>(?=[\s;,)]|$))?"
)
_NAMED: Final = re.compile(r'Parser key "(?P<name>[^"]+)":')
_GIVEN: Final = ("Given value: ", "Got value: ")  # before the value, which ends the message
_WORDS: Final[dict[Any, str]] = {int: "a whole number", float: "a number", bool: "true or false"}


class StrictOptions(jsonargparse.ArgumentParser):
    """A parser without abbreviations in which a list option, typed several times, keeps all its values."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        keywords.setdefault("allow_abbrev", False)
        super().__init__(*arguments, **keywords)

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
        """Prints usage and a line that names the option as it is typed, and exits with status 2."""
        parser = getattr(ex, "subcommand_parser", None) or self
        super().error(in_words(message, parser), ex)

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


def brief(typed: str) -> str:
    """Returns what was typed on one line, without what a terminal obeys, and not longer than a line or two."""
    from mnist1d_hf.one_line import one_line  # whose package loads pandas

    return one_line(typed, LONGEST)


def options_of(parser: jsonargparse.ArgumentParser) -> Iterator[Action]:
    """Yields every action of a parser and of its subcommands that has an option string."""
    for action in parser._actions:
        if action.option_strings:
            yield action
        elif isinstance(action, _SubParsersAction):
            for sub in action._name_parser_map.values():
                yield from options_of(sub)


def in_words(message: str, parser: jsonargparse.ArgumentParser) -> str:
    """Returns what the parser says about an argument on one line: the option as typed, its value, what is allowed."""
    if message.startswith(UNKNOWN):
        return _unknown(message, parser)
    given = next((message.rpartition(words)[2] for words in _GIVEN if words in message), None)
    if (named := _NAMED.match(message)) and given is not None:
        action = next((each for each in options_of(parser) if each.dest == named["name"]), None)
        words = _kind_in_words(getattr(action, "_typehint", None))
        if action is not None and words:
            return f"{_as_typed(action, parser)}={brief(given)} must be {words}"
    return as_typed(" ".join(_NAMED.sub(lambda found: f"{found['name']}:", message).split()), parser)


def as_typed(message: str, parser: jsonargparse.ArgumentParser) -> str:
    """Returns an error's text with options as they are typed, ``--num-samples=7``, in place of Python's keywords."""
    options: dict[str, list[Action]] = {}
    for action in options_of(parser):
        options.setdefault(action.dest, []).append(action)
        if "." in action.dest:  # the keywords of a class that is one group of options
            options.setdefault(action.dest.rpartition(".")[2], []).append(action)

    def typed(found: re.Match[str]) -> str:
        name = found["name"]
        actions = options.get(name or "", [])
        chosen = actions if len(actions) == 1 else [each for each in actions if _typed(each, parser)]
        if len(chosen) != 1:  # none, or nobody knows which
            return found[0]
        option = _as_typed(chosen[0], parser)
        if found["on"] and chosen[0].nargs == 0:
            return option
        return option if found["bare"] is not None and not found["on"] else f"{option}={found['on'] or ''}"

    return _KEYWORD.sub(typed, _dotted(message, parser))


def _dotted(message: str, parser: jsonargparse.ArgumentParser) -> str:
    """Returns the text with the name of an option in place of its key, at the beginning."""
    key, colon, rest = message.partition(":")
    for action in options_of(parser):
        if colon and action.dest == key:
            return f"{_as_typed(action, parser)}:{rest}"
    return message


def _typed(action: Action, parser: jsonargparse.ArgumentParser) -> str | None:
    """Returns the option's name by which it was typed last, if it was."""
    for argument in reversed(list(getattr(parser, "args", None) or [])):
        name = argument.partition("=")[0].removesuffix("+")
        if name in action.option_strings:
            return str(name)
    return None


def _as_typed(action: Action, parser: jsonargparse.ArgumentParser) -> str:
    long = [name for name in action.option_strings if name.startswith("--")]
    return _typed(action, parser) or next(
        (name for name in long if "-" in name[2:]), [*long, action.option_strings[0]][0]
    )


def _unknown(message: str, parser: jsonargparse.ArgumentParser) -> str:
    from mnist1d_hf.generator.recipe import nearest  # whose package loads pandas

    first = message.removeprefix(UNKNOWN).split()[0].partition("=")[0]
    if not first.startswith("-"):
        return message
    known = [name for action in options_of(parser) for name in action.option_strings]
    close = nearest(first, known).partition(" Known")[0].removesuffix(";")
    return f"{message}{close}"


def _kind_in_words(kind: Any) -> str:
    """Returns what values of a type are, for people; nothing where that cannot be said briefly."""
    parts = [part for part in get_args(kind) if part is not NoneType]
    if NoneType in get_args(kind) and len(parts) == 1:
        return _kind_in_words(parts[0])
    if get_origin(kind) is tuple and set(parts) == {int}:
        return f"{len(parts)} whole numbers, [{', '.join(['low', 'high'] if len(parts) == 2 else 'n' * len(parts))}]"
    if parts and all(isinstance(part, str) for part in parts):
        return f"one of {', '.join(parts)}"
    return _WORDS.get(kind, "") if kind.__hash__ else ""

"""What a parser says of an argument, in the words of who typed it: the option, its value, what is allowed, the nearest.

jsonargparse speaks of keys, Python's types and the subtypes of their unions, on up to ten lines.
"""

import difflib
import re
from argparse import Action, _SubParsersAction
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from inspect import isabstract
from itertools import pairwise
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

import jsonargparse

LONGEST: Final = 200  # characters of a value in a message
MOST_NAMES: Final = 4  # of classes that an option takes
MOST_ALLOWED: Final = 160  # characters of what an option takes; the names of classes are left out of what is longer
UNKNOWN: Final = "unrecognized arguments:"
BROKEN: Final = "Problems parsing config:"
REQUIRED: Final = "the following arguments are required:"

# A call, such as load_dataset("mnist1d", revision=...), whose keywords are not options; or a keyword and its value.
_KEYWORD: Final = re.compile(
    r"\b[A-Za-z_][\w.]*\((?:[^()]|\([^()]*\))*\)|(?<![\w.-])(?P<name>[a-z_]\w*)=(?P<on>True\b)?(?P<bare>(?=[\s;,)]|$))?"
)
_NAMED: Final = re.compile(r'Parser key "(?P<name>[^"]+)":')
_GIVEN: Final = ("Given value: ", "Got value: ")  # before the value, which ends the message
_CHOICE: Final = re.compile(r"argument \S+: invalid choice: '(?P<given>[^']*)'")
_COUNT: Final = re.compile(r"argument (?P<option>\S+): expected (?P<count>.+?) arguments?$")
_NO_KEY: Final = re.compile(r"Subcommand '\S+' does not accept option '(?P<key>[^']+)'$")
_NO_FILE: Final = re.compile(r"Unable to load config '(?P<given>.*?)'")
_OF_CLASS: Final = re.compile(r"Problem with given class_path '(?P<path>[^']+)':\s*(?P<why>[^\n]+)")
_NO_PARAMETER: Final = re.compile(r"Option '(?P<name>[^']+)' is not accepted")
_IN_YAML: Final = re.compile(r'\s*in "<unicode string>",')
_WORDS: Final[Mapping[Any, tuple[str, ...]]] = {
    int: ("a whole number",),
    float: ("a number",),
    bool: ("true", "false"),
    dict: ("a mapping, as '{\"name\":0.1}'",),
    Path: ("a path",),
}


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


def nearest(given: str, known: Iterable[str]) -> str | None:
    """Returns the known name that is most like a given one; None if none is like it."""
    return next(iter(difflib.get_close_matches(given, list(known), n=1)), None)


def in_words(message: str, parser: jsonargparse.ArgumentParser, synonyms: Mapping[str, str] | None = None) -> str:
    """Returns what the parser says about an argument on one line: the option as typed, its value, what is allowed.

    Args:
        message: What it says.
        parser: The parser.
        synonyms: What people type for the names of its subcommands.
    """
    if message.startswith(UNKNOWN):
        return _unknown(message, parser)
    if message.startswith(REQUIRED):
        names = ", ".join(each.rpartition(".")[2] for each in message.removeprefix(REQUIRED).split(", "))
        usage = who_requires(message, parser).format_usage().removeprefix("usage: ").strip()
        return f"{names} is missing: {usage}"
    if chosen := _CHOICE.match(message):
        return _unknown_command(chosen["given"], parser, synonyms or {})
    if counted := _COUNT.match(message):
        option = _typed_of(counted["option"].split("/"), parser) or counted["option"].partition("/")[0]
        return f"{option} needs {'a value' if counted['count'] == 'one' else counted['count'] + ' values'}"
    if lacking := _NO_KEY.match(message):
        close = nearest(lacking["key"], (each.dest for each in options_of(parser)))
        hint = f"; did you mean {close!r}?" if close else ""
        return f"{lacking['key']!r} is not an option{hint}{_in_file(parser)}"
    named, given = _NAMED.match(message), _value_in(message)
    action = next((each for each in options_of(parser) if named and each.dest == named["name"]), None)
    if action is not None and (refused := _OF_CLASS.search(message)):
        return f"{_as_typed(action, parser)}={_of_class(refused['path'], refused['why'])}"
    if action is not None and (unread := _NO_FILE.search(message)):
        return f"{_as_typed(action, parser)}={brief(unread['given'])} must be a YAML file; options of it have a dot"
    if action is not None and given is not None and (allowed := kind_in_words(getattr(action, "_typehint", None))):
        place = "" if _typed(action, parser) else _in_file(parser)
        return f"{_as_typed(action, parser)}={brief(given)} must be {allowed}{_class_like(given, action)}{place}"
    if message.startswith(BROKEN):
        return f"this is not YAML{_in_file(parser)}: " + " ".join(_IN_YAML.sub(" in", message[len(BROKEN) :]).split())
    plain = _IN_YAML.sub(" in", _NAMED.sub(lambda found: f"{found['name']}:", message))
    return as_typed(" ".join(plain.split()), parser)


def who_requires(message: str, parser: jsonargparse.ArgumentParser) -> jsonargparse.ArgumentParser:
    """Returns the parser whose argument is missing, `run.name` that of the command `run`; else the one given."""
    command = message.removeprefix(REQUIRED).strip().partition(".")[0]
    subcommands = next((each for each in parser._actions if isinstance(each, _SubParsersAction)), None)
    if subcommands is None or not message.startswith(REQUIRED) or command not in subcommands._name_parser_map:
        return parser
    return subcommands._name_parser_map[command]  # type: ignore[no-any-return]


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


def kind_in_words(kind: Any) -> str:
    """Returns what values of a type are, for people; nothing where that cannot be said briefly."""
    allowed = list(dict.fromkeys(_kinds(kind)))
    if sum(map(len, allowed)) > MOST_ALLOWED:
        allowed = [re.sub(r" \([^()]*\)", "", each) for each in allowed]
    if "" in allowed or not allowed:
        return ""
    if len(allowed) > 1 and all(" " not in each for each in allowed) and allowed != ["true", "false"]:
        return f"one of {', '.join(allowed)}"
    return " or ".join(filter(None, [", ".join(allowed[:-1]), allowed[-1]]))


def _kinds(kind: Any) -> Iterator[str]:
    """Yields the kinds of values that a type has, but for None; nothing at all for one that cannot be said briefly."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        for part in parts:
            # Whole numbers are numbers; a list of what is allowed alone is said by that.
            if part is not NoneType and not (part is int and float in parts) and not _is_list_of(part, parts):
                yield from _kinds(part)
    elif origin is Literal:
        yield from map(str, parts)
    elif origin is tuple and set(parts) == {int}:
        yield f"{len(parts)} whole numbers, [{', '.join(['low', 'high'] if len(parts) == 2 else 'n' * len(parts))}]"
    elif origin is dict:
        yield from _WORDS[dict]
    elif isinstance(origin, type) and issubclass(origin, Callable):  # type: ignore[arg-type]
        yield "the full name of a function, as torch.nn.functional.silu"
    elif isinstance(origin, type) and issubclass(origin, Iterable) and len(parts) == 1:
        yield f"a list, [{', '.join(_kinds(parts[0]))}, ...]"
    elif names := [each.__name__ for each in _classes(kind)]:
        yield f"a {kind.__name__} ({', '.join(names[:MOST_NAMES])}{', ...' if len(names) > MOST_NAMES else ''})"
    else:
        yield from _WORDS.get(kind, ("",)) if kind.__hash__ else ("",)


def _is_list_of(part: Any, parts: Sequence[Any]) -> bool:
    return get_origin(part) is not None and bool(get_args(part)) and get_args(part)[0] in parts


def _classes(kind: Any) -> list[type]:
    """Returns the public classes of a library that can stand where one of its base classes is wanted."""
    if not isinstance(kind, type) or kind in _WORDS or kind is str or kind.__module__ == "builtins":
        return []
    found: list[type] = []
    derived: list[type] = kind.__subclasses__()
    for sub in derived:
        found += [sub, *_classes(sub)]
    same = [each for each in found if each.__module__.partition(".")[0] == kind.__module__.partition(".")[0]]
    return list(dict.fromkeys(each for each in same if not each.__name__.startswith("_") and not isabstract(each)))


def _class_like(given: str, action: Action) -> str:
    """Returns a hint at the class whose name is like the given one."""
    kinds = getattr(action, "_typehint", None)
    names = [each.__name__ for kind in (kinds, *get_args(kinds)) for each in _classes(kind)]
    close = nearest(given, names)
    return f"; did you mean {close}?" if close else ""


def _of_class(path: str, why: str) -> str:
    lacking = _NO_PARAMETER.match(why)
    what = f"it has no {lacking['name']!r}" if lacking else why.strip().removeprefix("--")
    return f"{path.rpartition('.')[2]}: {what}"


def _value_in(message: str) -> str | None:
    return next((message.rpartition(words)[2] for words in _GIVEN if words in message), None)


def _in_file(parser: jsonargparse.ArgumentParser) -> str:
    """Returns the words that say in which file a value stands, or in one of which; none where no file was named."""
    typed = list(getattr(parser, "args", None) or [])
    named = [after for before, after in pairwise(typed) if before in ("-c", "--config")]
    named += [each.partition("=")[2] for each in typed if each.startswith("--config=")]
    if not named:
        return ""
    return f" (in {'one of ' if len(named) > 1 else ''}{', '.join(map(brief, named))})"


def _dotted(message: str, parser: jsonargparse.ArgumentParser) -> str:
    """Returns the text with the name of an option in place of its key, at the beginning."""
    key, colon, rest = message.partition(":")
    for action in options_of(parser):
        if colon and action.dest == key:
            return f"{_as_typed(action, parser)}:{rest}"
    return message


def _typed(action: Action, parser: jsonargparse.ArgumentParser) -> str | None:
    """Returns the option's name by which it was typed last, if it was."""
    return _typed_of(action.option_strings, parser)


def _typed_of(names: Sequence[str], parser: jsonargparse.ArgumentParser) -> str | None:
    for argument in reversed(list(getattr(parser, "args", None) or [])):
        name = argument.partition("=")[0].removesuffix("+")
        if name in names:
            return str(name)
    return None


def _as_typed(action: Action, parser: jsonargparse.ArgumentParser) -> str:
    long = [name for name in action.option_strings if name.startswith("--")]
    return _typed(action, parser) or next(
        (name for name in long if "-" in name[2:]), [*long, action.option_strings[0]][0]
    )


def _unknown(message: str, parser: jsonargparse.ArgumentParser) -> str:
    first = message.removeprefix(UNKNOWN).split()[0].partition("=")[0]
    if not first.startswith("-"):
        return f"{brief(first)!r} is not expected here; options begin with --"
    close = nearest(first, (name for action in options_of(parser) for name in action.option_strings))
    return f"{brief(first)} is not an option" + (f"; did you mean {close!r}?" if close else "")


def _unknown_command(given: str, parser: jsonargparse.ArgumentParser, synonyms: Mapping[str, str]) -> str:
    (subcommands,) = (each for each in parser._actions if isinstance(each, _SubParsersAction))
    known = list(subcommands._name_parser_map)
    close = nearest(given, [*known, *synonyms])
    hint = f"did you mean {synonyms.get(close, close)!r}?" if close else f"known: {', '.join(known)}"
    return f"{brief(given)!r} is not a command; {hint}"

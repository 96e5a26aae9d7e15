"""What the texts of an address mean: a parser for each kind of control, and a query read by them."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

LONGEST: Final = 60  # characters of a value that are repeated to whoever opened the page
MOST_LINES: Final = 5

Parse = Callable[[str], Any]


def number(low: float, high: float) -> Parse:
    """Returns the parser of a number between two others, both included."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise ValueError(f"it must be a number from {low:g} to {high:g}")
        return value

    return parse


def whole(low: int, high: int) -> Parse:
    """Returns the parser of a whole number between two others, both included."""

    def parse(text: str) -> int:
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 20 and low <= int(text) <= high):
            raise ValueError(f"it must be a whole number from {low} to {high}")
        return int(text)

    return parse


def choice(options: Sequence[str]) -> Parse:
    """Returns the parser of one of several texts."""

    def parse(text: str) -> str:
        if text not in options:
            raise ValueError(f"it must be one of {', '.join(options)}")
        return text

    return parse


def flag(text: str) -> bool:
    """Returns whether a text is ``true``; raises ValueError if it is neither that nor ``false``."""
    if text not in ("true", "false"):
        raise ValueError("it must be true or false")
    return text == "true"


def read_query(query: Iterable[tuple[str, str]], parsers: Mapping[str, Parse]) -> tuple[dict[str, Any], list[str]]:
    """Returns the values that a query gives, by name, and a line for each entry that is ignored.

    Args:
        query: Names and texts. Names that begin with ``__`` are those of gradio and Spaces.
        parsers: What each name's text is parsed by.
    """
    values: dict[str, Any] = {}
    lines: list[str] = []
    for name, text in query:
        if name.startswith("__"):
            continue
        if name not in parsers:
            lines.append(f"{_short(name)}={_short(text)} in the address is ignored: this page has no such name")
            continue
        try:
            values[name] = parsers[name](text)
        except ValueError as error:
            lines.append(f"{name}={_short(text)} in the address is ignored: {error}")
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"and {len(lines) - MOST_LINES} more entries are ignored"]
    return values, lines


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"

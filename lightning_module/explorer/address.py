"""The page's state in its address: a link shows the same page to somebody else.

A change of a bound component rewrites the query in the browser, without a request. Opening the page with a query sets
the components. What it does not know or cannot use is ignored, and a line says so.
"""

import html
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import gradio as gr

TAB: Final = "tab"
LONGEST: Final = 60  # characters of a value that are repeated to whoever opened the page
MOST_LINES: Final = 5

Parse = Callable[[str], Any]


class Address:
    """What of a page is part of its address: names, each with a component."""

    def __init__(self) -> None:
        self._bound: dict[str, tuple[Any, Parse]] = {}

    def bind(self, name: str, component: Any, parse: Parse) -> None:
        """Makes a component's value part of the address.

        Args:
            name: Its name in the query, once on the whole page.
            component: The component; its first value is what the address leaves out.
            parse: Returns the value that a text means; raises ValueError, with what is allowed, if it means none.

        Raises:
            ValueError: If something else has this name.
        """
        if name == TAB or name in self._bound:
            raise ValueError(f"the address has {name!r} already; give this component another name")
        self._bound[name] = component, parse

    def connect(self, page: gr.Blocks, tabs: gr.Tabs, each: Sequence[gr.Tab], notice: gr.HTML) -> None:
        """Connects all that is bound; called once, when the page is complete.

        Args:
            page: The page.
            tabs: Its tabs.
            each: Each of them; the first is what the address leaves out.
            notice: Where lines are shown.
        """
        names = [str(tab.id) for tab in each]
        components = [component for component, _ in self._bound.values()]
        parsers = {name: parse for name, (_, parse) in self._bound.items()}

        def read(request: gr.Request) -> list[Any]:
            query = list(request.query_params.multi_items())
            values, lines = read_query(query, {**parsers, TAB: choice(names)})
            chosen = gr.Tabs(selected=values.pop(TAB)) if TAB in values else gr.skip()
            told = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
            shown = gr.HTML(f'<div class="m1-notice" role="status">{told}</div>', visible=True) if told else gr.skip()
            return [chosen, shown, *(values.get(name, gr.skip()) for name in self._bound)]

        loaded = page.load(read, None, [tabs, notice, *components], show_progress="hidden", api_visibility="private")
        first = {name: component.value for name, (component, _) in self._bound.items()}
        known = json.dumps(first)
        write = f"(...values) => {{ mnist1d.write({known}, values); }}"
        begin = f"(...values) => {{ mnist1d.ready({known}); mnist1d.write({known}, values); }}"
        loaded.then(None, components, None, js=begin)
        if components:
            gr.on([component.change for component in components], None, components, None, js=write)
        for tab, name in zip(each, names, strict=True):
            tab.select(None, None, None, js=f"() => {{ mnist1d.tab({json.dumps(name)}, {json.dumps(names[0])}); }}")


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

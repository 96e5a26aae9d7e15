"""The page's state in its address: a link shows the same page to somebody else.

A change of a bound component rewrites the query in the browser, without a request. Opening the page with a query sets
the components. What it does not know or cannot use is ignored, and a line says so.
"""

import html
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import gradio as gr

from lightning_module.explorer.moves import UNSEEN
from lightning_module.explorer.parse import Parse, choice, flag, number, read_query, whole

__all__ = ["Address", "choice", "flag", "number", "read_query", "whole"]

TAB: Final = "tab"

Expand = Callable[[Any], Mapping[str, Any]]


class Address:
    """What of a page is part of its address: names, each with a component."""

    def __init__(self) -> None:
        self._bound: dict[str, tuple[Any, Parse]] = {}
        self._sets: dict[str, Expand] = {}

    def bind(self, name: str, component: Any, parse: Parse, *, sets: Expand | None = None) -> None:
        """Makes a component's value part of the address.

        Args:
            name: Its name in the query, once on the whole page.
            component: The component; its first value is what the address leaves out.
            parse: Returns the value that a text means; raises ValueError, with what is allowed, if it means none.
            sets: Returns what else a value sets, by name, as far as the address does not say it: the numbers of a
                named config, for one.

        Raises:
            ValueError: If something else has this name.
        """
        if name == TAB or name in self._bound:
            raise ValueError(f"the address has {name!r} already; give this component another name")
        self._bound[name] = component, parse
        if sets is not None:
            self._sets[name] = sets

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
            for name, expand in self._sets.items():
                if name in values:
                    values = {**expand(values[name]), **values}
            chosen = gr.Tabs(selected=values.pop(TAB)) if TAB in values else gr.skip()
            told = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
            shown = gr.HTML(f'<div class="m1-notice" role="status">{told}</div>', visible=True) if told else gr.skip()
            return [chosen, shown, *(values.get(name, gr.skip()) for name in self._bound)]

        loaded = page.load(read, None, [tabs, notice, *components], **UNSEEN)
        first = {name: component.value for name, (component, _) in self._bound.items()}
        known = json.dumps(first)
        write = f"(...values) => {{ mnist1d.write({known}, values); }}"
        begin = f"(...values) => {{ mnist1d.ready({known}); mnist1d.write({known}, values); }}"
        loaded.then(None, components, None, js=begin)
        if components:
            gr.on([component.change for component in components], None, components, None, js=write)
        for tab, name in zip(each, names, strict=True):
            tab.select(None, None, None, js=f"() => {{ mnist1d.tab({json.dumps(name)}, {json.dumps(names[0])}); }}")

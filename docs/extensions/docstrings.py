"""Docstrings and signatures as the reference shows them."""

import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.inspect import signature, stringify_signature

ROW = re.compile(r"^\s*\|(.*)\|\s*$")


def tables(lines: list[str]) -> list[str]:
    """Returns the lines of a docstring with each Markdown table as a `list-table`."""
    found: list[str] = []
    for i, line in enumerate(lines):
        row = ROW.match(line)
        if row is None:
            found.append(line)
            continue
        cells = [cell.strip() for cell in row[1].split("|")]
        if i == 0 or not ROW.match(lines[i - 1]):
            found += [".. list-table::", "   :header-rows: 1", ""]
        if not all(re.fullmatch(":?-+:?", cell) for cell in cells):
            found += [f"   {'* -' if not j else '  -'} {cell}" for j, cell in enumerate(cells)]
    return found


def process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Changes the lines of a docstring in place: Markdown tables are none in reStructuredText."""
    lines[:] = tables(lines)


def sign(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, given: str | None, returned: str | None
) -> tuple[str, str | None] | None:
    """Returns the signature of a class's own constructor, where a class that it inherits from would hide it."""
    if what == "class" and given and given.startswith("(*args") and "__init__" in vars(obj):
        own = signature(obj.__init__, bound_method=True)
        return stringify_signature(own.replace(return_annotation=own.empty), unqualified_typehints=True), returned
    return None


def setup(app: Sphinx) -> dict[str, bool]:
    """Adds the two steps to what is done to docstrings and signatures."""
    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-process-signature", sign)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

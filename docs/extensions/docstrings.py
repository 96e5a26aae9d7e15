"""Docstrings and signatures as the reference shows them."""

import re
from typing import Any

from numpy.typing import ArrayLike
from sphinx.application import Sphinx
from sphinx.util.inspect import signature, stringify_signature
from sphinx.util.typing import stringify_annotation

NAMED = [(stringify_annotation(each, "smart"), name) for each, name in ((ArrayLike, "~numpy.typing.ArrayLike"),)]
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
    """Returns a signature that can be read.

    That of a class's own constructor, where a class that it inherits from would hide it; "..." for a default that is no
    expression, without which Sphinx would print all types with their modules; names for types that have one.
    """
    if not given:
        return None
    if what == "class" and given.startswith("(*args") and "__init__" in vars(obj):
        own = signature(obj.__init__, bound_method=True)
        given = stringify_signature(own.replace(return_annotation=own.empty), unqualified_typehints=True)
    given = re.sub(r"= ?<[^<>]*>", "= ...", given)
    for written, type_name in NAMED:
        given = given.replace(written, type_name)
        returned = returned.replace(written, type_name) if returned else returned
    return given, returned


def setup(app: Sphinx) -> dict[str, bool]:
    """Adds the two steps to what is done to docstrings and signatures."""
    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-process-signature", sign)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

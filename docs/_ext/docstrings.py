"""Docstrings as the reference shows them: their Markdown tables are none in reStructuredText."""

import re
from typing import Any

from sphinx.application import Sphinx

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
    """Changes the lines of a docstring in place, as Sphinx asks for it."""
    lines[:] = tables(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    """Adds the step to what is done to docstrings."""
    app.connect("autodoc-process-docstring", process)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""Pieces of Markdown: texts that are no Markdown made safe, headings moved down."""

import re
from functools import cache
from typing import TYPE_CHECKING

from mnist1d_hf.extras import extra_imports

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

# What matters within a line; `escape` is not for its beginning. GitHub takes dollars for formulas.
SPECIAL = re.compile(r"([\\`*_\[\]<|~&$])")
DEEPEST = 6  # levels of headings


def escape(text: object) -> str:
    r"""Returns a text on one line in which nothing is Markdown: `a | b_c` becomes `a \| b\_c`."""
    return SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def slug(heading: str) -> str:
    """Returns the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def lowered(markdown: str, level: int) -> str:
    """Returns Markdown whose headings begin at a level, such as 4 for `####`; code that looks so is left alone."""
    lines = markdown.strip().splitlines()
    tokens = parser().parse("\n".join(lines))
    found = [(token, tokens[i + 1].content) for i, token in enumerate(tokens) if token.type == "heading_open"]
    top = min((int(token.tag[1]) for token, _ in found), default=1)
    for token, content in reversed(found):
        start, end = token.map or (0, 0)
        depth = min(DEEPEST, level + int(token.tag[1]) - top)
        lines[start:end] = [f"{'#' * depth} {' '.join(content.split())}"]
    return "\n".join(lines)


@cache
def parser() -> "MarkdownIt":
    """Returns a parser of the Markdown that reports are written in: CommonMark with tables, without HTML.

    Raises:
        MissingExtraError: If markdown-it-py is not there.
    """
    with extra_imports():
        from markdown_it import MarkdownIt
    return MarkdownIt("commonmark", {"html": False}).enable("table")

"""A report's pages as one HTML page that needs nothing else: figures within, light and dark, tables to filter."""

import base64
import posixpath
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from lightning_module.studies.report.markdown import parser, slug
from lightning_module.studies.report.templates import filled, own_file
from lightning_module.studies.report.words import FINDINGS, NUMBERS

if TYPE_CHECKING:
    from markdown_it.token import Token

# By the first character of a cell: the class that decides its colour.
CLASSES: Final = {
    FINDINGS["holds"][0]: "good",
    FINDINGS["fails"][0]: "bad",
    FINDINGS["inconclusive"][0]: "open",
    FINDINGS["not tested"][0]: "none",
    NUMBERS["none published"][0]: "none",
}
SHORT: Final = 28  # characters, up to which a cell stays on one line
LONG: Final = 60  # characters, from which a cell is not to be squeezed
KINDS: Final = {".png": "image/png", ".svg": "image/svg+xml"}

Files = Mapping[PurePosixPath, str]


def one_page(files: Files, *, title: str, beside: Path) -> str:
    """Returns a page.

    Args:
        files: The report's files, as `report` returns them.
        title: In the window's frame.
        beside: The folder that they are or would be in.

    Raises:
        ValueError: If a figure is not there.
    """
    parts = [
        {"anchor": _anchor(path), "body": _body(path, files, beside, lowered=i > 0)}
        for i, path in enumerate(path for path in files if path.suffix == ".md")
    ]
    style = own_file("page.css") + "\n" + own_file("filter.css")
    return filled("page.html.jinja", title=title, style=style, script=own_file("filter.js"), parts=parts) + "\n"


def _body(path: PurePosixPath, files: Files, beside: Path, *, lowered: bool) -> str:
    """Returns a page's own part, its headings a level lower if it is not the first one."""
    renderer = parser()
    tokens = renderer.parse(files[path])
    _mark(tokens, f"{_anchor(path)}--" if lowered else "")
    for token in tokens:
        if lowered and token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
        for child in token.children or ():
            if child.type == "image":
                _embed(child, path, files, beside)
            if child.type == "link_open":
                child.attrSet("href", _target(str(child.attrGet("href")), path, files, lowered=lowered))
    body: str = renderer.renderer.render(tokens, renderer.options, {})
    # A table that is wider than the window moves in its frame, which keys can move as well.
    opened = '<div class="scroll" tabindex="0" role="region" aria-label="table">\n<table>'
    return body.replace("<table>", opened).replace("</table>", "</table>\n</div>")


def _anchor(path: PurePosixPath) -> str:
    return "-".join(path.with_suffix("").parts).lower()


def _target(href: str, path: PurePosixPath, files: Files, *, lowered: bool) -> str:
    """Returns where a link of a page leads on the one page."""
    if href.startswith("#"):
        return f"#{_anchor(path)}--{href[1:]}" if lowered else href
    file = PurePosixPath(posixpath.normpath(path.parent / unquote(href)))
    return f"#{_anchor(file)}" if "://" not in href and file in files else href


def _mark(tokens: Sequence["Token"], prefix: str) -> None:
    """Gives headings their anchors and cells of verdicts their colours."""
    seen: Counter[str] = Counter()
    for i, token in enumerate(tokens):
        if token.type == "heading_open":
            anchor = slug(_text(tokens[i + 1]))
            token.attrSet("id", f"{prefix}{anchor}-{seen[anchor]}" if seen[anchor] else f"{prefix}{anchor}")
            seen[anchor] += 1
        if token.type == "td_open" and (classes := _classes(_text(tokens[i + 1]))):
            token.attrSet("class", " ".join(classes))


def _text(inline: "Token") -> str:
    """Returns what is read of an inline token, without its marks."""
    return "".join(child.content for child in inline.children or ())


def _classes(text: str) -> list[str]:
    verdict = CLASSES.get(text[:1]) if text[1:2] in ("", " ") else None
    length = "long" if len(text) >= LONG else "short" if len(text) <= SHORT else None
    return [name for name in (verdict, length) if name]


def _embed(image: "Token", path: PurePosixPath, files: Files, beside: Path) -> None:
    """Puts the file of an image into its address; one from elsewhere becomes its words."""
    source = str(image.attrGet("src"))
    if "://" in source:
        image.type, image.tag, image.content = "text", "", _text(image)
        return
    place = PurePosixPath(posixpath.normpath(path.parent / unquote(source)))
    kind = KINDS.get(place.suffix, "")
    if place in files:
        content = files[place].encode()
    elif (file := beside / place).is_file() and kind:
        content = file.read_bytes()
    else:
        raise ValueError(f"the report's figure {source!r} is no PNG or SVG file; draw it first, by save_figures")
    image.attrSet("src", f"data:{kind};base64,{base64.b64encode(content).decode()}")
    if place.suffix == ".svg":
        image.attrSet("class", "drawing")

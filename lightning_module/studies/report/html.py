"""A report's Markdown as one HTML page that needs nothing else: figures within, light and dark, no script."""

import base64
import html
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from lightning_module.studies.report.markdown import parser, slug
from lightning_module.studies.report.words import FINDINGS, NUMBERS

if TYPE_CHECKING:
    from markdown_it.token import Token

# The colours are apart for every kind of colour vision, and the words and symbols say the same.
STYLE: Final = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1b2a41; --faint: #5b6673; --line: #d9dde3; --panel: #f4f5f7;
  --link: #00599c; --good: #00593f; --good-ground: #d8f0e6; --bad: #8f3200; --bad-ground: #fbe3d5;
  --open: #6b4e00; --open-ground: #fdf0cc; }
@media (prefers-color-scheme: dark) { :root { --ground: #0e1116; --ink: #e8ecf1; --faint: #a9b3bf; --line: #333b47;
  --panel: #191e26; --link: #7cc0f5; --good: #7fe0bb; --good-ground: #0d3327; --bad: #ffb48a; --bad-ground: #45200b;
  --open: #f3d067; --open-ground: #3b2f08; } }
body { margin: 0 auto; max-width: 84rem; padding: 1.5rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; }
p, ul, ol, pre { max-width: 50rem; }
h1 { font-size: 1.9rem; line-height: 1.2; }
h2 { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); }
a { color: var(--link); }
img { display: block; max-width: 100%; height: auto; padding: .5rem; border-radius: .4rem; background: #fff; }
p:has(> img) { max-width: none; overflow-x: auto; }
@media (max-width: 45rem) { p > img { width: 46rem; max-width: none; } }
code { padding: 0 .2em; border-radius: .2em; background: var(--panel); font-size: .92em; }
pre { overflow-x: auto; padding: .8rem; background: var(--panel); }
table { display: block; overflow-x: auto; border-collapse: collapse; margin: 1rem 0; font-size: .88rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { background: var(--panel); }
.good { color: var(--good); background: var(--good-ground); }
.bad { color: var(--bad); background: var(--bad-ground); }
.open { color: var(--open); background: var(--open-ground); }
.none { color: var(--faint); }
.short { white-space: nowrap; }
td.long { min-width: 15rem; white-space: normal; }
@media print { table { overflow: visible; font-size: .6rem; } td.long { min-width: 0; }
  td { white-space: normal; } }
""".strip()

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


def page(markdown: str, *, title: str, beside: Path) -> str:
    """Returns a page.

    Args:
        markdown: Its content.
        title: In the window's frame.
        beside: The folder that the Markdown's figures are linked from.

    Raises:
        ValueError: If a figure is not there.
    """
    renderer = parser()
    tokens = renderer.parse(markdown)
    _mark(tokens, beside)
    body = renderer.renderer.render(tokens, renderer.options, {})
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )


def _mark(tokens: Sequence["Token"], beside: Path) -> None:
    """Gives headings their anchors, cells of verdicts their colours, and images their content."""
    seen: Counter[str] = Counter()
    for i, token in enumerate(tokens):
        if token.type == "heading_open":
            anchor = slug(_text(tokens[i + 1]))
            token.attrSet("id", f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
            seen[anchor] += 1
        if token.type == "td_open" and (classes := _classes(_text(tokens[i + 1]))):
            token.attrSet("class", " ".join(classes))
        for child in token.children or ():
            if child.type == "image":
                _embed(child, beside)


def _text(inline: "Token") -> str:
    """Returns what is read of an inline token, without its marks."""
    return "".join(child.content for child in inline.children or ())


def _classes(text: str) -> list[str]:
    verdict = CLASSES.get(text[:1]) if text[1:2] in ("", " ") else None
    length = "long" if len(text) >= LONG else "short" if len(text) <= SHORT else None
    return [name for name in (verdict, length) if name]


def _embed(image: "Token", beside: Path) -> None:
    """Puts the file of an image into its address; one from elsewhere becomes its words."""
    source = str(image.attrGet("src"))
    if "://" in source:
        image.type, image.tag, image.content = "text", "", _text(image)
        return
    file = beside / unquote(source)
    if not file.is_file():
        raise ValueError(f"the report's figure {source!r} is not a file; draw it first, by save_figures")
    image.attrSet("src", f"data:image/png;base64,{base64.b64encode(file.read_bytes()).decode()}")

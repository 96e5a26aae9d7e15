"""The report as one HTML page: what a browser would see of it."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tiny_study import NASTY

from lightning_module.studies.report.html import one_page
from lightning_module.studies.report.templates import own_file

VOID = {"meta", "img", "br", "hr"}


class Page(HTMLParser):
    """What a browser would see of a page; an element that is not closed where it should be is an error."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    def values(self, attribute: str) -> list[str]:
        return [str(attributes[attribute]) for _, attributes in self.elements if attribute in attributes]


@pytest.fixture(scope="module")
def page(texts: dict[str, str]) -> Page:
    page = Page()
    page.feed(texts["report.html"])
    page.close()
    return page


def test_the_page_is_well_formed_and_needs_nothing_else(texts: dict[str, str], page: Page) -> None:
    text = texts["report.html"]
    assert not page.open
    assert not {"link", "iframe", "object"} & {tag for tag, _ in page.elements}
    kinds = [source.partition(",")[0] for source in page.values("src")]
    # The foreign result has no picture, the remote one is words; the forest is on two pages.
    assert sorted(kinds) == ["data:image/png;base64", *["data:image/svg+xml;base64"] * 2]
    (png,) = (source for source in page.values("src") if "png" in source)
    assert base64.b64decode(png.partition(",")[2]).startswith(b"\x89PNG")
    # The addresses of the two pictures' kind are in their content, not in the page.
    assert set(re.findall(r"https?://[^\"<\s]*", text)) == {"https://example.org/paper"}
    assert "@media (prefers-color-scheme: dark)" in text
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|\beval\b|innerHTML", text)


def test_it_has_all_pages_and_their_links_lead_within_it(texts: dict[str, str], page: Page) -> None:
    anchors, links = page.values("id"), page.values("href")
    assert len(anchors) == len(set(anchors))
    assert {link for link in links if not link.startswith("#")} == {"https://example.org/paper"}
    assert {link[1:] for link in links if link.startswith("#")} <= set(anchors)
    pages = {name.removesuffix(".md").replace("/", "-") for name in texts if name.endswith(".md")}
    assert {str(attributes["id"]) for tag, attributes in page.elements if tag == "section"} == pages
    assert sum(tag == "h1" for tag, _ in page.elements) == 1


def test_the_table_of_verdicts_is_there_without_the_script(page: Page) -> None:
    (start,) = (i for i, row in enumerate(page.rows) if row[:4] == ["study", "kind", "claim", "finding"])
    assert [row[3] for row in page.rows[start + 1 : start + 4]] == [
        "✓ holds",
        "✗ fails",
        "? inconclusive: too few runs",
    ]
    assert page.rows[start + 3][2] == f"open: {NASTY} {NASTY}"


def test_the_script_is_the_one_that_the_site_takes_as_well(texts: dict[str, str]) -> None:
    assert own_file("filter.js") in texts["report.html"]
    assert own_file("filter.css") in texts["report.html"]
    assert "</script" not in own_file("filter.js")


def test_colour_never_stands_alone(page: Page) -> None:
    classes = {name for tag, each in page.elements if tag == "td" for name in str(each.get("class")).split()}
    assert {"good", "bad", "open", "none"} <= classes


def test_a_figure_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    from pathlib import PurePosixPath

    with pytest.raises(ValueError, match="no PNG or SVG file"):
        one_page({PurePosixPath("r.md"): "![x](nowhere.png)"}, title="", beside=tmp_path)

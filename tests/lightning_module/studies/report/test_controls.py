"""The controls of the tables of verdicts, in a chromium, and tables without them. By `make test-docs`."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from lightning_module.studies.report.html import one_page

pytestmark = pytest.mark.docs
FINDINGS = ["✓ holds", "✗ fails", "○ not tested: no data"]
ROWS = [f"| claim {i} of {'abc'[i % 3]} | {FINDINGS[i % 3]} | {[0.5, -2, 10, 3][i % 4]} |" for i in range(12)]
TABLE = "\n".join(["| claim | finding | n |", "| --- | --- | --- |", *ROWS])
SMALL = "\n".join(["| claim | finding |", "| --- | --- |", "| one | ✓ holds |"])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    text = one_page({PurePosixPath("r.md"): f"# Title\n\n{TABLE}\n\n{SMALL}\n"}, title="t", beside=folder)
    (folder / "r.html").write_text(text, encoding="utf-8")
    return folder / "r.html"


@pytest.fixture(params=[1280, 390])
def page(request: pytest.FixtureRequest, chromium: Any, file: Path) -> Iterator[Any]:
    page = chromium.new_page(viewport={"width": request.param, "height": 800})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(file.as_uri())
    yield page
    assert not said
    assert page.evaluate("document.documentElement.scrollWidth") <= request.param
    page.close()


def shown(page: Any) -> list[str]:
    return page.locator("table.verdicts tbody tr:visible td:first-child").all_inner_texts()  # type: ignore[no-any-return]


def test_rows_are_found_by_words_and_by_verdict(page: Any) -> None:
    form = page.get_by_role("search")
    assert form.count() == 1  # the small table has none
    form.get_by_label("finding", exact=True).select_option("○ not tested")
    assert form.locator("output").inner_text() == "4 of 12 rows"
    form.get_by_label("words").fill("CLAIM 11")
    assert form.locator("output").inner_text() == "1 of 12 rows"
    assert len(shown(page)) == 1
    form.get_by_role("button", name="show all").click()
    page.wait_for_function("document.querySelector('output').textContent === '12 of 12 rows'")


def test_rows_are_put_in_order_as_numbers(page: Any) -> None:
    page.get_by_label("order", exact=True).select_option("n, up")
    numbers = page.locator("table.verdicts tbody tr td:nth-child(3)").all_inner_texts()
    assert [float(text.split()[-1]) for text in numbers] == sorted([0.5, -2, 10, 3] * 3)
    assert page.locator("th[aria-sort=ascending]").count() == 1


def test_a_heading_is_a_button_for_keys_as_well(chromium: Any, file: Path) -> None:
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.goto(file.as_uri())
    button = page.get_by_role("button", name="claim")
    button.focus()
    for order in ("ascending", "descending", None):
        page.keyboard.press("Enter")
        assert page.locator("th").first.get_attribute("aria-sort") == order
    page.close()


def test_without_scripts_the_table_is_plain_and_whole(chromium: Any, file: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.get_by_role("search").count() == 0
    assert page.locator("tbody tr:visible").count() == 13
    context.close()

"""The explorer as people have it: the command, a browser, and nothing that goes wrong unseen."""

from urllib.parse import urlsplit

import pytest
from explorers import SCREENS, Explorer


@pytest.fixture(scope="session")
def explorer(tmp_path_factory):
    """One explorer for all tests of a process."""
    started = Explorer(tmp_path_factory.mktemp("explorer"))
    yield started
    seconds, status, said = started.stop()
    assert (status, said.count("\n")) == (130, 1), said
    assert seconds < 5


@pytest.fixture
def visit(explorer, chromium):
    """Opens the page at a query, as often as it is called; at the end nothing may have gone wrong."""
    contexts, wrong = [], []

    def failed(request):
        wrong.append(f"failed: {request.url}: {request.failure}")

    def asked(request):
        if request.url.startswith(("http", "ws")) and urlsplit(request.url).netloc != f"127.0.0.1:{explorer.port}":
            wrong.append(f"another host: {request.url}")

    def answered(response):
        if response.status >= 400:
            wrong.append(f"{response.status}: {response.url}")

    def open_page(query="", *, screen="wide", colour="light"):
        width, height = SCREENS[screen]
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=colour,
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        page = context.new_page()
        page.on("requestfailed", failed)
        page.on("request", asked)
        page.on("response", answered)
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(explorer.url + query)
        page.wait_for_selector("html[data-mnist1d=ready]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong

"""The site as it is built: links, nothing from outside, and its pages in a chromium. Run by `make test-docs`.

Screenshots are in the folder that is printed at the end of a run with `-s`, or in MNIST1D_SCREENSHOTS.
"""

import importlib.util
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from lightning_module.studies import STUDIES

pytestmark = pytest.mark.docs
ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = ["index.html", "start.html", "first-lesson.html", "notebooks/benchmark.html", "api/lightning_module.html"]
PAGES += ["how-it-works.html", "gallery.html", "results.html", "how-to/publish.html"]
PAGES += ["REPORT.html", "report/benchmark.html", "report/verdicts.html"]
OPTIONS = ["--quiet", "--fail-on-warning", "--keep-going", "--builder", "html"]
SCREENS = {"wide": (1280, 800), "phone": (390, 844)}
COLOURS = ["light", "dark"]


class Page(HTMLParser):
    """The ids, links, pictures and other files of a page."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.files, self.alts = set(), [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "link" and given.get("rel") in ("stylesheet", "icon", "preload"):
            self.files.append(given["href"])
        if tag in ("script", "img", "source", "iframe") and given.get("src"):
            self.files.append(given["src"])
        if tag == "img":
            self.alts.append((given["src"], given.get("alt")))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built as `make docs` does; a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", *OPTIONS, "--doctree-dir", str(folder / "doctrees")]
    command += [str(DOCS), str(folder / "html")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site):
    return {
        page: Page(page.read_text(encoding="utf-8"))
        for page in sorted(site.rglob("*.html"))
        if "_static" not in page.parts
    }


def test_make_docs_builds_what_is_tested():
    shown = subprocess.run(
        ["make", "--no-print-directory", "-n", "docs"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    program, *arguments = shlex.split(shown.splitlines()[-1])
    assert program.endswith("bin/sphinx-build")
    assert arguments == [*OPTIONS, "--doctree-dir", "build/doctrees", "docs", "build/site"]


def test_every_link_within_the_site_leads_somewhere(site, pages):
    broken = []
    for page, content in pages.items():
        for link in content.links:
            target = urlsplit(link)
            if target.scheme or target.netloc:
                continue
            file = (page.parent / unquote(target.path)).resolve() if target.path else page
            if not file.is_file() or site not in file.parents:
                broken.append(f"{page.relative_to(site)}: {link}")
            elif target.fragment and file in pages and unquote(target.fragment) not in pages[file].ids:
                broken.append(f"{page.relative_to(site)}: {link}, which is not there")
    assert not broken


def test_nothing_comes_from_outside(site, pages):
    for page, content in pages.items():
        for file in content.files:
            target = urlsplit(file)
            assert not target.scheme or target.scheme == "data", f"{page}: {file}"
            assert target.scheme or (page.parent / unquote(target.path)).is_file(), f"{page}: {file}"
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?https?:|@import\s+['\"]?https?:", style.read_text(encoding="utf-8")), style


def test_every_picture_has_a_text(pages):
    for page, content in pages.items():
        for source, alt in content.alts:
            assert alt, f"{page}: {source}"
            assert "_images/" not in alt, f"{page}: {source}"


def test_formulas_are_mathml_and_no_script(site):
    text = (site / "how-it-works.html").read_text(encoding="utf-8")
    assert text.count("<math") > 5
    assert "mathjax" not in text.lower()


def test_classes_have_their_own_signatures(site):
    text = (site / "api" / "lightning_module.html").read_text(encoding="utf-8")
    signature = re.sub(r"<[^>]+>|\s", "", text.partition('id="lightning_module.Classifier"')[2].partition("</dt>")[0])
    assert "network:str|Module='cnn'" in signature
    assert "steps_per_execution:int|Literal['auto']='auto'" in signature


def test_signatures_can_be_read(site):
    """With a default that is no expression, Sphinx prints types as it found them."""
    for page in sorted((site / "api").glob("*.html")):
        for signature in re.findall(r'<dt class="sig.*?</dt>', page.read_text(encoding="utf-8"), re.DOTALL):
            text = re.sub(r"<[^>]+>|\s", "", signature)
            assert not re.search(r"~|_NestedSequence|&lt;", text), f"{page.name}: {text}"


def test_pictures_are_links_to_themselves(site):
    for page in ("gallery.html", "notebooks/pooling.html", "report/pooling.html"):
        text = (site / page).read_text(encoding="utf-8")
        found = re.findall(r'(<a [^>]*href="([^"]+)"[^>]*>)?<img [^>]*src="([^"]+\.png)"', text)
        assert found
        assert all(linked == source for _, linked, source in found), page


def test_the_report_stands_in_the_sidebar_in_the_order_of_the_studies(site):
    text = (site / "report" / "pooling.html").read_text(encoding="utf-8")
    sidebar = text.partition('id="pst-primary-sidebar"')[2].partition("</div>\n</div>")[0]
    listed = re.findall(r'href="([\w-]+)\.html"', sidebar.replace('"#"', '"pooling.html"'))
    assert [name for name in listed if name in STUDIES] == list(STUDIES)
    assert "supplement" not in sidebar
    assert 'href="supplement/pooling.html"' in text


def test_external_links_are_listed(site):
    listed = subprocess.run(
        [sys.executable, DOCS / "external_links.py", site], capture_output=True, text=True, check=True
    ).stdout
    assert "https://arxiv.org/abs/2011.14439: " in listed
    assert all(line.startswith("https://") for line in listed.splitlines())


def lessons_extension():
    for folder in (DOCS, DOCS / "extensions"):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    spec = importlib.util.spec_from_file_location("lessons", DOCS / "extensions" / "lessons.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_badge_for_colab_is_drawn_only_where_the_project_is_published(site):
    lessons = lessons_extension()
    assert lessons.colab("notebooks/pooling", "") is None
    address = lessons.colab("notebooks/pooling", "https://github.com/owner/name")
    assert address == "https://colab.research.google.com/github/owner/name/blob/main/docs/notebooks/pooling.ipynb"
    drawn = "colab.research" in (site / "notebooks" / "pooling.html").read_text(encoding="utf-8")
    assert drawn is bool(lessons.REPOSITORY)


@pytest.fixture(params=[(screen, colour) for screen in SCREENS for colour in COLOURS], ids="-".join)
def look(request, chromium, site, screenshots):
    """Opens a page as a file, without a network, on a screen in a colour; at the end nothing may have gone wrong."""
    screen, colour = request.param
    width, height = SCREENS[screen]
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=colour, offline=True)
    wrong = []
    page = context.new_page()
    page.on("requestfailed", lambda request: wrong.append(f"failed: {request.url}"))
    page.on("request", lambda request: wrong.append(request.url) if request.url.startswith("http") else None)
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))

    def open_page(name, query=""):
        page.goto((site / name).as_uri() + query)
        page.wait_for_load_state("load")
        file = name.replace("/", "-").removesuffix(".html")
        page.screenshot(path=screenshots / f"{file}-{screen}-{colour}.png")
        return page

    yield open_page
    context.close()
    assert not wrong


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_the_screen(name, look):
    page = look(name)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{name} scrolls sideways by {wider} pixels"
    assert page.locator("article h1").count() == 1
    cut = page.eval_on_selector_all(
        "article :is(h1, h2, h3, p, li)",
        "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.innerText)",
    )
    assert not cut, f"{name} has text that does not fit: {cut[:3]}"


def test_it_is_dark_where_the_reader_wants_it_dark(look, request):
    page = look("index.html")
    theme = page.evaluate("document.documentElement.dataset.theme")
    assert theme == request.node.callspec.params["look"][1]


@pytest.mark.parametrize(("word", "found"), [("posterior", "bayes"), ("Ensemble", "lightning_module")])
def test_search_finds(word, found, look):
    page = look("search.html", f"?q={word}")
    page.wait_for_selector("#search-results ul.search li a")
    targets = page.eval_on_selector_all("#search-results ul.search li a", "links => links.map(link => link.href)")
    assert any(found in target for target in targets), targets


def test_the_table_of_verdicts_is_filtered_and_sorted(look):
    from playwright.sync_api import expect

    page = look("report/verdicts.html")
    rows = page.locator("table.verdicts tbody tr:visible")
    every = rows.count()
    label = page.locator("form.verdict-filter label", has_text=re.compile("^finding "))
    label.locator("select").select_option("✗ fails")
    expect(rows).not_to_have_count(every)  # the page answers in its own time
    fails = rows.count()
    assert 0 < fails < every
    assert all("✗ fails" in text for text in rows.all_inner_texts())
    page.get_by_role("button", name="show all").click()
    expect(rows).to_have_count(every)
    page.get_by_label("words").fill("lottery")
    expect(rows).not_to_have_count(every)
    assert 0 < rows.count() < every

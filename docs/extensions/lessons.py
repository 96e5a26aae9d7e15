"""What pages show of other files: lessons and figures of the studies, files of the root folder, a badge for Colab.

A page asks for them by a line of its own: `<!-- lessons -->`, `<!-- figures -->`, `<!-- report -->`,
`<!-- file CHANGELOG.md -->`.
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from docutils import nodes
from repository import BRANCH, REPOSITORY
from sphinx.application import Sphinx

from lightning_module.studies import STUDIES

DOCS = Path(__file__).resolve().parents[1]
GITHUB = "https://github.com/"


def lessons() -> Iterator[str]:
    """Yields a table of the notebooks in the order of the studies, and what puts them into the sidebar."""
    there = [name for name in STUDIES if (DOCS / "notebooks" / f"{name}.ipynb").is_file()]
    yield "| study | lesson |\n|---|---|"
    for name in there:
        yield f"| {name} | [{heading(name)}](notebooks/{name}.ipynb) |"
    yield "\n```{toctree}\n:hidden:\n"
    yield from (f"{name} <notebooks/{name}>" for name in there)
    yield "```"


def heading(name: str) -> str:
    """Returns the title of a notebook."""
    first = nbformat.read(DOCS / "notebooks" / f"{name}.ipynb", as_version=4).cells[0].source
    return str(first.splitlines()[0].removeprefix("# "))


def figures() -> Iterator[str]:
    """Yields the figures of each committed result, with what the study says of each."""
    for name, study in STUDIES.items():
        drawn = [figure for figure in study.figures if (DOCS / "results" / name / f"{figure}.png").is_file()]
        if drawn:
            yield f"\n### {name}\n\n{study.question}\n"
        for figure in drawn:
            text = caption(study.figures[figure].__doc__ or "")
            yield f"![{text}](results/{name}/{figure}.png)\n\n{text}\n"


def caption(docstring: str) -> str:
    """Returns the first paragraph of a figure's docstring without its verb: "Returns the losses." as "The losses."."""
    words = " ".join(inspect.cleandoc(docstring).split("\n\n")[0].split()).split(" ", 1)[1]
    return words[0].upper() + words[1:]


def root_file(name: str) -> str:
    """Returns a Markdown file of the root folder for a page of this one: without its header, with links from here."""
    text = re.sub(r"\A---\n.*?\n---\n", "", (DOCS.parent / name).read_text(encoding="utf-8"), flags=re.DOTALL)

    def from_here(link: re.Match[str]) -> str:
        words, target = link.groups()
        if re.match(r"[a-z]+:|#", target):
            return link[0]
        if target.startswith("docs/"):
            return f"{words}({target.removeprefix('docs/')})"
        if words.startswith("!"):
            return f"{words}(../{target})"
        return f"`{target}`"  # not a part of the site

    return re.sub(r"(!?\[[^\]]*\])\(([^)\s]+)\)", from_here, text)


def report_pages() -> Iterator[str]:
    """Yields what puts the pages of the report into the sidebar: the studies in their order, with amended runs."""
    pages = {page.stem for page in (DOCS / "report").glob("*.md")}
    yield "```{toctree}\n:hidden:\n"
    yield from ("REPORT", "report/verdicts", "report/amendments")
    for name in STUDIES:
        amended = sorted(page for page in pages - set(STUDIES) if page.startswith(f"{name}-"))
        yield from (f"report/{page}" for page in [name, *amended])
    yield "```"


MARK = re.compile(r"^<!-- (lessons|figures|report|file)(?: (\S+))? -->$", re.MULTILINE)
LINKED_ONLY = "report/supplement/"  # pages that stand in no list of pages: each study's page has a link to its own


def fill(app: Sphinx, page: str, source: list[str]) -> None:
    """Puts lists and files where a page asks for them."""

    def content(mark: re.Match[str]) -> str:
        if mark[1] == "file":
            app.env.note_dependency(str(DOCS.parent / mark[2]))
            return root_file(mark[2])
        return "\n".join({"lessons": lessons, "figures": figures, "report": report_pages}[mark[1]]())

    if page in app.env.found_docs:  # not of what a page includes
        source[0] = MARK.sub(content, source[0])
    if page.startswith(LINKED_ONLY):
        source[0] = f"---\norphan: true\n---\n{source[0]}"


def colab(page: str, repository: str = REPOSITORY) -> str | None:
    """Returns where Colab opens a lesson; None if the project is not on GitHub."""
    if not repository.startswith(GITHUB):
        return None
    return f"https://colab.research.google.com/github/{repository.removeprefix(GITHUB)}/blob/{BRANCH}/docs/{page}.ipynb"


def add_badge(app: Sphinx, tree: nodes.document) -> None:
    """Puts the link below the title of a notebook's page."""
    page = app.env.docname
    address = colab(page) if page.startswith("notebooks/") else None
    if address:
        link = nodes.reference("", "Open in Colab", refuri=address, classes=["colab"])
        title = next(iter(tree.findall(nodes.title)))
        title.parent.insert(title.parent.index(title) + 1, nodes.paragraph("", "", link))


def describe_pictures(app: Sphinx, tree: nodes.document) -> None:
    """Gives each picture of a notebook a text for those who do not see it: what the study says, or where it stands."""
    page = app.env.docname
    if not page.startswith("notebooks/"):
        return
    study = STUDIES[page.removeprefix("notebooks/")]
    for picture in tree.findall(nodes.image):
        if picture.get("alt"):
            continue
        section = next(parent for parent in parents(picture) if isinstance(parent, nodes.section))
        title = section.next_node(nodes.title)
        text = f"A picture that the code above draws, in the section {title.astext()!r}" if title else "A picture"
        cell = next((parent for parent in parents(picture) if "cell" in parent.get("classes", ())), None)
        drawn = re.search(r'study\.figures\["([^"]+)"\]', cell.astext()) if cell is not None else None
        picture["alt"] = caption(study.figures[drawn[1]].__doc__ or "") if drawn else text


def link_pictures(app: Sphinx, tree: nodes.document) -> None:
    """Makes each picture a link to itself at full size, for those whose screen is small."""
    for picture in tree.findall(nodes.image):
        if picture["uri"].endswith(".png") and not any(isinstance(each, nodes.reference) for each in parents(picture)):
            picture["scale"] = 100  # Sphinx links pictures that are shown at a scale


def parents(node: nodes.Node) -> Iterator[nodes.Element]:
    """Yields what a node stands in, from the inside to the outside."""
    while node.parent is not None:
        node = node.parent
        yield node


def setup(app: Sphinx) -> dict[str, bool]:
    """Adds what is done to each page before and after it is read."""
    app.connect("source-read", fill)
    app.connect("doctree-read", add_badge)
    app.connect("doctree-read", describe_pictures)
    app.connect("doctree-read", link_pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

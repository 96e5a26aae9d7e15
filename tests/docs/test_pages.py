"""Every code block of the README and of the site's pages runs, as it stands there; and the links lead somewhere."""

import re
import shlex
import subprocess
from collections.abc import Iterator

import pytest
from blocks import ROOT, Block, Reader, blocks, reading
from hub_server import client_environment, serving

from mnist1d_hf import RECIPES

REPORT = re.compile(r"docs/(REPORT\.md|report/)")  # made by a command, with a test of its own
PAGES = ["README.md", *sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if not REPORT.match(page) and not page.startswith("docs/results/")]
BLOCKS = [block for page in PAGES for block in blocks(page)]
# The same lines on two pages are run once.
PYTHON = {block.code: block for block in reversed(BLOCKS) if block.language == "python"}
# What only the site's own extra brings; run by `make test-docs`.
NEEDS_DOCS = re.compile(r"^import jax", re.MULTILINE)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """An empty folder and a cache of its own, shared by all blocks as by a reader's shell.

    The Hub is a stand-in, to which the reader has pushed before.
    """
    folder = tmp_path_factory.mktemp("reader")
    with serving() as hub, reading(folder, client_environment(hub, str(folder / "hf"))) as found:
        found.command(["data", "push", "owner/mnist1d", "--config", "default", "high-noise", "--tag", "data-v1.0.0"])
        yield found


PARAMETERS = [
    pytest.param(block, id=str(block), marks=[pytest.mark.docs] if NEEDS_DOCS.search(block.code) else [])
    for block in sorted(PYTHON.values(), key=BLOCKS.index)
]


def test_every_block_has_a_language_that_is_run() -> None:
    languages = {block.language for block in BLOCKS}
    directives = {language for language in languages if language.startswith("{")}
    assert languages - directives <= {"python", "console", "bibtex"}
    assert directives <= {"{eval-rst}", "{toctree}"}
    for page in PAGES:
        fences = re.findall(r"^ *```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
        assert len(fences) == 2 * sum(block.page == page for block in BLOCKS), f"{page} has a fence that is not seen"


@pytest.mark.parametrize("block", PARAMETERS)
def test_python_block(block: Block, reader: Reader) -> None:
    reader.python(block)


@pytest.mark.parametrize("page", [page for page in PAGES if any(b.language == "console" for b in blocks(page))])
def test_command_lines(page: str, reader: Reader, done: set[str]) -> None:
    for block in blocks(page):
        for line in block.code.splitlines() if block.language == "console" else []:
            if line not in done:
                run(line, reader)
            done.add(line)


@pytest.fixture(scope="module")
def done() -> set[str]:
    """The command lines that have been run."""
    return set()


def run(line: str, reader: Reader) -> None:
    program, *arguments = shlex.split(line)
    if program == "make":  # the real thing is test_fresh_clone's; here: does the target exist?
        subprocess.run(["make", "-n", *arguments], cwd=ROOT, check=True, capture_output=True)
    elif program == "pip":
        assert re.fullmatch(r"install \.(\[[a-z]+\])?", " ".join(arguments)), line
    else:
        assert program == "mnist1d", f"a page names {program}, which no test runs"
        reader.command(arguments, "0123456789\n" * 2 if arguments[:1] == ["quiz"] else "")


def test_the_configs_are_those_of_the_package() -> None:
    """By the names themselves, not by what writes the list."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = text.partition("<!-- configs: written by make card -->")[2].partition("<!-- end of configs -->")[0]
    assert re.findall(r"`([^`]+)`", listed) == list(RECIPES), "run make card"


def test_pictures_and_pages_of_the_readme_exist() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    missing = [target for target in targets if not target.startswith("http") and not (ROOT / target).exists()]
    assert not missing


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 140


def test_ci_calls_the_test_command_of_the_readme() -> None:
    commands = [
        line for block in blocks("README.md") if block.language == "console" for line in block.code.splitlines()
    ]
    assert "make test" in commands
    assert re.search(r"^make test$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)

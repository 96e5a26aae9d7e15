"""Where the report's pages are, and links between them."""

import os
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Final

from lightning_module.studies.report.entries import Entry
from lightning_module.studies.report.markdown import escape, slug

VERDICTS: Final = "verdicts"
AMENDMENTS: Final = "amendments"
SUPPLEMENT: Final = "supplement"
FOREST: Final = "forest"
TAKEN: Final = (VERDICTS, AMENDMENTS, SUPPLEMENT, FOREST)


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of the report.

    Attributes:
        path: Its file, from the folder of the first page.
        text: What is on it, in Markdown.
    """

    path: PurePosixPath
    text: str


class Places:
    """Where the pages are, as files from the folder of the first page.

    Args:
        found: What the report is about.
        beside: The folder of the first page.
        index: The file of the first page.
    """

    def __init__(self, found: Sequence[Entry], beside: Path, index: str) -> None:
        self.beside = beside
        self.index = PurePosixPath(index)
        self.folder = PurePosixPath(self.index.stem.lower())
        self.verdicts = self.folder / f"{VERDICTS}.md"
        self.amendments = self.folder / f"{AMENDMENTS}.md"
        self._names: dict[str, str] = {}
        for entry in found:
            name = slug(entry.title)
            taken = {*TAKEN, *self._names.values()}
            self._names[entry.title] = next(each for each in _numbered(name) if each not in taken)

    def study(self, entry: Entry) -> PurePosixPath:
        """Returns the page of a study."""
        return self.folder / f"{self._names[entry.title]}.md"

    def supplement(self, entry: Entry) -> PurePosixPath:
        """Returns the page of what was computed for a study, and how."""
        return self.folder / SUPPLEMENT / f"{self._names[entry.title]}.md"

    def forest(self, entry: Entry) -> PurePosixPath:
        """Returns the picture of a study's verdicts."""
        return self.folder / FOREST / f"{self._names[entry.title]}.svg"

    def to_file(self, page: PurePosixPath, file: Path) -> str:
        """Returns the way from a page to a file anywhere, as a link has it."""
        way = os.path.relpath(file, (self.beside / page).parent)
        return Path(way).as_posix().replace(" ", "%20")


def link(words: str, start: PurePosixPath, end: PurePosixPath) -> str:
    """Returns a link from a page to another, in Markdown."""
    return f"[{escape(words)}]({posixpath.relpath(end, start.parent)})"


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{number}" for number in count(2))

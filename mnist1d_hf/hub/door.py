"""The one door through which everything from a repository or a folder comes: its commit, its card, its files.

`opened` turns a revision into a commit and reads the card, and what is then fetched comes from that commit. `load`, the
data module, `Classifier.from_pretrained`, `mnist1d model pull` and `mnist1d data verify` all go through it.
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mnist1d_hf.hub.card import CARD
from mnist1d_hf.hub.card_records import KEY
from mnist1d_hf.hub.header import LARGEST_CARD, Header, read_header
from mnist1d_hf.hub.remote import RepoType
from mnist1d_hf.hub.schema import ContentError
from mnist1d_hf.hub.snapshot import Source, source_of

logger = logging.getLogger(__name__)

_said: Final[set[str]] = set()  # what `say_once` has said in this process


@dataclass(frozen=True)
class Opened:
    """A repository at one commit, or a folder, whose card has been read.

    Attributes:
        source: Its files.
        header: What its card says.
    """

    source: Source
    header: Header

    @property
    def where(self) -> str:
        """Returns the name that messages have for it."""
        return self.source.where

    @property
    def commit(self) -> str:
        """Returns the commit; empty for a folder."""
        return self.source.commit

    @property
    def model_record(self) -> Mapping[str, Any] | None:
        """Returns what the card records of a classifier, as it stands there; None if this package did not write it."""
        record = self.header.data.get(KEY)
        if record is None:
            return None
        if not isinstance(record, Mapping):
            raise ContentError(f"the card of {self.where} has under {KEY!r} no record of a classifier; tell its owner")
        return record

    def fetch(self, path: str, *, most: int | None = None, again: bool = False) -> Path:
        """Returns the local path of a file, which is downloaded if need be, see `Source.fetch`."""
        return self.source.fetch(path, most=most, again=again)


def opened(
    path: str | os.PathLike[str],
    revision: str | None = None,
    *,
    token: str | bool | None = None,
    repo_type: RepoType = "dataset",
    cache_dir: str | os.PathLike[str] | None = None,
    local_files_only: bool = False,
    again: bool = False,
) -> Opened:
    """Returns a repository at the commit where a revision stands now, or a folder; its card is read and checked.

    Args:
        path: "owner/name" on the Hub, or a folder.
        revision: Tag, branch or commit of the repository; by default the newest.
        token: Token of the Hub; by default the one that is logged in, and False for none.
        repo_type: What kind of repository it is.
        cache_dir: Where downloads are kept; by default the cache of the Hub's client.
        local_files_only: Whether to ask nobody.
        again: Whether to download the card even if it is here.

    Raises:
        UnavailableError: If the revision is not on this machine and cannot be had.
        ContentError: If the card cannot be read.
        ValueError: If there is no such folder, repository or revision.
    """
    source = source_of(
        path, revision, token, repo_type=repo_type, cache_dir=cache_dir, local_files_only=local_files_only
    )
    if CARD not in source.files:
        return Opened(source, Header(source.where))
    card = source.fetch(CARD, most=LARGEST_CARD, again=again)
    return Opened(source, read_header(card.read_bytes(), source.where))


def say_once(message: str) -> None:
    """Logs a warning, unless this process has done so before."""
    if message not in _said:
        _said.add(message)
        logger.warning("%s", message)

"""Copies of repositories at exactly one commit: made when the Hub can be asked, else found on this machine."""

import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import huggingface_hub

from mnist1d_hf.card import CARD
from mnist1d_hf.remote import Remote, RemoteError, RepoType, checked_repo_id

CONTACT: Final = 2.5  # seconds in which the Hub has to say where a revision stands
ONLINE: Final = "load it once with a network and HF_HUB_OFFLINE unset; then it stays in the cache"

logger = logging.getLogger(__name__)


class UnavailableError(OSError):
    """The revision is neither on this machine nor to be had now; the message says what to do."""


@dataclass(frozen=True)
class Source:
    """Where files are: a folder, and the repository and commit that it is a copy of.

    Attributes:
        folder: The folder; of a repository, its copy at one commit.
        where: What to call it in messages.
        files: Paths of all files.
        remote: The repository, if it can be reached.
        commit: The commit; empty for a folder that is no copy.
    """

    folder: Path
    where: str
    files: frozenset[str]
    remote: Remote | None = None
    commit: str = ""

    def fetch(self, path: str, *, again: bool = False) -> Path:
        """A file, downloaded if need be.

        Raises:
            UnavailableError: If it is not here and cannot be had.
        """
        local = self.folder / path
        if self.remote and (again or not local.exists()):
            return _downloaded(self.remote, path, self.commit, self.where, again)
        if not local.exists():
            raise UnavailableError(f"{path} of {self.where} is not on this machine; {ONLINE}")
        return local


def source_of(path: str | os.PathLike[str], revision: str | None, token: str | None) -> Source:
    """The folder, or a copy of the repository at the commit where the revision stands now.

    Raises:
        UnavailableError: If the revision is not on this machine and cannot be had.
        ValueError: If there is no such folder, repository or revision.
    """
    folder = Path(path).expanduser()
    if folder.is_dir():
        return Source(folder.absolute(), f"the folder {folder}", _files_in(folder))
    repo_id = os.fspath(path)
    if repo_id.startswith((".", "/", "~")) or repo_id.count("/") != 1:
        raise ValueError(f"path={repo_id!r} is no folder, and no repository on the Hub, which is called owner/name")
    return snapshot(repo_id, revision, token)


def snapshot(repo_id: str, revision: str | None, token: str | None, repo_type: RepoType = "dataset") -> Source:
    """A copy of the repository at the commit where the revision stands now; its files are fetched when needed.

    Without a network: the copy of exactly that revision that is on this machine. A branch may have moved since.

    Raises:
        UnavailableError: If the revision is not on this machine and cannot be had.
        ValueError: If there is no such repository or revision.
    """
    wanted = revision or "main"
    where = f"{repo_id} at revision {wanted!r}"
    cached = _cached(checked_repo_id(repo_id), wanted, repo_type)
    remote = Remote(repo_id, repo_type, token=token, patience=CONTACT, persistent=cached is None)
    try:
        head = remote.head(wanted)
    except RemoteError as error:
        if error.kind == "missing":
            raise ValueError(f"path={repo_id!r}: there is no such repository or revision ({error})") from None
        if error.kind not in {"trouble", "offline"}:
            raise UnavailableError(f"{where}: {error}") from None
        if cached is None:
            raise UnavailableError(f"{where} is not on this machine ({error}): {ONLINE}") from None
        if wanted == "main":
            logger.warning("%s cannot be reached; serving its commit %s, seen before.", repo_id, cached.name)
        return Source(cached, where, _files_in(cached), commit=cached.name)
    if head is None or (_is_commit(wanted) and head.commit != wanted):
        raise ValueError(f"there is no {where}")
    if CARD not in head.files:
        raise ValueError(f"{where} has no {CARD}, so this package did not write it")
    patient = Remote(repo_id, repo_type, token=token)
    folder = _downloaded(patient, CARD, wanted, where).parent  # by its name, which finds it without a network
    if folder.name != head.commit:  # the revision has moved just now
        folder = _downloaded(patient, CARD, head.commit, where).parent
    return Source(folder, f"{repo_id} at commit {head.commit[:12]}", head.files, patient, head.commit)


def _downloaded(remote: Remote, path: str, revision: str, where: str, again: bool = False) -> Path:
    try:
        return remote.download(path, revision, again=again)
    except RemoteError as error:
        raise UnavailableError(f"{path} of {where}: {error}") from None


def _cached(repo_id: str, revision: str, repo_type: RepoType) -> Path | None:
    """The local copy of a repository at exactly this revision, if there is one."""
    found = huggingface_hub.try_to_load_from_cache(repo_id, CARD, revision=revision, repo_type=repo_type)
    return Path(found).parent if isinstance(found, str) else None


def _is_commit(revision: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{40}", revision) is not None


def _files_in(folder: Path) -> frozenset[str]:
    return frozenset(found.relative_to(folder).as_posix() for found in folder.rglob("*") if found.is_file())

"""Copies of repositories at exactly one commit: made when the Hub can be asked, else found on this machine."""

import logging
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import huggingface_hub

from mnist1d_hf.hub.card import CARD
from mnist1d_hf.hub.header import LARGEST_CARD
from mnist1d_hf.hub.remote import Head, Remote, RemoteError, RepoType, checked_repo_id, is_commit
from mnist1d_hf.hub.schema import ContentError
from mnist1d_hf.one_line import one_line

CONTACT: Final = 2.5  # seconds in which the Hub has to say where a revision stands
ONLINE: Final = "load it once with a network and HF_HUB_OFFLINE unset; then it stays in the cache"

logger = logging.getLogger(__name__)


class UnavailableError(OSError):
    """The revision is neither on this machine nor to be had now; the message says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


@dataclass(frozen=True)
class Source:
    """The place of files: a folder, and the repository and commit that it is a copy of.

    Attributes:
        folder: The folder; of a repository, its copy at one commit.
        where: What to call it in messages.
        files: Paths of all files; of a repository as it says itself.
        remote: The repository, if it can be reached.
        commit: The commit; empty for a folder that is no copy.
        sizes: Bytes of each file of a repository that can be reached, as it says itself.
    """

    folder: Path
    where: str
    files: frozenset[str]
    remote: Remote | None = None
    commit: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)

    def fetch(self, path: str, *, most: int | None = None, again: bool = False) -> Path:
        """Returns the local path of a file, which is downloaded if need be.

        Args:
            path: The file.
            most: Most bytes that it may have; it is not downloaded if it has more.
            again: Whether to download it even if it is here.

        Raises:
            ContentError: If its path leads out of the repository, or it is too large.
            UnavailableError: If it is not here and cannot be had.
        """
        if not is_inside(path):
            raise ContentError(f"{self.where} lists the file {path!r}, which is no path inside of it; tell its owner")
        _check_size(path, self.sizes.get(path), most, self.where)
        local = self.folder / path
        if self.remote and (again or not local.exists()):
            local = _downloaded(self.remote, path, self.commit, self.where, again)
        if not local.exists():
            raise UnavailableError(f"{path} of {self.where} is not on this machine; {ONLINE}")
        _check_size(path, local.stat().st_size, most, self.where)
        return local


def _check_size(path: str, size: int | None, most: int | None, where: str) -> None:
    if size is not None and most is not None and size > most:
        raise ContentError(f"{path} of {where} has {size:,} bytes, and may have {most:,} at most; tell its owner")


def is_inside(path: str) -> bool:
    """Returns whether a path names a file inside the repository, on every system."""
    parts = path.split("/")
    return path.isprintable() and not {"", ".", ".."} & {*parts} and not re.search(r"[\\:]", path)


def source_of(
    path: str | os.PathLike[str], revision: str | None, token: str | bool | None = None, **keywords: Any
) -> Source:
    """Returns the folder, or a copy of the repository at the commit where the revision stands now, see `snapshot`.

    Raises:
        UnavailableError: If the revision is not on this machine and cannot be had.
        ValueError: If there is no such folder, repository or revision.
    """
    folder = Path(path).expanduser()
    if folder.is_dir():
        return Source(folder.absolute(), f"the folder {one_line(folder)}", _files_in(folder))
    return snapshot(repo_id_of(path), revision, token, **keywords)


def repo_id_of(path: str | os.PathLike[str]) -> str:
    """Returns the path, which is no folder, as the name of a repository.

    Raises:
        ValueError: If it cannot be one.
    """
    repo_id = os.fspath(path)
    if repo_id.startswith((".", "/", "~")) or repo_id.count("/") != 1:
        raise ValueError(f"path={repo_id!r} is no folder, and no repository on the Hub, which is called owner/name")
    return repo_id


def snapshot(
    repo_id: str,
    revision: str | None,
    token: str | bool | None = None,
    repo_type: RepoType = "dataset",
    *,
    cache_dir: str | os.PathLike[str] | None = None,
    local_files_only: bool = False,
) -> Source:
    """Returns a copy of the repository at the commit where the revision stands now; its files are fetched when needed.

    Without a network: the copy of exactly that revision that is on this machine. A branch may have moved since.

    Args:
        repo_id: "owner/name".
        revision: Tag, branch or commit; by default the newest.
        token: Token of the Hub; by default the one that is logged in, and False for none.
        repo_type: "dataset" or "model".
        cache_dir: Where downloads are kept; by default the cache of the Hub's client.
        local_files_only: Whether to ask nobody.

    Raises:
        UnavailableError: If the revision is not on this machine and cannot be had.
        ValueError: If there is no such repository or revision.
    """
    wanted = revision or "main"
    where = f"{repo_id} at revision {wanted!r}"
    cached = _cached(checked_repo_id(repo_id), wanted, repo_type, cache_dir)
    if local_files_only:
        if cached is None:
            raise UnavailableError(f"{where} is not on this machine (local_files_only=True): {ONLINE}")
        return _copy(cached, where)
    remote = Remote(repo_id, repo_type, token=token, patience=CONTACT, persistent=cached is None)
    try:
        head = remote.head(wanted, contents=True)
    except RemoteError as error:
        if error.kind == "missing":
            raise ValueError(f"path={repo_id!r}: there is no such repository or revision ({error})") from None
        if error.kind not in {"trouble", "offline"}:
            raise UnavailableError(f"{where}: {error}") from None
        if cached is None:
            raise UnavailableError(f"{where} is not on this machine ({error}): {ONLINE}") from None
        if wanted == "main":
            logger.warning("%s cannot be reached; serving its commit %s, seen before.", repo_id, cached.name)
        return _copy(cached, where)
    if head is None or (is_commit(wanted) and head.commit != wanted):
        raise ValueError(f"there is no {where}")
    sizes = {path: told.size for path, told in head.stored.items() if told.size is not None}
    _check_size(CARD, sizes.get(CARD), LARGEST_CARD, where)
    patient = Remote(repo_id, repo_type, token=token, cache_dir=cache_dir)
    first = _anchor(patient, head, where)
    folder = _root(_downloaded(patient, first, wanted, where), first)  # by its name: without a network it is found
    if folder.name != head.commit:  # the revision has moved just now
        folder = _root(_downloaded(patient, first, head.commit, where), first)
    return Source(folder, f"{repo_id} at commit {head.commit[:12]}", head.files, patient, head.commit, sizes)


def _anchor(remote: Remote, head: Head, where: str) -> str:
    """Returns the file by which a copy is begun: the card, or any if there is none."""
    if CARD in head.files:
        return CARD
    with suppress(RemoteError):  # the client remembers that there is none
        remote.download(CARD, head.commit, seconds=0)
    inside = sorted(path for path in head.files if is_inside(path))
    if not inside:
        raise ContentError(f"{where} holds no files")
    return inside[0]


def _root(path: Path, inside: str) -> Path:
    return path.parents[inside.count("/")]


def _copy(folder: Path, where: str) -> Source:
    return Source(folder, where, _files_in(folder), commit=folder.name)


def _downloaded(remote: Remote, path: str, revision: str, where: str, again: bool = False) -> Path:
    try:
        return remote.download(path, revision, again=again)
    except RemoteError as error:
        raise UnavailableError(f"{path} of {where}: {error}") from None


def _cached(repo_id: str, revision: str, repo_type: RepoType, cache_dir: str | os.PathLike[str] | None) -> Path | None:
    """Returns the local copy of a repository at exactly this revision, if there is one, with its card if it has one."""
    place: dict[str, Any] = {"revision": revision, "repo_type": repo_type, "cache_dir": cache_dir}
    found = huggingface_hub.try_to_load_from_cache(repo_id, CARD, **place)
    if isinstance(found, str):
        return Path(found).parent
    if found is None:
        return None
    try:  # it is known to have no card
        return Path(huggingface_hub.snapshot_download(repo_id, local_files_only=True, **place))
    except (OSError, ValueError):
        return None


def _files_in(folder: Path) -> frozenset[str]:
    return frozenset(found.relative_to(folder).as_posix() for found in folder.rglob("*") if found.is_file())

"""Requests to the Hub, each within a time limit, and what their failures mean.

The Hub's client waits without end for a server that does not answer, and retries some requests and others not. Here
every request has a deadline, and every failure is one of four kinds, by which a caller decides what to do next.
"""

import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from mnist1d_hf.hub.credentials import Credentials
from mnist1d_hf.hub.downloads import sweep_once
from mnist1d_hf.one_line import one_line
from mnist1d_hf.stored import Stored

PATIENCE: Final = 60.0  # seconds for everything but the upload of files
SLOWEST_UPLOAD: Final = 100_000  # bytes a second; a slower upload is taken for a dead one
FIRST_WAIT: Final = 0.5  # seconds before a request is made again; doubled each time
LONGEST_WAIT: Final = 8.0
LAST_WORD: Final = 2.0  # seconds that a request has even when the time is up: to find out in which state things are
LONGEST_DOWNLOAD: Final = 3600.0
SERVER_ERRORS: Final = frozenset({408, 429, 500, 502, 503, 504})

Kind = Literal["denied", "missing", "conflict", "trouble", "offline"]
RepoType = Literal["dataset", "model"]
Operation = CommitOperationAdd | CommitOperationDelete
T = TypeVar("T")

# The client's errors are built on those of its HTTP library, which is another one in each of its generations.
_CLIENT_ERRORS: Final[tuple[type[Exception], ...]] = (
    *(base for base in HfHubHTTPError.__bases__ if issubclass(base, Exception)),
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,  # of a reply that is not of the form that the client expects
)


class RemoteError(Exception):
    """A request that failed.

    Attributes:
        kind: "denied": it will not work like this; "missing": there is no such repository or revision; "conflict":
            somebody else was faster; "trouble": it may work later; "offline": HF_HUB_OFFLINE is set.
        status: Status of the reply, if there was one.
        wait: Seconds that the server asks to wait.
        timed_out: Whether the time was up while the server might still be at work.
    """

    def __init__(
        self, message: str, kind: Kind, *, status: int | None = None, wait: float | None = None, timed_out: bool = False
    ) -> None:
        super().__init__(one_line(message))
        self.kind = kind
        self.status = status
        self.wait = wait
        self.timed_out = timed_out


@dataclass(frozen=True)
class Head:
    """A repository at one commit.

    Attributes:
        commit: The commit; empty if there is no repository yet.
        files: Paths of all files.
        stored: What the Hub tells of the content of each, if it was asked.
    """

    commit: str
    files: frozenset[str] = frozenset()
    stored: Mapping[str, Stored] = field(default_factory=dict)


class Remote:
    """One repository on the Hub.

    Args:
        repo_id: "owner/name".
        repo_type: "dataset" or "model".
        token: Token to use; by default the one that is logged in, and False for none.
        patience: Seconds for all requests together; uploads have time of their own.
        persistent: Whether reading is tried again after trouble.
        cache_dir: Where downloads are kept; by default the cache of the Hub's client.
    """

    def __init__(
        self,
        repo_id: str,
        repo_type: RepoType = "dataset",
        *,
        token: str | bool | None = None,
        patience: float = PATIENCE,
        persistent: bool = True,
        cache_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        self.repo_id = repo_id
        self.repo_type = repo_type
        self.token = token
        self.credentials = Credentials(token if isinstance(token, str) else None)
        self._api = HfApi(token=token)
        self._deadline = time.monotonic() + patience
        self._patience = patience
        self._persistent = persistent
        self._cache_dir = cache_dir

    @property
    def url(self) -> str:
        """Returns the repository's page."""
        return f"{self._api.endpoint}/{'datasets/' if self.repo_type == 'dataset' else ''}{self.repo_id}"

    def remaining(self) -> float:
        """Returns the seconds left."""
        return self._deadline - time.monotonic()

    def renew(self) -> None:
        """Lets the patience begin anew, after work that was none of the Hub's."""
        self._deadline = time.monotonic() + self._patience

    def head(self, revision: str | None = None, *, contents: bool = False) -> Head | None:
        """Returns the repository as it is now, or at a revision; None if there is none.

        Args:
            revision: A tag, branch or commit; by default the newest commit.
            contents: Whether to ask for sizes and digests of the files too.

        Raises:
            RemoteError: If it cannot be read, or has no such revision ("missing").
        """
        keywords: dict[str, Any] = {"repo_type": self.repo_type, "revision": revision, "files_metadata": contents}
        try:
            info = self._reading("read the repository", self._api.repo_info, self.repo_id, **keywords)
        except RemoteError as fault:
            if fault.kind == "missing" and revision is None:
                return None
            raise
        siblings = getattr(info, "siblings", None) or ()
        files = [sibling.rfilename for sibling in siblings]
        if not is_commit(info.sha) or not all(isinstance(path, str) for path in files):
            raise RemoteError(f"{self._api.endpoint} does not tell the repository's commit and its files", "denied")
        stored = {sibling.rfilename: _stored(sibling) for sibling in siblings} if contents else {}
        return Head(str(info.sha), frozenset(files), stored)

    def download(self, path: str, commit: str, *, again: bool = False, seconds: float = LONGEST_DOWNLOAD) -> Path:
        """Returns the path of a file at a commit, in the local cache of the Hub's client.

        Args:
            path: The file.
            commit: The commit.
            again: Whether to download it even if it is there.
            seconds: How long it may take. One that stands still is ended by the client before that.

        Raises:
            RemoteError: If it cannot be read.
        """
        keywords = {"repo_type": self.repo_type, "revision": commit, "force_download": again}
        keywords |= {"cache_dir": self._cache_dir} if self._cache_dir else {}
        function = partial(self._api.hf_hub_download, self.repo_id, path, **keywords)
        local = Path(self._reading(f"download {path}", function, extra_seconds=seconds))
        sweep_once(local.parents[path.count("/") + 2])  # above the folders of commits and of this one
        return local

    def text(self, path: str, head: Head) -> str | None:
        """Returns the content of a text file at a commit; None if there is none.

        Raises:
            RemoteError: If it cannot be read.
        """
        return self.download(path, head.commit, seconds=0).read_bytes().decode("utf-8") if path in head.files else None

    def tagged(self, tag: str) -> str | None:
        """Returns the commit of a tag; None if there is no such tag.

        Raises:
            RemoteError: If it cannot be read, or a branch has that name, which moves.
        """
        refs = self._reading("read the tags", self._api.list_repo_refs, self.repo_id, repo_type=self.repo_type)
        if any(branch.name == tag for branch in refs.branches):
            raise RemoteError(
                f"{self.repo_id} has a branch {tag!r}, so a tag of that name would not say which is meant; choose "
                "another one, or delete the branch",
                "denied",
            )
        return next((found.target_commit for found in refs.tags if found.name == tag), None)

    def create(self, private: bool) -> None:
        """Makes the repository.

        Raises:
            RemoteError: If that fails, "conflict" if it exists; or if the reply is lost.
        """
        keywords: dict[str, Any] = {"repo_type": self.repo_type, "private": private}
        self.ask("create the repository", self._api.create_repo, self.repo_id, **keywords)

    def commit(self, operations: Sequence[Operation], message: str, parent: str) -> str:
        """Uploads files and commits once, on this parent or not at all; returns the new commit.

        Raises:
            RemoteError: If that fails, "conflict" if the parent is no longer the newest; or if the reply is lost.
        """
        additions = [operation for operation in operations if isinstance(operation, CommitOperationAdd)]
        unsent = [addition for addition in additions if addition.path_or_fileobj != b""]
        size = sum(addition.upload_info.size for addition in unsent)
        keywords: dict[str, Any] = {"repo_id": self.repo_id, "repo_type": self.repo_type}
        start = time.monotonic()
        limit = size / SLOWEST_UPLOAD
        try:
            self.ask(
                "upload the files", self._api.preupload_lfs_files, additions=additions, extra_seconds=limit, **keywords
            )
        except RemoteError as error:
            error.timed_out = False  # whatever the server is still doing, it is no commit
            raise
        if size > SLOWEST_UPLOAD:  # the time of a long upload is not taken from what comes after it
            self._deadline += time.monotonic() - start
        keywords |= {"operations": operations, "commit_message": message, "parent_commit": parent}
        return str(self.ask("commit", self._api.create_commit, **keywords).oid)

    def tag(self, name: str, commit: str) -> None:
        """Puts a tag on a commit.

        Raises:
            RemoteError: If that fails, "conflict" if the tag exists; or if the reply is lost.
        """
        keywords: dict[str, Any] = {"repo_type": self.repo_type, "tag": name, "revision": commit}
        self.ask(f"make the tag {name!r}", self._api.create_tag, self.repo_id, **keywords)

    def rest(self, attempt: int, fault: RemoteError) -> None:
        """Waits before another attempt, as long as the server asks for.

        Raises:
            RemoteError: This one, if there is no time left for another attempt.
        """
        wait = fault.wait if fault.wait is not None else min(FIRST_WAIT * 2**attempt, LONGEST_WAIT)
        if wait >= self.remaining():
            raise fault
        time.sleep(wait)

    def _reading(self, doing: str, function: Callable[..., T], *arguments: Any, **keywords: Any) -> T:
        """Returns the answer to a request that only reads, which is repeated while the Hub is in trouble."""
        attempt = 0
        while True:
            try:
                return self.ask(doing, function, *arguments, **keywords)
            except RemoteError as fault:
                if fault.kind != "trouble" or not self._persistent:
                    raise
                self.rest(attempt, fault)
                attempt += 1

    def ask(
        self, doing: str, function: Callable[..., T], *arguments: Any, extra_seconds: float = 0.0, **keywords: Any
    ) -> T:
        """Returns the result of a function of the client, within the time that is left.

        Raises:
            RemoteError: If it fails, or takes longer.
        """
        try:
            seconds = max(self.remaining(), LAST_WORD) + extra_seconds
            return _within(seconds, partial(function, *arguments, **keywords))
        except _Late:
            silence = f"no answer from {self._api.endpoint} within {self._patience:g} s"
            raise RemoteError(f"could not {doing}: {silence}", "trouble", timed_out=True) from None
        except _CLIENT_ERRORS as error:  # its message may repeat what the server was told
            raise self._fault(doing, error) from None

    def _fault(self, doing: str, error: Exception) -> RemoteError:
        if isinstance(error, HFValidationError):
            return RemoteError(f"repo_id={self.repo_id!r}: {error}", "denied")
        reply = _reply(error)
        status = int(reply.status_code) if reply is not None else None
        cause = self.credentials.without_tokens(_first_line(error))
        what = f"could not {doing}: {cause}"
        if isinstance(error, OfflineModeIsEnabled):
            return RemoteError(f"could not {doing}: HF_HUB_OFFLINE is set; unset it", "offline")
        if isinstance(error, GatedRepoError):
            return RemoteError(f"{what}; ask its owner for access", "denied", status=status)
        if status in {401, 403}:
            return RemoteError(
                f"{what}; {self.credentials.remedy(status, self.repo_id, self._whoami)}", "denied", status=status
            )
        if isinstance(error, RepositoryNotFoundError | RevisionNotFoundError):
            return RemoteError(what, "missing", status=status)
        if status in {409, 412}:
            return RemoteError(what, "conflict", status=status)
        if status is None or status in SERVER_ERRORS:
            return RemoteError(what, "trouble", status=status, wait=_seconds_to_wait(reply))
        return RemoteError(what, "denied", status=status)

    def _whoami(self) -> Any:
        try:
            return _within(LAST_WORD, self._api.whoami)
        except _Late as late:
            raise LookupError("no answer in time") from late
        except _CLIENT_ERRORS as error:
            raise LookupError("no answer") from error


class _Late(Exception):  # noqa: N818  # no error yet: whoever asked decides
    """The time is up."""


def _within(seconds: float, function: Callable[[], T]) -> T:
    """Returns the result of a function, or raises its error, if it ends in time."""
    outcome: list[T] = []
    failure: list[Exception] = []

    def work() -> None:
        try:
            outcome.append(function())
        except Exception as error:  # raised again in the caller's thread
            failure.append(error)

    worker = threading.Thread(target=work, daemon=True)  # from a server that hangs nothing can be taken back
    worker.start()
    worker.join(seconds)
    if failure:
        raise failure[0]
    if not outcome:
        raise _Late
    return outcome[0]


def is_commit(revision: object) -> bool:
    """Returns whether this is the full name of a commit."""
    return isinstance(revision, str) and re.fullmatch(r"[0-9a-f]{40}", revision) is not None


def checked_repo_id(repo_id: str) -> str:
    """Returns the repository's id, if it is one with an owner.

    Raises:
        ValueError: If it is not.
    """
    if not re.fullmatch(r"[\w.-]{1,96}/[\w.-]{1,96}", str(repo_id), flags=re.ASCII):
        raise ValueError(f'repo_id={repo_id!r} must be "owner/name", with letters, digits, ".", "-" and "_"')
    return repo_id


def checked_tag(tag: str) -> str:
    """Returns the tag's name, if git allows it.

    Raises:
        ValueError: If it does not, or if it could be taken for a commit.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", tag) or ".." in tag or tag.endswith((".", ".lock")):
        raise ValueError(f"tag={tag!r} must be letters, digits, '.', '-' and '_', such as data-v1.0.0")
    if re.fullmatch(r"[0-9a-f]{7,40}", tag) or tag in {"main", "HEAD"}:
        raise ValueError(f"tag={tag!r} would be taken for a commit or a branch; name it data-v1.0.0 or so")
    return tag


def _stored(sibling: Any) -> Stored:
    """Returns size and digests of a file as the Hub tells them, without the SHA-1 in LFS, which is its pointer's."""
    lfs = sibling.lfs
    told = Stored(lfs.size, lfs.sha256) if lfs is not None else Stored(sibling.size, git_sha1=sibling.blob_id or "")
    if not isinstance(told.size, int | None) or not isinstance(told.sha256, str) or not isinstance(told.git_sha1, str):
        raise RemoteError("the Hub tells sizes and digests of files that are none", "denied")
    return told


def _reply(error: BaseException | None) -> Any:
    """Returns the reply that an error of the client, or one of its causes, came from."""
    while error is not None:
        reply = getattr(error, "response", None)
        if reply is not None:
            return reply
        error = error.__cause__ or error.__context__
    return None


def _seconds_to_wait(reply: Any) -> float | None:
    value = reply.headers.get("Retry-After", "") if reply is not None else ""
    return float(value) if re.fullmatch(r"\d+(\.\d+)?", value) else None


def _first_line(error: Exception) -> str:
    """Returns what went wrong, on one line."""
    cause = error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    text = " ".join(lines[:3]) or "the connection was closed without an answer"
    return f"{type(cause).__name__}: {text}"[:400]

"""What tells one file's content from another's without reading it: its size and its digests.

The Hub lists the SHA-256 of a file that lies in LFS, and for any other one git's SHA-1 of it. A record holds both, for
where a file lies may change with a repository's ``.gitattributes``.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_CHUNK: Final = 1 << 20
_DIGESTS: Final = ("sha256", "git_sha1")


@dataclass(frozen=True)
class Stored:
    """The size and digests of a file, as far as they are known.

    Attributes:
        size: Bytes; None if they are not known.
        sha256: SHA-256 of the content; empty if it is not known.
        git_sha1: What git calls the content; empty if it is not known.
    """

    size: int | None = None
    sha256: str = ""
    git_sha1: str = ""

    def equals(self, other: "Stored") -> bool | None:
        """Returns whether both have the same content; None if too little is known of them."""
        if None not in (self.size, other.size) and self.size != other.size:
            return False
        for name in _DIGESTS:
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine and theirs:
                return bool(mine == theirs)
        return None

    def to_yaml_dict(self) -> dict[str, Any]:
        """Returns plain values; what is not known is left out."""
        known = {"sha256": self.sha256, "size": self.size, "git_sha1": self.git_sha1}
        return {key: value for key, value in known.items() if value not in ("", None)}


def stored(content: bytes | Path) -> Stored:
    """Returns the size and digests of a file of this machine, read once."""
    size = content.stat().st_size if isinstance(content, Path) else len(content)
    sha256, sha1 = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    for piece in _pieces(content):
        sha256.update(piece)
        sha1.update(piece)
    return Stored(size, sha256.hexdigest(), sha1.hexdigest())


def file_digest(path: Path) -> str:
    """Returns the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stored_in(folder: str | Path) -> dict[str, Stored]:
    """Returns all files of a folder, by their path in it."""
    root = Path(folder)
    return {path.relative_to(root).as_posix(): stored(path) for path in sorted(root.rglob("*")) if path.is_file()}


def read_files(entries: Iterable[Mapping[str, Any]]) -> dict[str, Stored]:
    """Returns the files that a card's header lists; paths are values there, for the Hub refuses keys with dots in them.

    Args:
        entries: What `mnist1d_hf.hub.schema.FILES` allows.
    """
    return {entry["path"]: Stored(entry.get("size"), entry["sha256"], entry.get("git_sha1", "")) for entry in entries}


def write_files(files: Mapping[str, Stored]) -> list[dict[str, Any]]:
    """Returns the files as a card's header lists them."""
    return [{"path": path, **files[path].to_yaml_dict()} for path in sorted(files)]


def _pieces(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while piece := file.read(_CHUNK):
            yield piece

"""What killed downloads leave in the cache of the Hub's client, which gives each a name of its own and forgets it.

Source: the names are those that file_download.py of huggingface_hub 0.34 and of 2.4 gives; others are left alone.
"""

from pathlib import Path
from typing import Final

from mnist1d_hf.atomic import OLD, remove_old

PROBES: Final = frozenset({"dummy_file_src", "dummy_file_dst"})  # by which the client sees whether links work here
_swept: set[Path] = set()


def sweep_once(copy: Path) -> None:
    """Does what `sweep_downloads` does, at the first download of a repository in this process."""
    if copy not in _swept:
        _swept.add(copy)
        sweep_downloads(copy)


def sweep_downloads(copy: Path, *, older_than: float = OLD) -> list[Path]:
    """Returns the paths that killed downloads left of a repository, after deleting them.

    Args:
        copy: The repository's folder in the client's cache; in any other folder nothing is deleted.
        older_than: Seconds since the last write: younger files may still be written.
    """
    blobs = copy / "blobs"
    if not ((copy / "snapshots").is_dir() and blobs.is_dir()):
        return []
    files = [path for path in blobs.iterdir() if path.suffix == ".incomplete" or _is_uuid(path.name)]
    probes = [path for path in copy.glob("tmp????????") if path.is_dir() and _names(path) <= PROBES]
    return [
        *remove_old(blobs, [path for path in files if path.is_file()], older_than=older_than),
        *remove_old(copy, probes, older_than=older_than),
    ]


def _is_uuid(name: str) -> bool:
    """Returns whether it is the name of a file by which the client learns the permissions of new ones."""
    return name.startswith("tmp_") and len(name) == 40 and name.count("-") == 4


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}

"""The reference's `to_pickle` and `from_pickle` without a pickle: what a file holds cannot run."""

from os import PathLike
from pathlib import Path
from typing import Any

from mnist1d_hf.compat import npz_cache, safe_files


def to_pickle(thing: Any, path: str | PathLike[str]) -> None:
    """Writes a value to a file that `from_pickle` reads, whatever the file's ending is; it holds no pickle.

    ``numpy.load(path, allow_pickle=False)`` reads it, too: the arrays have the names of the dictionary's keys.

    Args:
        thing: Arrays, numbers, texts, None, and lists, tuples, sets, dictionaries and `ObjectView` of such.
        path: The file; one that exists is replaced, when the new one is complete.

    Raises:
        TypeError: If there is anything else in it; the message says what and where.
    """
    safe_files.write(Path(path), safe_files.pack(thing))


def from_pickle(path: str | PathLike[str]) -> Any:
    """Returns the value that `to_pickle` wrote; of another ``.npz`` file the arrays by name, of an ``.npy`` the array.

    If there is no file of this name, the data set that `get_dataset` keeps for this path is returned.

    Raises:
        FileNotFoundError: If there is neither, or several such data sets to choose from.
        UnsafeFileError: If it is a pickle: it is not read.
        ValueError: If the file is damaged.
    """
    path = Path(path)
    if not path.exists():
        path = _kept_for(path)
    try:
        arrays = safe_files.read(path)
    except safe_files.UnsafeFileError as error:
        others = "".join(f"; from_pickle({str(other)!r}) reads what get_dataset keeps" for other in _listed(path))
        raise safe_files.UnsafeFileError(
            f"{error}. The data set itself is get_dataset(get_dataset_args()), without any file{others}. A file of "
            "your own can be written anew: with the program that made it and that you trust, by to_pickle or "
            "numpy.savez"
        ) from error
    if set(arrays) == {""}:
        return arrays[""]
    try:
        return safe_files.unpack(arrays)
    except ValueError as error:
        raise ValueError(f"{str(path)!r} is damaged: {error}") from error


def _kept_for(path: Path) -> Path:
    kept = npz_cache.beside(path)
    if len(kept) == 1:
        return kept[0]
    several = ", ".join(map(str, kept))
    raise FileNotFoundError(
        f"there is no file {str(path)!r}"
        + (f", and get_dataset has kept several data sets for it; name one: {several}" if kept else "")
    )


def _listed(path: Path) -> list[Path]:
    return npz_cache.beside(path)[:3]

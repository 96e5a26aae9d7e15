"""Files that `mnist1d_hf.compat.get_dataset` keeps its data sets in: one per set of arguments, without pickle."""

import hashlib
import json
import os
import secrets
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mnist1d_hf.mnist1d import DATA_VERSION
from mnist1d_hf.recipe import DEFAULT, Recipe
from mnist1d_hf.templates import Templates, digit_templates

DEFAULT_PATH: Final = "mnist1d_data.npz"
_KEY: Final = "mnist1d_hf_key"
_ENDINGS: Final = {".npz", ".pkl", ".pickle"}
_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, EOFError, ValueError)  # what numpy raises for a spoilt archive


class ForeignFileError(ValueError):
    """A file that would be taken for a cache but holds something else; it is left as it is."""


@dataclass(frozen=True)
class NpzCache:
    """The file for one set of arguments.

    Attributes:
        path: Where it is.
        key: Everything that decides its content; stored in it, too.
    """

    path: Path
    key: str

    def load(self) -> dict[str, npt.NDArray[Any]] | None:
        """The arrays by name, or None where there is no file of this key that can be read.

        Raises:
            ForeignFileError: If another program's arrays are in it.
        """
        if not zipfile.is_zipfile(self.path):
            return None
        try:
            with np.load(self.path, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
        except _DAMAGED:
            return None
        if _KEY not in arrays:
            raise ForeignFileError(
                f"path={str(self.path)!r} is a file with the arrays {', '.join(arrays) or 'of nobody'}, not a cache "
                "of MNIST-1D; give another path, or remove it"
            )
        return arrays if str(arrays.pop(_KEY)) == self.key else None

    def store(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Write the file: completely, or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # A name that nobody else has: two processes may store at once, and the last one wins with the same content.
        temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}")
        content: dict[str, Any] = {**arrays, _KEY: np.array(self.key)}
        try:
            with temporary.open("xb") as file:
                np.savez(file, **content)
            os.replace(temporary, self.path)
        finally:
            temporary.unlink(missing_ok=True)


def at(path: str | PathLike[str] | None, recipe: Recipe, templates: Templates) -> NpzCache:
    """The cache of a data set: the default's is ``path`` with the ending ``.npz``, every other's a file beside it."""
    wanted = Path(DEFAULT_PATH if path is None else path)
    stem = wanted.stem if wanted.suffix in _ENDINGS else wanted.name
    key = json.dumps(
        {"data_version": DATA_VERSION, "recipe": asdict(recipe), "templates": _digest(templates)}, sort_keys=True
    )
    frozen = recipe == DEFAULT and _digest(templates) == _digest(digit_templates())
    suffix = "" if frozen else f"-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    return NpzCache(path=wanted.with_name(f"{stem}{suffix}.npz"), key=key)


def _digest(templates: Templates) -> str:
    """SHA-256 of the curves, so that equal ones share a cache."""
    digest = hashlib.sha256()
    for array in (templates.x, templates.t, templates.y):
        digest.update(f"{array.dtype.str}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()

"""Files that `mnist1d_hf.compat.get_dataset` keeps its data sets in: one per set of arguments, without pickle."""

import hashlib
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np

from mnist1d_hf.compat import safe_files
from mnist1d_hf.generator.recipe import DEFAULT
from mnist1d_hf.generator.templates import Templates, digit_templates
from mnist1d_hf.mnist1d import DATA_VERSION

DEFAULT_PATH: Final = "mnist1d_data.npz"
_KEY: Final = "mnist1d_hf_key"
_ENDINGS: Final = {".npz", ".pkl", ".pickle"}
_PARTS: Final = {"x", "x_test", "y", "y_test", "t"}


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

    def load(self) -> dict[str, Any] | None:
        """Returns the data set, or None where there is no file of this key that can be read.

        Raises:
            ForeignFileError: If another program's arrays are in it.
        """
        if not zipfile.is_zipfile(self.path):
            return None
        try:
            arrays = safe_files.read(self.path)
        except ValueError:  # spoilt, or with something inside that is not an array
            return None
        if _KEY not in arrays:
            raise ForeignFileError(
                f"path={str(self.path)!r} is a file with the arrays {', '.join(arrays) or 'of nobody'}, not a cache "
                "of MNIST-1D; give another path, or remove it"
            )
        if str(arrays.pop(_KEY)) != self.key or not arrays.keys() >= _PARTS:
            return None
        return {name: arrays[name] for name in ("x", "x_test", "y", "y_test", "t")}

    def store(self, dataset: Mapping[str, Any]) -> None:
        """Writes the file: completely, or not at all."""
        safe_files.write(self.path, safe_files.pack(dict(dataset)) | {_KEY: np.array(self.key)})


def at(path: str | PathLike[str] | None, described: Mapping[str, Any], templates: Templates) -> NpzCache:
    """Returns the cache of a data set: of the default ``path`` with the ending ``.npz``, of others a file beside it.

    Args:
        path: What the caller named.
        described: The values of the arguments.
        templates: The curves.
    """
    wanted, stem = _stem(path)
    key = json.dumps(
        {"data_version": DATA_VERSION, "recipe": dict(described), "templates": _digest(templates)}, sort_keys=True
    )
    frozen = described == asdict(DEFAULT) and _digest(templates) == _digest(digit_templates())
    suffix = "" if frozen else f"-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    return NpzCache(path=wanted.with_name(f"{stem}{suffix}.npz"), key=key)


def beside(path: str | PathLike[str]) -> list[Path]:
    """Returns the files in which `mnist1d_hf.compat.get_dataset` may have kept data sets for this path."""
    wanted, stem = _stem(path)
    name = re.compile(re.escape(stem) + r"(-[0-9a-f]{16})?\.npz")
    folder = wanted.parent
    found = sorted(file for file in folder.iterdir() if name.fullmatch(file.name)) if folder.is_dir() else []
    return [file for file in found if file != wanted]


def _stem(path: str | PathLike[str] | None) -> tuple[Path, str]:
    wanted = Path(DEFAULT_PATH if path is None else path)
    return wanted, wanted.stem if wanted.suffix in _ENDINGS else wanted.name


def _digest(templates: Templates) -> str:
    """Returns the SHA-256 of the curves, so that equal ones share a cache."""
    digest = hashlib.sha256()
    for array in (templates.x, templates.t, templates.y):
        digest.update(f"{array.dtype.str}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()

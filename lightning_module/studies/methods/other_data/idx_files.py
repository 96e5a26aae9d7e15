"""Images in IDX files, as MNIST and FashionMNIST are handed out: a folder with four files, packed by gzip or not.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", the form of its files.
"""

import gzip
import hashlib
import math
import struct
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mnist1d_hf.stored import file_digest

Array = npt.NDArray[Any]

UINT8: Final = 0x08  # the only kind of number that images and labels come in
MOST: Final = 2**31  # bytes of an array; no such set is nearly as large
NAMES: Final = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def idx_splits(name: str, folder: Path) -> list[tuple[Array, Array]]:
    """Returns images (n, height, width) and labels (n,) of the training split, and then of the test split.

    Args:
        name: What the user calls them, for errors.
        folder: Where the four files are; each may end in .gz.

    Raises:
        ValueError: If a file is missing, or is no such file.
    """
    return [
        (_read(name, _file(name, folder, x), axes=3), _read(name, _file(name, folder, y), axes=1))
        for x, y in NAMES.values()
    ]


def idx_record(folder: Path) -> dict[str, str]:
    """Returns the name of a folder and one SHA-256 of its four files: that of the lines "digest  file".

    Raises:
        ValueError: If a file is missing.
    """
    files = [_file("folder", folder, each) for split in NAMES.values() for each in split]
    lines = "".join(f"{file_digest(file)}  {file.name}\n" for file in files)
    return {"file": folder.name, "sha256": hashlib.sha256(lines.encode()).hexdigest()}


def _file(name: str, folder: Path, wanted: str) -> Path:
    for file in (folder / f"{wanted}.gz", folder / wanted):
        if file.is_file():
            return file
    raise ValueError(
        f"{name}={folder.name!r} is a folder without {wanted} or {wanted}.gz; name one with the four IDX files "
        f"{', '.join(each for split in NAMES.values() for each in split)}, or an npz file"
    )


def _read(name: str, file: Path, *, axes: int) -> Array:
    """Returns the array in a file: a head of four bytes, the length of each axis, and the numbers."""
    where = f"{name}: {file.name}"
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as opened:
            head = opened.read(4 + 4 * axes)
            if len(head) < 4 + 4 * axes or head[:4] != bytes((0, 0, UINT8, axes)):
                raise ValueError(
                    f"{where} begins with {head[:4].hex()}, and must begin with {bytes((0, 0, UINT8, axes)).hex()}: "
                    f"uint8 along {axes} axes"
                )
            shape = struct.unpack(f">{axes}I", head[4:])
            size = math.prod(shape)
            if not 0 < size <= MOST:
                raise ValueError(f"{where} says it has {shape}, and must have 1 to {MOST:,} numbers")
            content = opened.read(size + 1)  # of a file that unpacks to more no more is read
    except (OSError, EOFError) as error:  # also what gzip says of a file that is damaged
        raise ValueError(f"{where} cannot be read: {error}") from error
    if len(content) != size:
        less = "fewer" if len(content) < size else "more"
        raise ValueError(f"{where} has {less} numbers than {shape}, which it says it has; get it anew")
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)

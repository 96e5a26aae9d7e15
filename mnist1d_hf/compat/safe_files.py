"""Values in ``.npz`` files: arrays as they are, what holds them together as a line of JSON, and nothing that can run.

Every file can be read by ``numpy.load(path, allow_pickle=False)``; its arrays have the names of the dictionary's keys.
"""

import io
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mnist1d_hf.atomic import replace
from mnist1d_hf.compat.arguments import ObjectView

STRUCTURE: Final = "mnist1d_hf_structure"  # the array that holds the JSON
DAMAGED: Final = (zipfile.BadZipFile, zlib.error, EOFError, ValueError)  # what numpy raises for a spoilt archive
_DEEPEST: Final = 100  # containers within each other
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_ZIP, _NPY = (b"PK\x03\x04", b"PK\x05\x06"), b"\x93NUMPY"

Arrays = dict[str, npt.NDArray[Any]]


class UnsafeFileError(ValueError):
    """A file that is not plain arrays, and that to read could mean to run code; it was not read."""


def pack(thing: Any) -> Arrays:
    """Returns the arrays of a value, and one more, from which `unpack` makes the same value again.

    Raises:
        TypeError: If there is something in it that is neither plain Python nor an array; the message says where.
    """
    arrays: Arrays = {}
    structure = json.dumps(_packed(thing, "", arrays, 0))
    return arrays | {STRUCTURE: np.array(structure.encode("ascii"))}


def unpack(arrays: Arrays) -> Any:
    """Returns the value that was packed; of a file without a structure the arrays by name.

    Raises:
        ValueError: If the structure is not one that `pack` writes.
    """
    if STRUCTURE not in arrays:
        return dict(arrays)
    try:
        return _unpacked(json.loads(bytes(arrays[STRUCTURE][()])), arrays)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"its array {STRUCTURE!r} does not fit the others; write the file again") from error


def read(path: Path) -> Arrays:
    """Returns the arrays of an ``.npz`` or ``.npy`` file by name; that of the latter is called "".

    Raises:
        UnsafeFileError: If the file is another, such as a pickle.
        ValueError: If it is damaged.
    """
    with path.open("rb") as file:
        start = file.read(len(_NPY))
    if start != _NPY and not start.startswith(_ZIP):
        raise UnsafeFileError(f"{str(path)!r} is not a file of arrays. If it is a pickle, to read it can run any code")
    try:
        if start == _NPY:
            return {"": np.load(path, allow_pickle=False)}
        with np.load(path, allow_pickle=False) as stored:
            members = {name: stored[name] for name in stored.files}
    except DAMAGED as error:
        if "allow_pickle" in str(error):
            raise UnsafeFileError(f"{str(path)!r} has a pickle inside: an array of Python objects") from error
        raise ValueError(f"{str(path)!r} is damaged ({error}); write it again") from error
    for name, member in members.items():
        if not isinstance(member, np.ndarray):  # numpy hands out the bytes of what is no array
            raise UnsafeFileError(f"{str(path)!r} holds {name!r}, which is not an array, but may be a pickle")
    return members


def write(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Writes the file: completely, or not at all.

    Raises:
        ValueError: If an array holds Python objects.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, partial(_write, arrays=arrays))


def _write(path: Path, *, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asanyarray(array), allow_pickle=False)
            archive.writestr(f"{name}.npy", content.getbuffer())


def _packed(thing: Any, place: str, arrays: Arrays, depth: int) -> Any:
    """Returns the JSON of a value, whose arrays join ``arrays``: plain values as they are, others as a tagged entry."""
    kind = type(thing)
    if thing is None or kind in (bool, int, float, str):
        return thing
    if depth > _DEEPEST:
        raise TypeError(f"{_at_place(place)} lies more than {_DEEPEST} containers deep; does it contain itself?")
    if kind is np.ndarray or isinstance(thing, np.generic):
        if thing.dtype.hasobject:
            raise TypeError(
                f"{_at_place(place)} is an array of Python objects; give it a plain dtype, or make it a list"
            )
        name = _free_name(place, arrays)
        arrays[name] = np.asarray(thing)
        return {"array" if kind is np.ndarray else "number": name}
    if kind is complex:
        return {"complex": [thing.real, thing.imag]}
    if kind is bytes:
        return {"bytes": thing.hex()}
    if kind in (list, tuple, set):
        parts = [_packed(part, f"{place}/{row}", arrays, depth + 1) for row, part in enumerate(thing)]
        return {kind.__name__: parts}
    if kind in (dict, ObjectView):
        entries = thing if kind is dict else vars(thing)
        pairs = [
            [_packed(key, place, arrays, depth + 1), _packed(value, f"{place}/{key}", arrays, depth + 1)]
            for key, value in entries.items()
        ]
        return {"dict" if kind is dict else "view": pairs}
    raise TypeError(
        f"{_at_place(place)} is a {kind.__module__}.{kind.__qualname__}, and only arrays, numbers, texts, None and "
        "lists, tuples, sets and dictionaries of these are kept without a pickle; turn it into one of them, a tensor "
        "by .numpy(), a model by its arrays"
    )


def _unpacked(node: Any, arrays: Arrays) -> Any:
    if node is None or isinstance(node, (bool, int, float, str)):
        return node
    ((kind, content),) = node.items()
    if kind == "array":
        return arrays[content]
    if kind == "number":
        return arrays[content][()]
    if kind == "complex":
        return complex(*content)
    if kind == "bytes":
        return bytes.fromhex(content)
    if kind in ("list", "tuple", "set"):
        return {"list": list, "tuple": tuple, "set": set}[kind](_unpacked(part, arrays) for part in content)
    if kind in ("dict", "view"):
        entries = {_unpacked(key, arrays): _unpacked(value, arrays) for key, value in content}
        return entries if kind == "dict" else ObjectView(entries)
    raise ValueError(f"unknown entry {kind!r}")


def _at_place(place: str) -> str:
    return f"the value at {place!r}" if place else "the value"


def _free_name(place: str, arrays: Arrays) -> str:
    """Returns the place as a name where it can be one, as for the keys of a data set; else a number."""
    name = place.strip("/")
    if all(_NAME.fullmatch(part) for part in name.split("/")) and name not in arrays and name != STRUCTURE:
        return name
    return next(name for name in (f"array_{number}" for number in count(len(arrays))) if name not in arrays)

"""`result.json`, the head of a result: its schema, so that whatever stands in one is used as meant, or refused."""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from lightning_module.studies.framework.records.json_files import read_json

FORMAT: Final = 3  # 2: digests of the files; 3: what each cell came to
OLDER: Final = 2  # still read
KINDS: Final = ("bool", "int", "float", "str")
_LONGEST: Final = 100  # characters of the name of a table, which becomes one of a file
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class NoResultError(ValueError):
    """A folder holds no result."""


class DamagedResultError(ValueError):
    """The files of a result are not those that were saved."""


@dataclass(frozen=True)
class CellSeal:
    """The seal of a cell: what it contributed to a result.

    Attributes:
        name: The cell's.
        rows: How many rows of which tables, which stand after those of the cells before.
        arrays: The names of its arrays.
        data: The labels of its data.
        seconds: How long it took.
        processor: What computed it; empty if that was not recorded.
        sha256: The digest of all that with the content, see `seal_of`.
    """

    name: str
    rows: dict[str, int]
    arrays: list[str]
    data: list[str]
    seconds: float
    processor: str
    sha256: str


def check_name(name: object) -> str:
    """Returns the name of a table, if a file can have it everywhere.

    Raises:
        ValueError: If not.
    """
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST or not name.isprintable():
        raise ValueError(f"table {name!r:.200} must have a printable name of 1 to {_LONGEST} characters")
    if name.startswith(".") or name != name.strip() or set(name) & set('/\\:*?"<>|'):
        raise ValueError(
            f"table {name!r} must have a name that a file can have: no slash, colon, star, quotation mark, angle "
            "bracket or bar, no dot or space at its beginning"
        )
    return name


def read_head(folder: Path) -> dict[str, Any]:
    """Returns `result.json` of a folder, every part of the type that it should have.

    Raises:
        NoResultError: If there is none.
        DamagedResultError: If it is not one that this program writes.
        ValueError: If it has another format.
    """
    file = folder / "result.json"
    if not file.is_file():
        raise NoResultError(f"folder={str(folder)!r} holds no result.json; run the study first")
    try:
        head = read_json(file)
    except ValueError as error:
        raise DamagedResultError(f"{error}; run the study again") from error
    if head.get("format") not in (FORMAT, OLDER) or isinstance(head["format"], bool | float):
        raise ValueError(
            f"{file} has format {str(head.get('format'))[:40]}, and this version reads {OLDER} and {FORMAT}; "
            "run the study again"
        )
    schema = _SCHEMA | ({"cells": _cells} if head["format"] == FORMAT else {})
    for name, fits in schema.items():
        if name not in head:
            raise DamagedResultError(f"{file} has no {name!r}; run the study again")
        if not fits(head[name]):
            raise DamagedResultError(f"{file}: {name!r} is not what it should be; run the study again")
    if unknown := head.keys() - schema.keys() - {"format"}:
        raise DamagedResultError(f"{file} has {min(unknown)!r:.60}, which this program does not write")
    expected = {f"{name}.csv" for name in head["tables"]} | ({"arrays.npz"} if head["arrays"] else set())
    if set(head["files"]) != expected:
        raise DamagedResultError(
            f"{file} has digests of {', '.join(sorted(head['files'])) or 'no file'}, and its tables and arrays are in "
            f"{', '.join(sorted(expected)) or 'no file'}; run the study again"
        )
    return head


def seals(head: dict[str, Any]) -> list[CellSeal]:
    """Returns the seals of the cells; none of a result in the older format."""
    return [CellSeal(**entry) for entry in head.get("cells", [])]


def as_entries(cells: list[CellSeal]) -> list[dict[str, Any]]:
    """Returns the entries of `result.json` that `seals` reads."""
    return [asdict(cell) for cell in cells]


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _object(of: Callable[[Any], bool], names: Callable[[str], bool] = lambda _: True) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(names(name) and of(entry) for name, entry in value.items())


def _list(of: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(of, value)) and len(value) == len(set(map(repr, value)))


def _table_name(value: str) -> bool:
    try:
        check_name(value)
    except ValueError:
        return False
    return True


def _is_any_value(_: Any) -> bool:
    return True


def _provenance(value: Any) -> bool:
    numbers = ("wall_seconds", "cell_seconds")
    return isinstance(value, dict) and all(_number(value[name]) for name in numbers if name in value)


_CELL: Final[dict[str, Callable[[Any], bool]]] = {
    "name": _text,
    "rows": _object(_count, _table_name),
    "arrays": _list(_text),
    "data": _list(_text),
    "seconds": _number,
    "processor": _text,
    "sha256": _digest,
}


def _cells(value: Any) -> bool:
    return _list(
        lambda entry: (
            isinstance(entry, dict)
            and entry.keys() == _CELL.keys()
            and all(fits(entry[name]) for name, fits in _CELL.items())
        )
    )(value)


_SCHEMA: Final[dict[str, Callable[[Any], bool]]] = {
    "study": _text,
    "preset": _text,
    "config": _object(_is_any_value),
    "tables": _object(_object(lambda kind: kind in KINDS if isinstance(kind, str) else False), _table_name),
    "arrays": _list(_text),
    "files": _object(_digest),
    "data": _object(_is_any_value),
    "versions": _object(_text),
    "claims_sha256": _text,
    "provenance": _provenance,
}

"""JSON that somebody else may have written, or half of it, read as data: each name once, and no NaN."""

import json
from typing import Any


def parsed_json(content: bytes) -> Any:
    """Returns the value that a JSON text stands for.

    Raises:
        ValueError: If it is no JSON in UTF-8, is nested too deeply, or has NaN or a name twice in an object.
    """
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_constant, object_pairs_hook=_each_name_once)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _constant(name: str) -> float:
    if name == "NaN":
        raise ValueError("NaN is no number")
    return float(name)


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return found

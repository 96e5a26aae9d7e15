"""JSON that somebody else may have written, or half of it: read as data, or an error that names the file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from mnist1d_hf.strict_json import parsed_json

MOST_BYTES: Final = 64 * 2**20  # the largest record of the packaged studies has 0.1 MB


def read_json(file: Path, *, most: int = MOST_BYTES) -> dict[str, Any]:
    """Returns the object in a JSON file.

    Raises:
        ValueError: If the file is none, is too large, or holds something else, NaN or a name twice.
    """
    if not file.is_file():
        raise ValueError(f"{file} is no file")
    if (size := file.stat().st_size) > most:
        raise ValueError(f"{file} has {size:,} bytes, and may have {most:,} at most")
    try:
        found = parsed_json(file.read_bytes())
    except ValueError as error:
        raise ValueError(f"{file} is no JSON that this program writes, or only a part of it: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{file} must hold an object, and holds a {type(found).__name__}")
    return found


def as_json(value: Any) -> Any:
    """Returns a value as it is after being written as JSON and read again; NumPy's numbers are numbers, NaN is None."""
    if isinstance(value, Mapping):
        return {str(name): as_json(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and value != value else value


def canonical(value: Any) -> bytes:
    """Returns the one text that equal values have."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

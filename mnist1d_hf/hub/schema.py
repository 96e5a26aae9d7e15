"""What may stand in a repository: schemas of what this package writes there, checked before any of it is used.

Everything that comes from a repository, or from a folder that may be a copy of one, is data that somebody else wrote.
What a schema does not allow is a `ContentError`, on one line, whatever is wrong with it.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

import jsonschema

from mnist1d_hf.generator.columns import LATENT_TYPES
from mnist1d_hf.generator.recipe import FLAGS, INTEGER_BOUNDS, LONGEST_SIGNAL, REAL_BOUNDS, STREAMS
from mnist1d_hf.one_line import one_line

Schema = Mapping[str, Any]

MOST_VALUES: Final = 30_000  # in a header, aliases counted as often as they stand there
DEEPEST: Final = 30
LARGEST_INTEGER: Final = 2**63
MOST_CONFIGS: Final = 2_000

CONFIG_NAME: Final = r"\A[A-Za-z0-9][A-Za-z0-9._-]*\Z"  # what a push accepts
VERSION_NUMBER: Final = r"\A[0-9]+\.[0-9]+\.[0-9]+\Z"
SHA256: Final[Schema] = {"type": "string", "pattern": r"\A[0-9a-f]{64}\Z"}
VERSION: Final[Schema] = {"type": "string", "pattern": VERSION_NUMBER, "maxLength": 100}
LINE: Final[Schema] = {"type": "string", "maxLength": 2_000}
# A file in the repository, or a pattern of such: nothing outside of it, and no address.
PATH: Final[Schema] = {
    "type": "string",
    "pattern": r"\A(?![/~])(?!(?:.*/)?\.\.(?:/|\Z))(?!.*(?:://|::|\\))[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,500}\Z",
}
_PATHS: Final[Schema] = {"anyOf": [PATH, {"type": "array", "items": PATH, "maxItems": 10_000}]}
DATA_FILES: Final[Schema] = {
    "anyOf": [
        PATH,
        {"type": "array", "items": PATH, "maxItems": 10_000},
        {
            "type": "array",
            "maxItems": 1_000,
            "items": {
                "type": "object",
                "properties": {"split": {"type": "string", "pattern": r"\A\w+(\.\w+)*\Z"}, "path": _PATHS},
                "required": ["split", "path"],
                "additionalProperties": False,
            },
        },
    ]
}


def _by_split(schema: Schema) -> Schema:
    return {"type": "object", "properties": {"train": schema, "test": schema}, "additionalProperties": False}


RECIPE: Final[Schema] = {
    "type": "object",
    "properties": {
        **{name: {"type": "integer", "minimum": low, "maximum": high} for name, (low, high) in INTEGER_BOUNDS.items()},
        **{name: {"type": "number", "minimum": low, "maximum": high} for name, (low, high) in REAL_BOUNDS.items()},
        **{name: {"type": "boolean"} for name in FLAGS},
        "padding": {
            "type": "array",
            "items": {"type": "integer", "minimum": 0, "maximum": LONGEST_SIGNAL},
            "minItems": 2,
            "maxItems": 2,
        },
    },
    "additionalProperties": False,
}
# Files of a repository, as `mnist1d_hf.stored` writes them.
FILES: Final[Schema] = {
    "type": "array",
    "maxItems": 10_000,
    "items": {
        "type": "object",
        "properties": {
            "path": PATH,
            "sha256": SHA256,
            "size": {"type": "integer", "minimum": 0},
            "git_sha1": {"type": "string", "pattern": r"\A[0-9a-f]{40}\Z"},
        },
        "required": ["path", "sha256"],
    },
}
# How one config was made, see `mnist1d_hf.hub.card_records`. Keys that a later version adds are left to it.
RECORD: Final[Schema] = {
    "type": "object",
    "properties": {
        "config_name": {"type": "string", "pattern": CONFIG_NAME, "maxLength": 200},
        "version": VERSION,
        "description": LINE,
        "stream": {"enum": list(STREAMS)},
        "latents": {"type": "boolean"},
        "recipe": RECIPE,
        "examples": _by_split({"type": "integer", "minimum": 0, "maximum": INTEGER_BOUNDS["num_samples"][1]}),
        "digests": _by_split(
            {
                "type": "object",
                "properties": dict.fromkeys(("x", "y", "y_clean", *LATENT_TYPES), SHA256),
                "additionalProperties": False,
            }
        ),
        "population": {"type": "array", "items": {"type": "number"}, "maxItems": 2},
        "files": FILES,
        "shards": PATH,
        "data_files": {
            "type": "array",
            "maxItems": 1_000,
            "items": {
                "type": "object",
                "properties": {"split": {"enum": ["train", "test"]}, "path": PATH},
                "required": ["split", "path"],
            },
        },
    },
    "required": ["config_name", "version"],
}
# A config as a card names it for datasets, ours or somebody else's.
CONFIG: Final[Schema] = {
    "type": "object",
    "properties": {
        "config_name": {"type": "string", "pattern": r"\A[^\x00-\x1f\x7f-\x9f\u2028\u2029<>:/\\|?*]{1,200}\Z"},
        "data_files": DATA_FILES,
        "data_dir": PATH,
    },
    "required": ["config_name"],
}


class ContentError(ValueError):
    """What a repository or folder holds is not what it says, or nothing that can be used; one line says what."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class IncompleteError(ContentError):
    """A record of ours lacks something that the content would have to be compared with."""


def checked(value: Any, schema: Schema, what: str) -> Any:
    """Returns the value, once it is known to be what the schema allows.

    Args:
        value: As it was parsed from YAML or JSON.
        schema: A JSON schema.
        what: What to call the value in a message.

    Raises:
        ContentError: If it is not.
    """
    check_extent(value, what)
    for place, part in _parts(value):
        if problem := _strange(part):
            raise ContentError(f"{what}: {place or 'it'} {problem}")
    error = jsonschema.exceptions.best_match(_Validator(schema).iter_errors(value))
    if error is not None:
        place = ".".join(map(str, error.absolute_path))
        raise ContentError(f"{what}: {place + ': ' if place else ''}{_explained(error)}")
    return value


def check_extent(value: Any, what: str) -> None:
    """Refuses what is nested too deeply, is endless, or becomes too much when its aliases are written out.

    Raises:
        ContentError: If it is one of these.
    """
    waiting = [(value, 0)]
    count = 0
    while waiting:
        part, depth = waiting.pop()
        count += 1
        if depth > DEEPEST or count > MOST_VALUES:
            raise ContentError(
                f"{what}: it is nested more than {DEEPEST} deep, or has more than {MOST_VALUES:,} values"
            )
        if isinstance(part, Mapping):
            waiting += [(inner, depth + 1) for pair in part.items() for inner in pair]
        elif isinstance(part, list | tuple | set | frozenset):
            waiting += [(inner, depth + 1) for inner in part]


def _parts(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    yield place, value
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                yield f"{place} key {key!r}".strip(), key
            yield from _parts(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _parts(inner, f"{place}.{number}" if place else str(number))


def _strange(part: Any) -> str:
    """Returns what makes a single value unusable, whatever the schema says; empty if nothing does."""
    if part is None or isinstance(part, bool | Mapping | list):
        return ""
    if isinstance(part, str):
        return "is no text that can be written" if any("\ud800" <= c <= "\udfff" for c in part) else ""
    if isinstance(part, int):
        return "" if abs(part) < LARGEST_INTEGER else "is too large a number"
    if isinstance(part, float):
        return "" if math.isfinite(part) else f"is {part}, which is no number"
    return f"is a {type(part).__name__}, and only texts, numbers, true, false, lists and mappings are allowed"


def _is_integer(_: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)  # JSON Schema takes 1.0 for one


_Validator: Final[Any] = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


def _explained(error: jsonschema.ValidationError) -> str:
    """Returns what is wrong, without repeating a value of any length."""
    value = one_line(repr(error.instance), 80)
    allowed = one_line(error.validator_value, 200)
    return {
        "type": f"{value} must be of the type {allowed}",
        "pattern": f"{value} is not allowed there",
        "enum": f"{value} must be one of {allowed}",
        "minimum": f"{value} must be at least {allowed}",
        "exclusiveMinimum": f"{value} must be above {allowed}",
        "maximum": f"{value} must be at most {allowed}",
        "maxLength": f"{value} is longer than {allowed} characters",
        "maxItems": f"it has more than {allowed} entries",
        "maxProperties": f"it has more than {allowed} entries",
        "minItems": f"it has fewer than {allowed} entries",
        "additionalProperties": f"{one_line(error.message, 200)}; a later version of mnist1d-hf may know it",
    }.get(str(error.validator), one_line(error.message, 200))

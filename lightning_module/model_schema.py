"""What may stand in a repository of a classifier: its configuration, and the record in its card."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from lightning_module.hyper_parameters import OWN_MODULE
from lightning_module.networks import NETWORKS
from mnist1d_hf.hub.schema import FILES, LINE, SHA256, ContentError, Schema, checked
from mnist1d_hf.one_line import one_line
from mnist1d_hf.strict_json import parsed_json

LARGEST_CONFIG: Final = 2**18  # bytes

_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
# What `Classifier` is made with, but for the network. The sizes have no upper bound of their own: they are compared
# with the weights' before anything of that size is made.
ARGUMENTS: Final[Schema] = {
    "type": "object",
    "properties": {
        "lr": {"type": "number", "exclusiveMinimum": 0},
        "length": {"type": "integer", "minimum": 3},
        "num_classes": {"type": "integer", "minimum": 2},
        "steps_per_execution": {"anyOf": [{"enum": ["auto"]}, {"type": "integer", "minimum": 1}]},
    },
}
# What `mnist1d model push` writes into the card's header, but for the network.
RECORD: Final[Schema] = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("path", "config_id", "version", "protocol", "selection", "code_version"), LINE),
        "accuracy": {"type": "number", "minimum": 0, "maximum": 1},
        "test_examples": {"type": "integer", "minimum": 1},
        "steps": _COUNT,
        "epochs": _COUNT,
        "classes": {"type": "array", "items": _COUNT},  # where only some were trained and tested on
        "sha256": SHA256,
        "files": FILES,
    },
    "required": ["config_id", "network", "accuracy", "sha256"],
}


def checked_record(record: Mapping[str, Any] | None, where: str) -> Mapping[str, Any] | None:
    """Returns the record of a classifier in a card; None if there is none.

    Raises:
        ContentError: If it is not what `mnist1d model push` writes.
    """
    return None if record is None else checked(record, _with_network(RECORD), f"the record in the card of {where}")


def arguments_of(config: bytes, constructor: Callable[..., Any], where: str) -> dict[str, Any]:
    """Returns the arguments of a classifier that config.json records.

    Args:
        config: The file's content.
        constructor: What is to be called with it.
        where: What to call the repository in a message.

    Raises:
        ContentError: If it says something else.
    """
    what = f"config.json of {where}"
    try:
        found = parsed_json(config)
    except ValueError as error:
        raise ContentError(f"{what} is no JSON that can be read ({one_line(error, 200)}); tell its owner") from None
    checked(found, _with_network(ARGUMENTS), what)
    parameters = inspect.signature(constructor).parameters.values()
    if not any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
        known = {parameter.name for parameter in parameters}
        if unknown := sorted(found.keys() - known):
            raise ContentError(
                f"{what} has {unknown[0]!r}, which is no argument of this class here; a later version of mnist1d-hf, "
                "or the class that wrote it, may know it"
            )
    return dict(found)


def _with_network(schema: Schema) -> Schema:
    """Returns the schema with the networks that are known now: a name chooses one of them, and nothing else."""
    own = {"type": "string", "pattern": rf"\A{OWN_MODULE}\w+\Z", "maxLength": 200}
    return {**schema, "properties": {**schema["properties"], "network": {"anyOf": [{"enum": sorted(NETWORKS)}, own]}}}

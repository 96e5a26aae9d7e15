"""The options that change a config: the numbers of its recipe, its stream and its columns."""

from dataclasses import fields
from typing import Annotated, Any

import docstring_parser

from lightning_module.commands.options import MoreOptions, StrictOptions
from mnist1d_hf import Recipe
from mnist1d_hf.generator.recipe import Stream


def add_numbers(parser: StrictOptions) -> None:
    """Adds options for the numbers of a recipe to a parser; what is not given stays as in the config."""
    meaning = {entry.arg_name: entry.description for entry in docstring_parser.parse(Recipe.__doc__ or "").params}
    for field in fields(Recipe):
        flags = {f"--{field.name.replace('_', '-')}", f"--{field.name}"}
        kind: Any = field.type | None  # type: ignore[operator]  # the fields' types are classes, not strings
        parser.add_argument(*sorted(flags), type=kind, default=None, help=meaning[field.name])
    parser.add_argument(
        "--stream", type=Stream | None, default=None, help="which random stream; the config's own if not given"
    )
    parser.add_argument("--latents", type=bool | None, default=None, help="whether latents are columns")


Config = Annotated[str, "name of a config; see mnist1d data list"]
Numbers = Annotated[Any, MoreOptions(add_numbers, first=True)]

"""The data of the page as a file, made in memory when it is asked for: nothing is written here."""

import io
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from lightning_module.explorer.make.fields import ALL, NAMES, recipe_of, values_of
from lightning_module.explorer.parse import choice
from mnist1d_hf import RECIPES, Recipe, make_mnist1d
from mnist1d_hf.generator.columns import features_of, table_of
from mnist1d_hf.generator.recipe import RecipeError

MOST: Final = 60_000  # examples of a file
MOST_POINTS: Final = 6_000_000
KINDS: Final = {"parquet": "application/vnd.apache.parquet", "csv": "text/csv"}
SPLITS: Final = ("train", "test")


def query(config: str, values: Sequence[Any]) -> dict[str, str]:
    """Returns the form as names and texts: what differs from the named config."""
    usual = values_of(config)
    texts = {name: _text(value) for name, value, was in zip(NAMES, values, usual, strict=True) if value != was}
    return {"config": config, **texts}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def from_query(given: Sequence[tuple[str, str]]) -> tuple[Recipe, str, str]:
    """Returns recipe, stream and split that a query asks for.

    Raises:
        ValueError: If it has an unknown name, or a value that is not allowed.
    """
    parsers = {field.name: field.parse for field in ALL}
    parsers |= {"config": choice(list(RECIPES)), "split": choice(SPLITS)}
    values: dict[str, Any] = {"config": "default", "split": "train"}
    for name, text in given:
        if name not in parsers:
            raise ValueError(f"{name!r} is no number of a recipe")
        try:
            values[name] = parsers[name](text)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    usual = dict(zip(NAMES, values_of(values["config"]), strict=True))
    recipe, stream = recipe_of([values.get(name, usual[name]) for name in NAMES])
    return recipe, stream, values["split"]


def file(recipe: Recipe, stream: str, split: str, kind: str) -> bytes:
    """Returns a split as Parquet or CSV, x in single precision; its numbers are those of `load_dataset`.

    Raises:
        RecipeError: If it is too much for a page.
    """
    if recipe.num_samples > MOST or recipe.num_samples * recipe.final_seq_length > MOST_POINTS:
        raise RecipeError(
            f"num_samples={recipe.num_samples} are too many to be downloaded here; use the code, or lower num_samples"
        )
    part = getattr(make_mnist1d(recipe, stream=stream), split)
    features = features_of(recipe, False)
    table = table_of(part, features)
    written = io.BytesIO()
    if kind == "parquet":
        pyarrow.parquet.write_table(table, written)
    else:
        pyarrow.csv.write_csv(_wide(table), written)
    return written.getvalue()


def _wide(table: pa.Table) -> pa.Table:
    """Returns a column for each point of x: CSV has no lists."""
    x = table["x"].combine_chunks()
    length = len(x[0]) if len(x) else 0
    flat = x.flatten()
    columns = {name: table[name] for name in table.column_names if name != "x"}
    columns |= {f"x{point}": flat.take(pa.array(range(point, len(flat), length))) for point in range(length)}
    return pa.table(columns)

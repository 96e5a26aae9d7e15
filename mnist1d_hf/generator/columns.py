"""Between NumPy arrays and Arrow columns, without copying, and digests of what the columns hold."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

import datasets
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mnist1d_hf.generator.arrays import Split
from mnist1d_hf.generator.recipe import Recipe
from mnist1d_hf.generator.templates import NUM_CLASSES

LATENT_TYPES: Final[Mapping[str, str]] = {
    "padding": "int64",
    "scale": "float32",
    "shift": "int64",
    "shear": "float32",
}

Array = npt.NDArray[Any]


def features_of(recipe: Recipe, latents: bool) -> datasets.Features:
    """Returns the columns of a config: x and y, y_clean where labels are noisy, the latents where asked for."""
    label = datasets.ClassLabel(names=[str(digit) for digit in range(NUM_CLASSES)])
    columns = {"x": datasets.List(datasets.Value("float32"), length=recipe.final_seq_length), "y": label}
    if recipe.label_noise > 0:
        columns["y_clean"] = label
    if latents:
        columns.update({name: datasets.Value(kind) for name, kind in LATENT_TYPES.items()})
    return datasets.Features(columns)


def table_of(split: Split, features: datasets.Features) -> pa.Table:
    """Returns an Arrow table of the examples; x in single precision shares memory with the table."""
    sources: dict[str, Array] = {"x": split.x, "y": split.y, "y_clean": split.y_clean}
    sources.update(split.latents.columns() if split.latents else {})
    schema = features.arrow_schema
    return pa.table([_arrow_array(sources[field.name], field.type) for field in schema], schema=schema)


def _arrow_array(values: Array, kind: pa.DataType) -> pa.Array:
    if not pa.types.is_fixed_size_list(kind):
        return pa.array(values, type=kind)
    flat = np.ascontiguousarray(values, dtype=kind.value_type.to_pandas_dtype()).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), type=kind)


def as_numpy(dataset: datasets.Dataset) -> dict[str, Array]:
    """Returns the columns of a data set as read-only arrays: x ``(n, length)``, y ``(n,)`` and whatever else there is.

    Nothing is copied as long as the rows lie in one piece; they do unless they were shuffled, selected or filtered, or
    are more than the builder writes at a time.

    Args:
        dataset: One split, as loaded or after any operation of the datasets library.

    Raises:
        ValueError: If it is no `Dataset`, or a column holds neither numbers nor equally long lists of them.
    """
    if not isinstance(dataset, datasets.Dataset):
        raise ValueError(
            f"dataset must be one split, a datasets.Dataset, but is a {type(dataset).__name__}"
            + ('; pick a split, ds["train"]' if isinstance(dataset, dict) else "")
        )
    table = dataset.with_format("arrow")[:]
    return {name: _read_only(_numpy_column(name, table.column(name))) for name in table.column_names}


def _numpy_column(name: str, column: pa.ChunkedArray) -> Array:
    chunks = [_numpy_chunk(name, chunk) for chunk in column.chunks if len(chunk)]
    if not chunks:
        return _empty_array(name, column.type)
    if len(chunks) == 1:
        return chunks[0]
    if len({chunk.shape[1:] for chunk in chunks}) > 1:
        raise ValueError(f"column {name!r} holds lists of different lengths; it is no matrix")
    return np.concatenate(chunks)


def _numpy_chunk(name: str, chunk: pa.Array) -> Array:
    if _is_number(chunk.type):
        return np.asarray(chunk.to_numpy(zero_copy_only=not chunk.null_count))
    if not _is_list(chunk.type):
        raise _no_numbers(name, chunk.type)
    if chunk.null_count:  # flatten() leaves these rows out
        raise ValueError(f"column {name!r} has {chunk.null_count} rows without a list; drop them: ds.filter(...)")
    if not pa.types.is_fixed_size_list(chunk.type) and len(chunk.value_lengths().unique()) > 1:
        raise ValueError(f"column {name!r} holds lists of different lengths; it is no matrix")
    flat = _numpy_chunk(name, chunk.flatten())
    return flat.reshape(len(chunk), -1, *flat.shape[1:])


def _empty_array(name: str, kind: pa.DataType) -> Array:
    if _is_number(kind):
        return np.empty(0, dtype=kind.to_pandas_dtype())
    if not _is_list(kind):
        raise _no_numbers(name, kind)
    inner = _empty_array(name, kind.value_type)
    length = kind.list_size if pa.types.is_fixed_size_list(kind) else 0
    return np.empty((0, length, *inner.shape[1:]), dtype=inner.dtype)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _no_numbers(name: str, kind: pa.DataType) -> ValueError:
    return ValueError(f"column {name!r} of type {kind} is no array of numbers; drop it: ds.remove_columns({name!r})")


def _read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array


def column_digests(tables: Iterable[pa.Table]) -> dict[str, str]:
    """Returns the SHA-256 of each column's values, little-endian and row by row, however they are cut into chunks."""
    digests: dict[str, Any] = {}
    for table in tables:
        for name in table.column_names:
            digest = digests.setdefault(name, hashlib.sha256())
            for chunk in table.column(name).chunks:
                if len(chunk):
                    values = _numpy_chunk(name, chunk)
                    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
                    digest.update(np.ascontiguousarray(little).data)
    return {name: digest.hexdigest() for name, digest in digests.items()}

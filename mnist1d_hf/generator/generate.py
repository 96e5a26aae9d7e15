"""`make_mnist1d` and `make_slice`: what users call; they check the input and choose the stream."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mnist1d_hf.checks import enough_memory, flag, kind_of, shown, whole_number
from mnist1d_hf.generator.arrays import MNIST1DArrays, Split
from mnist1d_hf.generator.draws import SPLIT_KEYS
from mnist1d_hf.generator.fast_stream import FastStream, make_fast
from mnist1d_hf.generator.recipe import Recipe, RecipeError, Stream, checked_stream, named_recipe, nearest
from mnist1d_hf.generator.reference_stream import make_reference
from mnist1d_hf.generator.templates import Templates, digit_templates

FURTHEST: Final = 10**15  # example of a stream; block numbers stay far inside 64 bits
# Bytes of each number of x at the least: single precision; or double, raw and normalised at the same time.
SINGLE: Final = 4
DOUBLES: Final = 16
STAGES: Final = 5  # that a trace keeps at about the dilated length


def make_mnist1d(
    recipe: str | Recipe = "default",
    *,
    stream: str | None = None,
    trace: bool = False,
    latents: bool = False,
    dtype: npt.DTypeLike | None = None,
    templates: Templates | None = None,
    **changes: Any,
) -> MNIST1DArrays:
    """Returns MNIST-1D or any variant of it as arrays; the caller's random state is neither read nor written.

    ``make_mnist1d()`` is the frozen 2020 data set: x ``(4000, 40)`` and ``(1000, 40)``, float64.

    Args:
        recipe: Name of a config, or a recipe.
        stream: "reference" draws as the reference package does, one example after the other; "fast" draws in blocks
            that can each be made alone (`make_slice`). By default what the config says, else "reference".
        trace: Whether to return the raw signals after every stage.
        latents: Whether to return each example's padding, scale, shift and shear.
        dtype: Precision of x and t; by default that of the stream, float64 for "reference", float32 for "fast".
        templates: Other curves than the ten digits; for the reference stream only.
        **changes: Fields of the recipe and their values, ``iid_noise_scale=0.1``.

    Raises:
        RecipeError: If a name is unknown or a value not allowed.

    Source: Greydanus & Kobak (2024), "Scaling Down Deep Learning with MNIST-1D", ICML.
    """
    chosen, stream = chosen_recipe(recipe, stream, changes, templates)
    trace = flag("trace", trace, error=RecipeError)
    latents = flag("latents", latents, error=RecipeError)
    latents = latents or (isinstance(recipe, str) and named_recipe(recipe).latents)
    precision = None if dtype is None else _precision(dtype)
    _check_memory(chosen, stream, sum(chosen.split_sizes(stream).values()), trace)
    if stream == "reference":
        arrays = make_reference(chosen, templates or digit_templates(), trace, latents)
    else:
        arrays = make_fast(chosen, trace, latents)
    return arrays if precision is None else arrays.astype(precision)


def chosen_recipe(
    recipe: str | Recipe, stream: str | None, changes: Mapping[str, Any], templates: Templates | None = None
) -> tuple[Recipe, Stream]:
    """Returns the recipe and the stream that the arguments of `make_mnist1d` mean.

    Raises:
        RecipeError: If a name is unknown or a value not allowed.
    """
    named = named_recipe(recipe) if isinstance(recipe, str) else None
    chosen = (named.recipe if named else _checked_recipe(recipe)).replace(**changes)
    of_stream = checked_stream((named.stream if named else "reference") if stream is None else stream)
    if templates is not None and of_stream != "reference":
        raise RecipeError("templates= is for stream='reference'; the fast stream makes the ten digits only")
    if templates is not None and not isinstance(templates, Templates):
        raise RecipeError(f"templates={shown(templates)} must be Templates, as digit_templates() returns them")
    return chosen, of_stream


def make_slice(
    recipe: str | Recipe,
    split: str,
    start: int,
    stop: int,
    *,
    trace: bool = False,
    latents: bool = False,
    **changes: Any,
) -> Split:
    """Returns examples ``start`` to ``stop`` of one split of the fast stream, x float32 ``(stop - start, length)``.

    They are the same rows, bit for bit, whichever slice they are asked for in. The stream has no end: a slice may lie
    beyond the recipe's ``num_samples``.

    Args:
        recipe: Name of a config, or a recipe.
        split: "train" or "test".
        start: First example.
        stop: The one after the last.
        trace: Whether to return the raw signals after every stage.
        latents: Whether to return each example's padding, scale, shift and shear.
        **changes: Fields of the recipe and their values.

    Raises:
        RecipeError: If a name is unknown, a value not allowed, or the slice not one of a stream.
    """
    chosen = (named_recipe(recipe).recipe if isinstance(recipe, str) else _checked_recipe(recipe)).replace(**changes)
    if not isinstance(split, str) or (split := str.__str__(split)) not in SPLIT_KEYS:
        raise RecipeError(f"split={shown(split)} is not known{nearest(split, SPLIT_KEYS)}")
    first, last = (
        whole_number(name, value, 0, FURTHEST, error=RecipeError) for name, value in (("start", start), ("stop", stop))
    )
    if first > last:
        raise RecipeError(f"start={first}, stop={last} must be a slice with 0 <= start <= stop")
    start, stop = first, last
    trace, latents = flag("trace", trace, error=RecipeError), flag("latents", latents, error=RecipeError)
    _check_memory(chosen, "fast", stop - start, trace, what=f"start={start}, stop={stop}")
    return FastStream.of(chosen).slice(split, start, stop, trace=trace, latents=latents)


def _check_memory(recipe: Recipe, stream: str, n: int, trace: bool, what: str = "") -> None:
    """Refuses what this machine's memory cannot hold, before anything is allocated.

    Raises:
        RecipeError: If it cannot; the message tells what is needed and what is there.
    """
    numbers = n * recipe.final_seq_length * (SINGLE if stream == "fast" else DOUBLES)
    if trace:
        numbers += n * recipe.dilated_length * STAGES * (SINGLE if stream == "fast" else DOUBLES)
    of = what or f"num_samples={recipe.num_samples}"
    enough_memory(
        numbers,
        f"{of} with final_seq_length={recipe.final_seq_length}",
        "make it in pieces by make_slice(), or a build that is not held in memory: "
        "load_dataset('mnist1d', stream='fast', ...)",
        error=RecipeError,
    )


def _precision(dtype: npt.DTypeLike) -> npt.DTypeLike:
    try:
        found = np.dtype(dtype)
    except Exception:
        found = None
    if found is None or found.kind != "f":
        raise RecipeError(f"dtype={shown(dtype)} must be a precision, such as 'float32' or 'float64'")
    return found


def _checked_recipe(recipe: Any) -> Recipe:
    if not isinstance(recipe, Recipe):
        raise RecipeError(f"recipe={shown(recipe)} must be the name of a config or a Recipe; it is a {kind_of(recipe)}")
    return recipe

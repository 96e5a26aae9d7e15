"""`make_mnist1d` and `make_slice`: what users call; they check the input and choose the stream."""

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from mnist1d_hf.arrays import MNIST1DArrays, Split
from mnist1d_hf.draws import SPLIT_KEYS
from mnist1d_hf.fast_stream import FastStream, make_fast
from mnist1d_hf.recipe import Recipe, RecipeError, Stream, checked_stream, named_recipe, nearest
from mnist1d_hf.reference_stream import make_reference
from mnist1d_hf.templates import Templates, digit_templates


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
    """MNIST-1D or any variant of it as arrays; the caller's random state is neither read nor written.

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
    latents = latents or (isinstance(recipe, str) and named_recipe(recipe).latents)
    if stream == "reference":
        arrays = make_reference(chosen, templates or digit_templates(), trace, latents)
    else:
        arrays = make_fast(chosen, trace, latents)
    return arrays if dtype is None else arrays.astype(dtype)


def chosen_recipe(
    recipe: str | Recipe, stream: str | None, changes: Mapping[str, Any], templates: Templates | None = None
) -> tuple[Recipe, Stream]:
    """The recipe and the stream that the arguments of `make_mnist1d` mean.

    Raises:
        RecipeError: If a name is unknown or a value not allowed.
    """
    named = named_recipe(recipe) if isinstance(recipe, str) else None
    chosen = (named.recipe if named else _checked_recipe(recipe)).replace(**changes)
    of_stream = checked_stream(stream or (named.stream if named else "reference"))
    if templates is not None and of_stream != "reference":
        raise RecipeError("templates= is for stream='reference'; the fast stream makes the ten digits only")
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
    """Examples ``start`` to ``stop`` of one split of the fast stream, x float32 ``(stop - start, length)``.

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
    if split not in SPLIT_KEYS:
        raise RecipeError(f"split={split!r} is not known{nearest(str(split), SPLIT_KEYS)}")
    if not 0 <= start <= stop:
        raise RecipeError(f"start={start}, stop={stop} must be a slice with 0 <= start <= stop")
    return FastStream.of(chosen).slice(split, start, stop, trace=trace, latents=latents)


def _checked_recipe(recipe: Any) -> Recipe:
    if not isinstance(recipe, Recipe):
        raise RecipeError(
            f"recipe={recipe!r} must be the name of a config or a Recipe; it is a {type(recipe).__name__}"
        )
    return recipe

"""The reference stream: order, normalisation and split of the published data, quirks included."""

import warnings
from collections.abc import Iterator

import numpy as np

from mnist1d_hf.generator.arithmetic import IntArray, mean_and_std
from mnist1d_hf.generator.arrays import MNIST1DArrays, Split
from mnist1d_hf.generator.draws import reference_draws, reference_label_noise
from mnist1d_hf.generator.recipe import Recipe, RecipeError
from mnist1d_hf.generator.stages import apply, apply_traced, check_spread, dilated_templates, positions
from mnist1d_hf.generator.templates import Templates


def make_reference(
    recipe: Recipe,
    templates: Templates,
    trace: bool,
    latents: bool,
    random: np.random.RandomState | None = None,
) -> MNIST1DArrays:
    """Returns both splits of a recipe: class by class, then shuffled, normalised together and divided.

    Args:
        recipe: What to make.
        templates: The curves to make it of.
        trace: Whether to return the raw signals after every stage.
        latents: Whether to return what each example was made with.
        random: What to draw from in place of a generator seeded with the recipe's seed; its state moves on.

    Raises:
        RecipeError: If there are more examples than fit into memory, fewer than templates, or only flat signals.
    """
    if rest := recipe.num_samples % len(templates.y):
        warnings.warn(
            f"num_samples={recipe.num_samples} makes {recipe.num_samples - rest} examples: the reference stream makes "
            f"equally many of each of {len(templates.y)} classes; stream='fast' makes exactly {recipe.num_samples}",
            stacklevel=3,
        )
    random = np.random.RandomState(recipe.seed) if random is None else random
    generated, order = _generated(recipe, templates, random, trace, latents)
    raw = generated.x[:, order] if recipe.shuffle_seq else generated.x
    mean, std = mean_and_std(raw)  # train and test together, as in the reference
    check_spread(std)
    x = (raw - mean) / std
    if recipe.flip_seq:
        x = np.ascontiguousarray(x[:, ::-1])
    split = int(len(x) * recipe.train_split)
    train, test = slice(None, split), slice(split, None)
    y = generated.y.copy()
    if recipe.label_noise > 0:
        y[train] = reference_label_noise(recipe, y[train], templates.y)
    finished = Split(x=x, y=y, y_clean=generated.y_clean, latents=generated.latents, trace=generated.trace)
    return MNIST1DArrays(
        train=finished[train],
        test=finished[test],
        t=positions(recipe, templates) / std,
        templates=templates,
        recipe=recipe,
        stream="reference",
        mean=mean,
        std=std,
    )


def mean_std_and_order(recipe: Recipe, templates: Templates) -> tuple[float, float, IntArray]:
    """Returns the mean and deviation that a recipe's sample was normalised by, and the raw point of each final point.

    A finished signal is ``(raw[order] - mean) / std``.

    Raises:
        RecipeError: As `make_reference` does.
    """
    generated, order = _generated(recipe, templates, np.random.RandomState(recipe.seed), False, False)
    mean, std = mean_and_std(generated.x[:, order] if recipe.shuffle_seq else generated.x)
    check_spread(std)
    return mean, std, order[::-1] if recipe.flip_seq else order


def _generated(
    recipe: Recipe, templates: Templates, random: np.random.RandomState, trace: bool, latents: bool
) -> tuple[Split, IntArray]:
    """Returns the raw sample of a recipe, shuffled, and the order that its points are then brought into."""
    recipe.split_sizes("reference")  # is an error if there are too many
    if recipe.num_samples < len(templates.y):
        raise RecipeError(
            f"num_samples={recipe.num_samples} is less than one example for each of the {len(templates.y)} templates; "
            f"ask for at least {len(templates.y)}"
        )
    generated = Split.concatenate(list(_reference_parts(recipe, templates, random, trace, latents)))
    generated = generated[random.permutation(len(generated))]
    points = recipe.final_seq_length
    return generated, random.permutation(points) if recipe.shuffle_seq else np.arange(points)


def _reference_parts(
    recipe: Recipe, templates: Templates, random: np.random.RandomState, trace: bool, latents: bool
) -> Iterator[Split]:
    dilated = dilated_templates(recipe, templates)
    for draws in reference_draws(recipe, random, len(templates.y)):
        stages = apply_traced(recipe, draws, dilated, templates) if trace else None
        label = np.asarray(templates.y[draws.label])
        yield Split(
            x=stages["resample"] if stages else apply(recipe, draws, dilated),
            y=label,
            y_clean=label,
            latents=draws.latents if latents else None,
            trace=stages,
        )

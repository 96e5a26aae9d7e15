"""The exact posterior of the signals on the page, and the Bayes limit of their recipe, better and better."""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Final

import numpy as np
import numpy.typing as npt

from lightning_module.explorer import limits
from lightning_module.explorer.limits import Limit
from lightning_module.explorer.make.shown import Shown
from mnist1d_hf import Recipe, make_slice
from mnist1d_hf.bayes import log_posterior
from mnist1d_hf.generator.arithmetic import FloatArray
from mnist1d_hf.generator.recipe import RecipeError

# Signals after which the limit is told again; the last is what the page computes at the most.
TOLD: Final = (256, 1024)
CHUNK: Final = 16  # signals between two questions whether it is still wanted: 20 to 80 ms
MOST_COMPONENTS: Final = 60_000  # labels, paddings and shifts together: of more, the tables alone take seconds


@lru_cache(maxsize=64)
def posterior(recipe: Recipe, stream: str, ten: Shown) -> FloatArray:
    """Returns the probability of each digit given each signal shown, ``(digits, 10)``; the last few are kept.

    Raises:
        RecipeError: If the recipe has no posterior, or one that takes too long for a page.
    """
    check_size(recipe)
    x = ten.x.astype(np.float64)
    return np.asarray(np.exp(log_posterior(x, recipe, stream=stream, mean=ten.mean, std=ten.std)))


def check_size(recipe: Recipe) -> None:
    """Refuses recipes whose posterior takes seconds to prepare.

    Raises:
        RecipeError: If it does.
    """
    low, high = recipe.padding
    components = 10 * (high - low + 1) * min(recipe.max_translation, recipe.dilated_length)
    if components > MOST_COMPONENTS or recipe.final_seq_length > 150:
        raise RecipeError(
            "this recipe can make a signal in more ways than a page has the time to weigh; mnist1d data limits does"
        )


def computed_limit(recipe: Recipe, signals: int, wanted: Callable[[], bool]) -> Limit | None:
    """Returns the limit of a recipe on some signals; None as soon as nobody wants it.

    Args:
        recipe: The recipe.
        signals: Their number.
        wanted: Whether to go on; asked some twenty times a second; it may take its time.

    Raises:
        RecipeError: If the recipe has no posterior, or one that takes too long for a page.
    """
    check_size(recipe)
    return limits.computed_limit(partial(_weighed, recipe), wanted, signals=signals, chunk=CHUNK)


@lru_cache(maxsize=4096)
def _weighed(recipe: Recipe, start: int, stop: int) -> npt.NDArray[np.float64]:
    return limits.most_probable(make_slice(recipe, "test", start, stop).x, recipe)

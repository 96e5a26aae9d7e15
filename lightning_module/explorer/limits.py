"""The Bayes limit: at once, from those of named configs or interpolated in a grid; and computed, better and better.

``python -m lightning_module.explorer.limits`` computes the grid anew, in some minutes of one core.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mnist1d_hf import RECIPES, Recipe
from mnist1d_hf.atomic import replace
from mnist1d_hf.bayes import log_posterior
from mnist1d_hf.bayes.limits import bayes_limits, committed_limits

FILE: Final = "limits.json"
SIGNALS: Final = 2000  # of each point of the grid
# The points of the two axes; everything else is as in the default config.
IID: Final = (0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3)
CORRELATED: Final = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
# What no limit depends on.
NO_MATTER: Final = ("num_samples", "train_split", "seed", "shuffle_seq", "flip_seq", "label_noise", "label_noise_seed")


@dataclass(frozen=True)
class Limit:
    """The accuracy that no classifier surpasses on a recipe's signals, and how it is known.

    Attributes:
        accuracy: The accuracy.
        error: Its standard error; None where it was interpolated.
        signals: How many signals it was computed on; 0 where it was interpolated.
    """

    accuracy: float
    error: float | None
    signals: int

    def __str__(self) -> str:
        if self.error is None:
            return f"{100 * self.accuracy:.1f} %, interpolated between recipes computed before"
        return f"{100 * self.accuracy:.2f} % ± {100 * self.error:.2f}, exact posterior of {self.signals:,} signals"


def known_limit(recipe: Recipe) -> Limit | None:
    """Returns the limit of a recipe as far as it is known without computing; None where it is not."""
    wanted = _essence(recipe)
    for name, limits in committed_limits().items():
        if _essence(RECIPES[name].recipe) == wanted:
            return Limit(limits.accuracy.mean, limits.accuracy.error, limits.signals)
    plain = wanted.replace(iid_noise_scale=Recipe().iid_noise_scale, corr_noise_scale=Recipe().corr_noise_scale)
    if plain != Recipe():
        return None
    return _interpolated(recipe.iid_noise_scale, recipe.corr_noise_scale)


def most_probable(x: npt.NDArray[Any], recipe: Recipe) -> npt.NDArray[np.float64]:
    """Returns the probability of the most probable digit of each signal, ``(n,)``; its mean is the Bayes limit.

    Args:
        x: Signals of the fast stream, normalised as it has them, ``(n, length)``.
        recipe: Their recipe.

    Raises:
        ImportError: If scipy is not installed.
    """
    return np.asarray(np.exp(log_posterior(x.astype(np.float64), recipe, stream="fast").max(axis=1)))


def computed_limit(
    weighed: Callable[[int, int], npt.NDArray[np.float64]], wanted: Callable[[], bool], *, signals: int, chunk: int
) -> Limit | None:
    """Returns the limit on some signals; None as soon as nobody wants it.

    Args:
        weighed: Returns `most_probable` of the signals from one number to another; it may remember them, for the limit
            on more signals is asked for next.
        wanted: Whether to go on; asked before each chunk; it may take its time.
        signals: Their number.
        chunk: Signals that are weighed at once; divides the number.
    """
    best: list[npt.NDArray[np.float64]] = []
    for start in range(0, signals, chunk):
        if not wanted():
            return None
        best.append(weighed(start, start + chunk))
    each = np.concatenate(best)
    return Limit(float(each.mean()), float(each.std(ddof=1) / np.sqrt(signals)), signals)


def _essence(recipe: Recipe) -> Recipe:
    usual = Recipe()
    return recipe.replace(**{name: getattr(usual, name) for name in NO_MATTER})


def _interpolated(iid: float, correlated: float) -> Limit | None:
    """Returns the limit between the grid's points: linear in the logarithm of the iid noise and in the other."""
    if not (IID[0] <= iid <= IID[-1] and CORRELATED[0] <= correlated <= CORRELATED[-1]):
        return None
    grid = _grid()
    rows = [float(np.interp(np.log(iid), np.log(IID), grid[:, column])) for column in range(len(CORRELATED))]
    return Limit(float(np.interp(correlated, CORRELATED, rows)), None, 0)


@cache
def _grid() -> Any:
    content = json.loads(files("lightning_module.explorer").joinpath(FILE).read_text(encoding="utf-8"))
    accuracy = np.array([point["accuracy"] for point in content["points"]]).reshape(len(IID), len(CORRELATED))
    accuracy.flags.writeable = False
    return accuracy


def compute(path: Path, *, iid: Sequence[float] = IID, correlated: Sequence[float] = CORRELATED) -> None:
    """Writes the grid.

    Args:
        path: The file.
        iid: Points of the axis of iid noise.
        correlated: Points of the axis of correlated noise.
    """
    points = []
    for first, second in product(iid, correlated):
        found = bayes_limits("default", n=SIGNALS, iid_noise_scale=first, corr_noise_scale=second).accuracy
        points.append(
            {
                "iid_noise_scale": first,
                "corr_noise_scale": second,
                "accuracy": round(found.mean, 6),
                "error": round(found.error, 6),
            }
        )
    content = {
        "what": "Bayes limits of the default recipe with other noise: mean largest probability of the exact posterior",
        "signals": SIGNALS,
        "points": points,
    }
    replace(path, lambda part: part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8"))


if __name__ == "__main__":
    compute(Path(__file__).with_name(FILE))

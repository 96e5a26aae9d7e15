"""A straight-line fit to numbers of which some are only known to lie beyond a bound, by maximum likelihood.

To leave such numbers out, or to put the bound in their place, would pull the slope towards what could be seen.

Source: J. Tobin, "Estimation of relationships for limited dependent variables", Econometrica 1958; in the parameters
of R. Olsen (1978), in which the likelihood has one maximum.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from mnist1d_hf.extras import extra_imports

with extra_imports():
    from scipy import optimize, special

# The least spread that is believed, in the unit of the numbers: of logarithms, 5 %, which is below any grid's.
LEAST_SPREAD = 0.05

Floats = npt.NDArray[np.float64]


def censored_fit(design: npt.ArrayLike, numbers: Sequence[float], seen: Sequence[str]) -> Floats:
    """Returns the coefficients of a linear model with normal errors; nan if what was seen does not decide them.

    Args:
        design: The model's columns, (m, p).
        numbers: What is explained, (m,): the number, or the bound beyond which it lies.
        seen: For each number "here", or "below" or "above" for one that lies on that side of the bound.
    """
    rows = tuple(tuple(map(float, row)) for row in np.asarray(design, float))
    return _fitted(rows, tuple(map(float, numbers)), tuple(map(str, seen))).copy()


@lru_cache(maxsize=4096)  # several claims ask for the same fit, and an amended rule beside an old one once more
def _fitted(design: tuple[tuple[float, ...], ...], numbers: tuple[float, ...], seen: tuple[str, ...]) -> Floats:
    x, y, where = np.array(design), np.array(numbers), np.array(seen)
    here = where == "here"
    coefficients = x.shape[1]
    if here.sum() < coefficients or np.linalg.matrix_rank(x[here]) < coefficients:
        return np.full(coefficients, np.nan)
    start: Floats = np.linalg.lstsq(x[here], y[here], rcond=None)[0]
    if here.all():
        return start
    side = np.where(where == "above", 1.0, -1.0)[~here]

    def loss(scaled: Floats) -> tuple[float, Floats]:
        """Returns minus the log likelihood, up to a constant, and its gradient."""
        own = y * np.exp(-scaled[-1])
        away = own - x @ scaled[:-1]  # in units of the spread
        beyond = special.log_ndtr(-side * away[~here])
        pull = away.copy()  # the derivative of the loss by `away`
        pull[~here] = side * np.exp(-(away[~here] ** 2) / 2 - np.log(2 * np.pi) / 2 - beyond)
        value = (away[here] ** 2).sum() / 2 + here.sum() * scaled[-1] - beyond.sum()
        return float(value), np.array([*(-pull @ x), here.sum() - pull @ own])

    spread = max(float(np.std(y[here] - x[here] @ start)), 2 * LEAST_SPREAD)
    bounds = [(None, None)] * coefficients + [(np.log(LEAST_SPREAD), np.log(10.0))]
    first = [*(start / spread), np.log(spread)]
    best = optimize.minimize(loss, first, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(best.x[:-1] * np.exp(best.x[-1]), dtype=np.float64)

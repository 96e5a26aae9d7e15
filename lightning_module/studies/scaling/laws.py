"""Power laws of the number of examples, without a floor and with one, fitted in logarithms.

Source: Hestness et al., "Deep Learning Scaling is Predictable, Empirically", 2017, for the law; Hoffmann et al.,
"Training Compute-Optimal Large Language Models", 2022, for a free floor that is fitted in the logarithm of the loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mnist1d_hf.extras import extra_imports

with extra_imports():
    from scipy import optimize

EXPONENTS = (0.0, 3.0)
STARTS = (0.0, 0.3, 0.6, 0.9, 0.99)  # of the floor, as a share of the smallest loss


@dataclass(frozen=True)
class Law:
    """floor + constant * n ** -exponent.

    Attributes:
        constant: The loss beyond the floor with one example.
        exponent: The power of n with which that falls.
        floor: What stays.
    """

    constant: float
    exponent: float
    floor: float = 0.0

    def __call__(self, n: float) -> float:
        """Returns the loss with n examples."""
        return float(self.floor + self.constant * n**-self.exponent)


def power_law(n: Sequence[float], loss: Sequence[float]) -> Law:
    """Returns the law without a floor that is nearest in the squares of the logarithms.

    Args:
        n: Numbers of examples, two or more different ones.
        loss: The loss of each, above 0.
    """
    slope, start = np.polyfit(np.log(n), np.log(loss), 1)
    return Law(float(np.exp(start)), -float(slope))


def floored_law(n: Sequence[float], loss: Sequence[float]) -> Law:
    """Returns the law with a floor from 0 to the smallest loss that is nearest in the squares of the logarithms.

    Args:
        n: Numbers of examples, three or more different ones.
        loss: The loss of each, above 0.
    """
    log_n, log_loss = np.log(np.asarray(n, float)), np.log(np.asarray(loss, float))
    centre = log_n.mean()  # so that level and exponent do not pull at each other
    least = float(np.min(loss))

    def away(parameters: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        level, exponent, share = parameters
        return np.asarray(np.log(least * share + np.exp(level - exponent * (log_n - centre))) - log_loss)

    tried = []
    for share in STARTS:
        beyond = np.log(np.exp(log_loss) - least * share * 0.999999)
        slope, level = np.polyfit(log_n - centre, beyond, 1)
        first = [level, float(np.clip(-slope, 0.01, 2.9)), share]
        bounds = ([-np.inf, EXPONENTS[0], 0.0], [np.inf, EXPONENTS[1], 1.0])
        tried.append(optimize.least_squares(away, first, bounds=bounds, xtol=1e-12, ftol=1e-12, gtol=1e-12))
    level, exponent, share = min(tried, key=lambda found: float(found.cost)).x
    return Law(float(np.exp(level + exponent * centre)), float(exponent), float(least * share))

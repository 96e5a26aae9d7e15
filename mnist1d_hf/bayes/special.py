"""The one place that needs scipy, and only when a posterior is computed: the error function in its three forms."""

from typing import Any

import numpy as np
import numpy.typing as npt

from mnist1d_hf.extras import extra_imports
from mnist1d_hf.generator.arithmetic import FloatArray

_ROOT2 = float(np.sqrt(2.0))
_ROOT_HALF_PI = float(np.sqrt(np.pi / 2.0))
_NOTHING = 40.0  # its exponential does not change a sum with 1
_NARROW = 1e-3  # below it the two ends of an interval outside cancel, and its middle is exact to 1e-15


def require_scipy() -> Any:
    """Returns `scipy.special`, which is imported only now.

    Raises:
        MissingExtraError: If scipy is not installed; the message is the command that installs it.
    """
    with extra_imports("bayes"):  # the smallest extra that brings it
        import scipy.special
    return scipy.special


def bell_average(near: FloatArray, inside: FloatArray, width: FloatArray) -> FloatArray:
    """Returns the mean of exp(-(x^2 - n^2) / 2) over an interval of x, where n is its point nearest to 0: from 0 to 1.

    Dividing by the largest value keeps it away from underflow, however far from 0 the interval lies.

    Args:
        near: Distance of the interval from 0, ``(n, nodes)``; 0 if it lies inside.
        inside: How far 0 lies above the interval's lower end, cut off at both ends, ``(n, nodes)``.
        width: Length of the interval, ``(n, 1)``; where it is 0, so is the mean's interval, and the mean is 1.
    """
    special = require_scipy()
    average = np.empty_like(near)
    width = np.broadcast_to(width, near.shape)
    within = near <= 0
    i, w = inside[within], width[within]
    reach = special.erf(i / _ROOT2) + special.erf((w - i) / _ROOT2)
    average[within] = np.divide(_ROOT_HALF_PI * reach, w, out=np.ones_like(w), where=w > 0)
    outside = ~within
    average[outside] = _average_outside(special, near[outside], width[outside])
    return average


def _average_outside(special: Any, near: FloatArray, width: FloatArray) -> FloatArray:
    """Returns what `bell_average` does, of intervals ``[near, near + width]`` that do not hold 0."""
    falls = width * (near + 0.5 * width)  # (far^2 - near^2) / 2
    ends = special.erfcx(near / _ROOT2)
    seen = np.flatnonzero(falls < _NOTHING)
    ends[seen] -= special.erfcx((near + width)[seen] / _ROOT2) * np.exp(-falls[seen])
    narrow: npt.NDArray[np.bool_] = width * (1.0 + near) < _NARROW
    average: FloatArray = np.divide(_ROOT_HALF_PI * ends, width, out=np.ones_like(width), where=~narrow)
    if narrow.any():
        middle, w = near[narrow] + 0.5 * width[narrow], width[narrow]
        average[narrow] = np.exp(-0.5 * w * (near[narrow] + 0.25 * w)) * (1 + (middle**2 - 1) * w**2 / 24)
    return average

"""The integral of a component over the rectangle of factors and shears: its peak, a bound, and the quadrature.

With the six numbers of `tables`, the exponent of a component is -Q / 2 with

    Q(u, v) = |z|^2 - 2 u p + 2 v q + A u^2 - 2 D u v + B v^2,      p = z'mu,  q = z'rho,

convex, to be averaged over u in [1 - a/2, 1 + a/2] and v in [-b/2, b/2]. The average over v is a difference of normal
distribution functions, that over u is one-dimensional and smooth. Everything is taken relative to the constrained peak,
so that nothing cancels and nothing underflows, however far outside of the rectangle the free peak lies.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from mnist1d_hf.bayes.special import bell_average
from mnist1d_hf.bayes.tables import FLAT, Tables
from mnist1d_hf.generator.arithmetic import FloatArray, IntArray

REACH = 6.5  # standard deviations to which the integrand is followed on either side of its peak: all but 1e-10 of it
NODES = (8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64, 96, 128, 192, 256, 384, 512)
_BLOCK = 1 << 15  # values of the integrand computed at a time: they stay in the processor's cache


@dataclass(frozen=True)
class Quadratics:
    """Components of signals, one a row: what their exponents depend on, ``(n,)`` each.

    Attributes:
        z2: |z|^2.
        p: z'mu.
        q: z'rho.
        component: Number of the component in the tables.
    """

    z2: FloatArray
    p: FloatArray
    q: FloatArray
    component: IntArray


@dataclass(frozen=True)
class Integral:
    """Integrals of components, ``(n,)`` each.

    Attributes:
        log: Log of prior times likelihood, averaged over factor and shear.
        factor: Mean of the factor under the posterior; empty if not asked for.
        shear: Mean of the shear; empty if not asked for.
    """

    log: FloatArray
    factor: FloatArray
    shear: FloatArray


def constrained_peak(tables: Tables, rows: Quadratics) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Returns the factor and shear at the largest value in the rectangle, and Q there, ``(n,)`` each.

    With v free, u is clipped; if v then has to be clipped as well, the peak lies on that edge (Q is convex), where u is
    found anew.
    """
    c = rows.component
    mean2, ramp2, cross, profile2 = tables.mean2[c], tables.ramp2[c], tables.cross[c], tables.profile2[c]
    u = np.clip((rows.p - rows.q * cross / ramp2) / profile2, *tables.factor)
    v = np.clip((u * cross - rows.q) / ramp2, *tables.shear)
    u = np.clip((rows.p + v * cross) / np.maximum(mean2, FLAT), *tables.factor)
    lowest = rows.z2 + u * (u * mean2 - 2 * (rows.p + v * cross)) + v * (2 * rows.q + v * ramp2)
    return u, v, lowest


def integrate(
    tables: Tables, rows: Quadratics, *, moments: bool = False, finer: int = 1, reach: float = REACH
) -> Integral:
    """Returns the integrals of components, with the means of factor and shear on request.

    Args:
        tables: The recipe.
        rows: The components.
        moments: Whether the means are wanted.
        finer: How many times the usual number of nodes to take.
        reach: Standard deviations to follow the integrand to.
    """
    u, v, lowest = constrained_peak(tables, rows)
    log = tables.base[rows.component] - 0.5 * lowest
    factor, shear = u.copy(), v.copy()
    line = _Line.through(tables, rows, u, v, reach)
    size = np.searchsorted(NODES, line.difficulty())
    for which in np.unique(size):
        nodes, weights = _rule(NODES[min(which, len(NODES) - 1)] * finer)
        chosen = np.flatnonzero(size == which)
        step = max(1, _BLOCK // len(nodes))
        for start in range(0, len(chosen), step):
            some = chosen[start : start + step]
            values = line.some(some).values(nodes, weights)
            log[some] += np.log(values.average())
            if moments:
                factor[some] += values.mean_step()
                shear[some] += values.mean_shear()
    return Integral(log, *((factor, shear) if moments else (u[:0], v[:0])))


@cache
def _rule(nodes: int) -> tuple[FloatArray, FloatArray]:
    """Returns the Gauss-Legendre nodes and weights on [0, 1]."""
    x, weights = np.polynomial.legendre.leggauss(nodes)
    return 0.5 * (x + 1), 0.5 * weights


@dataclass(frozen=True)
class _Line:
    """The integrand over u of components, relative to their peaks, as a function of d = u - peak, ``(n, 1)`` each.

    The exponent is -E / 2 with E = slope d + profile2 d^2 + (D - tilt d)^2 + 2 near D, where D is how far the best
    shear moves inside of its interval, in its standard deviations. No term is negative.
    """

    whole: float  # width of the interval of factors
    slope: FloatArray
    profile2: FloatArray
    tilt: FloatArray
    near: FloatArray  # of the interval of shears from the free best shear, signed, in standard deviations
    low: FloatArray  # its lower end from there
    width: FloatArray
    unit: FloatArray  # standard deviation of the shear
    below: FloatArray
    above: FloatArray

    @classmethod
    def through(cls, tables: Tables, rows: Quadratics, u: FloatArray, v: FloatArray, reach: float) -> "_Line":
        c = rows.component
        mean2, ramp2, cross, profile2 = tables.mean2[c], tables.ramp2[c], tables.cross[c], tables.profile2[c]
        lowest, highest = tables.factor
        root = np.sqrt(ramp2)
        tilt = cross / root
        low = (tables.shear[0] * ramp2 - (u * cross - rows.q)) / root
        width = (tables.shear[1] - tables.shear[0]) * root
        near = low + np.clip(-low, 0.0, width)
        slope = 2 * (u * mean2 - rows.p - v * cross)
        slope = np.where((u > lowest) & (u < highest), 0.0, slope)
        slope = np.where(u == lowest, np.maximum(slope, 0.0), np.minimum(slope, 0.0))
        far = _reach(np.abs(slope), mean2, profile2, np.abs(tilt), width, reach**2)
        below, above = np.minimum(far, u - lowest), np.minimum(far, highest - u)
        columns = (slope, profile2, tilt, near, low, width, 1 / root, below, above)
        return cls(highest - lowest, *(column[:, None] for column in columns))

    def some(self, rows: IntArray) -> "_Line":
        columns = [value[rows] for value in vars(self).values() if isinstance(value, np.ndarray)]
        return _Line(self.whole, *columns)

    def difficulty(self) -> FloatArray:
        """Returns how many nodes each component needs for an error of 1e-9, ``(n,)``.

        Measured on the components of seven recipes: 1.6 for each length over which the curvature can bend the
        integrand, or eight for an exponential that falls as far as the reach.
        """
        length = self.below + self.above
        bends = length * np.sqrt(self.profile2 + self.tilt**2)
        falls = np.minimum(length * np.abs(self.slope) / (2 * REACH**2), 1.0)
        return np.asarray(6 + np.maximum(1.6 * bends, 0.5 * bends + 8 * falls))[:, 0]

    def values(self, nodes: FloatArray, weights: FloatArray) -> "_Values":
        """Returns the integrand at the nodes."""
        d = (self.below + self.above) * nodes - self.below  # (n, nodes)
        low = self.low - self.tilt * d
        inside = np.clip(-low, 0.0, self.width)
        moved = inside - np.clip(-self.low, 0.0, self.width)
        exponent = d * (self.slope + self.profile2 * d)
        exponent += (moved - self.tilt * d) ** 2
        exponent += 2 * self.near * moved
        exponent *= -0.5
        over_v = bell_average(np.abs(low + inside), inside, self.width)
        return _Values(self, d, low, inside, moved, over_v, weights * np.exp(exponent) * over_v)


@dataclass(frozen=True)
class _Values:
    """The integrand at nodes, ``(n, nodes)`` each."""

    line: _Line
    d: FloatArray
    low: FloatArray
    inside: FloatArray
    moved: FloatArray
    over_v: FloatArray
    weighted: FloatArray

    def average(self) -> FloatArray:
        """Returns the mean of the integrand over the whole interval of factors, ``(n,)``."""
        total: FloatArray = self.weighted.sum(axis=1)
        length = self.line.below + self.line.above
        return total * (length[:, 0] / self.line.whole) if self.line.whole else total

    def mean_step(self) -> FloatArray:
        """Returns how far the mean of the factor lies from the peak, ``(n,)``."""
        return np.asarray((self.weighted * self.d).sum(axis=1) / self.weighted.sum(axis=1))

    def mean_shear(self) -> FloatArray:
        """Returns how far the mean of the shear lies from the peak, ``(n,)``."""
        width, near, high = self.line.width, self.low + self.inside, self.low + self.line.width
        ends = np.exp(-0.5 * (self.low**2 - near**2)) - np.exp(-0.5 * (high**2 - near**2))
        wide = np.broadcast_to(width > 1e-3, ends.shape)  # the mean of a narrow interval is its middle
        mean = np.divide(ends, width * self.over_v, out=self.low + 0.5 * width, where=wide)
        step = (mean - near + self.moved) * self.line.unit
        return np.asarray((self.weighted * step).sum(axis=1) / self.weighted.sum(axis=1))


def _reach(
    slope: FloatArray, mean2: FloatArray, profile2: FloatArray, tilt: FloatArray, width: FloatArray, most: float
) -> FloatArray:
    """Returns a distance from the peak beyond which the exponent E is above ``most``, ``(n,)``.

    E >= slope d + profile2 d^2 always; and where the shear has come to the end of its interval, the curvature is A.
    """
    free = 2 * most / np.maximum(slope + np.sqrt(slope**2 + 4 * profile2 * most), FLAT)
    rest = np.maximum(most - width**2, 0.0)
    linear = slope - 2 * tilt * width
    root = np.sqrt(linear**2 + 4 * mean2 * rest)
    falling, rising = 2 * rest / np.maximum(linear + root, FLAT), (root - linear) / np.maximum(2 * mean2, FLAT)
    bound = np.where(linear > 0, falling, rising)
    return np.where((rest > 0) & (bound * tilt >= width), np.minimum(free, bound), free)

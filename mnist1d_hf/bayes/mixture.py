"""Log-probability of signals together with each label: products, a bound for every component, integrals of the few.

A component cannot give more than its largest value times the area in which it is not small. What is far below what the
best component of the same label attains is left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mnist1d_hf.bayes.rectangle import REACH, Integral, Quadratics, integrate
from mnist1d_hf.bayes.tables import Tables
from mnist1d_hf.generator.arithmetic import FloatArray, IntArray

LEFT_OUT = 1e-8  # of a label's probability: the most that the components left out can have together
_BLOCK = 1 << 14  # components bounded at a time: they stay in the processor's cache
_CHUNK = 1 << 20  # components of several signals handled at a time: they fit into memory


@dataclass(frozen=True)
class Precision:
    """The precision of a posterior's computation.

    Attributes:
        left_out: Share of a label's probability that the components left out may have; 0 for none left out.
        finer: How many times the usual number of nodes to take.
        reach: Standard deviations to which an integrand is followed.
    """

    left_out: float = LEFT_OUT
    finer: int = 1
    reach: float = REACH


USUAL = Precision()


@dataclass(frozen=True)
class Kept:
    """Components that matter for some signals, in the order of signal and component.

    Attributes:
        signal: Which signal, ``(n,)``.
        component: Number of the component in the tables, ``(n,)``.
        integral: Prior times likelihood of each, integrated over factor and shear.
    """

    signal: IntArray
    component: IntArray
    integral: Integral


def log_joint(tables: Tables, raw: FloatArray, precision: Precision = USUAL) -> FloatArray:
    """Returns the log-density of each signal together with each row of the templates, ``(n, rows)``, all finite.

    Args:
        tables: The recipe.
        raw: Signals before normalisation and permutation, ``(n, length)``.
        precision: How exactly.
    """
    rows = tables.shape[0]
    joint = np.empty((len(raw), rows))
    for start, products in _products(tables, raw):
        kept = _keep(tables, products, precision)
        which = kept.signal * rows + kept.component // (len(tables.group) // rows)
        n = len(products.p)
        joint[start : start + n] = _log_sums(kept.integral.log, which, n * rows).reshape(n, rows)
    return joint


def kept_components(tables: Tables, raw: FloatArray, precision: Precision = USUAL) -> Iterator[Kept]:
    """Yields the components that matter, with the means of factor and shear, for a chunk of signals at a time."""
    for _, products in _products(tables, raw):
        yield _keep(tables, products, precision, moments=True)


@dataclass(frozen=True)
class _Products:
    """|z|^2 and q of every group, ``(n, groups)``, and p of every component, ``(n, components)``."""

    z2: FloatArray
    q: FloatArray
    p: FloatArray

    def of(self, tables: Tables, signal: IntArray, component: IntArray) -> Quadratics:
        group = tables.group[component]
        return Quadratics(
            z2=self.z2[signal, group], p=self.p[signal, component], q=self.q[signal, group], component=component
        )


def _products(tables: Tables, raw: FloatArray) -> Iterator[tuple[int, _Products]]:
    """Yields the number of a chunk's first signal, and the products of the tables with the chunk's signals."""
    step = max(1, _CHUNK // len(tables.group))
    for start in range(0, len(raw), step):
        some = raw[start : start + step]
        z = (some @ tables.whiten).reshape(len(some), -1, tables.rank)
        yield (
            start,
            _Products(z2=np.einsum("ngr,ngr->ng", z, z), q=some @ tables.along_ramp, p=some @ tables.along_mean),
        )


def _keep(tables: Tables, products: _Products, precision: Precision, moments: bool = False) -> Kept:
    """Returns the integrals of all components that matter for these signals."""
    n, components = products.p.shape
    if precision.left_out:
        signal, component = _worth_it(tables, products, precision.left_out)
    else:
        signal, component = np.divmod(np.arange(n * components), components)
    return Kept(
        signal=signal,
        component=component,
        integral=integrate(
            tables,
            products.of(tables, signal, component),
            moments=moments,
            finer=precision.finer,
            reach=precision.reach,
        ),
    )


def _worth_it(tables: Tables, products: _Products, left_out: float) -> tuple[IntArray, IntArray]:
    """Returns the pairs of signal and component whose bound is not far below the best that their label attains."""
    n, rows = len(products.p), tables.shape[0]
    bound = np.empty_like(products.p)
    step = max(1, _BLOCK // bound.shape[1])
    for start in range(0, n, step):
        some = slice(start, start + step)
        bound[some] = _bounds(tables, _Products(products.z2[some], products.q[some], products.p[some]))
    by_row = bound.reshape(n, rows, -1)
    each = by_row.shape[2]
    best = by_row.argmax(axis=2) + np.arange(rows) * each  # (n, rows)
    attained = integrate(tables, products.of(tables, np.repeat(np.arange(n), rows), best.ravel())).log
    least = attained.reshape(n, rows) + np.log(left_out / each)
    signal, component = np.nonzero((by_row >= least[:, :, None]).reshape(n, -1))
    return signal, component


def _bounds(tables: Tables, products: _Products) -> FloatArray:
    """Returns bounds that the logs of the components' integrals cannot exceed, ``(n, components)``.

    The largest value of each, and a normal density's area where that is less than the rectangle's: from the peak of a
    convex quadratic on a rectangle, its value grows at least as fast as without a slope.
    """
    b = tables.bounding
    p, q = products.p, products.q[:, tables.group]
    u = np.clip(p * b.p_to_u - q * b.q_to_u, *tables.factor)
    v = np.clip(u * b.u_to_v - q * b.q_to_v, *tables.shear)
    p = p + v * tables.cross
    np.clip(p * b.p_to_edge, *tables.factor, out=u)
    bound = u * (u * tables.mean2 - 2 * p)
    bound += v * (2 * q + v * tables.ramp2)
    bound += products.z2[:, tables.group]
    bound *= -0.5
    bound += b.base
    return bound


def _log_sums(log: FloatArray, which: IntArray, n: int) -> FloatArray:
    """Returns the log of the sum of exponentials in each of ``n`` sets, ``(n,)``; ``which`` is each number's set."""
    highest = np.full(n, -np.inf)
    np.maximum.at(highest, which, log)
    return highest + np.log(np.bincount(which, weights=np.exp(log - highest[which]), minlength=n))

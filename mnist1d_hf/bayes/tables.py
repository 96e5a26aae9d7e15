"""The tables of a recipe: whatever does not depend on the signals, so that one product with a signal gives the rest.

For each mask and shift the noise has a covariance C, and z = L^-1 raw with C = L L' is white. A component is then the
quadratic |z - u mu + v rho|^2 in factor u and shear v, of which six numbers are all that matters:

    |z|^2,  z'mu,  z'rho  (of signal and component),    A = |mu|^2,  B = |rho|^2,  D = mu'rho  (of the component).
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from mnist1d_hf.bayes.components import Components, clean_components, ramp, resampling
from mnist1d_hf.generator.arithmetic import FloatArray, IntArray
from mnist1d_hf.generator.recipe import DEFAULT, Recipe, RecipeError
from mnist1d_hf.generator.templates import Templates
from mnist1d_hf.generator.transforms import gaussian_filter

LEAST_NOISE = 1e-5  # iid; there rounding costs 1e-6 in the log, and float32 signals hardly hold less noise
LEAST_SPREAD = 1e-12  # of a covariance: its smallest variance over its largest, in an LU's pivots
LEAST_WIDTH = 1e-9  # of an interval of factors; narrower ones are one factor
FLAT = 1e-200  # in place of a curvature of zero: something to divide by
_BLOCK = 1 << 20  # numbers of a table that is not kept made at a time
_RANK = 1e-10  # singular values below this fraction of the largest are zeros
# What the posterior of a raw signal does not depend on.
_NO_MATTER = ("num_samples", "train_split", "seed", "shuffle_seq", "flip_seq", "label_noise", "label_noise_seed")


@dataclass(frozen=True, eq=False)
class Tables:
    """A recipe's components, whitened. Group: a mask and a shift, which fix the covariance.

    Attributes:
        shape: Rows of the templates, paddings, shifts; components are in this order.
        rank: Dimensions that a signal varies in.
        whiten: Signals times it are the white z of every group, ``(length, groups * rank)``.
        along_mean: Signals times it are z'mu of every component, ``(length, components)``.
        along_ramp: Signals times it are z'rho of every group, ``(length, groups)``.
        group: The group of each component, ``(components,)``.
        mean2: A of each component, ``(components,)``.
        ramp2: B of each component.
        cross: D of each component.
        base: Log of prior and of the normal density's constant, of each component.
        factor: Lowest and highest factor u.
        shear: Lowest and highest shear v.
    """

    shape: tuple[int, int, int]
    rank: int
    whiten: FloatArray
    along_mean: FloatArray
    along_ramp: FloatArray
    group: IntArray
    mean2: FloatArray
    ramp2: FloatArray
    cross: FloatArray
    base: FloatArray
    factor: tuple[float, float]
    shear: tuple[float, float]

    @cached_property
    def profile2(self) -> FloatArray:
        """Returns A - D^2 / B of each component: what is left of |mu|^2 if v may take any value; never below zero."""
        least = 1e-14 * self.mean2 + FLAT
        return np.asarray(np.maximum(self.mean2 - self.cross**2 / self.ramp2, least))

    @cached_property
    def bounding(self) -> "Bounding":
        """Returns the quotients that the bound of every component is computed with."""
        area = _area(self.factor, self.profile2) + _area(self.shear, self.ramp2)
        return Bounding(
            p_to_u=1 / self.profile2,
            q_to_u=self.cross / (self.ramp2 * self.profile2),
            u_to_v=self.cross / self.ramp2,
            q_to_v=1 / self.ramp2,
            p_to_edge=1 / np.maximum(self.mean2, FLAT),
            base=self.base + area,
        )


@dataclass(frozen=True)
class Bounding:
    """Quotients of the tables, ``(components,)`` each, and the base with a normal density's area.

    Attributes:
        p_to_u: 1 / (A - D^2 / B): the best u and v together have u = p * p_to_u - q * q_to_u.
        q_to_u: D / B / (A - D^2 / B).
        u_to_v: D / B: the best v for a u is u * u_to_v - q * q_to_v.
        q_to_v: 1 / B.
        p_to_edge: 1 / A: the best u for a v is (p + v * D) * p_to_edge.
        base: The base of the tables, and the logs that `_area` gives for the ranges of u and v.
    """

    p_to_u: FloatArray
    q_to_u: FloatArray
    u_to_v: FloatArray
    q_to_v: FloatArray
    p_to_edge: FloatArray
    base: FloatArray


def _area(interval: tuple[float, float], precision: FloatArray) -> FloatArray:
    """Returns the log of the fraction of an interval that the area of a normal density fills, at most 0."""
    width = interval[1] - interval[0]
    if width == 0:
        return np.zeros_like(precision)
    return np.asarray(np.minimum(0.0, 0.5 * (np.log(2 * np.pi) - np.log(precision)) - np.log(width)))


@dataclass(frozen=True)
class Curves:
    """The curves of templates as a key: two templates with the same numbers are equal.

    Attributes:
        rows: Number of templates.
        numbers: The bytes of the curves, row by row in double precision.
    """

    rows: int
    numbers: bytes

    @classmethod
    def of(cls, templates: Templates) -> "Curves":
        """Returns the curves of templates as a key."""
        return cls(rows=len(templates.x), numbers=np.ascontiguousarray(templates.x, dtype=np.float64).tobytes())

    @property
    def templates(self) -> Templates:
        """Returns templates with these curves; labels and positions are only numbered."""
        x = np.frombuffer(self.numbers).reshape(self.rows, -1)
        return Templates(x=x, t=np.arange(float(x.shape[1])), y=np.arange(self.rows))


def tables_of(recipe: Recipe, templates: Templates) -> Tables:
    """Returns the tables of a recipe; those of the last few recipes are kept in memory.

    Raises:
        RecipeError: If the recipe has no iid noise, and so no density; if the tables would be too large.
    """
    if recipe.iid_noise_scale == 0:
        raise RecipeError(
            "iid_noise_scale=0.0: without noise on every point a signal has no probability density, and so there is no "
            "posterior to compute; give a recipe with iid_noise_scale > 0"
        )
    if recipe.iid_noise_scale < LEAST_NOISE:
        raise RecipeError(
            f"iid_noise_scale={recipe.iid_noise_scale!r} is too small for an exact posterior: double precision cannot "
            f"tell it from rounding; give at least {LEAST_NOISE:g}"
        )
    return _tables(recipe.replace(**{name: getattr(DEFAULT, name) for name in _NO_MATTER}), Curves.of(templates))


@lru_cache(maxsize=4)
def _tables(recipe: Recipe, curves: Curves) -> Tables:
    components = clean_components(recipe, curves.templates)
    masks, shifts = components.masks.shape[:2]
    basis = _basis(resampling(recipe))  # (rank, length)
    inverse, log_det = _whitening(recipe, components, basis)  # (groups, rank, rank), (groups,)
    rank = len(basis)
    whiten = inverse @ basis  # (groups, rank, length)
    rho = whiten @ ramp(recipe)  # (groups, rank)
    group = components.mask_of[:, :, None] * shifts + np.arange(shifts)  # (rows, paddings, shifts)
    means = components.means @ basis.T
    mean2, cross = np.empty(group.shape), np.empty(group.shape)
    along_mean = np.empty((recipe.final_seq_length, *group.shape))
    for mask in range(masks):
        chosen = components.mask_of == mask
        own = slice(mask * shifts, (mask + 1) * shifts)
        mu = np.matmul(inverse[own], means[chosen].transpose(1, 2, 0))  # (shifts, rank, rows and paddings)
        mean2[chosen] = (mu * mu).sum(axis=1).T
        cross[chosen] = np.matmul(rho[own, None, :], mu)[:, 0].T
        along_mean[:, chosen] = np.matmul(whiten[own].transpose(0, 2, 1), mu).transpose(1, 2, 0)
    log_constant = -log_det - 0.5 * rank * np.log(2 * np.pi)
    return Tables(
        shape=group.shape,
        rank=rank,
        whiten=np.ascontiguousarray(whiten.reshape(-1, recipe.final_seq_length).T),
        along_mean=along_mean.reshape(recipe.final_seq_length, -1),
        along_ramp=np.ascontiguousarray(np.matmul(rho[:, None, :], whiten)[:, 0].T),
        group=group.ravel(),
        mean2=mean2.ravel(),
        ramp2=np.einsum("gr,gr->g", rho, rho)[group].ravel(),
        cross=cross.ravel(),
        base=(components.log_prior + log_constant[group]).ravel(),
        factor=_interval(1.0, recipe.scale_coeff),
        shear=_interval(0.0, recipe.shear_scale),
    )


def _interval(middle: float, width: float) -> tuple[float, float]:
    half = 0.5 * width if width >= LEAST_WIDTH else 0.0
    return middle - half, middle + half


def _basis(matrix: FloatArray) -> FloatArray:
    """Returns orthonormal rows that span what the matrix can produce, ``(rank, length)``.

    Where the final signal is longer than the dilated one, interpolated points are determined by their neighbours and
    the covariance is singular; in this basis it is not.
    """
    length = len(matrix)
    left, values, _ = np.linalg.svd(matrix, full_matrices=False)
    rank = int((values > _RANK * values[0]).sum())
    return np.eye(length) if rank == length else left[:, :rank].T


def _whitening(recipe: Recipe, components: Components, basis: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Returns the inverses of the covariances' Cholesky factors, and the factors' log-determinants, group by group."""
    matrix = basis @ resampling(recipe)  # (rank, dilated length)
    smooth = gaussian_filter(np.eye(recipe.dilated_length)).T * recipe.corr_noise_scale
    masks = components.masks.reshape(-1, recipe.dilated_length)  # of all groups
    covariance = np.empty((len(masks), len(basis), len(basis)))
    step = max(1, _BLOCK // matrix.size)
    for start in range(0, len(masks), step):
        some = slice(start, start + step)
        correlated = (matrix * masks[some, None, :]) @ smooth  # (step, rank, dilated length)
        np.matmul(correlated, correlated.transpose(0, 2, 1), out=covariance[some])
    covariance += recipe.iid_noise_scale**2 * (matrix @ matrix.T)
    try:
        factor = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        raise _too_little_noise(recipe) from None
    diagonal = np.diagonal(factor, axis1=1, axis2=2)
    if np.any(diagonal.min(axis=1) ** 2 < LEAST_SPREAD * diagonal.max(axis=1) ** 2):
        raise _too_little_noise(recipe)
    return np.linalg.inv(factor), np.log(diagonal).sum(axis=1)


def _too_little_noise(recipe: Recipe) -> RecipeError:
    return RecipeError(
        f"iid_noise_scale={recipe.iid_noise_scale!r} is too small beside corr_noise_scale={recipe.corr_noise_scale!r}: "
        "double precision cannot tell the noise from rounding; give at least a millionth of it"
    )

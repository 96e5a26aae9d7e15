"""The posterior by brute force, from the generator as a black box: what it does to unit noises, label by label.

Nothing of `mnist1d_hf.bayes` is used. Means and covariances are what `stages.apply` makes of chosen draws; factor and
shear are summed over a grid, shifts over all of the recipe's, equal ones as often as they occur.
"""

import numpy as np

from mnist1d_hf import checks
from mnist1d_hf.generator.draws import Draws
from mnist1d_hf.generator.stages import apply, dilated_templates
from mnist1d_hf.generator.templates import digit_templates

# Few of everything, and shifts by the whole length or more.
TINY = {
    "template_len": 3,
    "padding": (2, 4),
    "max_translation": 10,
    "final_seq_length": 6,
    "iid_noise_scale": 0.1,
    "num_samples": 200,
}


def raw_signals(recipe, label, padding, shift, factor, shear, corr_noise=None, iid_noise=None):
    """Signals of these draws before normalisation; all arguments broadcast to ``(n,)``, the noises are ``(n, L)``."""
    n = max(np.size(argument) for argument in (label, padding, shift, factor, shear))
    none = np.zeros((n, recipe.dilated_length))
    draws = Draws(
        label=np.broadcast_to(label, n),
        padding=np.broadcast_to(padding, n),
        scale=np.broadcast_to(np.asarray(factor, dtype=float), n),
        shift=np.broadcast_to(shift, n),
        shear=np.broadcast_to(np.asarray(shear, dtype=float), n),
        corr_noise=none if corr_noise is None else corr_noise,
        iid_noise=none if iid_noise is None else iid_noise,
    )
    return apply(recipe, draws, dilated_templates(recipe, digit_templates()))


def covariance(recipe, label, padding, shift):
    """Of a raw signal given all but the noise: the squares of what unit noises add."""
    units = np.eye(recipe.dilated_length)
    silent = np.zeros_like(units)
    many = np.full(len(units), padding)
    clean = raw_signals(recipe, label, many, shift, 1.0, 0.0)
    added = [
        raw_signals(recipe, label, many, shift, 1.0, 0.0, corr, iid) - clean
        for corr, iid in ((units, silent), (silent, units))
    ]
    return sum(part.T @ part for part in added)


def interval(middle, width, nodes):
    """Gauss-Legendre nodes and weights of a uniform variable."""
    if width == 0:
        return np.array([middle]), np.array([1.0])
    x, weights = np.polynomial.legendre.leggauss(nodes)
    return middle + 0.5 * width * x, 0.5 * weights


def log_joint(recipe, raw, nodes=24):
    """Log-density of raw signals ``(n, length)`` together with each digit, ``(n, 10)``."""
    u, u_weights = interval(1.0, recipe.scale_coeff, nodes)
    v, v_weights = interval(0.0, recipe.shear_scale, nodes)
    grid_u, grid_v = (axis.ravel() for axis in np.meshgrid(u, v, indexing="ij"))
    log_weights = np.log(np.outer(u_weights, v_weights).ravel())
    low, high = recipe.padding
    cells = [(padding, shift) for padding in range(low, high + 1) for shift in range(recipe.max_translation)]
    joint = np.full((len(raw), 10), -np.inf)
    for label in range(10):
        for padding, shift in cells:
            means = raw_signals(recipe, label, padding, shift, grid_u, grid_v)
            logs = log_normal(raw, means, covariance(recipe, label, padding, shift)) + log_weights
            joint[:, label] = np.logaddexp(joint[:, label], np.logaddexp.reduce(logs, axis=1))
    return joint - np.log(10 * len(cells))


def log_normal(raw, means, cov):
    """Log of the normal densities, ``(signals, means)``; in the plane of the covariance where it is singular."""
    values, vectors = np.linalg.eigh(cov)
    kept = values > 1e-9 * values.max()
    white = vectors[:, kept] / np.sqrt(values[kept])
    z = (raw @ white)[:, None, :] - (means @ white)[None]
    constant = 0.5 * np.log(values[kept]).sum() + 0.5 * kept.sum() * np.log(2 * np.pi)
    return -0.5 * (z * z).sum(axis=2) - constant


def normalised(log):
    return log - np.logaddexp.reduce(log, axis=1)[:, None]


def off_by_one_percent(name, value, *limits, **words):
    """What checks the numbers of a problem, with a planted fault: the divisor comes out too large."""
    return checks.number(name, value, *limits, **words) * (1.01 if name == "std" else 1)

"""The stages that turn a template into an example: pure functions on ``(n, length)`` arrays, randomness an argument.

Every function works in the precision of its input and returns a new array. All are elementwise operations in a fixed
order (see `arithmetic`). They take any memory order and are fastest on column-major arrays, whose length axis is the
outer one: a stage then walks whole rows of examples.

Source: Greydanus & Kobak (2024), "Scaling Down Deep Learning with MNIST-1D", ICML; the stages' order and constants are
those of the reference package 0.0.2.post1.
"""

from typing import Final

import numpy as np

from mnist1d_hf.generator.arithmetic import FloatArray, IntArray

EPSILON: Final = 1e-8  # added to a template, so that no point of it is an exact zero, which is what marks padding
FILTER_SIGMA: Final = 2.0  # of the Gaussian filter, in points
FILTER_RADIUS: Final = 8  # four standard deviations


def pad(x: FloatArray, padding: IntArray, most: int) -> FloatArray:
    """Returns signals with ``padding`` zeros appended, ``(n, length + most)``; NaN behind the end of the shorter ones.

    Args:
        x: Signals, ``(n, length)``.
        padding: Zeros to append to each, ``(n,)``.
        most: Zeros that the longest may get.
    """
    length = x.shape[1]
    position = np.arange(length + most)
    padded: FloatArray = np.where(position < length + padding[:, None], 0.0, np.nan).astype(x.dtype)
    padded[:, :length] = x
    return padded


def resample(x: FloatArray, length: int) -> FloatArray:
    """Returns signals, linearly interpolated at ``length`` equidistant positions from end to end, ``(n, length)``."""
    points = x.shape[1]
    grid, target = np.linspace(0.0, 1.0, points), np.linspace(0.0, 1.0, length)
    low = np.searchsorted(grid, target, side="right") - 1
    high = np.minimum(low + 1, points - 1)
    # Slope first, then offset: the order of the reference, to which the last bit is owed.
    span = np.where(high > low, grid[high] - grid[low], 1.0).astype(x.dtype)[:, None]
    offset = (target - grid[low]).astype(x.dtype)[:, None]
    columns = x.T
    left = columns[low]
    resampled: FloatArray = columns[high]
    resampled -= left
    resampled /= span
    resampled *= offset
    resampled += left
    return resampled.T


def scale(x: FloatArray, factor: FloatArray) -> FloatArray:
    """Returns signals times their ``factor``, ``(n,)``."""
    return x * factor[:, None]


def translate(x: FloatArray, shift: IntArray) -> FloatArray:
    """Returns signals rotated to the right by ``shift`` points, ``(n,)``.

    A shift of the whole length or more leaves a signal as it is (the reference's slicing does the same).
    """
    n, length = x.shape
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([x, x], axis=1), length, axis=1)
    start = length - np.where(shift < length, shift, 0)
    return np.asfortranarray(windows[np.arange(n), start])


def gaussian_filter(x: FloatArray) -> FloatArray:
    """Returns signals smoothed by a Gaussian of two points' deviation, reflected at both ends, ``(n, length)``."""
    offsets = np.arange(FILTER_RADIUS + 1)
    weights = np.exp(-0.5 * (offsets / FILTER_SIGMA) ** 2)
    weights = (weights / (weights[0] + 2.0 * weights[:0:-1].sum())).astype(x.dtype)
    length = x.shape[1]
    columns = x.T[_reflected_indices(length)]
    smooth: FloatArray = columns[FILTER_RADIUS : FILTER_RADIUS + length] * weights[0]
    pair = np.empty_like(smooth)
    for offset in range(FILTER_RADIUS, 0, -1):
        before = columns[FILTER_RADIUS - offset :][:length]
        after = columns[FILTER_RADIUS + offset :][:length]
        np.add(before, after, out=pair)
        pair *= weights[offset]
        smooth += pair
    return smooth.T


def _reflected_indices(length: int) -> IntArray:
    """Returns the sources of the points -radius .. length + radius - 1 of a signal mirrored with its edge repeated."""
    position = np.arange(-FILTER_RADIUS, length + FILTER_RADIUS) % (2 * length)
    return np.minimum(position, 2 * length - 1 - position)


def add_correlated_noise(x: FloatArray, noise: FloatArray, noise_scale: float) -> FloatArray:
    """Returns signals whose exact zeros (the padding) hold smoothed noise instead.

    Args:
        x: Signals, ``(n, length)``.
        noise: Standard normal draws, ``(n, length)``.
        noise_scale: Standard deviation of the noise before it is smoothed.
    """
    background = gaussian_filter(noise * x.dtype.type(noise_scale))
    background *= np.equal(x, 0).astype(x.dtype)
    background += x
    return background


def add_iid_noise(x: FloatArray, noise: FloatArray, noise_scale: float) -> FloatArray:
    """Returns signals plus standard normal draws ``(n, length)`` times ``noise_scale``."""
    noisy: FloatArray = noise * x.dtype.type(noise_scale)
    noisy += x
    return noisy


def shear(x: FloatArray, coefficient: FloatArray) -> FloatArray:
    """Returns signals minus a ramp that rises by ``coefficient``, ``(n,)``, over the length, through its middle."""
    ramp = np.linspace(-0.5, 0.5, x.shape[1]).astype(x.dtype)
    sheared: FloatArray = coefficient * ramp[:, None]
    np.subtract(x.T, sheared, out=sheared)
    return sheared.T

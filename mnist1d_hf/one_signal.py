"""The reference's transformations of one signal, drawing from numpy's global random state.

Notebooks call them one by one after ``numpy.random.seed``, so what they draw, and in which order, is the reference's.
The data set itself is made by `mnist1d_hf.generate.make_mnist1d`, which leaves the global state alone.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist1d_hf import transforms
from mnist1d_hf.arithmetic import FloatArray


def _staged(stage: Callable[..., FloatArray], x: npt.ArrayLike, *drawn: float) -> FloatArray:
    """What a batched stage makes of one signal with these random numbers."""
    rows = stage(np.asarray(x, dtype=np.float64)[None], *(np.array([number]) for number in drawn))
    signal: FloatArray = rows[0]
    return signal


def pad(x: npt.NDArray[Any], padding: tuple[int, int]) -> FloatArray:
    """Signal with a random number of zeros appended, ``low <= number <= high``; one uniform is drawn.

    A matrix ``(n, length)`` gets the same number on every row.
    """
    low, high = padding
    number = low + int(np.random.rand() * (high - low + 1))
    return np.concatenate([x, np.zeros((*x.shape[:-1], number))], axis=-1)


def interpolate(x: npt.NDArray[Any], N: int) -> FloatArray:  # noqa: N803 - the reference's name
    """Signal interpolated linearly at ``N`` equidistant positions of its first axis."""
    columns = np.asarray(x, dtype=np.float64).reshape(len(x), -1)
    resampled: FloatArray = transforms.resample(columns.T, N).T.reshape(N, *np.shape(x)[1:])
    return resampled


def translate(x: npt.NDArray[Any], max_translation: int) -> FloatArray:
    """Signal rotated to the right by 0 to ``max_translation - 1`` points; one integer is drawn."""
    shift = np.random.choice(max_translation)
    return _staged(transforms.translate, x, shift)


def corr_noise_like(x: npt.NDArray[Any], scale: float) -> FloatArray:
    """Noise of the signal's shape, smoothed over two points; ``scale`` is its standard deviation before."""
    return _staged(transforms.gaussian_filter, iid_noise_like(x, scale))


def iid_noise_like(x: npt.NDArray[Any], scale: float) -> FloatArray:
    """Independent normal noise of the signal's shape and standard deviation ``scale``."""
    noise: FloatArray = scale * np.random.randn(*x.shape)
    return noise


def shear(x: npt.NDArray[Any], scale: float = 10) -> FloatArray:
    """Signal minus a ramp whose rise is uniform on ``-scale / 2 .. scale / 2``; one uniform is drawn."""
    rise = scale * (np.random.rand() - 0.5)
    return _staged(transforms.shear, x, rise)


def transform(x: npt.NDArray[Any], y: npt.NDArray[Any], args: Any, eps: float = 1e-8) -> tuple[FloatArray, FloatArray]:
    """An example made of template ``x``, and its positions made of ``y``, ``(final_seq_length,)`` each.

    Args:
        x: Heights of the template, ``(points,)``.
        y: Positions of the template's points, ``(points,)``.
        args: What `get_dataset_args` returns, attributes changed as wanted.
        eps: Added to the template, so that only padding is exactly zero.
    """
    length = args.template_len + args.padding[-1]
    signal = interpolate(pad(x + eps, args.padding), length)
    signal = signal * (1 + args.scale_coeff * (np.random.rand() - 0.5))
    signal = translate(signal, args.max_translation)
    signal = np.where(signal != 0, signal, corr_noise_like(signal, args.corr_noise_scale))
    signal = signal + iid_noise_like(signal, args.iid_noise_scale)
    signal = shear(signal, args.shear_scale)
    return interpolate(signal, args.final_seq_length), interpolate(interpolate(y, length), args.final_seq_length)

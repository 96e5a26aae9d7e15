"""The reference's transformations of one signal, drawing from numpy's global random state.

Notebooks call them one by one after ``numpy.random.seed``, so what they draw, and in which order, is the reference's.
Where the reference takes more than one axis, so do they, along the same axes: `pad` works along the last axis,
`translate` and `interpolate` along the first, `corr_noise_like` smooths along all of them.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from mnist1d_hf.generator import transforms
from mnist1d_hf.generator.arithmetic import FloatArray


def pad(x: npt.NDArray[Any], padding: tuple[int, int]) -> FloatArray:
    """Returns the signal with ``low <= number <= high`` zeros appended; one uniform is drawn for the number.

    A matrix ``(n, length)`` gets the same number on every row.
    """
    low, high = padding
    x = np.asarray(x)
    number = low + int(np.random.rand() * (high - low + 1))
    return np.concatenate([x, np.zeros((*x.shape[:-1], number))], axis=-1)


def interpolate(x: npt.NDArray[Any], N: int) -> FloatArray:  # noqa: N803 - the reference's name
    """Returns the signal interpolated linearly at ``N`` equidistant positions of its first axis."""
    x = np.asarray(x, dtype=np.float64)
    columns = x.reshape(len(x), -1)
    resampled: FloatArray = transforms.resample(columns.T, N).T.reshape(N, *x.shape[1:])
    return resampled


def translate(x: npt.NDArray[Any], max_translation: Any) -> npt.NDArray[Any]:
    """Returns the signal rotated right along its first axis by 0 to ``max_translation - 1``; one integer is drawn.

    A shift of the whole length or more leaves the signal as it is.

    Args:
        x: Signal ``(length,)``, or several as columns ``(length, n)``, which are shifted alike.
        max_translation: One more than the largest shift; or the shifts themselves to choose from, as a list, where a
            negative one goes to the left.
    """
    x = np.asarray(x)
    shift = int(np.random.choice(max_translation))
    return np.roll(x, shift if abs(shift) < len(x) else 0, axis=0)


def corr_noise_like(x: npt.NDArray[Any], scale: Any) -> FloatArray:
    """Returns noise of the signal's shape, smoothed over two points of each axis; ``scale``: its deviation before."""
    noise = iid_noise_like(x, scale)
    for axis in range(noise.ndim):
        rows = np.moveaxis(noise, axis, -1)
        smooth = transforms.gaussian_filter(rows.reshape(-1, rows.shape[-1]))
        noise = np.moveaxis(smooth.reshape(rows.shape), -1, axis)
    return np.ascontiguousarray(noise)


def iid_noise_like(x: npt.NDArray[Any], scale: Any) -> FloatArray:
    """Returns independent normal noise of the signal's shape and standard deviation ``scale``."""
    noise: FloatArray = scale * np.random.standard_normal(np.shape(x))
    return noise


def shear(x: npt.NDArray[Any], scale: Any = 10) -> FloatArray:
    """Returns the signal minus a ramp whose rise is uniform on ``-scale / 2 .. scale / 2``; one uniform is drawn.

    The ramp has as many points as the first axis and lies along the last one: of two axes it takes a square matrix, and
    what broadcasts to one.

    Raises:
        ValueError: If the ramp does not fit the last axis.
    """
    x = np.asarray(x)
    rise = scale * (np.random.rand() - 0.5)
    ramp: FloatArray = rise * np.linspace(-0.5, 0.5, len(x))
    try:
        return np.asarray(x - ramp)
    except ValueError as error:
        raise ValueError(
            f"x has the shape {x.shape}, and a ramp of {len(x)} points does not fit its last axis; shear the signals "
            "one by one"
        ) from error


def transform(x: npt.NDArray[Any], y: npt.NDArray[Any], args: Any, eps: float = 1e-8) -> tuple[FloatArray, FloatArray]:
    """Returns an example made of template ``x``, and its positions made of ``y``, ``(final_seq_length,)`` each.

    Args:
        x: Heights of the template, ``(points,)``.
        y: Positions of the template's points, ``(points,)``.
        args: What `get_dataset_args` returns, attributes changed as wanted.
        eps: Added to the template, so that only padding is exactly zero.
    """
    length = args.template_len + args.padding[-1]
    signal = interpolate(pad(np.asarray(x) + eps, args.padding), length)
    signal = signal * (1 + args.scale_coeff * (np.random.rand() - 0.5))
    signal = translate(signal, args.max_translation)
    signal = np.where(signal != 0, signal, corr_noise_like(signal, args.corr_noise_scale))
    signal = signal + iid_noise_like(signal, args.iid_noise_scale)
    signal = shear(signal, args.shear_scale)
    return interpolate(signal, args.final_seq_length), interpolate(interpolate(y, length), args.final_seq_length)

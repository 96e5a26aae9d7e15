"""Sums in a fixed order of elementwise operations, so that their last bit is the same on every machine.

A BLAS product, a SIMD reduction or a fused multiply-add may round differently from one processor to the next. Adding,
multiplying and dividing whole arrays element by element may not: IEEE 754 fixes each result.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.signedinteger[Any]]


def fold_sum(values: FloatArray) -> FloatArray:
    """Returns the sum over the last axis, ``(..., n)`` to ``(...)``, adding upper half to lower until one is left.

    The error grows with log2(n), as in pairwise summation.
    """
    while (n := values.shape[-1]) > 1:
        half = n // 2
        folded = values[..., :half] + values[..., half : 2 * half]
        if n % 2:
            folded[..., 0] += values[..., -1]
        values = folded
    return values.reshape(values.shape[:-1]) if values.shape[-1] else np.zeros(values.shape[:-1], values.dtype)


def mean_and_std(values: FloatArray) -> tuple[float, float]:
    """Returns the mean and population standard deviation of all elements, in double precision."""
    flat = values.reshape(-1).astype(np.float64, copy=False)
    mean = float(fold_sum(flat)) / flat.size
    deviations = flat - mean
    return mean, float(np.sqrt(float(fold_sum(deviations * deviations)) / flat.size))

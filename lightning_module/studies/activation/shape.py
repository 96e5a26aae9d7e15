"""The shape of an activation function as numbers: samples, and how high its bump and how deep its dip are."""

import torch

from lightning_module.studies.framework.cells import Row
from lightning_module.studies.methods.activation.functions import Function

BUMP = (-4.0, 0.0)  # where the published function has its positive bump
DIP = (0.0, 2.0)  # and its negative dip


def shape_rows(function: Function, *, points: int = 201) -> list[Row]:
    """Returns x and y on [-5, 5]."""
    x = torch.linspace(-5, 5, points)
    with torch.no_grad():
        y = function(x)
    return [{"x": round(a, 6), "y": float(f"{b:.6g}")} for a, b in zip(x.tolist(), y.tolist(), strict=True)]


def feature_row(function: Function) -> Row:
    """Returns the highest local maximum left of 0, the lowest minimum right of it, and how far the function falls.

    Where there is no local maximum or minimum, its height is 0.
    """
    x = torch.linspace(-5, 5, 1001)
    with torch.no_grad():
        y = function(x)
    row: Row = {}
    for name, (low, high), sign in (("bump", BUMP, 1), ("dip", DIP, -1)):
        height = sign * y
        peak = torch.zeros_like(x, dtype=torch.bool)
        peak[1:-1] = (height[1:-1] > height[:-2]) & (height[1:-1] >= height[2:])
        peak &= (x > low) & (x < high)
        row[name] = float(f"{sign * height[peak].max():.6g}") if peak.any() else 0.0
    # How far it falls from left to right: 0 for a monotone function.
    row["fall"] = float(f"{(y.cummax(0).values - y).max():.6g}")
    return row

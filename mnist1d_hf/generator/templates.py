"""The ten digit templates: hand-made curves of twelve points. No randomness."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from mnist1d_hf.generator.arithmetic import FloatArray, IntArray, fold_sum

NUM_CLASSES = 10
TEMPLATE_POINTS = 12

# Source: Greydanus (2020), https://greydanus.github.io/2020/12/01/scaling-down/; heights of the curve, digit by digit.
HEIGHTS = (
    (5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5),
    (5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5),
    (5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5),
    (5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5),
    (5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5),
    (5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5),
    (5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5),
    (5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5),
)


@dataclass(frozen=True)
class Templates:
    """Clean signals from which examples are made, all of one length.

    Attributes:
        x: One signal a row, ``(classes, points)``.
        t: Position of each point, ``(points,)``, the same for all signals.
        y: Label of each row, ``(classes,)``.
    """

    x: FloatArray
    t: FloatArray
    y: IntArray

    def as_dict(self) -> dict[str, FloatArray | IntArray]:
        """Returns the three arrays under the reference's names ``x``, ``t``, ``y``, as copies."""
        return {"x": self.x.copy(), "t": self.t.copy(), "y": self.y.copy()}


@cache
def digit_templates() -> Templates:
    """Returns the ten digits: x ``(10, 12)``, t ``(12,)`` from -5/6 to 5/6, y ``(10,)``; read-only.

    Each curve is centred, divided by its own standard deviation, moved to start at zero and divided by six.
    """
    x = np.array(HEIGHTS, dtype=np.float64)
    x -= fold_sum(x)[:, None] / TEMPLATE_POINTS
    x /= np.sqrt(fold_sum(x * x) / TEMPLATE_POINTS)[:, None]
    x -= x[:, :1].copy()
    x /= 6.0
    t = np.linspace(-5.0, 5.0, TEMPLATE_POINTS) / 6.0
    y = np.arange(NUM_CLASSES, dtype=np.int64)
    for array in (x, t, y):
        array.flags.writeable = False
    return Templates(x=x, t=t, y=y)

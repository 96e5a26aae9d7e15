"""Signals drawn with the characters of a terminal: upright, as in the figures, so that the digits can be read.

The amplitude runs to the right and the position downwards. Where the terminal knows braille patterns, each character
holds two by four dots, which are about square; elsewhere each character is one dot.

Source: the Unicode Standard, "Braille Patterns", U+2800 to U+28FF.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

Signals = npt.NDArray[np.floating]
Dots = npt.NDArray[np.bool_]

_BLANK: Final = 0x2800
# The bit of each dot in a pattern: two columns of three dots, and a fourth row that came later.
_BITS: Final = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
_NARROWEST, _WIDEST = 12, 16  # characters of a panel; a digit is hard to read in fewer, and no easier in more
_LOWEST, _HIGHEST = 10, 14  # lines of a panel in braille; ten hold the 40 points
_PLAIN_HEIGHT: Final = 20  # lines of a panel where a character is one dot
_GAP: Final = 2


class Layout(NamedTuple):
    """The sizes of panels, and how many of them stand in a row.

    Attributes:
        per_row: Panels beside each other.
        width: Characters in a line of a panel.
        height: Lines of a panel.
        braille: Whether characters are braille patterns.
    """

    per_row: int
    width: int
    height: int
    braille: bool = True

    @classmethod
    def fitting(cls, panels: int, *, columns: int = 80, lines: int = 24, braille: bool = True) -> Self:
        """Returns the layout in which so many signals are read best.

        Args:
            panels: How many there are.
            columns: Characters in a line of the terminal.
            lines: Lines of the terminal.
            braille: Whether the terminal knows braille patterns.
        """
        widths = {count: (columns + _GAP) // count - _GAP for count in (10, 5, 3, 2, 1)}
        per_row = next((count for count, width in widths.items() if width >= _NARROWEST), 1)
        width = max(1, min(widths[per_row], _WIDEST))
        room = (lines - 2) // -(-panels // per_row) - 1  # for a panel below its title, and the question below them
        return cls(per_row, width, min(max(room, _LOWEST), _HIGHEST) if braille else _PLAIN_HEIGHT, braille)


def draw(signals: Signals, titles: Sequence[object], layout: Layout) -> list[str]:
    """Returns the lines of text that show signals, ``(n, length)``, each below its title; all have one scale."""
    extent = float(signals.min()), float(signals.max())
    text: list[str] = []
    for first in range(0, len(signals), layout.per_row):
        row = slice(first, first + layout.per_row)
        panels = [
            panel(signal, extent, width=layout.width, height=layout.height, braille=layout.braille)
            for signal in signals[row]
        ]
        above = [str(title).center(layout.width) for title in titles[row]]
        text += [_beside(parts) for parts in [above, *zip(*panels, strict=True)]]
    return text


def panel(signal: Signals, extent: tuple[float, float], *, width: int, height: int, braille: bool = True) -> list[str]:
    """Returns one signal as ``height`` lines of ``width`` characters, its edges at the two amplitudes of ``extent``."""
    if not braille:
        return ["".join("#" if dot else " " for dot in line) for line in _dots(signal, extent, width, height)]
    cells = _dots(signal, extent, 2 * width, 4 * height).reshape(height, 4, width, 2)
    patterns = (cells * _BITS[:, None, :]).sum(axis=(1, 3))
    return ["".join(chr(_BLANK + pattern) for pattern in line) for line in patterns]


def _dots(signal: Signals, extent: tuple[float, float], width: int, height: int) -> Dots:
    """Returns which dots of ``(height, width)`` lie on the line through the signal's points."""
    low, high = extent
    # Points between the points, close enough for a line without holes.
    place = np.linspace(0.0, len(signal) - 1, (len(signal) - 1) * 2 * width + 1)
    heights = np.interp(place, np.arange(len(signal)), signal)
    across = (heights - low) / (high - low) * (width - 1) if high > low else np.full(len(place), (width - 1) / 2)
    down = place / (len(signal) - 1) * (height - 1)
    dots: Dots = np.zeros((height, width), dtype=np.bool_)
    dots[down.round().astype(int), across.round().astype(int)] = True
    return dots


def _beside(parts: Sequence[str]) -> str:
    # A blank pattern may be drawn as eight small circles; a space is empty in every font.
    return (" " * _GAP).join(parts).replace(chr(_BLANK), " ").rstrip()

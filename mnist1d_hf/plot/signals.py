"""Pictures of signals, templates, stages and learning curves, each a matplotlib Figure; needs the extra ``plot``.

Signals stand upright as in the blog post, so that the digits can be read: the amplitude runs to the right, the position
downwards. Figures are made without pyplot (but for `show_in_a_row`): nothing is shown, nothing global changes, and
``figure.savefig("signals.png")`` or the last line of a notebook cell displays them.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from mnist1d_hf.extras import extra_imports
from mnist1d_hf.generator.arithmetic import FloatArray
from mnist1d_hf.generator.arrays import MNIST1DArrays
from mnist1d_hf.generator.generate import make_mnist1d
from mnist1d_hf.generator.templates import NUM_CLASSES, digit_templates
from mnist1d_hf.plot.construction import Construction

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS: Final = 10
_PANEL_WIDTH: Final = 0.8  # inches
_PANEL_RATIO: Final = 2.2  # height of a panel in widths
_DPI: Final = 200
_WEIGHT: Final = 1.3  # of a line, in points
_FEW_POINTS: Final = 20  # up to so many a signal is drawn with larger dots
# Blue and vermilion: apart for every kind of colour vision. Source: Okabe & Ito (2008), "Color Universal Design".
_SPLIT_COLOURS: Final = {"train": "#0072B2", "test": "#D55E00", "val": "#009E73"}


@dataclass(frozen=True)
class Style:
    """Colours of a figure, and whether signals are dots or lines.

    Attributes:
        ground: Colour behind the panels.
        panel: Colour of the panels.
        ink: Colour of signals and titles.
        faint: Colour of axes' labels, ticks and explanations.
        dots: Whether signals are dots; else they are lines.
    """

    ground: str
    panel: str
    ink: str
    faint: str
    dots: bool


LIGHT: Final = Style(ground="white", panel="#F4F5F7", ink="#1B2A41", faint="#6B7785", dots=False)
DARK: Final = Style(ground="#0E1116", panel="#191E26", ink="white", faint="#A9B3BF", dots=True)


def plot_signals(
    x: npt.ArrayLike,
    y: npt.ArrayLike | None = None,
    t: npt.ArrayLike | None = None,
    *,
    dark: bool = False,
    columns: int = _COLUMNS,
) -> "Figure":
    """Returns a figure with one panel per signal, in rows of ten.

    Args:
        x: Signals, ``(n, length)``, or one, ``(length,)``.
        y: A title for each, ``(n,)``, such as its label.
        t: Positions of the points, ``(length,)``; by default equidistant.
        dark: White dots on black in place of dark lines on white.
        columns: Panels in a row.

    Raises:
        ValueError: If the shapes do not fit together.
        ImportError: If matplotlib is not installed.
    """
    signals = np.atleast_2d(np.asarray(x, dtype=np.float64))
    if signals.ndim != 2 or not signals.size:
        raise ValueError(f"x has shape {np.shape(x)}; it must be (n, length) or (length,) and not empty")
    titles = None if y is None else _fitting("y", np.atleast_1d(np.asarray(y)), len(signals))
    place = np.linspace(0.0, 1.0, signals.shape[1]) if t is None else _fitting("t", np.asarray(t), signals.shape[1])
    if columns < 1:
        raise ValueError(f"columns={columns} must be at least 1")
    style = DARK if dark else LIGHT
    columns = min(columns, len(signals))
    rows = -(-len(signals) // columns)
    figure, panels = grid(rows, columns, style, top=0.06 if titles is None else 0.22)
    half_width = extent(signals)
    for panel, signal, title in itertools.zip_longest(panels, signals, () if titles is None else titles):
        if signal is None:
            panel.set_visible(False)  # the rest of the last row
            continue
        draw_signal(panel, signal, place, half_width, style)
        if title is not None:
            panel.set_title(str(title), color=style.ink, fontsize=9, pad=3)
    return figure


def plot_templates(*, dark: bool = False) -> "Figure":
    """Returns a figure of the ten clean curves that all examples are made from.

    Args:
        dark: White dots on black in place of dark lines on white.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    templates = digit_templates()
    return plot_signals(templates.x, templates.y, templates.t, dark=dark)


def plot_stages(
    arrays: MNIST1DArrays | None = None, *, digit: int | None = None, index: int = 0, dark: bool = False
) -> "Figure":
    """Returns a figure of one example of each digit, or of one digit, from template through all stages.

    Args:
        arrays: A data set made with ``trace=True``; by default the default recipe's.
        digit: The only one to show.
        index: Which example of a digit in train, the first by default.
        dark: White dots on black in place of dark lines on white.

    Raises:
        ValueError: If the arrays hold no trace, or not so many examples of a digit.
        ImportError: If matplotlib is not installed.
    """
    arrays = make_mnist1d(trace=True, num_samples=1000) if arrays is None else arrays
    digits = range(NUM_CLASSES) if digit is None else [digit]
    return plot_construction(Construction.of(arrays, digits=digits, index=index), dark=dark)


def plot_construction(construction: Construction, *, dark: bool = False) -> "Figure":
    """Returns a figure of how examples came to be: a row per stage, a column per digit; or panels of one digit.

    Args:
        construction: The signals after each stage.
        dark: White dots on black in place of dark lines on white.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    digits, stages = construction.digits, construction.stages
    style = DARK if dark else LIGHT
    in_a_row = len(digits) == 1
    if in_a_row:
        figure, panels = grid(1, len(stages), style, top=0.22, width=1.05)
    else:
        figure, panels = grid(len(stages), len(digits), style, left=1.2, top=0.22, ratio=1.5)
    half_width = max(extent(signals) for signals in stages.values())
    drawn = [(name, digit, x) for name, signals in stages.items() for digit, x in zip(digits, signals, strict=True)]
    for panel, (name, digit, x) in zip(panels, drawn, strict=True):
        draw_signal(panel, x, np.linspace(0.0, 1.0, len(x)), half_width, style)
        if in_a_row:
            panel.set_title(name, color=style.ink, fontsize=8, pad=3)
        elif panel in panels[: len(digits)]:
            panel.set_title(str(digit), color=style.ink, fontsize=9, pad=3)
        if not in_a_row and digit == digits[0]:
            panel.set_ylabel(name, color=style.ink, fontsize=9, rotation=0, ha="right", va="center")
    return figure


def plot_learning_curve(rows: Iterable[Mapping[str, float]]) -> "Figure":
    """Returns a figure of accuracy and loss over the optimiser's steps, a panel each, a line per split.

    Args:
        rows: One mapping per evaluation: ``step`` and, as far as known, ``train_accuracy``, ``val_accuracy``,
            ``test_accuracy`` (fractions) and ``train_loss``, ``val_loss``, ``test_loss``. A row may leave some out.

    Raises:
        ValueError: If a row has no step, or there is nothing to draw.
        ImportError: If matplotlib is not installed.
    """
    rows = list(rows)
    if any("step" not in row for row in rows):
        raise ValueError("every row must have a 'step', the number of optimiser steps done")
    measures = [
        m for m in ("accuracy", "loss") if any(f"{split}_{m}" in row for row in rows for split in _SPLIT_COLOURS)
    ]
    if not measures:
        known = ", ".join(f"{split}_{measure}" for measure in ("accuracy", "loss") for split in _SPLIT_COLOURS)
        raise ValueError(f"rows hold nothing to draw; give at least one of {known}")
    figure = _new_figure(4.2 * len(measures), 2.8, LIGHT)
    for axes, measure in zip(figure.subplots(1, len(measures), squeeze=False)[0], measures, strict=True):
        _draw_curve(axes, rows, measure)
    figure.set_layout_engine("constrained")
    return figure


def show_in_a_row(
    signals: Sequence[tuple[FloatArray, FloatArray]],
    titles: Sequence[str] | None,
    *,
    ratio: float,
    zoom: float,
    style: Style,
) -> "Figure":
    """Shows pairs of heights and positions side by side in a pyplot window, as the reference package does.

    Args:
        signals: Heights and positions of each, ``(length,)`` both.
        titles: One for each.
        ratio: Height of a panel in widths.
        zoom: Half the extent of both axes.
        style: Colours.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib import pyplot

    figure = pyplot.figure(figsize=(1.5 * len(signals), 1.5 * ratio), dpi=60)
    for panel, (x, t) in zip(figure.subplots(1, len(signals)), signals, strict=True):
        draw_signal(panel, x, t, zoom, style, weight=2)
        panel.set_ylim(zoom, -zoom)
    for panel, title in zip(figure.axes, titles or (), strict=False):
        panel.set_title(title, fontsize=22)
    figure.tight_layout()
    pyplot.show()
    return figure


def require_matplotlib() -> None:
    """Refuses to go on without matplotlib, and says how to get it.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    with extra_imports():
        import matplotlib  # noqa: F401 - only whether it is there


def draw_signal(
    panel: "Axes", x: FloatArray, t: FloatArray, half_width: float, style: Style, *, weight: float = _WEIGHT
) -> None:
    """Draws one signal into a panel whose axis ends at ``-half_width`` and ``half_width``; ``weight`` in points."""
    if style.dots:
        panel.plot(x, t, "o", color=style.ink, markersize=dot_size(len(x), weight), markeredgewidth=0)
    else:
        panel.plot(x, t, color=style.ink, linewidth=weight, solid_capstyle="round", solid_joinstyle="round")
    panel.set_xlim(-half_width, half_width)
    margin = 0.06 * (t[-1] - t[0])
    panel.set_ylim(t[-1] + margin, t[0] - margin)
    panel.set_xticks([])
    panel.set_yticks([])
    panel.set_facecolor(style.panel)
    panel.spines[:].set_visible(False)


def dot_size(points: int, weight: float = _WEIGHT) -> float:
    """Returns the diameter in points of the dots of a signal, larger where there are few."""
    return (3.0 if points <= _FEW_POINTS else 1.8) * weight


def grid(
    rows: int,
    columns: int,
    style: Style,
    *,
    left: float = 0.06,
    top: float = 0.06,
    width: float = _PANEL_WIDTH,
    ratio: float = _PANEL_RATIO,
) -> "tuple[Figure, list[Axes]]":
    """Returns a figure and its panels in reading order; ``left``, ``top`` and a panel's ``width`` are in inches."""
    gap, edge, height = 0.06, 0.06, width * ratio
    total_width = left + columns * width + (columns - 1) * gap + edge
    row_gap = max(gap, top) if rows > 1 and left <= edge else gap
    total_height = top + rows * height + (rows - 1) * row_gap + edge
    figure = _new_figure(total_width, total_height, style)
    spec = figure.add_gridspec(
        rows,
        columns,
        left=left / total_width,
        right=1 - edge / total_width,
        top=1 - top / total_height,
        bottom=edge / total_height,
        wspace=gap / width,
        hspace=row_gap / height,
    )
    return figure, list(spec.subplots(squeeze=False).flat)


def extent(signals: FloatArray) -> float:
    """Returns half the width of an axis that holds all signals, a little larger than the largest amplitude."""
    largest = float(np.nanmax(np.abs(signals)))
    return 1.1 * largest if largest > 0 else 1.0


def _new_figure(width: float, height: float, style: Style = LIGHT) -> "Figure":
    require_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=_DPI, facecolor=style.ground)


def _fitting(name: str, values: npt.NDArray[Any], length: int) -> npt.NDArray[Any]:
    if values.shape != (length,):
        raise ValueError(f"{name} has shape {values.shape}; with these signals it must be ({length},)")
    return values


def _draw_curve(axes: "Axes", rows: list[Mapping[str, float]], measure: str) -> None:
    for split, colour in _SPLIT_COLOURS.items():
        known = [(row["step"], row[f"{split}_{measure}"]) for row in rows if f"{split}_{measure}" in row]
        if known:
            steps, values = zip(*known, strict=True)
            axes.plot(steps, values, color=colour, linewidth=1.6, label=split, marker="o" if len(known) == 1 else None)
    axes.set_title(measure, loc="left", fontsize=10, color=LIGHT.ink)
    axes.set_xlabel("optimiser step", fontsize=8.5, color=LIGHT.faint)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#C5CBD3")
    axes.tick_params(colors=LIGHT.faint, labelsize=8, length=0)
    axes.grid(axis="y", color="#E6E9ED", linewidth=0.8)
    axes.set_axisbelow(True)
    if measure == "accuracy":
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    axes.legend(frameon=False, fontsize=8.5, labelcolor=LIGHT.ink)

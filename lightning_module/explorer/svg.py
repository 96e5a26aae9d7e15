"""Signals and curves as SVG, drawn by hand: a picture of ten signals takes a millisecond, and a phone fits it in.

Colours are those of ``page.css``, light or dark. All text is escaped; each picture has a text in its place.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.floating]

WIDTH, HEIGHT, MARGIN = 100, 220, 8  # of a signal's panel; signals stand upright, as in all figures
LEAST_SHOWN: Final = 0.005  # a digit less probable than this is not listed
LISTED: Final = 2  # digits of a posterior
_CHART: Final = (480, 270)
_EDGES: Final = (46, 14, 16, 40)  # left, right, top, bottom of a chart


@dataclass(frozen=True, eq=False)
class Panel:
    """One signal and what is said of it.

    Attributes:
        signal: Its points, ``(length,)``; NaN where it has ended.
        title: What stands above it.
        truth: Its label, if that is shown.
        p: The probability of each digit given the signal, ``(10,)``, listed below it; None for no list.
        note: A line below it.
        wrong: Whether it is marked as misread.
    """

    signal: Numbers
    title: str
    truth: int | None = None
    p: Numbers | None = None
    note: str = ""
    wrong: bool = False


def signals(
    panels: Sequence[Panel], *, columns: int = 10, narrow: int = 5, extent: float | None = None, waiting: bool = False
) -> str:
    """Returns a grid of signals, each upright in a panel: the amplitude to the right, the position downwards.

    Args:
        panels: The signals.
        columns: Panels in a row.
        narrow: Panels in a row of a phone.
        extent: Half the width of a panel in units of the signals; None for one that holds them all.
        waiting: Whether there is to be room for posteriors that are not known yet.
    """
    if extent is None:
        extent = half_width([panel.signal for panel in panels])
    drawn = "".join(_panel(panel, extent, waiting) for panel in panels)
    return f'<div class="m1-signals" style="--columns:{columns};--narrow:{narrow}">{drawn}</div>'


def half_width(curves: Sequence[Numbers]) -> float:
    """Returns half the width of a panel that holds all curves, a little larger than the largest amplitude."""
    largest = max((float(np.nanmax(np.abs(curve))) for curve in curves if len(curve)), default=0.0)
    return 1.1 * largest if largest > 0 else 1.0


def path(signal: Numbers, extent: float) -> str:
    """Returns the points of a signal in its panel, as ``polyline`` has them; what has ended is left out."""
    known = signal[np.isfinite(signal)]
    across = WIDTH / 2 * (1 + known / extent)
    down = np.linspace(MARGIN, HEIGHT - MARGIN, len(signal))[: len(known)]
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in zip(across.tolist(), down.tolist(), strict=True))


def _panel(panel: Panel, extent: float, waiting: bool) -> str:
    told = f"{panel.title}: a signal of {int(np.isfinite(panel.signal).sum())} points"
    listed = _posterior(panel.p, panel.truth) if panel.p is not None else ""
    if not listed and waiting:
        listed = f'<ol class="m1-posterior m1-waiting" aria-hidden="true">{"<li>&nbsp;</li>" * LISTED}</ol>'
    note = f'<p class="m1-note">{html.escape(panel.note)}</p>' if panel.note else ""
    mark = " m1-wrong" if panel.wrong else ""
    return (
        f'<figure class="m1-panel{mark}"><figcaption>{html.escape(panel.title)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{html.escape(told)}">'
        f'<line class="m1-axis" x1="50" x2="50" y1="{MARGIN}" y2="{HEIGHT - MARGIN}"/>'
        f'<polyline class="m1-line" points="{path(panel.signal, extent)}"/></svg>{listed}{note}</figure>'
    )


def _posterior(p: Numbers, truth: int | None) -> str:
    """Returns the most probable digits as a list of bars."""
    best = [int(digit) for digit in np.argsort(-p, kind="stable")[:LISTED] if p[digit] >= LEAST_SHOWN]
    rows = [
        f'<li{" class=m1-true" if digit == truth else ""} style="--p:{100 * p[digit]:.1f}%">'
        f"<b>{digit}</b><span>{percent(float(p[digit]))}</span></li>"
        for digit in best
    ]
    rows += ["<li>&nbsp;</li>"] * (LISTED - len(rows))
    return f'<ol class="m1-posterior" aria-label="most probable digits">{"".join(rows)}</ol>'


def percent(share: float) -> str:
    """Returns a probability in percent; what is not quite all is not rounded to all."""
    return ">99 %" if 0.995 <= share < 1 - 1e-9 else f"{100 * share:.0f} %"


@dataclass(frozen=True)
class Series:
    """A line of a chart.

    Attributes:
        name: What it is, in the legend.
        points: Places and heights.
        colour: Number of its colour in ``page.css``; lines that belong together have the same.
        dashed: Whether it is dashed.
    """

    name: str
    points: Sequence[tuple[float, float]]
    colour: int = 0
    dashed: bool = False


def chart(
    series: Sequence[Series],
    *,
    title: str,
    across: str,
    width: float,
    low: float = 0.0,
    high: float = 1.0,
    levels: Mapping[str, float] | None = None,
    told_ends: bool = True,
) -> str:
    """Returns lines over a common axis, with a legend: shares of 1, told in percent.

    Args:
        series: The lines; one may have no points yet.
        title: What is seen, for those who do not see it; what each line comes to is added.
        across: What the horizontal axis counts.
        width: Its end; it begins at 0.
        low: Lower end of the vertical axis.
        high: Its upper end.
        told_ends: Whether the legend says what each line comes to.
        levels: Heights that are marked by a line from edge to edge, by name, such as the Bayes limit.
    """
    whole, (left, right, top, bottom) = _CHART, _EDGES
    inner, tall = whole[0] - left - right, whole[1] - top - bottom

    def place(x: float, y: float) -> tuple[float, float]:
        return left + inner * min(max(x / width, 0), 1), top + tall * (1 - min(max((y - low) / (high - low), 0), 1))

    parts = []
    for step in range(5):
        share = low + (high - low) * step / 4
        _, y = place(0, share)
        parts.append(f'<line class="m1-grid" x1="{left}" x2="{whole[0] - right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{100 * share:.0f} %</text>')
    for step in range(3):
        x, _ = place(width * step / 2, low)
        anchor = ("start", "middle", "end")[step]
        parts.append(f'<text x="{x:.1f}" y="{whole[1] - 22}" text-anchor="{anchor}">{width * step / 2:,g}</text>')
    parts.append(f'<text x="{left + inner / 2}" y="{whole[1] - 5}" text-anchor="middle">{html.escape(across)}</text>')
    for height in (levels or {}).values():
        _, y = place(0, height)
        parts.append(f'<line class="m1-level" x1="{left}" x2="{whole[0] - right}" y1="{y:.1f}" y2="{y:.1f}"/>')
    for each in series:
        dots = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in each.points)
        dashes = " m1-dashed" if each.dashed else ""
        parts.append(f'<polyline class="m1-series m1-colour-{each.colour}{dashes}" points="{dots}"/>')
    ends = [f"{each.name} {100 * each.points[-1][1]:.1f} %" for each in series if each.points]
    ends += [f"{name} {100 * height:.1f} %" for name, height in (levels or {}).items()]
    told = html.escape(f"{title}: {'; '.join(ends) or 'nothing yet'}")
    return (
        f'<figure class="m1-chart"><svg viewBox="0 0 {whole[0]} {whole[1]}" role="img" aria-label="{told}">'
        f"{''.join(parts)}</svg>{_legend(series, levels or {}, told_ends)}</figure>"
    )


def _legend(series: Sequence[Series], levels: Mapping[str, float], told_ends: bool) -> str:
    rows = [
        f'<li class="m1-colour-{each.colour}{" m1-dashed" if each.dashed else ""}">{html.escape(each.name)}'
        + (f" <b>{100 * each.points[-1][1]:.1f} %</b>" if each.points and told_ends else "")
        + "</li>"
        for each in series
    ]
    rows += [f'<li class="m1-level">{html.escape(name)} <b>{100 * y:.1f} %</b></li>' for name, y in levels.items()]
    return f'<figcaption><ul class="m1-legend">{"".join(rows)}</ul></figcaption>'

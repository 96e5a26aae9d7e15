"""The look that the studies' figures share: one colour for a network everywhere, intervals, the published number.

Functions on matplotlib's `Axes`, and no pyplot: nothing is shown and nothing global changes. Colour never stands alone:
arms differ by line and marker, and the published number is a dashed black line.

Source: the colours are those of Okabe & Ito (2008), "Color Universal Design", apart for every kind of colour vision.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from lightning_module.studies.framework.result import Result
from lightning_module.studies.framework.statistics import mean_interval
from mnist1d_hf.atomic import replace
from mnist1d_hf.plot.signals import require_matplotlib

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lightning_module.studies.framework.study import Study

PALETTE: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#6B7785")
NOT_NETWORKS: Final = ("majority", "kNN", "SVM", "human")  # beside the networks in tables
ARMS: Final = {
    "frozen": {"linestyle": "-", "marker": "o"},  # the frozen data, only the initialisation differs
    "fresh": {"linestyle": ":", "marker": "s"},  # all that a seed decides differs
    "shuffled": {"linestyle": "-.", "marker": "^"},
}
INK: Final = "#1B2A41"
GREY: Final = "#6B7785"
PANEL: Final = (4.2, 3.2)  # inches, width and height
DPI: Final = 144


def panels(rows: int = 1, columns: int = 1, *, size: tuple[float, float] = PANEL) -> "tuple[Figure, npt.NDArray[Any]]":
    """Returns a figure and its panels, an array (rows, columns) of axes.

    Args:
        rows: Panels below each other.
        columns: Panels beside each other.
        size: Width and height of a panel in inches.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(size[0] * columns, size[1] * rows), dpi=DPI, layout="constrained", facecolor="white")
    axes = figure.subplots(rows, columns, squeeze=False)
    for each in axes.flat:
        each.spines[["top", "right"]].set_visible(False)
        each.grid(axis="y", color="#E3E6EA", linewidth=0.8)
        each.set_axisbelow(True)
    return figure, axes


def colours(names: Iterable[str]) -> dict[str, str]:
    """Returns a colour for each name: a network has its own everywhere, the others those that are left, in order."""
    wanted = list(dict.fromkeys(names))
    own = network_colours()
    taken = {own[name] for name in wanted if name in own}
    left = [colour for colour in PALETTE if colour not in taken] or list(PALETTE)
    others = [name for name in wanted if name not in own]
    chosen = {name: left[i % len(left)] for i, name in enumerate(others)}
    return {name: own.get(name) or chosen[name] for name in wanted}


def network_colours() -> dict[str, str]:
    """Returns the colours that were registered with networks, and that of a person who reads signals."""
    from lightning_module.networks import NETWORKS, registered  # which imports torch

    found = {name: registered(name).colour for name in NETWORKS}
    return {**{name: colour for name, colour in found.items() if colour}, "human": INK}


def network_label(name: str) -> str:
    """Returns what figures call a network, or anything else that stands in its place."""
    from lightning_module.networks import NETWORKS, registered

    return registered(name).label if name in NETWORKS else name


def registered_accuracy(name: str, points: str = "own") -> float | None:
    """Returns the published accuracy of a network on the frozen data; None if there is none.

    Args:
        name: The network.
        points: "own" or "shuffled": the order of the points.
    """
    from lightning_module.networks import NETWORKS, registered

    if name not in NETWORKS:
        return None
    return registered(name).accuracy if points == "own" else registered(name).shuffled_accuracy


def networks_in(rows: "pd.DataFrame", first: Sequence[str]) -> list[str]:
    """Returns the networks of a table: some that are in it for sure, in their order, and then all others.

    Args:
        rows: The table, with the column "network".
        first: Those that are first.
    """
    here = [name for name in rows.network.dropna().unique() if name not in (*first, *NOT_NETWORKS)]
    return [*first, *here]


def curve(
    axes: "Axes", rows: "pd.DataFrame", x: str, y: str, *, label: str, colour: str, arm: str = "frozen", **line: Any
) -> None:
    """Draws the mean of a column over another, with a band: the 95 % interval of the mean.

    Args:
        axes: Where to.
        rows: A tidy table, of the rows of this curve; those with the same `x` are independent of each other.
        x: The column to the right.
        y: The column upwards.
        label: Of the curve, in the legend.
        colour: Of the curve and its band.
        arm: One of `ARMS`, which decides line and marker.
        **line: Further arguments of `Axes.plot`.
    """
    groups = {at: group[y].dropna().tolist() for at, group in rows.groupby(x)}
    at = [float(position) for position, values in groups.items() if values]
    several = [values for values in groups.values() if values]
    means = [sum(values) / len(values) for values in several]
    axes.plot(at, means, **{"color": colour, "label": label, "markersize": 3, **ARMS[arm], **line})
    if all(len(values) > 1 for values in several):
        intervals = [mean_interval(values) for values in several]
        low, high = [i.low for i in intervals], [i.high for i in intervals]
        axes.fill_between(at, low, high, color=colour, alpha=0.18, linewidth=0)


def estimate(
    axes: "Axes",
    at: float,
    values: Sequence[float],
    *,
    colour: str,
    label: str | None = None,
    arm: str = "frozen",
    along: Literal["x", "y"] = "y",
) -> None:
    """Draws the mean of independent values as a point with a bar: the 95 % interval of the mean.

    Args:
        axes: Where to.
        at: The position on the other axis.
        values: One for each unit.
        colour: Of point and bar.
        label: In the legend.
        arm: One of `ARMS`, which decides the marker.
        along: The axis that the values are on.
    """
    mean, low, high = mean_interval(values) if len(values) > 1 else 3 * tuple(values)
    point = {"x": (mean, at), "y": (at, mean)}[along]
    axes.errorbar(
        *point,
        **{f"{along}err": [[mean - low], [high - mean]]},  # type: ignore[arg-type]  # names decided by `along`
        color=colour,
        label=label,
        marker=ARMS[arm]["marker"],
        markersize=6,
        capsize=3,
        linestyle="none",
    )


def published_line(
    axes: "Axes",
    number: float,
    *,
    at: float | None = None,
    width: float = 0.8,
    along: Literal["x", "y"] = "y",
    label: str | None = "published",
) -> None:
    """Draws a published number as a dashed line, across the panel or at one position.

    Args:
        axes: Where to.
        number: The number.
        at: The position on the other axis; None for all of it.
        width: Of the line at a position.
        along: The axis that the number is on.
        label: In the legend; give it once.
    """
    style: dict[str, Any] = {"color": INK, "linestyle": (0, (4, 2)), "linewidth": 1.3, "label": label, "zorder": 3}
    if at is None:
        (axes.axhline if along == "y" else axes.axvline)(number, **style)
        return
    ends, both = [at - width / 2, at + width / 2], [number, number]
    axes.plot(*((ends, both) if along == "y" else (both, ends)), **style)


def save_figures(study: "Study[Any]", result: Result, folder: Path, *, again: bool = False) -> dict[str, Path]:
    """Returns the PNG file of each of a study's figures by name, after drawing those that the folder does not hold.

    Args:
        study: The study, whose figures are drawn.
        result: What they are drawn from.
        folder: Where they are kept, as `NAME.png`; the result's folder.
        again: Whether to draw those that are there as well.
    """
    drawn = study.figures_of(result.preset)
    files = {name: folder / f"{name}.png" for name in drawn}
    for name, file in files.items():
        if again or not file.is_file():
            figure = drawn[name](result)
            # Without the version of matplotlib the same picture has the same bytes.
            replace(file, partial(figure.savefig, format="png", metadata={"Software": None}))
    return files

"""The pictures of the recipe sweep: accuracy along each axis, and the CNN's lead over the MLP."""

from typing import TYPE_CHECKING

from lightning_module.studies.framework.figures import (
    GREY,
    INK,
    colours,
    curve,
    network_label,
    networks_in,
    panels,
    published_line,
    registered_accuracy,
)
from lightning_module.studies.recipe_sweep.axes import AXES, DEFAULTS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lightning_module.studies.framework.result import Result

ORDER = ("logistic", "mlp", "gru", "cnn")


def draw_accuracy(result: "Result") -> "Figure":
    """Returns the test accuracy of each network along each axis, beside the published ones at the default."""
    figure, axes = panels(1, len(AXES), size=(3.7, 3.6))
    own = colours(networks_in(result.rows, ORDER))
    for axis, panel in zip(AXES, axes[0], strict=True):
        rows = along(result.rows, axis)
        for network, colour in own.items():
            chosen = rows[rows.network == network].assign(percent=lambda these: 100 * these.accuracy)
            curve(panel, chosen, axis, "percent", label=network_label(network), colour=colour)
            at = DEFAULTS[axis]
            if (accuracy := registered_accuracy(network)) is not None:
                published_line(panel, round(100 * accuracy, 6), at=at, width=0.35 * at, label=None)
        _finish(panel, axis, sorted(set(rows[axis])))
        panel.set_ylim(0, 102)
        panel.axhline(10, color=GREY, linewidth=1, linestyle=":")
    axes[0, 0].set_ylabel(f"test accuracy after {result.config['steps']} steps (%)\nmean and 95 % interval")
    axes[0, 0].plot([], [], color=INK, linestyle=(0, (4, 2)), label="published (default)")
    axes[0, 0].plot([], [], color=GREY, linestyle=":", label="chance")
    axes[0, 0].legend(fontsize=7, frameon=False, loc="lower left", ncols=2)
    return figure


def draw_gap(result: "Result") -> "Figure":
    """Returns CNN minus MLP along each axis, in points of accuracy and in log-odds."""
    figure, axes = panels(2, len(AXES), size=(3.7, 2.9))
    measures = {"accuracy": ("CNN minus MLP\n(points of accuracy)", 100), "log_odds": ("CNN minus MLP\n(log-odds)", 1)}
    for row, (column, (label, factor)) in zip(axes, measures.items(), strict=True):
        for axis, panel in zip(AXES, row, strict=True):
            leads = _leads(along(result.rows, axis), axis, column)
            leads["lead"] *= factor
            curve(panel, leads, axis, "lead", label="mean and 95 % interval, paired by seed", colour=INK)
            _finish(panel, axis, sorted(set(leads[axis])))
            panel.axhline(0, color=GREY, linewidth=1)
        row[0].set_ylabel(label)
        limits = [limit for panel in row for limit in panel.get_ylim()]
        for panel in row:  # one scale, so that the axes can be compared
            panel.set_ylim(min(limits), max(limits))
    axes[0, 0].legend(fontsize=7, frameon=False, loc="lower left")
    return figure


def along(rows: "pd.DataFrame", axis: str) -> "pd.DataFrame":
    """Returns the rows on fresh tests where every number of the recipe but one has its default."""
    rows = rows[rows["on"] == "fresh test"]
    for other, default in DEFAULTS.items():
        if other != axis:
            rows = rows[rows[other] == default]
    return rows


def _leads(rows: "pd.DataFrame", axis: str, column: str) -> "pd.DataFrame":
    table = rows.pivot(index=[axis, "seed"], columns="network", values=column)
    return (table["cnn"] - table["mlp"]).rename("lead").reset_index()


def _finish(panel: "Axes", axis: str, levels: list[float]) -> None:
    """Gives a panel its axis: levels double, so they are equally far apart, and 0 stands before the first."""
    if levels[0] == 0:
        smallest = levels[1]
        panel.set_xscale("symlog", base=2, linthresh=smallest, linscale=1)
        panel.set_xlim(left=-0.2 * smallest)
    else:
        panel.set_xscale("log", base=2)
    panel.set_xticks(levels, [f"{level:g}" for level in levels], fontsize=8, rotation=45)
    panel.set_xticks([], minor=True)
    panel.axvline(DEFAULTS[axis], color=GREY, linewidth=0.8, linestyle=":", zorder=0)
    panel.set(title=AXES[axis].name, xlabel=f"{AXES[axis].unit}; dotted: default")

"""A picture of several runs side by side: how accuracy and loss go on each data set, needs the extra ``plot``."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from mnist1d_hf.plot.signals import LIGHT, require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Apart for every kind of colour vision. Source: Okabe & Ito (2008), "Color Universal Design".
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
LINES: Final[dict[str, dict[str, Any]]] = {
    "test": {"linewidth": 1.8},
    "train": {"linewidth": 1.1, "linestyle": (0, (3, 2)), "alpha": 0.75},
}


def plot_runs(runs: Mapping[str, Iterable[Mapping[str, float]]]) -> "Figure":
    """Returns a figure of accuracy and loss over the optimiser's steps: a colour for each run, dashed on train.

    Args:
        runs: By the name of the run, a mapping per evaluation, as `plot_learning_curve` takes them.

    Raises:
        ValueError: If there are more runs than colours.
        ImportError: If matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    if not 1 <= len(runs) <= len(COLOURS):
        raise ValueError(f"runs has {len(runs)} runs, and must have 1 to {len(COLOURS)}, one for each colour")
    figure = Figure(figsize=(8.4, 3.2), dpi=200, facecolor=LIGHT.ground, layout="constrained")
    known = {name: list(rows) for name, rows in runs.items()}
    for axes, measure in zip(figure.subplots(1, 2), ("accuracy", "loss"), strict=True):
        for colour, (name, rows) in zip(COLOURS, known.items(), strict=False):
            _draw(axes, rows, measure, name, colour)
        _dress(axes, measure)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=8.5)
    for text in legend.get_texts():
        text.set_color(LIGHT.ink)
    return figure


def _draw(axes: "Axes", rows: list[Mapping[str, float]], measure: str, name: str, colour: str) -> None:
    for split, line in LINES.items():
        known = [(row["step"], row[f"{split}_{measure}"]) for row in rows if f"{split}_{measure}" in row]
        if known:
            steps, values = zip(*known, strict=True)
            marker = "o" if len(known) == 1 else None
            axes.plot(steps, values, color=colour, label=f"{name}, {split}", marker=marker, **line)


def _dress(axes: "Axes", measure: str) -> None:
    axes.set_title(measure, loc="left", fontsize=10, color=LIGHT.ink)
    axes.set_xlabel("optimiser step", fontsize=8.5, color=LIGHT.faint)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#C5CBD3")
    axes.tick_params(colors=LIGHT.faint, labelsize=8, length=0)
    axes.grid(axis="y", color="#E6E9ED", linewidth=0.8)
    axes.set_axisbelow(True)
    if measure == "accuracy":
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")

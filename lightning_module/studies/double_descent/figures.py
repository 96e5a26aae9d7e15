"""The pictures of double descent: error and loss over the number of parameters, over the epochs, and those of 2020."""

from typing import TYPE_CHECKING, Any, Final

from lightning_module.studies.double_descent.published import (
    CNN_LOSSES_2020,
    LOSSES_2020,
    WIDTHS,
    published_error,
    published_loss,
)
from lightning_module.studies.framework.figures import INK, PALETTE, curve, panels
from lightning_module.studies.framework.turning_points import matching
from lightning_module.studies.methods.networks.families import FAMILIES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lightning_module.studies.framework.result import Result

# What is trained: network and labels, the title, and its training signals by the names of the config.
COLUMNS: Final = (
    ("mlp", "clean", "MLP, clean labels"),
    ("mlp", "noisy", "MLP, 15 % noise"),
    ("cnn", "noisy", "CNN, 15 % noise"),
)
TEST, TRAIN = PALETTE[1], PALETTE[0]


def draw_sizes(result: "Result") -> "Figure":
    """Returns error and loss over the number of parameters, a column for each network and kind of labels."""
    figure, axes = panels(2, 3, size=(4.0, 3.1))
    for (network, labels, title), column in zip(COLUMNS, axes.T, strict=True):
        rows = _percent(matching(result.rows, form="current", network=network, labels=labels))
        for panel, measure in zip(column, ("error", "loss"), strict=True):
            fresh = matching(rows, arm="fresh")
            curve(panel, matching(fresh, on="fresh test"), "parameters", measure, label="test, fresh arm", colour=TEST)
            frozen = matching(rows, arm="frozen", on="test")
            if len(frozen):
                style: dict[str, Any] = {"label": "test, frozen arm", "colour": PALETTE[4], "arm": "fresh"}
                curve(panel, frozen, "parameters", measure, **style)
            curve(
                panel, matching(fresh, on="train"), "parameters", measure,
                label="training, fresh arm", colour=TRAIN, marker="^", linestyle="--",
            )  # fmt: skip
            _published(panel, network, labels, measure, set(rows.width))
            panel.set_xscale("log")
            _threshold(panel, result.config["n"], f"parameters = {result.config['n']:,} signals")
        column[0].set_ylim(top=80)  # an interval of three seeds goes beyond what an error can be
        column[0].set_title(title, fontsize=10)
        column[1].set_xlabel("parameters")
    axes[0, 0].set_ylabel("error (%)")
    axes[1, 0].set_ylabel("cross-entropy (nats)")
    axes[0, 2].legend(fontsize=7, frameon=False, loc="upper right")
    return figure


def draw_amended(result: "Result") -> "Figure":
    """Returns what a run for amended rules is about: curves over sizes, or error over training signals or units."""
    forms = set(result.rows.form)
    if "current" in forms:
        return draw_sizes(result)
    figure, ((panel,),) = panels(size=(5.2, 3.8))
    axis, label = ("n", "training signals") if "data" in forms else ("width", "units in each hidden layer")
    rows = _percent(result.rows)
    curve(panel, matching(rows, on="fresh test"), axis, "error", label="test", colour=TEST)
    style: dict[str, Any] = {"marker": "^", "linestyle": "--"}
    curve(panel, matching(rows, on="train"), axis, "error", label="training", colour=TRAIN, **style)
    panel.set_xscale("log")
    ticks = sorted(rows[axis].unique())
    panel.set_xticks(ticks, [f"{each:,}" for each in ticks])
    panel.minorticks_off()
    panel.set(xlabel=label, ylabel="error (%)")
    panel.set_title("MLP, 15 % noise: mean and 95 % interval over seeds", fontsize=10)
    panel.legend(fontsize=8, frameon=False)
    return figure


def draw_epochs(result: "Result") -> "Figure":
    """Returns test error over the epochs for networks below, at and above the threshold."""
    figure, axes = panels(1, 3, size=(4.0, 3.3))
    for (network, labels, title), panel in zip(COLUMNS, axes[0], strict=True):
        rows = _percent(result.tables["curves"])
        rows = matching(rows, form="current", arm="fresh", network=network, labels=labels, on="test")
        sizes = sorted(rows.width.unique())
        wanted = (9, 27, 47, 300) if network == "mlp" else (4, 10, 18, 100)
        marks = zip(wanted, (PALETTE[0], PALETTE[2], PALETTE[1], INK), "o^sD", ("-", "--", "-.", ":"), strict=True)
        for width, colour, marker, line in marks:
            if width in sizes:
                label = f"{width} {'units' if network == 'mlp' else 'channels'}"
                style: dict[str, Any] = {"marker": marker, "linestyle": line}
                curve(panel, matching(rows, width=width), "epoch", "error", label=label, colour=colour, **style)
        panel.set_xscale("log")
        panel.set_xlabel("epochs")
        panel.set_title(title, fontsize=10)
        panel.legend(fontsize=7, frameon=False)
    axes[0, 0].set_ylabel("test error (%), fresh arm")
    return figure


def draw_2020(result: "Result") -> "Figure":
    """Returns the losses of the form of 2020 over the number of parameters, beside its published figure."""
    figure, axes = panels(1, 2, size=(4.6, 3.4))
    pairs = (("one-hidden", LOSSES_2020, "one hidden layer"), ("cnn", CNN_LOSSES_2020, "CNN"))
    for (network, losses, title), panel in zip(pairs, axes[0], strict=True):
        rows = matching(result.rows, form="2020", network=network)
        curve(panel, matching(rows, on="fresh test"), "parameters", "loss", label="test", colour=TEST)
        style: dict[str, Any] = {"marker": "^", "linestyle": "--"}
        curve(panel, matching(rows, on="train"), "parameters", "loss", label="training", colour=TRAIN, **style)
        places = [FAMILIES[network].parameters(width, 10) for width in losses]
        panel.plot(places, list(losses.values()), "x", color=INK, markersize=5, label="published 2020, test")
        _threshold(panel, result.config["n_2020"], f"parameters = {result.config['n_2020']:,} signals")
        panel.set_title(title, fontsize=10)
        panel.set_xlabel("parameters")
        panel.legend(fontsize=7, frameon=False)
    axes[0, 0].set_ylabel("cross-entropy (nats)")
    return figure


def _percent(rows: "pd.DataFrame") -> "pd.DataFrame":
    return rows.assign(error=100 * rows.error)


def _published(panel: "Axes", network: str, labels: str, measure: str, widths: set[int]) -> None:
    """Marks what was published of the sizes that are there."""
    if measure == "loss":
        values = {w: published_loss(labels, w) for w in WIDTHS if w in widths} if network == "mlp" else {}
    else:
        printed = {width: published_error(network, labels, width) for width in sorted(widths)}
        values = {width: 100 * number for width, number in printed.items() if number is not None}
    places = [FAMILIES[network].parameters(width, 10) for width in values]
    if places:
        panel.plot(places, list(values.values()), "x", color=INK, markersize=5, label="published, test", zorder=4)


def _threshold(panel: "Axes", at: float, label: str) -> None:
    panel.axvline(at, color=INK, linewidth=1.1, linestyle=(0, (4, 2)), label=label)

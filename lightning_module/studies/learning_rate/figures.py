"""The pictures of the learned learning rate: paths from many starts, the landscape, what a gradient costs."""

from typing import TYPE_CHECKING, Any

from lightning_module.studies.framework.figures import INK, PALETTE, curve, panels, published_line

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lightning_module.studies.framework.result import Result

PUBLISHED_RATE = 0.62
HIGH, LOW = 1.5, 0.15
TITLES = {"frozen": "frozen data, seed 0", "fresh": "fresh draws, mean and 95 % interval"}
OBJECTIVES = {
    "mean_loss": "mean over the training: the objective",
    "last_loss": "last 20 steps",
    "test_loss": "test loss at the end",
}


def draw_paths(result: "Result") -> "Figure":
    """Returns the learning rates over the outer steps, from all starts, beside the published value."""
    figure, axes = panels(1, 2, size=(4.6, 3.6))
    for arm, panel in zip(TITLES, axes[0], strict=True):
        rows = result.rows[result.rows.arm == arm]
        _paths(panel, rows[rows.seed == 0] if arm == "frozen" else rows)
        published_line(panel, PUBLISHED_RATE, label="published, 0.62")
        panel.set(title=TITLES[arm], xlabel="outer step", ylim=(0, 2.1))
    axes[0, 0].set_ylabel("learning rate after the step")
    axes[0, 1].legend(frameon=False, fontsize=8)
    return figure


def _paths(panel: "Axes", rows: "pd.DataFrame") -> None:
    for start in sorted(rows.start.unique()):
        own = start in (HIGH, LOW)
        colour = {HIGH: PALETTE[1], LOW: PALETTE[0]}.get(start, "#9AA5B1")
        label = f"from {start:g}, as published" if own else "from elsewhere"
        known = panel.get_legend_handles_labels()[1]
        style: dict[str, Any] = {"marker": "none", "linewidth": 2.0 if own else 0.9, "zorder": 3 if own else 2}
        curve(
            panel,
            rows[(rows.start == start) & (rows.rate < float("inf"))],
            "step",
            "rate",
            label="_" if label in known else label,
            colour=colour,
            **style,
        )


def draw_landscape(result: "Result") -> "Figure":
    """Returns three losses by the learning rate, and on the objective the points where the descents have been."""
    figure, axes = panels(1, 2, size=(4.6, 3.6))
    for arm, panel in zip(TITLES, axes[0], strict=True):
        rows = result.tables["landscape"]
        rows = rows[(rows.arm == arm) & ((rows.seed == 0) | (arm == "fresh")) & (rows.mean_loss < 10)]
        for (objective, label), colour in zip(OBJECTIVES.items(), (INK, PALETTE[2], PALETTE[4]), strict=True):
            curve(panel, rows, "rate", objective, label=label, colour=colour, marker="none")
        panel.axvline(PUBLISHED_RATE, color=INK, linestyle=(0, (4, 2)), linewidth=1.2)
        panel.set(title=TITLES[arm], xscale="log", xlabel="learning rate", ylim=(1.2, 2.4))
    own = result.rows[(result.rows.arm == "frozen") & (result.rows.seed == 0)]
    for start, colour, marker in ((HIGH, PALETTE[1], "o"), (LOW, PALETTE[0], "s")):
        path = own[(own.start == start) & (own.rate < float("inf"))].sort_values("step")
        # The loss of a step is that of the learning rate before it.
        before = [start, *path.rate.tolist()[:-1]]
        axes[0, 0].plot(
            before, path.mean_loss, marker=marker, markersize=4, color=colour, linewidth=0.8, label=f"from {start:g}"
        )
    axes[0, 0].set_ylabel("loss")
    axes[0, 0].legend(frameon=False, fontsize=7, title="dashed: published optimum", title_fontsize=7)
    return figure


def draw_cost(result: "Result") -> "Figure":
    """Returns memory and, if it was measured, processor time of a hypergradient by the length of the training."""
    rows = result.tables["cost"]
    timed = "seconds" in rows
    figure, axes = panels(1, 1 + timed, size=(4.4, 3.4))
    names = {"whole": "kept whole", "segments": "in segments of the square root of the length"}
    for column, panel in zip(("megabytes", "seconds") if timed else ("megabytes",), axes[0], strict=True):
        for (method, label), marker, colour in zip(names.items(), "os", PALETTE, strict=False):
            own = rows[rows.method == method]
            panel.plot(own.length, own[column], marker=marker, color=colour, label=label)
        panel.set(xscale="log", yscale="log", xlabel="unrolled steps")
        panel.set_xticks(sorted(rows.length.unique()), [str(n) for n in sorted(rows.length.unique())])
        panel.minorticks_off()
    axes[0, 0].set_ylabel("held for the backward pass (MB)")
    if timed:
        axes[0, 1].set_ylabel("processor time (s), fastest run")
    axes[0, 0].legend(frameon=False, fontsize=8)
    return figure

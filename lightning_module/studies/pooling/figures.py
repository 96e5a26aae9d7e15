"""The pictures of the pooling study: accuracy over the size of the training set, and what pooling adds to it."""

from typing import TYPE_CHECKING, Final

import pandas as pd

from lightning_module.studies.framework.figures import INK, PALETTE, curve, panels
from lightning_module.studies.pooling.claims import NOT_MUCH
from lightning_module.studies.pooling.published import KINDS, POOLS, SIZES, published_accuracy, published_advantage

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lightning_module.studies.framework.result import Result

# Variant: its name, colour and marker.
LOOK: Final = {
    "none": ("no pooling", INK, "o"),
    "matched": ("no pooling, 8 channels", PALETTE[7], "D"),
    "stride": ("stride 2", PALETTE[1], "v"),
    "max": ("max", PALETTE[0], "s"),
    "avg": ("average", PALETTE[2], "^"),
    "l2": ("L2", PALETTE[3], "P"),
}
MARKS: Final = {2024: "x", 2020: "+"}
ARMS: Final = {
    "published": ("as published", "test", "own data and 1,000 tests at each size"),
    "nested": ("nested training sets", "fresh test", "one test set of fresh signals"),
    "epochs": ("nested, equal epochs", "fresh test", "steps in proportion to the size"),
}
TICKS: Final = (0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99)


def draw_accuracy(result: "Result") -> "Figure":
    """Returns test accuracy over training size, a panel for each arm, with bands over the seeds."""
    figure, axes = panels(1, 3, size=(4.0, 4.2))
    for (arm, (title, on, what)), panel in zip(ARMS.items(), axes[0], strict=True):
        rows = result.rows[(result.rows.arm == arm) & (result.rows.on == on)]
        for variant, (label, colour, marker) in LOOK.items():
            chosen = rows[rows.variant == variant]
            if not chosen.empty:
                line = {"marker": marker, "linestyle": "--" if variant == "matched" else "-"}
                curve(panel, chosen, "n", "accuracy", label=label, colour=colour, **line)
        if arm == "published":
            _mark_published(panel)
        _size_axis(panel, result)
        panel.set_yscale("logit")
        panel.set_yticks(TICKS, [f"{100 * tick:.0f}" for tick in TICKS])
        panel.set_yticks([], minor=True)
        panel.set_title(f"{title}\n{what}", fontsize=10)
    low = result.rows[result.rows.on != "train"].accuracy.min()
    for panel in axes[0]:
        panel.set_ylim(max(0.02, min(0.5, 0.9 * low)), 0.993)
    axes[0, 0].set_ylabel("test accuracy (%), axis stretched towards 100")
    axes[0, 0].legend(fontsize=7, frameon=False, loc="lower right")
    axes[0, 1].legend(fontsize=7, frameon=False, loc="lower right")
    return figure


def draw_advantage(result: "Result") -> "Figure":
    """Returns what pooling adds to the accuracy over training size: by arm, by kind, and in log odds."""
    figure, axes = panels(1, 3, size=(4.0, 3.8))
    table = _points(result)
    arms = (
        ("published", "none", "test", "as published", PALETTE[7], "v", ":"),
        ("nested", "none", "fresh test", "nested", INK, "o", "-"),
        ("nested", "matched", "fresh test", "nested, equal parameters", PALETTE[0], "s", "-"),
        ("epochs", "none", "fresh test", "equal epochs", PALETTE[1], "^", "--"),
        ("epochs", "matched", "fresh test", "equal epochs and parameters", PALETTE[2], "D", "--"),
    )
    for panel, column in ((axes[0, 0], "accuracy"), (axes[0, 2], "log_odds")):
        for arm, over, on, label, colour, marker, line in arms:
            gaps = _minus(table, arm, on, POOLS, over, column)
            curve(panel, gaps, "n", "gap", label=label, colour=colour, marker=marker, linestyle=line)
    for run, mark in MARKS.items():
        values = [100 * published_advantage(n, run) for n in SIZES]
        axes[0, 0].plot(SIZES, values, mark, color="black", markersize=7, label=f"published {run}", zorder=4)
    for variant in KINDS[1:]:
        label, colour, marker = LOOK[variant]
        gaps = _minus(table, "nested", "fresh test", (variant,), "none", "accuracy")
        curve(axes[0, 1], gaps, "n", "gap", label=label, colour=colour, marker=marker)
    for panel in axes[0]:
        _size_axis(panel, result)
        panel.axhline(0, color=INK, linewidth=1)
    for panel in axes[0, :2]:
        panel.axhspan(-100 * NOT_MUCH, 100 * NOT_MUCH, color="#E3E6EA", zorder=0, label="not much of a difference")
        panel.set_ylabel("accuracy minus that without pooling (points)")
    axes[0, 0].set_title("mean of max, average, L2", fontsize=10)
    axes[0, 1].set_title("each kind, nested training sets", fontsize=10)
    axes[0, 2].set_title("mean of three, in log odds", fontsize=10)
    axes[0, 2].set_ylabel("log odds minus those without pooling")
    for panel in axes[0, :2]:
        panel.legend(fontsize=7, frameon=False)
    return figure


def _mark_published(panel: "Axes") -> None:
    for run, mark in MARKS.items():
        for i, kind in enumerate(KINDS):
            values = [published_accuracy(kind, n, run) for n in SIZES]
            label = None if i else f"published {run}"
            panel.plot(SIZES, values, mark, color=LOOK[kind][1], markersize=7, label=label, zorder=4)


def _size_axis(panel: "Axes", result: "Result") -> None:
    sizes = sorted(result.rows.n.unique())
    panel.set_xscale("log")
    panel.set_xticks(sizes, [f"{n // 1000}k" if n % 1000 == 0 else str(n) for n in sizes])
    panel.set_xticks([], minor=True)
    panel.set_xlabel("training signals")


def _points(result: "Result") -> pd.DataFrame:
    return result.rows.assign(accuracy=100 * result.rows.accuracy)


def _minus(table: pd.DataFrame, arm: str, on: str, variants: tuple[str, ...], over: str, column: str) -> pd.DataFrame:
    """Returns the differences by size and seed: the mean of some variants minus another one."""
    rows = table[(table.arm == arm) & (table.on == on)]
    left = rows[rows.variant.isin(variants)].groupby(["n", "seed"])[column].mean()
    right = rows[rows.variant == over].groupby(["n", "seed"])[column].mean()
    return (left - right).rename("gap").reset_index()

"""The pictures of the thresholds: curves over parameters, thresholds over the number of classes, their exponents."""

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from lightning_module.studies.framework.figures import INK, PALETTE, curve, estimate, panels
from lightning_module.studies.framework.quantities import NoRowsError
from lightning_module.studies.framework.turning_points import matching
from lightning_module.studies.thresholds.claims import MARGIN, RULES, Exponent, Kind
from lightning_module.studies.thresholds.config import LOSSES, NAMES, PREDICTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lightning_module.studies.framework.result import Result

COLOURS: Final = {"cross_entropy": PALETTE[0], "mse": PALETTE[1]}
ARMS: Final = {"cross_entropy": "frozen", "mse": "fresh"}  # whose markers these are
MARKERS: Final = {"cross_entropy": "o", "mse": "s"}
LABELS: Final = ("random", "15 %", "0 %", "30 %")


def draw_curves(result: "Result") -> "Figure":
    """Returns error and loss over the parameters, ten digits with 15 % redrawn; the predicted thresholds are dashed."""
    figure, axes = panels(2, 2, size=(4.8, 3.0))
    n, classes = max(result.config["sizes"]), result.config["classes"][-1]
    kind = {"network": "one-hidden", "n": n, "classes": classes, "labels": "15 %", "times": 1}
    for loss, column in zip(LOSSES, axes.T, strict=True):
        rows = matching(result.rows, loss=loss, **kind)
        rows = rows.assign(train_error=100 * rows.train_error, test_error=100 * rows.test_error)
        for measure, panel in zip(("error", "loss"), column, strict=True):
            style: dict[str, Any] = {"marker": "^", "linestyle": "--"}
            curve(panel, rows, "parameters", f"test_{measure}", label="test", colour=PALETTE[1])
            curve(panel, rows, "parameters", f"train_{measure}", label="training", colour=PALETTE[0], **style)
            panel.set_xscale("log")
            for at, name, of in ((n, "n", "cross_entropy"), (n * classes, "n K", "mse")):
                line = {"linewidth": 1.8 if of == loss else 0.9, "linestyle": (0, (4, 2)) if of == loss else ":"}
                label = f"{name} = {at:,}{', predicted for this loss' if of == loss else ''}"
                panel.axvline(at, color=INK, label=label, **line)
        column[0].set_title(f"{NAMES[loss]}, {n:,} signals, {classes} digits, 15 % redrawn", fontsize=9)
        column[0].legend(fontsize=7, frameon=False)
        column[1].set_xlabel("parameters")
        column[1].set_yscale("symlog", linthresh=0.01)
        column[1].set_ylim(-0.002, 2 * rows.test_loss.max())
    axes[0, 0].set_ylabel("error (%)")
    axes[1, 0].set_ylabel("loss (linear below 0.01)")
    return figure


def draw_thresholds(result: "Result") -> "Figure":
    """Returns thresholds per signal over the number of classes: a column a rule, a row a kind of labels.

    Side by side, from left to right, are those of larger training sets. Hollow triangles are bounds of thresholds that
    lie beyond them.
    """
    kinds = ("random", "15 %")
    figure, axes = panels(len(kinds), len(RULES), size=(3.2, 3.0))
    table = matching(result.tables["thresholds"], network="one-hidden", times=1)
    classes = sorted(table.classes.unique())
    for labels, row in zip(kinds, axes, strict=True):
        for rule, panel in zip(RULES, row, strict=True):
            if labels == "random" and rule == "test error":
                panel.set_axis_off()
                panel.text(
                    0.5, 0.5, "no test error\nof random labels", ha="center", transform=panel.transAxes, fontsize=8
                )
                continue
            for loss in LOSSES:
                _points(panel, matching(table, rule=rule, labels=labels, loss=loss), loss)
            panel.plot(classes, [1] * len(classes), "--", color=COLOURS["cross_entropy"], label="predicted: n")
            panel.plot(classes, classes, "--", color=COLOURS["mse"], label="predicted: n K")
            panel.set_xscale("log")
            panel.set_yscale("log")
            panel.set_xticks(classes, [str(k) for k in classes])
            panel.set_xticks([], minor=True)
            panel.set_title(f"{rule}, {labels}{'' if labels == 'random' else ' redrawn'}", fontsize=9)
        row[0].set_ylabel("threshold, parameters per signal")
    for panel in axes[-1]:
        panel.set_xlabel("classes K")
    axes[0, 0].legend(fontsize=7, frameon=False)
    return figure


def _points(panel: "Axes", rows: pd.DataFrame, loss: str) -> None:
    """Draws the thresholds of one loss: those that are seen filled, the bounds of the others hollow."""
    sizes = sorted(rows.n.unique())
    shift = {"cross_entropy": 0.97, "mse": 1.03}[loss]
    for seen, marker, face, label in (
        ("here", MARKERS[loss], COLOURS[loss], NAMES[loss]),
        ("below", "v", "none", None),
        ("above", "^", "none", None),
    ):
        chosen = matching(rows, seen=seen)
        # Larger training sets to the right, so that all of them are seen.
        at = [shift * k * (1 + 0.06 * (sizes.index(n) - 1)) for k, n in zip(chosen.classes, chosen.n, strict=True)]
        style: dict[str, Any] = {"facecolors": face, "edgecolors": COLOURS[loss], "marker": marker, "linewidths": 0.8}
        panel.scatter(at, chosen.parameters / chosen.n, s=14, label=label, **style)


def draw_exponents(result: "Result") -> "Figure":
    """Returns the exponents of n and K by each rule and kind of labels, with 95 % intervals and the predictions.

    Where not all thresholds are seen, a percentage says how many are.
    """
    figure, axes = panels(2, len(RULES), size=(3.2, 2.8))
    kinds = [(labels, 1) for labels in LABELS] + [("15 %", result.config["times"])]
    names = [labels if times == 1 else f"{labels}\n{times}x steps" for labels, times in kinds]
    for of, row in (("n", axes[0]), ("K", axes[1])):
        for rule, panel in zip(RULES, row, strict=True):
            for loss, shift in zip(LOSSES, (-0.15, 0.15), strict=True):
                centre = 1.0 if of == "n" else PREDICTED[loss]
                panel.axhspan(centre - MARGIN, centre + MARGIN, color=COLOURS[loss], alpha=0.12, linewidth=0)
                for i, (labels, times) in enumerate(kinds):
                    _exponent(panel, result, i + shift, of, Kind(loss, labels, times=times), rule, labelled=not i)
            panel.set_xticks(range(len(kinds)), names, fontsize=7)
            panel.set_title(f"power of {of}, by the {rule}", fontsize=9)
    if axes[0, 0].get_legend_handles_labels()[1]:
        axes[0, -1].legend(*axes[0, 0].get_legend_handles_labels(), loc="upper left", fontsize=7, frameon=False)
    axes[0, 0].set_ylabel("exponent (band: predicted)")
    axes[1, 0].set_ylabel("exponent (band: predicted)")
    return figure


def _exponent(panel: "Axes", result: "Result", at: float, of: Any, kind: Kind, rule: str, *, labelled: bool) -> None:
    """Draws one exponent, and below it the share of the thresholds that are seen, if not all are."""
    if kind.labels == "random" and rule == "test error":
        return
    rows = matching(result.tables["thresholds"], network=kind.network, loss=kind.loss, labels=kind.labels)
    rows = matching(rows, times=kind.times, rule=rule)
    sizes = tuple(sorted(n for n, group in rows.groupby("n") if group.classes.nunique() > 1))
    try:
        values = Exponent(of, kind, rule, sizes).per_unit(result.tables).dropna().tolist()
    except NoRowsError:
        return
    label = NAMES[kind.loss] if labelled else None
    if values:
        estimate(panel, at, values, colour=COLOURS[kind.loss], label=label, arm=ARMS[kind.loss])
    share = float((rows[rows.n.isin(sizes)].seen == "here").mean())
    if share < 1:
        panel.annotate(f"{100 * share:.0f} %", (at, 0.02), xycoords=("data", "axes fraction"), fontsize=5, ha="center")

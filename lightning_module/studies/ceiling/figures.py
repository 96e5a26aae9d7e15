"""The pictures of the ceiling: errors beside the posterior's, divergence before and after, reliability."""

from copy import copy
from typing import TYPE_CHECKING, Any

from lightning_module.studies.ceiling.config import DEFAULTS, KNOBS, recipe_at
from lightning_module.studies.framework.figures import INK, curve, network_colours, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lightning_module.studies.framework.result import Result

LABELS = {"logistic": "logistic", "mlp": "MLP", "gru": "GRU", "cnn": "CNN"}
GREY = "#6B7785"
LEAST_ERROR = 0.005  # a share of fewer errors than ten in 2,000 signals says nothing
LINEAR = ("max_translation", "final_seq_length", "scale_coeff")  # knobs whose levels do not double


def draw_errors(result: "Result") -> "Figure":
    """Returns the error of each network along each knob beside that of the posterior, and the data's share of it."""
    figure, axes = panels(2, len(KNOBS), size=(3.0, 2.8))
    rows = result.rows[result.rows.arm == "final"]
    for column, knob in enumerate(KNOBS):
        upper, lower = axes[:, column]
        own, limits = along(rows, knob), along(result.tables["limits"], knob)
        for network, label in LABELS.items():
            chosen = own[own.network == network]
            chosen = chosen.assign(percent=100 * chosen.error, share=100 * chosen.data_share)
            curve(upper, chosen, knob, "percent", label=label, colour=network_colours()[network])
            enough = chosen.groupby(knob).error.transform("mean") >= LEAST_ERROR
            curve(lower, chosen[enough], knob, "share", label=label, colour=network_colours()[network])
        least = limits.assign(percent=100 * limits.error)
        curve(upper, least, knob, "percent", label="exact posterior", colour=INK, arm="fresh", linewidth=2)
        for panel in (upper, lower):
            _finish(panel, knob, own)
            panel.set_ylim(-2, 100)
        upper.set(title=KNOBS[knob], xlabel="")
    axes[0, 0].set_ylabel("error (%)\nmean and 95 % interval")
    axes[1, 0].set_ylabel("share of the error\nthat is the data's (%)")
    _legend(figure, axes[0, 0])
    return figure


def draw_divergence(result: "Result") -> "Figure":
    """Returns the divergence from the posterior along each knob: final, stopped, and each with its temperature."""
    figure, axes = panels(len(LABELS), len(KNOBS), size=(2.8, 2.3))
    arms = {
        ("final", "divergence"): ("6000 steps", "-", "o"),
        ("final", "tempered_divergence"): ("6000 steps, temperature", "--", "o"),
        ("stopped", "divergence"): ("stopped", "-", "^"),
        ("stopped", "tempered_divergence"): ("stopped, temperature", ":", "^"),
    }
    for line, (network, label) in zip(axes, LABELS.items(), strict=True):
        for knob, panel in zip(KNOBS, line, strict=True):
            own = along(result.rows[result.rows.network == network], knob)
            for (arm, column), (name, style, marker) in arms.items():
                colour = network_colours()[network] if arm == "final" else INK
                look: dict[str, Any] = {"linestyle": style, "marker": marker}
                curve(panel, own[own.arm == arm], knob, column, label=name, colour=colour, **look)
            _finish(panel, knob, own)
            if network != list(LABELS)[-1]:
                panel.set_xlabel("")
        line[0].set_ylabel(f"{label}\ndivergence (nats)")
        limits = [limit for panel in line for limit in panel.get_ylim()]
        for panel in line:  # one scale, so that the knobs can be compared
            panel.set_yscale("log")
            panel.set_ylim(max(min(limits), 0.02), max(limits))
    for knob, panel in zip(KNOBS, axes[0], strict=True):
        panel.set_title(KNOBS[knob])
    _legend(figure, axes[0, 0], common=GREY)  # of lines that have another colour in each row
    return figure


def draw_reliability(result: "Result") -> "Figure":
    """Returns how often networks are right over how sure they are, at the default and with much noise."""
    levels = [level for level in result.config["iid_noise_scale"] if level in (0.02, 0.08, 0.16)]
    figure, axes = panels(len(levels), len(LABELS), size=(2.9, 2.7))
    bins = result.tables["bins"]
    styles = {
        ("final", "own"): ("6000 steps", GREY, "-", "o"),
        ("final", "fitted"): ("6000 steps, temperature", "#0072B2", "--", "s"),
        ("stopped", "own"): ("stopped", "#D55E00", ":", "^"),
    }
    for level, line in zip(levels, axes, strict=True):
        here = _rows_of_recipe(bins, recipe_at("iid_noise_scale", level))
        for (network, label), panel in zip(LABELS.items(), line, strict=True):
            own = here[here.network == network]
            for (arm, heat), (name, colour, style, marker) in styles.items():
                chosen = own[(own.arm == arm) & (own.temperature == heat)]
                pooled = _pooled(chosen)
                panel.plot(
                    pooled.confidence,
                    pooled.right,
                    color=colour,
                    linestyle=style,
                    marker=marker,
                    markersize=3,
                    label=name,
                )
            panel.plot([0, 1], [0, 1], color=INK, linewidth=0.8, label="exact posterior")
            panel.set(xlim=(0, 1), ylim=(0, 1), title=f"{label}, noise {level:g}", aspect="equal")
        line[0].set_ylabel("right, by the posterior")
    for panel in axes[-1]:
        panel.set_xlabel("largest probability")
    _legend(figure, axes[0, 0])
    return figure


def _legend(figure: "Figure", panel: "Axes", *, common: str | None = None) -> None:
    """Gives a figure the legend of a panel below all panels, where it covers no curve; `common` is for all but INK."""
    from matplotlib.lines import Line2D

    handles, labels = panel.get_legend_handles_labels()
    if common is not None:
        handles = [copy(handle) for handle in handles]
        for handle in handles:
            if isinstance(handle, Line2D) and handle.get_color() != INK:
                handle.set_color(common)
    figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False, fontsize=9, handlelength=4)


def along(rows: "pd.DataFrame", knob: str) -> "pd.DataFrame":
    """Returns the rows where every knob but one has its default."""
    return _rows_of_recipe(rows, {other: default for other, default in DEFAULTS.items() if other != knob})


def _rows_of_recipe(rows: "pd.DataFrame", recipe: dict[str, Any]) -> "pd.DataFrame":
    for knob, level in recipe.items():
        rows = rows[rows[knob] == level]
    return rows


def _pooled(bins: "pd.DataFrame") -> "pd.DataFrame":
    """Returns the bins of all seeds together, weighted by their signals; those with fewer than 20 are left out."""
    weighted = bins.assign(confidence=bins.confidence * bins["count"], right=bins.right * bins["count"])
    sums = weighted.groupby("low")[["count", "confidence", "right"]].sum()
    sums = sums[sums["count"] >= min(20, sums["count"].max())]
    return sums.assign(confidence=sums.confidence / sums["count"], right=sums.right / sums["count"])


def _finish(panel: "Axes", knob: str, rows: "pd.DataFrame") -> None:
    """Gives a panel its axis; where levels double, they are equally far apart, and 0 stands before the first."""
    levels = sorted(set(rows[knob].tolist()))
    if knob not in LINEAR and len(levels) > 1:
        smallest = levels[1] if levels[0] == 0 else levels[0]
        if levels[0] == 0:
            panel.set_xscale("symlog", base=2, linthresh=smallest, linscale=1)
            panel.set_xlim(left=-0.2 * smallest)
        else:
            panel.set_xscale("log", base=2)
    panel.set_xticks(levels, [f"{level:g}" for level in levels], fontsize=7, rotation=60)
    panel.set_xticks([], minor=True)
    panel.axvline(DEFAULTS[knob], color=GREY, linewidth=0.8, linestyle=":", zorder=0)
    panel.set_xlabel("dotted: default", fontsize=8)

"""The pictures of scaling: excess loss over examples, the prediction of a million, and local exponents."""

from typing import TYPE_CHECKING

import numpy as np

from lightning_module.studies.framework.figures import INK, curve, network_colours, panels
from lightning_module.studies.scaling.config import RECIPES, UNITS
from lightning_module.studies.scaling.curves import Curve, Of, fit

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lightning_module.studies.framework.result import Result

LABELS = {"mlp": "MLP", "cnn": "CNN"}
GREY = "#6B7785"
NUMBERS = 127  # of the generator: 12 points of ten templates, and seven scales and ranges
STYLES = {0.5: ":", 1.0: "--", 2.0: "-."}
HIGH = 64_000


def draw_curves(result: "Result") -> "Figure":
    """Returns the excess loss over the number of examples: each width, their envelope, and a learner that knows."""
    figure, axes = panels(len(RECIPES), len(UNITS), size=(4.2, 3.4))
    for line, recipe in zip(axes, RECIPES, strict=True):
        for panel, network in zip(line, UNITS, strict=True):
            for width in result.config["widths"]:
                rows = Curve(recipe, network, width).rows(result.tables)
                style = STYLES.get(width, "-")
                curve(
                    panel,
                    rows,
                    "n",
                    "divergence",
                    label=f"width {width:g}",
                    colour=network_colours()[network],
                    linestyle=style,
                )
            envelope = Curve(recipe, network).rows(result.tables)
            curve(panel, envelope, "n", "divergence", label="envelope", colour=INK, arm="fresh", linewidth=2)
            _draw_exact_line(panel, sorted(set(envelope.n)))
            _finish(panel, f"{LABELS[network]}, {recipe}")
        line[0].set_ylabel("excess loss (nats)\nmean and 95 % interval")
    axes[0, 0].legend(fontsize=7, frameon=False)
    return figure


def draw_prediction(result: "Result") -> "Figure":
    """Returns the laws fitted up to 64,000 examples, and where a million lies: from excess loss and from raw loss."""
    figure, axes = panels(len(RECIPES), 2 * len(UNITS), size=(3.4, 3.0))
    kinds: tuple[Of, ...] = ("excess", "raw")
    for line, recipe in zip(axes, RECIPES, strict=True):
        places = [(network, of) for network in UNITS for of in kinds]
        for panel, (network, of) in zip(line, places, strict=True):
            envelope = Curve(recipe, network).rows(result.tables)
            _laws(panel, envelope, of, network_colours()[network])
            _finish(panel, f"{LABELS[network]}, {recipe}\n{of} loss")
            if of == "raw":
                panel.set_ylabel("")
        line[0].set_ylabel("loss (nats), a line a seed")
    axes[0, 0].legend(fontsize=7, frameon=False)
    floors = [line for line in axes[0, 1].get_lines() if str(line.get_label()).endswith("floor")]
    axes[0, 1].legend(handles=floors, fontsize=7, frameon=False, loc="upper right")
    return figure


def draw_slopes(result: "Result") -> "Figure":
    """Returns the local exponents between neighbouring numbers of examples, of each width and of the envelope."""
    figure, axes = panels(len(RECIPES), len(UNITS), size=(4.2, 3.2))
    for line, recipe in zip(axes, RECIPES, strict=True):
        for panel, network in zip(line, UNITS, strict=True):
            for width in (*result.config["widths"], None):
                rows = Curve(recipe, network, width).rows(result.tables)
                means = rows.assign(log=np.log(rows.divergence)).groupby("n").log.mean()
                sizes = np.array(means.index, float)
                slopes = -np.diff(means.to_numpy()) / np.diff(np.log(sizes))
                name = "envelope" if width is None else f"width {width:g}"
                colour = INK if width is None else network_colours()[network]
                style = "-" if width is None else STYLES.get(width, "-")
                panel.plot(
                    np.sqrt(sizes[1:] * sizes[:-1]),
                    slopes,
                    color=colour,
                    linestyle=style,
                    marker="o",
                    markersize=3,
                    label=name,
                )
            panel.axhline(0, color=GREY, linewidth=0.8)
            panel.axhspan(0.07, 0.35, color=GREY, alpha=0.15, label="published, other data")
            panel.set_xscale("log")
            panel.set(title=f"{LABELS[network]}, {recipe}", xlabel="examples")
        line[0].set_ylabel("local exponent")
    axes[0, 0].legend(fontsize=7, frameon=False)
    return figure


def _laws(panel: "Axes", envelope: "pd.DataFrame", of: Of, colour: str) -> None:
    sizes = sorted(set(envelope.n.tolist()))
    grid = np.geomspace(sizes[0], sizes[-1], 50)
    column = "divergence" if of == "excess" else "label_loss"
    enough = sum(n <= HIGH for n in sizes) >= (3 if of == "excess" else 4)
    floors: list[float] = []
    for number, (_, rows) in enumerate(envelope.groupby("seed")):
        inside = rows.n <= HIGH
        name = {0: "fitted to"}.get(number)
        panel.plot(rows.n[inside], rows[column][inside], "o", color=colour, markersize=4, label=name)
        panel.plot(
            rows.n[~inside], rows[column][~inside], "x", color=INK, markersize=6, label="not seen" if name else None
        )
        if enough:
            law = fit(rows, of, floor=of == "raw", low=sizes[0], high=HIGH)
            panel.plot(grid, [law(n) for n in grid], color=GREY, linewidth=1, label="law" if name else None)
            if of == "raw":
                floors.append(law.floor)
                panel.axhline(
                    law.floor, color=GREY, linewidth=0.8, linestyle=":", label="fitted floor" if name else None
                )
        if of == "raw":
            panel.axhline(rows.floor_loss.mean(), color=INK, linewidth=0.8, label="true floor" if name else None)
    if floors:
        # A fitted floor may be nothing, which no logarithmic axis reaches: it is a text then.
        true = envelope.floor_loss.mean()
        panel.set_ylim(bottom=0.5 * min(true, envelope[column].min()))
        text = f"floors: fitted {', '.join(f'{floor:.2f}' for floor in floors)}; true {true:.2f}"
        panel.text(0.03, 0.03, text, transform=panel.transAxes, fontsize=7, color=INK)


def _draw_exact_line(panel: "Axes", sizes: list[int]) -> None:
    line = [NUMBERS / (2 * n) for n in sizes]
    panel.plot(sizes, line, color=GREY, linewidth=1, label="knows the generator: 127 / 2n")


def _finish(panel: "Axes", title: str) -> None:
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set(title=title, xlabel="examples")

"""The pictures of the activation study: the shape and how it was learned, the fair test, other networks."""

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from lightning_module.studies.activation.claims import OTHERS
from lightning_module.studies.framework.figures import INK, PALETTE, estimate, panels, published_line
from lightning_module.studies.methods.activation.functions import INTERCEPTS, KNOTS, SLOPES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lightning_module.studies.framework.result import Result

GREY = "#6B7785"
LEARNED, PUBLISHED, TUNED = PALETTE[1], PALETTE[0], PALETTE[2]
# What the notebook of 2024 prints: objectives by outer step.
OBJECTIVES = {0: 1.352, 10: 1.033, 20: 0.987, 50: 0.965, 100: 0.944, 150: 0.923, 200: 0.910, 300: 0.884}
ORDER = ("learned", "piecewise", "straightened", *OTHERS)
LABELS = {
    "learned": "learned",
    "piecewise": "straight lines,\npublished",
    "straightened": "straight lines,\nours",
    "relu": "ReLU",
    "swish": "Swish",
    "elu": "ELU",
    "tanh": "tanh",
    "softplus": "softplus",
    "sigmoid": "sigmoid",
}


def draw_shape(result: "Result") -> "Figure":
    """Returns the learned functions beside the published stand-in, and the objective over the outer steps."""
    figure, axes = panels(1, 2, size=(5.0, 4.0))
    _shapes(axes[0, 0], result.tables["shape"])
    panel, rows = axes[0, 1], result.tables["outer"]
    for seed, colour in zip(sorted(rows.seed.unique()), (LEARNED, *[GREY] * 99), strict=False):
        own = rows[rows.seed == seed].sort_values("step")
        label = "published seed" if seed == 0 else "other seeds"
        panel.plot(
            own.step,
            own.objective,
            color=colour,
            linewidth=1.8 if seed == 0 else 0.7,
            zorder=3 if seed == 0 else 2,
            label="_" if label in panel.get_legend_handles_labels()[1] else label,
        )
    reached = {step: number for step, number in OBJECTIVES.items() if step <= rows.step.max()}
    panel.plot(list(reached), list(reached.values()), "x", color=INK, label="published", zorder=4)
    panel.set(title="learning it", xlabel="outer step", ylabel="mean of the last 200 inner losses")
    panel.legend(frameon=False, fontsize=8)
    return figure


def _shapes(panel: "Axes", rows: "pd.DataFrame") -> None:
    seeds = sorted(rows.seed.unique(), reverse=True)
    for seed in seeds:
        own = rows[rows.seed == seed].sort_values("x")
        main = seed == 0
        label = "learned, published seed" if main else "learned, other seeds" if seed == seeds[0] else "_"
        panel.plot(
            own.x, own.y, color=LEARNED if main else GREY, linewidth=2.2 if main else 0.7, label=label, zorder=2 + main
        )
    edges = (-5.0, *KNOTS, 3.0)
    for i, (low, high) in enumerate(pairwise(edges)):
        x = np.array([low, high])
        label = "published straight lines" if i == 0 else "_"
        panel.plot(x, SLOPES[i] * x + INTERCEPTS[i], color=INK, linestyle=(0, (4, 2)), linewidth=1.3, label=label)
    x = np.linspace(-5, 3, 200)
    panel.plot(x, np.maximum(x, 0), color=PALETTE[0], linewidth=1, linestyle=":", label="ReLU")
    panel.plot(x, np.where(x > 0, x, np.expm1(x)), color=PALETTE[2], linewidth=1, linestyle="-.", label="ELU")
    panel.set(title="the learned function", xlabel="x", ylabel="f(x)", xlim=(-5, 3), ylim=(-2, 3))
    panel.legend(frameon=False, fontsize=8)


def draw_fair(result: "Result") -> "Figure":
    """Returns the accuracies of all functions: where the one was learned, and on fresh data, also with own settings."""
    figure, axes = panels(1, 1, size=(9.5, 4.2))
    panel, rows = axes[0, 0], result.rows.assign(accuracy=100 * result.rows.accuracy)
    kinds = (
        ("frozen", "published", GREY, "where it was learned, published setting"),
        ("fresh", "published", PUBLISHED, "fresh data, published setting"),
        ("fresh", "tuned", TUNED, "fresh data, own learning rate and scales"),
    )
    for i, function in enumerate(ORDER):
        for (arm, setting, colour, label), shift in zip(kinds, (-0.22, 0.0, 0.22), strict=True):
            own = rows[(rows.arm == arm) & (rows.setting == setting) & (rows.function == function)].accuracy.tolist()
            if own:
                marker = "shuffled" if setting == "tuned" else arm
                estimate(panel, i + shift, own, colour=colour, label="_" if i else label, arm=marker)
        if function in OTHERS:
            published_line(panel, 100 * OTHERS[function], at=i - 0.22, width=0.3, label=None)
    published_line(panel, 68.4, at=-0.22, width=0.3, label="published, one run")
    published_line(panel, 66.4, at=0.78, width=0.3, label=None)
    panel.set_xticks(range(len(ORDER)), [LABELS[name] for name in ORDER], fontsize=8)
    panel.set(ylabel="test accuracy (%), mean and 95 % interval", xlim=(-0.6, len(ORDER) - 0.4))
    panel.legend(frameon=False, fontsize=8)
    return figure


def draw_transfer(result: "Result") -> "Figure":
    """Returns early training loss and final test loss of a CNN with each function, by data set."""
    rows = result.tables["transfer"]
    sets = list(dict.fromkeys(rows.data))
    titles = {"mnist": "MNIST's digits", "digits": "scikit-learn's digits", "cifar10": "CIFAR-10's images"}
    figure, axes = panels(len(sets), 2, size=(4.8, 3.2))
    columns = {"early_loss": "mean of the first 100 training losses", "test_loss": "test loss at the end"}
    names = [name for name in ORDER if name in set(rows.function)]
    for data, pair in zip(sets, axes, strict=True):
        for (column, label), panel in zip(columns.items(), pair, strict=True):
            for i, name in enumerate(names):
                own = rows[(rows.data == data) & (rows.function == name)][column].tolist()
                estimate(panel, i, own, colour=LEARNED if name == "learned" else GREY)
            panel.set_xticks(range(len(names)), [LABELS[name] for name in names], fontsize=8, rotation=30)
            examples = rows[rows.data == data].examples.max()
            panel.set(title=f"{titles[data]}, {examples:,} of them", ylabel=label)
    return figure

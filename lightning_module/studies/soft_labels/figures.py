"""The pictures of soft labels: divergence over examples by arm, and what soft labels are worth."""

from typing import TYPE_CHECKING

from lightning_module.studies.framework.figures import INK, curve, network_colours, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lightning_module.studies.framework.result import Result

LABELS = {"mlp": "MLP", "cnn": "CNN"}
MARKERS = {"here": "o", "above": "^", "below": "v"}


def draw_curves(result: "Result") -> "Figure":
    """Returns divergence and avoidable error over the number of examples, with hard and with soft labels."""
    figure, axes = panels(2, len(LABELS))
    for column, (network, label) in enumerate(LABELS.items()):
        rows = result.rows[result.rows.network == network]
        rows = rows.assign(percent=100 * rows.avoidable)
        for panel, measure in zip(axes[:, column], ("divergence", "percent"), strict=True):
            for arm, colour, look in (("hard", INK, "frozen"), ("soft", network_colours()[network], "fresh")):
                curve(panel, rows[rows.arm == arm], "n", measure, label=f"{arm} labels", colour=colour, arm=look)
            panel.set_xscale("log")
            panel.set_yscale("log")
            _name_numbers(panel, sorted(set(rows.n)))
        axes[0, column].set_title(label)
        axes[0, column].legend(fontsize=8, frameon=False)
        axes[1, column].set_xlabel("examples, those held out for tuning included")
    axes[0, 0].set_ylabel("divergence from the\nexact posterior (nats)")
    axes[1, 0].set_ylabel("avoidable error (%)")
    return figure


def _name_numbers(panel: "Axes", sizes: list[int]) -> None:
    """Gives logarithmic axes numbers as one reads them: the sizes that were measured, and 0.5, 0.6, ... 1, 2, ..."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    panel.set_xticks(sizes, [f"{n:,}" for n in sizes], fontsize=8)
    panel.xaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_locator(LogLocator(subs=[1, 2, 3, 4, 5, 6, 8]))
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.yaxis.set_minor_locator(NullLocator())


def draw_worth(result: "Result") -> "Figure":
    """Returns how many hard labels a soft one is worth, a mark for each seed; triangles lie beyond the grid."""
    figure, axes = panels(1, 1, size=(5.4, 3.8))
    (panel,) = axes.flat
    table = result.tables["worth"]
    for shift, (network, label) in zip((0.94, 1.06), LABELS.items(), strict=True):
        own = table[table.network == network]
        for seen, marker in MARKERS.items():
            chosen = own[own.seen == seen]
            name = {"here": label, "above": f"{label}, at least", "below": f"{label}, at most"}[seen]
            if len(chosen):
                panel.scatter(
                    chosen.n * shift,
                    chosen.times,
                    marker=marker,
                    s=26,
                    label=name,
                    color=network_colours()[network],
                    alpha=0.8,
                )
    panel.axhline(1, color=INK, linewidth=0.8)
    panel.set_xscale("log")
    panel.set_yscale("log")
    sizes, factors = sorted(set(table.n)), [2**k for k in range(-4, 11) if 2**k <= 2 * max(1, table.times.max())]
    panel.set_xticks(sizes, [f"{n:,}" for n in sizes])
    panel.set_yticks(factors, [f"{factor:g}" for factor in factors])
    panel.set_xticks([], minor=True)
    panel.set_yticks([], minor=True)
    panel.set_ylim(0.7 * min(1, table.times.min()), 2 * max(1, table.times.max()))
    panel.set(xlabel="soft labels", ylabel="hard labels that a soft one is worth")
    panel.legend(fontsize=8, frameon=False)
    return figure

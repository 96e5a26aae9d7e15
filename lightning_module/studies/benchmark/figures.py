"""The pictures of the benchmark: learning curves, final accuracies beside the published ones, who confuses what."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lightning_module.studies.framework.figures import (
    ARMS,
    GREY,
    INK,
    colours,
    curve,
    estimate,
    network_label,
    networks_in,
    panels,
    published_line,
    registered_accuracy,
)
from mnist1d_hf.bayes.limits import committed_limits

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lightning_module.studies.framework.result import Result

ORDER = ("logistic", "mlp", "gru", "cnn")
BASELINES = ("kNN", "SVM")
LIMIT = "#8C6D31"  # of the exact posterior
SELECTED: dict[str, Any] = {
    "marker": "^",
    "color": INK,
    "markerfacecolor": "none",
    "linestyle": "none",
    "markersize": 5,
}


def draw_final(result: "Result") -> "Figure":
    """Returns the accuracies after the last step, in both arms, beside the published ones and the human's."""
    figure, axes = panels(1, 2, size=(5.0, 4.2))
    rows = _percent(result.rows)
    networks = networks_in(rows, ORDER)
    own = colours(networks)
    for points, panel in zip(("own", "shuffled"), axes[0], strict=True):
        names = [*networks[:1], *(BASELINES if points == "own" else ()), *networks[1:]]
        for i, network in enumerate(names):
            colour = own.get(network, GREY)
            for arm, shift in (("frozen", -0.17), ("fresh", 0.17)):
                on = "test" if arm == "frozen" else "fresh test"
                values = _final(rows, arm, network, points, on).accuracy.tolist()
                estimate(panel, i + shift, values, colour=colour, arm=arm)
            if network in own:
                panel.plot([i - 0.17], [_selected(rows, network, points)], **SELECTED)
            if (accuracy := registered_accuracy(network, points)) is not None:
                published_line(panel, round(100 * accuracy, 6), at=i, label=None)
        order = "own order" if points == "own" else "order shuffled"
        panel.set(title=f"points in their {order}", ylim=(0, 104), xlim=(-0.6, len(names) - 0.4))
        panel.set_xticks(range(len(names)), [network_label(name) for name in names])
        panel.axhline(10, color=GREY, linewidth=1, linestyle=":")
        panel.text(len(names) - 0.45, 10.5, "chance", ha="right", va="bottom", fontsize=8, color=GREY)
    _ceiling(axes[0])
    human = rows[rows.network == "human"].accuracy.iloc[0]
    axes[0, 0].axhline(human, color=INK, linewidth=1)
    axes[0, 0].text(-0.5, human + 0.5, "human, 400 signals", fontsize=8, va="bottom")
    axes[0, 0].set_ylabel(f"test accuracy after {result.config['steps']} steps (%)")
    _legend(axes[0, 1])
    return figure


def _ceiling(row: "Sequence[Axes]") -> None:
    """Draws what no classifier surpasses, in either order of the points: the exact posterior's accuracy."""
    limit = 100 * committed_limits()["default"].accuracy.mean
    for panel in row:
        panel.axhline(limit, color=LIMIT, linewidth=1)
    row[0].text(-0.5, limit + 0.3, f"exact posterior, the limit: {limit:.2f}", fontsize=8, va="bottom", color=LIMIT)


def _legend(panel: "Axes") -> None:
    """Explains markers and lines, without a colour: those are the networks'."""
    style: dict[str, Any] = {"color": GREY, "linestyle": "none"}
    panel.errorbar([], [], yerr=[], marker=ARMS["frozen"]["marker"], label="frozen data, its 1000 tests", **style)
    panel.errorbar([], [], yerr=[], marker=ARMS["fresh"]["marker"], label="fresh draws, 20,000 tests", **style)
    panel.plot([], [], label="best evaluation, selected on test", **SELECTED)
    panel.plot([], [], color=INK, linestyle=(0, (4, 2)), label="published")
    panel.legend(  # below the line of the limit
        loc="upper right",
        bbox_to_anchor=(1, 0.955),
        fontsize=8,
        frameon=False,
        title="mean and 95 % interval",
        title_fontsize=8,
    )


def draw_curves(result: "Result") -> "Figure":
    """Returns accuracy over the steps on training and test split of the frozen arm, with bands over the seeds."""
    figure, axes = panels(1, 2, size=(4.6, 3.6))
    rows = _percent(result.rows)
    own = colours(networks_in(rows, ORDER))
    for on, panel in zip(("train", "test"), axes[0], strict=True):
        for network, colour in own.items():
            for points in ("own", "shuffled"):
                chosen = rows[
                    (rows.arm == "frozen") & (rows.network == network) & (rows.points == points) & (rows.on == on)
                ]
                style = "frozen" if points == "own" else "shuffled"
                label = network_label(network) + ("" if points == "own" else ", shuffled")
                curve(panel, chosen, "step", "accuracy", label=label, colour=colour, arm=style, marker="none")
        panel.set(title=f"{'training' if on == 'train' else 'test'} split", xlabel="step", ylim=(0, 102))
    axes[0, 0].set_ylabel("accuracy (%), mean and 95 % interval")
    axes[0, 1].legend(fontsize=7, frameon=False, ncols=2, loc="lower right")
    return figure


def draw_confusion(result: "Result") -> "Figure":
    """Returns who takes which digit for which, human and CNN, on the same 400 signals."""
    figure, axes = panels(1, 2, size=(4.4, 4.2))
    counts = result.tables["confusion"]
    for who, panel in zip(("human", "cnn"), axes[0], strict=True):
        _matrix(panel, counts[counts.network == who])
        seeds = counts[counts.network == who].seed.nunique()
        panel.set(
            title="one human" if who == "human" else f"CNN, mean of {seeds} initialisations",
            xlabel="answer",
            ylabel="digit",
        )
    return figure


def _matrix(panel: "Axes", counts: "pd.DataFrame") -> None:
    """Draws the errors in percent of each digit's signals; the diagonal is what was right."""
    table = (
        counts.groupby(["digit", "answer"])["count"]
        .sum()
        .unstack(fill_value=0)
        .reindex(index=range(10), columns=range(10), fill_value=0)
    )
    percent = (100 * table.div(table.sum(axis=1), axis=0)).to_numpy(dtype=float)
    panel.grid(visible=False)
    panel.imshow(percent, cmap="Greys", vmin=0, vmax=30)
    for i in range(10):
        for j in range(10):
            if percent[i, j] >= 0.05:
                colour = "white" if percent[i, j] > 15 else INK
                panel.text(
                    j,
                    i,
                    f"{percent[i, j]:.0f}" if i == j else f"{percent[i, j]:.1f}",
                    ha="center",
                    va="center",
                    fontsize=7,
                    color=colour,
                )
    panel.set_xticks(range(10))
    panel.set_yticks(range(10))


def _final(rows: "pd.DataFrame", arm: str, network: str, points: str, on: str) -> "pd.DataFrame":
    chosen = rows[(rows.arm == arm) & (rows.network == network) & (rows.points == points) & (rows.on == on)]
    return chosen[chosen.step.isna() | (chosen.step == chosen.step.max())]  # baselines take no steps


def _selected(rows: "pd.DataFrame", network: str, points: str) -> float:
    """Returns the mean over the seeds of the best accuracy on the frozen test split on the way."""
    chosen = rows[(rows.arm == "frozen") & (rows.network == network) & (rows.points == points) & (rows.on == "test")]
    return float(chosen.groupby("seed").accuracy.max().mean())


def _percent(rows: "pd.DataFrame") -> "pd.DataFrame":
    return rows.assign(accuracy=100 * rows.accuracy)


def draw_matched(result: "Result") -> "Figure":
    """Returns the accuracies of the CNN and of an MLP with as many parameters, with 95 % intervals."""
    figure, axes = panels()
    panel, rows = axes[0, 0], _percent(result.rows)
    for network, colour in colours(rows.network.unique()).items():
        for i, points in enumerate(("own", "shuffled")):
            values = _final(rows, "fresh", network, points, "fresh test").accuracy.tolist()
            estimate(panel, i, values, colour=colour, arm="fresh", label=network if i == 0 else None)
    panel.set_xticks(range(2), ["own order", "order shuffled"])
    panel.set(ylabel="accuracy on fresh tests (%)", xlim=(-0.5, 1.5))
    panel.legend(frameon=False)
    return figure

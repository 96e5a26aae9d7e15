"""The lottery tickets' figures: over sparsity, on new data, adjacent weights beside both nulls, and the masks."""

from typing import TYPE_CHECKING, Any

import numpy as np

from lightning_module.studies.framework.figures import INK, PALETTE, colours, curve, estimate, panels, published_line
from lightning_module.studies.lottery.claims import PUBLISHED_SEARCH
from lightning_module.studies.lottery.evaluation import CONDITIONS

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lightning_module.studies.framework.result import Result

GREY = "#6B7785"
COLOURS = {
    "dense": INK,
    "random": GREY,
    "lottery": PALETTE[1],
    "unseeded": PALETTE[4],
    "shuffled mask": PALETTE[2],
}
LABELS = {
    "dense": "dense",
    "random": "pruned at random",
    "lottery": "ticket, own weights",
    "unseeded": "ticket, other weights in each training",
    "shuffled mask": "ticket, first layer's mask shuffled (same sums)",
}
TITLES = {
    "baseline": "c: new data",
    "flipped": "d: reversed",
    "shuffled": "e: permuted",
    "halves": "halves exchanged",
    "reinit": "f: other weights",
}
# Accuracies in percent after 6000 steps, means of two trials, in the order of `CONDITIONS`; those of the ticket without
# seeds are the rerun's of 2024.
PUBLISHED = {
    "dense": (63.6, 64.6, 64.6, 64.5, 64.0),
    "random": (59.2, 60.8, 58.1, 61.6, 58.3),
    "lottery": (70.6, 68.8, 62.8, 66.2, 67.3),
    "unseeded": (65.9, 62.8, 62.8, 61.9, 65.5),
}
# Runs over all inputs in one mask each, 2020.
PUBLISHED_RUNS = {("lottery", 2): 0.0086, ("lottery", 3): 0.00215, ("random", 2): 0.0072, ("random", 3): 0.0009}
STYLES = {"random": "shuffled", "lottery": "frozen"}  # line and marker of an arm


def draw_search(result: "Result") -> "Figure":
    """Returns loss and accuracy on fresh tests over sparsity, with bands over the tickets, beside the published means.

    Panels a and b.
    """
    figure, axes = panels(1, 2, size=(5.2, 3.8))
    rows = result.rows[result.rows.on == "fresh test"]
    rows = rows.assign(accuracy=100 * rows.accuracy)
    for panel, column in zip(axes[0], ("loss", "accuracy"), strict=True):
        for arm in ("random", "lottery"):
            chosen = rows[rows.arm == arm]
            label = "ticket" if arm == "lottery" else LABELS[arm]
            curve(panel, chosen, "percent", column, label=label, colour=COLOURS[arm], arm=STYLES[arm], marker="none")
        dense = rows[(rows.arm == "lottery") & (rows.percent == 0)][column].mean()
        panel.axhline(dense, color=INK, linewidth=1, linestyle=":")
        panel.text(1, dense, "dense", fontsize=8, va="bottom", color=INK)
        panel.set(xlabel="parameters pruned (%)", xlim=(-1, 101))
    for percent, (random, lottery, *_) in PUBLISHED_SEARCH.items():
        width = percent[-1] - percent[0] + 1.0
        middle = (percent[-1] + percent[0]) / 2
        for number in (random, lottery):
            name = "published, 2020" if percent[0] == 0 and number == random else None
            published_line(axes[0, 1], number, at=middle, width=width, label=name)
    axes[0, 0].set(ylabel="loss on fresh tests", title="a")
    axes[0, 1].set(ylabel="accuracy on fresh tests (%)", title="b", ylim=(8, 80))
    axes[0, 1].legend(loc="lower left", fontsize=8, frameon=False, title="mean and 95 % interval", title_fontsize=8)
    return figure


def draw_evaluation(result: "Result") -> "Figure":
    """Returns the accuracies on new data in all conditions and arms, beside the published ones. Panels c to f."""
    figure, axes = panels(1, 1, size=(11, 4.2))
    panel = axes[0, 0]
    rows = result.tables["evaluation"]
    rows = rows[rows.on == "fresh test"].groupby(["arm", "condition", "seed"], as_index=False).accuracy.mean()
    for i, condition in enumerate(CONDITIONS):
        for j, (arm, colour) in enumerate(COLOURS.items()):
            at = i + 0.16 * (j - 2)
            values = (100 * rows[(rows.arm == arm) & (rows.condition == condition)].accuracy).tolist()
            if values:
                marker = "fresh" if arm in ("unseeded", "shuffled mask") else "frozen"
                estimate(panel, at, values, colour=colour, arm=marker, label=LABELS[arm] if i == 0 else None)
                if arm in PUBLISHED:
                    label = "published (2020; other weights: 2024)" if (i, arm) == (0, "dense") else None
                    published_line(panel, PUBLISHED[arm][i], at=at, width=0.14, label=label)
    panel.set_xticks(range(len(CONDITIONS)), [TITLES[condition] for condition in CONDITIONS])
    panel.set(ylabel=f"accuracy on fresh tests (%)\nafter {result.config['evaluation_steps']} steps")
    figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False, title="mean and 95 % interval")
    return figure


def draw_adjacency(result: "Result") -> "Figure":
    """Returns how often kept inputs of a unit are adjacent, as such and in units of what each null expects. Panel g."""
    figure, axes = panels(1, 3, size=(3.8, 3.8))
    rows = result.tables["adjacency"]
    columns = {
        "over_inputs": "runs over all inputs",
        "times_chance": "times chance at the same density",
        "times_same_sums": "times masks with the same sums",
    }
    for panel, (column, title) in zip(axes[0], columns.items(), strict=True):
        for arm, shift in (("random", -0.15), ("lottery", 0.15)):
            for run in (2, 3, 4):
                values = rows[(rows.arm == arm) & (rows.run == run)][column].dropna().tolist()
                label = {"random": LABELS["random"], "lottery": "ticket"}[arm] if run == 2 else None
                if values:
                    estimate(panel, run + shift, values, colour=COLOURS[arm], arm=STYLES[arm], label=label)
                if column == "over_inputs" and (arm, run) in PUBLISHED_RUNS:
                    first = (arm, run) == ("random", 2)
                    name = "published, one mask" if first else None
                    published_line(panel, PUBLISHED_RUNS[arm, run], at=run + shift, width=0.25, label=name)
        panel.set_xticks((2, 3, 4), ("2", "3", "4"))
        panel.set(title=title, xlabel="adjacent inputs kept by one unit", xlim=(1.5, 4.5))
        if column != "over_inputs":
            panel.axhline(1, color=INK, linewidth=1, linestyle=":")
    axes[0, 0].set_yscale("symlog", linthresh=1e-4)
    axes[0, 0].set_ylim(bottom=0)
    labelled = axes[0, 0].get_legend_handles_labels()  # there is room for them in the next panel
    axes[0, 1].legend(*labelled, loc="upper left", fontsize=8, frameon=False, title="mean, 95 % interval")
    return figure


def draw_masks(result: "Result") -> "Figure":
    """Returns the first layer's masks of the first ticket, pruned at random and by magnitude in the same round.

    Black is kept. The units are sorted by their adjacent pairs, then by the number of inputs they keep.
    """
    figure, axes = panels(2, 1, size=(9, 2.0))
    for panel, arm in zip(axes[:, 0], ("random", "lottery"), strict=True):
        _picture(panel, _mask(result, arm))
        title = LABELS["random"] if arm == "random" else "ticket"
        panel.set(title=f"{title}: inputs (down) that each hidden unit (across) keeps", ylabel="input")
        panel.grid(visible=False)
    axes[1, 0].set_xlabel("hidden unit, sorted by adjacent pairs")
    return figure


def _mask(result: "Result", arm: str) -> "npt.NDArray[Any]":
    packed = result.arrays[f"mask-{arm}-0"]
    return np.unpackbits(packed, axis=1)[:, :40].astype(bool)


def _picture(panel: "Axes", mask: "npt.NDArray[Any]") -> None:
    pairs, count = (mask[:, 1:] & mask[:, :-1]).sum(axis=1), mask.sum(axis=1)
    order = np.lexsort((count, pairs))[::-1]
    panel.imshow(mask[order].T, cmap="Greys", aspect="auto", interpolation="none")


def draw_tuned(result: "Result") -> "Figure":
    """Returns the accuracies of all arms at each learning rate, on the frozen data and on fresh ones, by rate."""
    figure, axes = panels(1, 2, size=(4.6, 3.6))
    tuned = result.tables["tuned"]
    tuned = tuned[tuned.on == "fresh test"].assign(accuracy=100 * tuned.accuracy)
    of_arms = colours(list(tuned.arm.unique()))  # of all, so that an arm has one colour in both panels
    for (data, title), panel in zip((("frozen", "frozen data"), ("new", "fresh data")), axes[0], strict=True):
        rows = tuned[tuned.data == data]
        for arm in rows.arm.unique():
            curve(panel, rows[rows.arm == arm], "rate", "accuracy", label=arm, colour=of_arms[arm])
        panel.set_xscale("log")
        panel.set(xlabel="learning rate", title=title)
    axes[0, 0].set(ylabel="accuracy on fresh tests (%)")
    axes[0, 0].legend(fontsize=7, frameon=False)
    return figure

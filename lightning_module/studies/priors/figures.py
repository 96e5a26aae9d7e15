"""The pictures of the continuum: positions between MLP and CNN before and after shuffling, and the tuning."""

from typing import TYPE_CHECKING, Any

from lightning_module.studies.framework.figures import ARMS, INK, colours, estimate, panels, published_line
from lightning_module.studies.priors.claims import accuracy, position

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lightning_module.studies.framework.result import Result

LABELS = {
    "deep_sets": "deep sets\n(values without places)",
    "transformer_set": "Transformer without positions\n(values without places)",
    "mlp": "MLP\n(places)",
    "transformer": "Transformer with positions\n(places treated alike)",
    "locally_connected": "locally connected\n(neighbours)",
    "cnn": "CNN\n(neighbours, treated alike)",
    "average_cnn": "CNN, global pooling\n(... wherever they are)",
}
PUBLISHED = {("mlp", "own"): 0.68, ("mlp", "shuffled"): 0.68, ("cnn", "own"): 0.94, ("cnn", "shuffled"): 0.56}
SHIFTS = {"own": 0.17, "shuffled": -0.17}
STYLES = {"own": "frozen", "shuffled": "shuffled"}  # the arms whose markers are used
GREY = "#6B7785"


def draw_continuum(result: "Result") -> "Figure":
    """Returns where each network lies between MLP and CNN, before and after shuffling."""
    figure, axes = panels(size=(8.2, 5.4))
    panel: Axes = axes[0, 0]
    colour = colours(LABELS)
    mlp, cnn = (float(accuracy(network).per_unit(result.tables).mean()) for network in ("mlp", "cnn"))
    for at, network in enumerate(LABELS):
        for points, shift in SHIFTS.items():
            values = position(network, points).per_unit(result.tables).tolist()
            estimate(panel, at + shift, values, colour=colour[network], arm=STYLES[points], along="x")
            if (network, points) in PUBLISHED:
                number = (PUBLISHED[network, points] - mlp) / (cnn - mlp)
                published_line(panel, number, at=at + shift, width=0.28, along="x", label=None)
    for end in (0, 1):
        panel.axvline(end, color=GREY, linewidth=1, zorder=0)
    panel.set_yticks(range(len(LABELS)), list(LABELS.values()), fontsize=8)
    panel.set_xlabel("position (0: MLP, 1: CNN, both on ordered points), mean and 95 % interval")
    panel.grid(visible=False)
    panel.grid(axis="x", color="#E3E6EA", linewidth=0.8)

    def percent(place: Any) -> Any:
        return 100 * (mlp + place * (cnn - mlp))

    def place(percent: Any) -> Any:
        return (percent / 100 - mlp) / (cnn - mlp)

    top = panel.secondary_xaxis("top", functions=(percent, place))
    top.set_xlabel(f"test accuracy after {result.config['steps']} steps (%)")
    style: dict[str, Any] = {"color": GREY, "linestyle": "none"}
    panel.plot([], [], marker=ARMS[STYLES["own"]]["marker"], label="points in their own order", **style)
    panel.plot([], [], marker=ARMS[STYLES["shuffled"]]["marker"], label="points shuffled", **style)
    panel.plot([], [], color=INK, linestyle=(0, (4, 2)), label="published (CNN; MLP of 15,210 parameters)")
    panel.legend(fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.35, -0.1), ncols=3)
    return figure


def draw_tuning(result: "Result") -> "Figure":
    """Returns what each learning rate scored on validation, and which one was chosen."""
    figure, axes = panels(1, 2, size=(4.8, 3.8))
    tuning, rows, colour = result.tables["tuning"], result.rows, colours(LABELS)
    for points, panel in zip(("own", "shuffled"), axes[0], strict=True):
        for network, label in LABELS.items():
            trials = tuning[(tuning.network == network) & (tuning.points == points)]
            means = 100 * trials.groupby("lr").accuracy.mean()
            panel.plot(means.index, means, color=colour[network], label=label.split("\n")[0], linewidth=1.2)
            panel.plot(trials.lr, 100 * trials.accuracy, color=colour[network], marker=".", markersize=4, linewidth=0)
            lr = rows[(rows.network == network) & (rows.points == points)].lr.iloc[0]
            panel.plot(lr, means[lr], color=colour[network], marker="o", markersize=8, markerfacecolor="none")
        panel.set_xscale("log")
        title = "points in their own order" if points == "own" else "points shuffled"
        panel.set(title=title, xlabel="learning rate (ring: chosen)", ylim=(0, 101))
        panel.set_xticks(sorted(set(tuning.lr)), [f"{lr:g}" for lr in sorted(set(tuning.lr))], fontsize=8)
        panel.set_xticks([], minor=True)
    axes[0, 0].set_ylabel("validation accuracy (%)\ndots: one draw; line: mean")
    axes[0, 1].legend(fontsize=7, frameon=False, loc="best")
    return figure

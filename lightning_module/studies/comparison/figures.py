"""The pictures of the comparison: accuracies on a logit axis, what tells models apart, and t-SNE side by side."""

import math
from typing import TYPE_CHECKING, Any

from lightning_module.studies.framework.figures import (
    GREY,
    INK,
    PALETTE,
    estimate,
    network_colours,
    network_label,
    panels,
    published_line,
    registered_accuracy,
)
from lightning_module.studies.framework.statistics import seeds_needed

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lightning_module.studies.framework.result import Result

NAMES = {
    "mnist1d": "MNIST-1D",
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-\nMNIST",
    "cifar10": "CIFAR-10",
    "digits": "digits",
    "two_moons": "two moons",
    "make_classification": "make_\nclassification",
}
# In the order of the sources' argument.
SHOWN = (
    ("mnist1d", "equal"),
    ("mnist", "equal"),
    ("fashion_mnist", "equal"),
    ("cifar10", "equal"),
    ("two_moons", "equal"),
    ("make_classification", "equal"),
    ("mnist1d", "small"),
    ("digits", "small"),
    ("mnist", "whole"),
)
ON_MNIST = {"logistic": 0.94, "mlp": 0.99, "cnn": 0.99}  # published
PERCENT = (0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
STEPS = (("mlp", "logistic", "MLP over logistic"), ("cnn", "mlp", "CNN over MLP"))


def draw_accuracies(result: "Result") -> "Figure":
    """Returns the accuracy of each network on each data set, with intervals, on a logit axis."""
    rows, groups = _selected(result), _groups(result)
    own = network_colours()
    figure, ((panel,),) = panels(size=(1.5 + 1.3 * len(groups), 4.8))
    for i, (group, of_group) in enumerate(groups):
        for network, shift in (("logistic", -0.22), ("mlp", 0.0), ("cnn", 0.22)):
            chosen = of_group[of_group.network == network]
            if not chosen.empty:
                label = network_label(network) if i == 0 else None
                estimate(panel, i + shift, chosen.log_odds.tolist(), colour=own[network], label=label)
            if (number := _published(network, group)) is not None:
                label = "published" if network == "logistic" and i == 0 else None
                published_line(panel, math.log(number / (1 - number)), at=i + shift, width=0.2, label=label)
        _neighbours(panel, i, result, group)
    _percent_axis(panel, rows)
    panel.set_xticks(range(len(groups)), [_name(result, group) for group, _ in groups], fontsize=8)
    panel.set(ylabel="test accuracy (%, logit scale)", xlim=(-0.6, len(groups) - 0.4))
    what = "Networks on each data set: mean" if len(groups) > 2 else "Mean"  # what there is room for
    panel.set_title(f"{what} and 95 % interval over seeds", fontsize=10)
    panel.legend(fontsize=8, frameon=False, ncols=6, loc="upper center", bbox_to_anchor=(0.5, -0.2))
    return figure


def _published(network: str, group: tuple[str, str]) -> float | None:
    if group == ("mnist", "whole"):
        return ON_MNIST[network]
    return registered_accuracy(network) if group == ("mnist1d", "equal") else None


def draw_differences(result: "Result") -> "Figure":
    """Returns by how much each data set tells two networks apart, and how many seeds see it."""
    groups = _groups(result)
    figure, axes = panels(1, 2, size=(4.8, 1.2 + 0.5 * len(groups)))
    for panel, (better, worse, title) in zip(axes[0], STEPS, strict=True):
        for i, (_, of_group) in enumerate(groups):
            differences = _differences(of_group, better, worse)
            if differences:
                estimate(panel, i, differences, colour=PALETTE[0], along="x")
                panel.text(1.02, i, _seeds(differences), va="center", fontsize=8, transform=panel.get_yaxis_transform())
            else:
                text = "no CNN: features without order"
                place = panel.get_yaxis_transform()
                panel.text(0.5, i, text, ha="center", va="center", fontsize=7, color=GREY, transform=place)
        panel.axvline(0, color=INK, linewidth=1)
        panel.set_yticks(range(len(groups)), [_one_line(_name(result, group)) for group, _ in groups], fontsize=8)
        panel.grid(axis="x", color="#E3E6EA", linewidth=0.8)
        panel.set(ylim=(len(groups) - 0.5, -0.5), xlabel="difference of log-odds, mean and 95 % interval")
        panel.set_title(f"{title}; right: seeds to see it at 80 % power", fontsize=9)
    return figure


def draw_embeddings(result: "Result") -> "Figure":
    """Returns the t-SNE pictures side by side, a colour and a digit for each class."""
    wanted = [("mnist", "equal"), ("mnist1d", "frozen"), ("fashion_mnist", "equal"), ("cifar10", "equal")]
    shown = [group for group in wanted if f"tsne_{group[0]}_{group[1]}" in result.arrays]
    figure, axes = panels(1, len(shown), size=(4.6, 4.8))
    for panel, (name, training) in zip(axes[0], shown, strict=True):
        points, classes = result.arrays[f"tsne_{name}_{training}"], result.arrays[f"classes_{name}_{training}"]
        points = points.astype("float32")
        for digit in range(10):
            of_class = points[classes == digit]
            panel.scatter(*of_class.T, s=2, color=_digit_colours()[digit], linewidths=0, rasterized=True)
            if len(of_class):
                panel.text(
                    *_densest_point(of_class),
                    str(digit),
                    fontsize=12,
                    fontweight="bold",
                    ha="center",
                    va="center",
                    color=INK,
                )
        table = result.tables["tsne"]
        share = 100 * table[(table.dataset == name) & (table.training == training)].agreement.mean()
        title = f"{_one_line(NAMES[name])}: {len(classes):,} examples{_source(result, name)}"
        panel.set_title(f"{title}\n{share:.1f} % classified by their 10 nearest", fontsize=10)
        panel.set(xticks=[], yticks=[])
        panel.set_aspect("equal", adjustable="datalim")
        panel.spines[["left", "bottom"]].set_visible(False)
    return figure


def _selected(result: "Result") -> "pd.DataFrame":
    return result.rows[result.rows.selected]


def _groups(result: "Result") -> "list[tuple[tuple[str, str], pd.DataFrame]]":
    """Returns the data sets and sizes that there are rows of, in the order in which they are shown."""
    rows = _selected(result)
    of_each = [(group, rows[(rows.dataset == group[0]) & (rows.training == group[1])]) for group in SHOWN]
    return [(group, of_group) for group, of_group in of_each if not of_group.empty]


def _name(result: "Result", group: tuple[str, str]) -> str:
    """Returns a data set's name, how many examples were trained on, and of how many they are a random part."""
    import pandas as pd

    sets = result.tables["sets"]
    row = sets[(sets.dataset == group[0]) & (sets.training == group[1])].iloc[0]
    of_all = "" if pd.isna(row.examples) else f"\nof {int(row.examples):,}"
    return f"{NAMES[group[0]]}\nn={int(row.train):,}{of_all}"


def _one_line(name: str) -> str:
    return name.replace("-\n", "-").replace("_\n", "_").replace("\n", ", ")


def _source(result: "Result", name: str) -> str:
    sets = result.tables["sets"]
    source = sets[sets.dataset == name].source.iloc[0]
    return f",\nof {source.split(' from ')[0]}" if isinstance(source, str) else ",\nthe published ones"


def _neighbours(panel: "Axes", at: int, result: "Result", group: tuple[str, str]) -> None:
    """Draws ten nearest neighbours in pixel space, and the majority class."""
    if "baselines" not in result.tables:  # of a run that is about networks alone
        return
    table = result.tables["baselines"]
    table = table[(table.dataset == group[0]) & (table.training == group[1])]
    majority = table[table.method == "majority"].log_odds
    if majority.empty:
        return
    ends = [at - 0.4, at + 0.4]
    label = "majority class" if at == 0 else None
    panel.plot(ends, 2 * [majority.mean()], color=GREY, linestyle=":", linewidth=1.3, label=label)
    label = "kNN in pixel space, k=10" if at == 0 else None
    estimate(panel, at - 0.4, table[table.k == 10].log_odds.tolist(), colour=GREY, label=label, arm="shuffled")


def _percent_axis(panel: "Axes", rows: "pd.DataFrame") -> None:
    """Writes log-odds as percents."""
    top = max(rows.log_odds.max(), math.log(0.99 / 0.01)) + 0.4
    ticks = [share for share in PERCENT if math.log(share / (1 - share)) < top]
    panel.set_yticks([math.log(share / (1 - share)) for share in ticks], [f"{100 * share:g}" for share in ticks])
    panel.set_ylim(math.log(0.08 / 0.92), top)


def _differences(of_group: "pd.DataFrame", better: str, worse: str) -> list[float]:
    by_seed = of_group.pivot_table(index="seed", columns="network", values="log_odds")
    if better not in by_seed or worse not in by_seed:
        return []
    return [float(number) for number in by_seed[better] - by_seed[worse]]


def _seeds(differences: list[float]) -> str:
    if len(differences) < 2:
        return ""
    needed = seeds_needed(differences)
    return "> 10,000" if needed is None else f"{needed:,}"


def _digit_colours() -> list[str]:
    return [*PALETTE, INK, "#882255"]


def _densest_point(points: "npt.NDArray[Any]") -> tuple[float, float]:
    """Returns where points (n, 2) are densest: the one whose 20th nearest neighbour is nearest."""
    import numpy as np

    distances = ((points[:, np.newaxis] - points) ** 2).sum(2)
    densest = points[np.argmin(np.sort(distances, axis=1)[:, min(20, len(points) - 1)])]
    return float(densest[0]), float(densest[1])

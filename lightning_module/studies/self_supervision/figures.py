"""The pictures of the self-supervision study: accuracy by layer, over the training, and the output space by t-SNE."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from lightning_module.studies.framework.figures import INK, PALETTE, curve, estimate, panels
from lightning_module.studies.methods.autoencoder.masked import LAYERS
from lightning_module.studies.methods.simclr.encoder import PROJECTORS, Projector, layer_names
from lightning_module.studies.self_supervision.learned import AUTOENCODER, MASKED_AUTOENCODER, SIMCLR
from lightning_module.studies.self_supervision.published import AUTOENCODER_LINEAR, LINEAR, output_layer

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lightning_module.studies.framework.result import Result

TITLES: Final[dict[Projector, str]] = {
    "default": "default projection head",
    "none": "no projection head",
    "deep": "deep projection head",
}
COLOURS: Final[dict[Projector, str]] = {"default": PALETTE[0], "none": PALETTE[1], "deep": PALETTE[2]}
MARKS: Final = dict(zip(LINEAR, ("x", "+", "1"), strict=True))
DIGITS: Final = (*PALETTE, INK, "#882255")


def draw_layers(result: "Result") -> "Figure":
    """Returns the linear accuracy after each layer, a panel for each projector, with intervals over the seeds."""
    figure, axes = panels(1, 3, size=(4.0, 4.0))
    for panel, projector in zip(axes[0], PROJECTORS, strict=True):
        rows = result.rows[(result.rows.projector == projector) & (result.rows.on != "validation")]
        linear = rows[rows.probe == "linear"]
        for arm, on, shift, label in (
            ("frozen", "test", -0.12, "frozen data, 1,000 test signals"),
            ("fresh", "fresh test", 0.12, "fresh data, fresh test signals"),
        ):
            colour = COLOURS[projector] if arm == "fresh" else PALETTE[7]
            _points(panel, linear[(linear.arm == arm) & (linear.on == on)], shift, colour, arm, label)
        narrow = rows[(rows.probe == "linear 16") & (rows.arm == "fresh")]
        _points(panel, narrow, 0.3, PALETTE[4], "shuffled", "the same, 16 principal components")
        for run, mark in MARKS.items():
            values = [each / 100 for each in LINEAR[run][projector]]
            panel.plot(range(len(values)), values, mark, color="black", markersize=8, label=f"published, {run}")
        end = output_layer(projector)
        panel.axvspan(end - 0.45, end + 0.45, color="#E3E6EA", zorder=0, label="output: here acts the loss")
        names = [name.replace("projector", "head ") for name in layer_names(projector)]
        panel.set_xticks(range(end + 1), names, rotation=40, ha="right")
        panel.set_ylim(0.25, 0.9)
        panel.set_title(TITLES[projector], fontsize=10)
    axes[0, 0].set_ylabel("accuracy of a linear classifier")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=7, frameon=False, loc="outside lower center", ncols=4)
    return figure


def draw_amended(result: "Result") -> "Figure":
    """Returns the linear accuracy after each layer, by projector, learner, or the signals that were trained on."""
    if "learner" in result.rows:
        return draw_learners(result)
    if "seen" not in result.rows:
        return draw_layers(result)
    figure, ((panel,),) = panels(size=(5.6, 4.0))
    rows = result.rows[result.rows.probe == "linear"]
    for seen, shift, colour, label in (
        ("training", -0.12, PALETTE[0], "trained on training signals"),
        ("both", 0.12, PALETTE[1], "trained on training and test signals"),
    ):
        _points(panel, rows[rows.seen == seen], shift, colour, "fresh" if seen == "both" else "frozen", label)
    names = [name.replace("projector", "head ") for name in layer_names("default")]
    panel.set_xticks(range(len(names)), names, rotation=40, ha="right")
    panel.set_ylabel("accuracy on a seed's own test signals")
    panel.legend(fontsize=8, frameon=False)
    return figure


def draw_learners(result: "Result") -> "Figure":
    """Returns the linear accuracy after each layer of autoencoders and, beside them, of SimCLR."""
    figure, axes = panels(1, 2, size=(4.8, 4.2))
    linear = result.rows[(result.rows.probe == "linear") & (result.rows.on != "validation")]
    own, other = axes[0]
    for panel, learner, arm, on, shift, colour, label in (
        (own, AUTOENCODER, "frozen", "test", -0.2, PALETTE[7], "as printed: frozen data, its test signals seen"),
        (own, AUTOENCODER, "fresh", "fresh test", 0.0, PALETTE[0], "fresh data, test signals not seen"),
        (own, MASKED_AUTOENCODER, "fresh", "fresh test", 0.2, PALETTE[1], "the same, half of the points hidden"),
        (other, SIMCLR, "fresh", "fresh test", 0.0, PALETTE[2], "fresh data, test signals not seen"),
    ):
        rows = linear[(linear.learner == learner) & (linear.arm == arm) & (linear.on == on)]
        _points(panel, rows, shift, colour, arm, label)
    printed = [each / 100 for each in AUTOENCODER_LINEAR]
    own.plot(range(len(printed)), printed, "x", color="black", markersize=8, label="printed by the source's notebook")
    for panel, names, title in (
        (own, LAYERS, "autoencoder"),
        (other, layer_names("default"), "SimCLR, default projection head"),
    ):
        ticks = [name.replace("projector", "head ") for name in names]
        panel.set_xticks(range(len(names)), ticks, rotation=40, ha="right")
        panel.set_ylim(0.2, 0.9)
        panel.set_title(title, fontsize=10)
        panel.legend(fontsize=7, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.24))
    own.set_ylabel("accuracy of a linear classifier")
    return figure


def _points(panel: "Axes", rows: Any, shift: float, colour: str, arm: str, label: str) -> None:
    for i, (layer, of_layer) in enumerate(rows.groupby("layer")):
        named = None if i else label
        estimate(panel, float(layer) + shift, of_layer.accuracy.tolist(), colour=colour, arm=arm, label=named)


def draw_training(result: "Result") -> "Figure":
    """Returns the accuracies over the training, a panel for each projector, and the loss; all of the fresh arm."""
    figure, axes = panels(1, 4, size=(3.7, 4.2))
    training = result.tables["training"]
    training = training[training.arm == "fresh"]
    for panel, projector in zip(axes[0], PROJECTORS, strict=False):
        rows = training[training.projector == projector]
        names = layer_names(projector)
        for layer in range(1, len(names)):
            of_layer = rows[(rows.layer == layer) & (rows.probe == "linear")]
            is_output = layer == output_layer(projector)
            label = names[layer].replace("projector", "head ") + (" (output)" if is_output else "")
            line = {"arm": "frozen", "colour": INK if is_output else PALETTE[layer - 1], "marker": "o"}
            curve(panel, of_layer, "epoch", "accuracy", label=label, **line)
        neighbours = rows[rows.probe == "neighbours"]
        curve(panel, neighbours, "epoch", "accuracy", label="10 neighbours, output", colour=INK, arm="fresh")
        panel.set_ylim(0.25, 0.9)
        panel.set_title(TITLES[projector], fontsize=10)
        panel.legend(fontsize=7, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2)
    losses = result.tables["losses"]
    for projector in PROJECTORS:
        rows = losses[(losses.arm == "fresh") & (losses.projector == projector)]
        curve(axes[0, 3], rows, "epoch", "loss", label=TITLES[projector], colour=COLOURS[projector], marker="")
    axes[0, 3].axhline(np.log(100), color=INK, linewidth=1, linestyle=":", label="guessing, log 100")
    axes[0, 3].set_title("contrastive loss", fontsize=10)
    axes[0, 3].legend(fontsize=7, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.17))
    for panel in axes[0]:
        panel.set_xscale("symlog", linthresh=1)
        panel.set_xlim(-0.1, training.epoch.max() * 1.2)
        panel.set_xticks(ticks := sorted(training.epoch.unique()), [str(tick) for tick in ticks])
        panel.tick_params(axis="x", labelsize=8, labelrotation=60)
        panel.set_xticks([], minor=True)
        panel.set_xlabel("epochs")
    axes[0, 0].set_ylabel("accuracy of a linear classifier")
    return figure


def draw_tsne(result: "Result") -> "Figure":
    """Returns t-SNE of the output space before and after training, a colour and a digit for each class."""
    figure, axes = panels(1, 2, size=(4.6, 4.8))
    digits = result.arrays["tsne-digits"]
    for panel, when in zip(axes[0], ("before", "after"), strict=True):
        points = result.arrays[f"tsne-{when}"].astype("float32")
        for digit in range(10):
            of_class = points[digits == digit]
            panel.scatter(*of_class.T, s=2, color=DIGITS[digit], linewidths=0, rasterized=True)
            if len(of_class):
                place = {"fontsize": 12, "fontweight": "bold", "ha": "center", "va": "center", "color": INK}
                panel.text(*_densest(of_class), str(digit), **place)
        panel.set_title(f"output space {when} training, {len(digits):,} signals", fontsize=10)
        panel.set(xticks=[], yticks=[])
        panel.set_aspect("equal", adjustable="datalim")
        panel.spines[["left", "bottom"]].set_visible(False)
        panel.grid(False)
    return figure


def _densest(points: "npt.NDArray[Any]") -> tuple[float, float]:
    """Returns the point whose 20th nearest neighbour is nearest: where the label is amid the others."""
    distances = np.sort(((points[:, np.newaxis] - points) ** 2).sum(2), axis=1)
    x, y = points[distances[:, min(20, len(points) - 1)].argmin()]
    return float(x), float(y)

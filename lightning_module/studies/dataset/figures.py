"""The pictures of the data set's own claims: how much smaller, how long, which digits, how far simple methods get."""

from typing import TYPE_CHECKING, Final

from lightning_module.studies.dataset.published import PUBLISHED_CNN, PUBLISHED_HUMAN
from lightning_module.studies.framework.figures import INK, PALETTE, estimate, network_colours, panels, published_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lightning_module.studies.framework.result import Result

# The label, the column of the table of sizes, and what was promised.
SMALLER: Final = (
    ("example,\nnumbers", "dimensions", 20),
    ("example,\nbytes", "example_bytes", 20),
    ("whole set,\nnumbers", "numbers", 100),
    ("whole set,\nbytes", "bytes", 100),
)
PROMISED: Final = {
    "classification": ("classification", 10.0),
    "pooling": ("pooling", 5.0),
    "learning-rate": ("learning rate", 1.0),
    "activation": ("activation function", 60.0),
    "self-supervision": ("SimCLR, one encoder", 1.0),
    "self-supervision, three": ("SimCLR, three encoders", 5.0),
}
SETS: Final = ("digits", "iris", "wine", "breast_cancer", "moons", "circles", "blobs", "classification", "mnist1d")


def draw_promises(result: "Result") -> "Figure":
    """Returns how much smaller than MNIST it is, and the minutes of a core that experiments take, and were to take."""
    figure, axes = panels(1, 2, size=(5.2, 3.6))
    _draw_sizes(axes[0, 0], result)
    panel = axes[0, 1]
    for at, (name, (_, promised)) in enumerate(PROMISED.items()):
        rows = result.rows[result.rows.experiment == name]
        label = "one core here" if at == 0 else None
        estimate(panel, at, rows.minutes.tolist(), colour=PALETTE[0], label=label, along="x")
        published_line(panel, promised, at=at, along="x", label="promised: about" if at == 0 else None)
    panel.set_yticks(range(len(PROMISED)), [label for label, _ in PROMISED.values()])
    panel.invert_yaxis()
    panel.set_xscale("log")
    panel.set_xlabel("minutes for the published experiment (log scale)\nmean and 95 % interval over turns")
    panel.grid(axis="x", color="#E3E6EA", linewidth=0.8)
    panel.legend(frameon=False, fontsize=8, loc="lower right")
    panel.set_title("run times", loc="left", fontsize=10)
    return figure


def _draw_sizes(panel: "Axes", result: "Result") -> None:
    sizes = result.tables["sizes"].set_index("dataset")
    for at, (_, column, promised) in enumerate(SMALLER):
        times = float(sizes.loc["mnist", column]) / float(sizes.loc["mnist1d", column])
        panel.bar(at, times, color=PALETTE[0], width=0.6)
        panel.annotate(f"{times:.3g}", (at, times / 1.2), ha="center", va="top", color="white")
        published_line(panel, promised, at=at, label="published" if at == 0 else None)
    panel.set_yscale("log")
    panel.set_ylim(1, 700)
    panel.set_xticks(range(len(SMALLER)), [label for label, _, _ in SMALLER])
    panel.set_ylabel("times smaller than MNIST (log scale)")
    panel.legend(frameon=False, fontsize=8, loc="upper left")
    panel.set_title("size", loc="left", fontsize=10)


def draw_digits(result: "Result") -> "Figure":
    """Returns the errors by digit of the CNN and of the person: ours as points, the published ones as dashed lines."""
    figure, ((panel,),) = panels(size=(7.6, 3.6))
    rows = result.tables["digits"]
    own = network_colours()
    for digit, of_digit in rows.groupby("digit"):
        at, first = int(digit), int(digit) == 0
        cnn = (100 * of_digit.cnn).tolist()
        estimate(panel, at - 0.18, cnn, colour=own["cnn"], label="CNN, 95 % interval" if first else None)
        published_line(panel, PUBLISHED_CNN[at], at=at - 0.18, width=0.3, label=None)
        person = 100 * float(of_digit.human.iloc[0])
        label = "person, 400 answers" if first else None
        panel.plot([at + 0.18], [person], "s", color=own["human"], label=label)
        published_line(panel, PUBLISHED_HUMAN[at], at=at + 0.18, width=0.3, label="published" if first else None)
    panel.set_xticks(range(10))
    panel.set_xlabel("digit")
    panel.set_ylabel("errors (%)")
    panel.legend(frameon=False, fontsize=8, ncols=3, loc="upper right")
    panel.set_ylim(-1, max(25, panel.get_ylim()[1] * 1.15))
    return figure


def draw_classical(result: "Result") -> "Figure":
    """Returns the accuracy of a linear and a kernel method on scikit-learn's data sets, and on MNIST-1D."""
    figure, ((panel,),) = panels(size=(8.4, 3.6))
    rows = result.tables["classical"]
    for at, name in enumerate(SETS):
        chosen = rows[rows.dataset == name]
        for method, shift, colour, arm in (
            ("linear", -0.15, network_colours()["logistic"], "frozen"),
            ("kernel", 0.15, PALETTE[0], "fresh"),
        ):
            label = {"linear": "logistic regression", "kernel": "support vector machine"}[method] if at == 0 else None
            estimate(panel, at + shift, (100 * chosen[method]).tolist(), colour=colour, label=label, arm=arm)
    panel.axhline(90, color=INK, linewidth=1, linestyle=(0, (4, 2)), label="'very well': above 90 %")
    panel.set_xticks(range(len(SETS)), [name.replace("_", "\n").replace("mnist1d", "MNIST-1D") for name in SETS])
    panel.set_ylabel("test accuracy (%), 95 % interval")
    panel.set_ylim(0, 104)
    panel.legend(frameon=False, fontsize=8, loc="lower left")
    return figure

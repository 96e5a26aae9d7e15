"""The picture of a result."""

from typing import TYPE_CHECKING

from lightning_module.studies import Result
from lightning_module.studies.framework.figures import colours, estimate, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_accuracy(result: Result) -> "Figure":
    """Returns the test accuracy of each network on each data set: the mean of the seeds, and its 95 % interval."""
    figure, axes = panels()
    panel, rows = axes[0, 0], result.rows
    data = list(rows.data.unique())
    for network, colour in colours(rows.network.unique()).items():
        for i, on in enumerate(data):
            values = rows[(rows.network == network) & (rows.data == on)].accuracy.tolist()
            estimate(panel, i, values, colour=colour, label=network if i == 0 else None)
    panel.set_xticks(range(len(data)), data)
    panel.set(ylabel="test accuracy", xlim=(-0.5, len(data) - 0.5))
    panel.legend(frameon=False)
    return figure

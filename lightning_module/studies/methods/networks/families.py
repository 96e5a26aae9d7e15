"""`Family`: a kind of network of every width, by its number of parameters; and widths that are trained side by side."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from torch import nn

from lightning_module.networks import CNN
from lightning_module.studies.methods.networks.hidden_layers import HiddenLayers


@dataclass(frozen=True)
class Family:
    """Networks for 40 points that differ in their width.

    Attributes:
        name: What it is called in figures.
        make: Makes the network of a width, for a number of classes.
        parameters: Their number, by width and number of classes.
        products: Multiplications for one signal, forward, by width and number of classes.
    """

    name: str
    make: Callable[[int, int], nn.Module]
    parameters: Callable[[int, int], int]
    products: Callable[[int, int], int]

    def of_width(self, num_classes: int = 10) -> Callable[..., nn.Module]:
        """Returns the function of `width` by which an `Ensemble` makes replicas of different widths."""
        return partial(_make, self.make, num_classes)

    def width_near(self, parameters: float, num_classes: int = 10) -> int:
        """Returns the width whose number of parameters is nearest in proportion, at least 1."""
        width = 1
        while self.parameters(width + 1, num_classes) <= parameters:
            width += 1
        below, above = (self.parameters(w, num_classes) for w in (width, width + 1))
        return width + 1 if parameters * parameters > below * above else width


def _make(make: Callable[[int, int], nn.Module], num_classes: int, width: int) -> nn.Module:
    return make(width, num_classes)


FAMILIES: Final = {
    "one-hidden": Family(
        "one hidden layer",
        lambda width, classes: HiddenLayers(width, depth=1, num_classes=classes),
        lambda width, classes: width * (41 + classes) + classes,
        lambda width, classes: width * (40 + classes),
    ),
    "mlp": Family(
        "two hidden layers",
        lambda width, classes: HiddenLayers(width, depth=2, num_classes=classes),
        lambda width, classes: width * width + width * (42 + classes) + classes,
        lambda width, classes: width * width + width * (40 + classes),
    ),
    # The benchmark's, whose convolutions look at 19, 10 and 5 windows.
    "cnn": Family(
        "CNN",
        lambda width, classes: CNN(num_classes=classes, channels=width),
        lambda width, classes: 6 * width * width + width * (8 + 5 * classes) + classes,
        lambda width, classes: 45 * width * width + width * (95 + 5 * classes),
    ),
}


def side_by_side(widths: Sequence[int], cost: Callable[[int], float], *, most: float) -> Iterator[tuple[int, ...]]:
    """Yields neighbouring widths to be trained in one ensemble, where each costs what the widest does.

    Args:
        widths: All of them.
        cost: What a width costs alone.
        most: The cost of a group, above which it takes no further width. An ensemble more is taken to cost an eighth
            of it, so a padding that wastes as much is not worth it.
    """
    group: list[int] = []
    for width in sorted(set(widths)):
        padded = (len(group) + 1) * cost(width)
        wasteful = padded - sum(map(cost, [*group, width])) > most / 8
        if group and (padded > most or wasteful):
            yield tuple(group)
            group = []
        group.append(width)
    if group:
        yield tuple(group)

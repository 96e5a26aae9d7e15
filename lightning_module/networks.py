"""The four reference networks, as plain modules: signals (batch, length) in, logits (batch, num_classes) out.

They are registered as a network of one's own is, see `register_network`.

Source: the benchmark of Greydanus and Kobak, "Scaling Down Deep Learning with MNIST-1D", ICML 2024. Every layer has
torch's default initialisation, and the layers are made in the order in which they are applied, so that a seed gives the
reference's own start. Parameter counts are for 40 points and 10 classes. The accuracies are those of the README and of
table 1 and figure 2 of the paper; a cost is the time of a training next to that of logistic regression.
"""

import torch
from torch import Tensor, nn

from lightning_module.network_registry import NETWORKS, Registered, register_network, registered, registering_modules
from lightning_module.recurrence import BidirectionalGRU
from mnist1d_hf.checks import enough_memory, one_of, shown, whole_number

__all__ = [
    "CNN",
    "GRU",
    "MLP",
    "NETWORKS",
    "REFERENCE",
    "Logistic",
    "Registered",
    "count_parameters",
    "make_network",
    "register_network",
    "registered",
    "registering_modules",
]

REFERENCE = ("logistic", "mlp", "cnn", "gru")
LARGE = 2**20  # points times classes above which memory is asked about first
TRAINED = 16  # bytes for each parameter: itself, its gradient, and Adam's two averages


@register_network(
    "logistic",
    label="logistic",
    colour="#CC79A7",
    cost=1.0,
    cost_grows=False,
    accuracy=0.32,
    shuffled_accuracy=0.32,
)
class Logistic(nn.Module):
    """Logistic regression, the linear baseline: 410 parameters."""

    def __init__(self, length: int = 40, num_classes: int = 10) -> None:
        super().__init__()
        self.linear = nn.Linear(length, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (batch, num_classes) of signals (batch, length)."""
        return self.linear(x)  # type: ignore[no-any-return]


@register_network(
    "mlp",
    width="hidden_size",
    label="MLP",
    colour="#0072B2",
    cost=3.0,
    cost_grows=False,
    accuracy=0.68,
    shuffled_accuracy=0.68,
)
class MLP(nn.Module):
    """A fully connected network with one residual block, blind to the order of the points: 15,210 parameters."""

    def __init__(self, length: int = 40, num_classes: int = 10, hidden_size: int = 100) -> None:
        super().__init__()
        self.linear1 = nn.Linear(length, hidden_size)
        self.linear2 = nn.Linear(hidden_size, hidden_size)
        self.linear3 = nn.Linear(hidden_size, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (batch, num_classes) of signals (batch, length)."""
        h = self.linear1(x).relu()
        h = h + self.linear2(h).relu()
        return self.linear3(h)  # type: ignore[no-any-return]


@register_network(
    "cnn",
    width="channels",
    label="CNN",
    colour="#D55E00",
    cost=10.0,
    accuracy=0.94,
    shuffled_accuracy=0.56,
)
class CNN(nn.Module):
    """Three strided convolutions, which know that neighbours belong together: 5,210 parameters."""

    def __init__(self, length: int = 40, num_classes: int = 10, channels: int = 25) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(1, channels, kernel_size=5, stride=2, padding=1)
        self.conv2 = nn.Conv1d(channels, channels, kernel_size=3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(channels, channels, kernel_size=3, stride=2, padding=1)
        # 40 -> 19 -> 10 -> 5 points: (n + 2 * padding - kernel_size) // stride + 1, three times
        points = (length - 3) // 2 + 1
        points = (points - 1) // 2 + 1
        points = (points - 1) // 2 + 1
        self.linear = nn.Linear(points * channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (batch, num_classes) of signals (batch, length)."""
        h = self.conv1(x.unsqueeze(1)).relu()  # (batch, channels, 19)
        h = self.conv2(h).relu()  # (batch, channels, 10)
        h = self.conv3(h).relu()  # (batch, channels, 5)
        return self.linear(h.flatten(1))  # type: ignore[no-any-return]


@register_network(
    "gru",
    width="hidden_size",
    label="GRU",
    colour="#009E73",
    cost=14.0,
    accuracy=0.91,
    shuffled_accuracy=0.57,
)
class GRU(nn.Module):
    """A bidirectional GRU, one point at a time, with a linear layer over all its states: 5,134 parameters."""

    def __init__(self, length: int = 40, num_classes: int = 10, hidden_size: int = 6) -> None:
        super().__init__()
        # nn.GRU(1, hidden_size, batch_first=True, bidirectional=True), but faster
        self.gru = BidirectionalGRU(hidden_size)
        self.linear = nn.Linear(length * 2 * hidden_size, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (batch, num_classes) of signals (batch, length)."""
        h, _ = self.gru(x.unsqueeze(2))  # (batch, length, 2 * hidden_size), from a zero first state
        return self.linear(h.flatten(1))  # type: ignore[no-any-return]


def make_network(name: str, *, length: int = 40, num_classes: int = 10) -> nn.Module:
    """Returns a new network by its name.

    Args:
        name: A key of `NETWORKS`: a reference network, or one that `register_network` was called for.
        length: Points in a signal.
        num_classes: Number of logits.

    Raises:
        ValueError: If there is no network of this name, or the signal is too short for one.
    """
    name = one_of("network", name, NETWORKS, also=", one of your own by register_network, or an nn.Module of your own")
    length = whole_number("length", length, 3, also=" (the CNN's first kernel)")
    num_classes = whole_number("num_classes", num_classes, 2)
    if length * num_classes > LARGE:
        with torch.device("meta"):  # which allocates nothing
            parameters = count_parameters(_made(name, length, num_classes))
        of = f"network={name!r} with length={length} and num_classes={num_classes}"
        enough_memory(TRAINED * parameters, of, "take fewer points or classes")
    return _made(name, length, num_classes)


def _made(name: str, length: int, num_classes: int) -> nn.Module:
    network = NETWORKS[name](length=length, num_classes=num_classes)
    if not isinstance(network, nn.Module):
        raise ValueError(
            f"network={name!r}: what it was registered with must make an nn.Module, and made {shown(network)}"
        )
    return network


def count_parameters(network: nn.Module) -> int:
    """Returns the number of trainable parameters."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)

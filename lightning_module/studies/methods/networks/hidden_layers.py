"""`HiddenLayers`: the fully connected networks of double descent, hidden layers one after another without a shortcut.

Source: the notebook on double descent of Greydanus & Kobak (2024), "Scaling Down Deep Learning with MNIST-1D", ICML,
has two hidden layers of the same width; the figure of Greydanus (2020), "Scaling down Deep Learning", has one.
"""

from collections.abc import Mapping
from functools import partial

from torch import Tensor, nn

from lightning_module.batched.logits import dense, examples_last, register_batched


class HiddenLayers(nn.Module):
    """Hidden layers of one width with ReLU, then a linear layer.

    With 40 points, K classes and width H it has H (41 + K) + K parameters with one hidden layer, and
    H^2 + H (42 + K) + K with two: 51 H + 10 and H^2 + 52 H + 10 with ten classes. Torch's default initialisation.

    Args:
        width: Units in each hidden layer.
        depth: Number of hidden layers.
        length: Points in a signal.
        num_classes: Number of logits.
        he: Whether weights are drawn as He et al. (2015) do, uniformly, and biases are 0; else torch's default.

    Raises:
        ValueError: If there is no hidden layer, or nothing in it.
    """

    def __init__(
        self, width: int, *, depth: int = 2, length: int = 40, num_classes: int = 10, he: bool = False
    ) -> None:
        super().__init__()
        if width < 1 or depth < 1:
            raise ValueError(f"width={width} and depth={depth} must be at least 1; without one take a Logistic")
        sizes = [length, *[width] * depth]
        self.hidden = nn.ModuleList(nn.Linear(n, width) for n in sizes[:-1])
        self.linear = nn.Linear(width, num_classes)
        for layer in (*self.hidden, self.linear) if he else ():
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (batch, num_classes) of signals (batch, length)."""
        for layer in self.hidden:
            x = layer(x).relu()
        return self.linear(x)  # type: ignore[no-any-return]


def hidden_layers(p: Mapping[str, Tensor], x: Tensor, *, depth: int) -> Tensor:
    """Returns the logits (k, num_classes, batch) of k `HiddenLayers`, as `lightning_module.batched.logits` has them."""
    h = examples_last(x)
    for i in range(depth):
        h = dense(p, f"hidden.{i}", h).relu_()  # (k, width, batch)
    return dense(p, "linear", h)


register_batched(HiddenLayers, lambda network: partial(hidden_layers, depth=len(network.hidden)))

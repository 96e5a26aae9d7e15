"""The networks of the pooling benchmark: two convolutions, each followed by a kind of pooling, then a linear layer.

Source: the pooling study of Greydanus and Kobak, "Scaling Down Deep Learning with MNIST-1D", ICML 2024. Every layer has
torch's default initialisation, and the layers are made in the order in which they are applied, so a seed gives all
kinds of pooling the same convolutions at the start.
"""

import difflib
from functools import partial
from typing import Literal, get_args

from torch import Tensor, nn

from lightning_module.batched.logits import register_batched
from lightning_module.studies.methods.networks.pooling_batched import pooling_cnn

Pool = Literal["none", "stride", "max", "avg", "l2"]

# The channels that bring pool="none" nearest to the 3,310 parameters of the others: 3,442, which is 132 (4.0 %) more.
# With 7 channels it has 318 (9.6 %) fewer.
MATCHED_CHANNELS = 8


class PoolingCNN(nn.Module):
    """Two convolutions of 3 points, each with one kind of pooling behind it.

    | pool | what it is | parameters |
    |---|---|---|
    | "none" | no pooling, all 40 points reach the linear layer | 9,310; with `MATCHED_CHANNELS` 3,442 |
    | "stride" | no pooling, convolutions that skip every other point | 3,310 |
    | "max" | the larger one of two neighbours | 3,310 |
    | "avg" | their mean | 3,310 |
    | "l2" | the root of the sum of their squares | 3,310 |

    Args:
        length: Points in a signal.
        num_classes: Number of logits.
        pool: One of the above.
        channels: Of each convolution.

    Raises:
        ValueError: If there is no pooling of this name, or the signal is too short to be halved twice.
    """

    def __init__(self, length: int = 40, num_classes: int = 10, *, pool: Pool = "none", channels: int = 20) -> None:
        super().__init__()
        if pool not in get_args(Pool):
            near = difflib.get_close_matches(str(pool).lower(), get_args(Pool), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"pool={pool!r} must be one of {', '.join(map(repr, get_args(Pool)))}{hint}")
        if length < 4:
            raise ValueError(f"length={length} must be at least 4, to be halved twice")
        self.pool_kind = pool
        stride = 2 if pool == "stride" else 1
        self.conv1 = nn.Conv1d(1, channels, kernel_size=3, stride=stride, padding=1)
        self.conv2 = nn.Conv1d(channels, channels, kernel_size=3, stride=stride, padding=1)
        self.pool = _layer(pool)
        points = length
        for _ in range(2):  # 40 -> 20 -> 10 points, unless pool="none"
            points = {"none": points, "stride": (points + 1) // 2}.get(pool, points // 2)
        self.linear = nn.Linear(points * channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (batch, num_classes) of signals (batch, length)."""
        h = self.pool(self.conv1(x.unsqueeze(1)).relu())  # (batch, channels, 20)
        h = self.pool(self.conv2(h).relu())  # (batch, channels, 10)
        return self.linear(h.flatten(1))  # type: ignore[no-any-return]


def _layer(pool: Pool) -> nn.Module:
    match pool:
        case "max":
            return nn.MaxPool1d(2)
        case "avg":
            return nn.AvgPool1d(2)
        case "l2":
            return nn.LPPool1d(2, 2)  # its gradient at (0, 0) is 0, not infinite
    return nn.Identity()


register_batched(PoolingCNN, lambda network: partial(pooling_cnn, pool=network.pool_kind))

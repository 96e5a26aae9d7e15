"""A masked autoencoder for signals: points are hidden, and the whole signal is to be given back; k replicas at once.

Source: the notebook `ssl-autoencoder` of github.com/greydanus/mnist1d, after He et al. (2022), "Masked Autoencoders
Are Scalable Vision Learners", CVPR. The notebook's own run hides no point.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal

import torch
from torch import Tensor, nn

from lightning_module.batched.logits import convolve, examples_last, windows
from lightning_module.replicas.replica import Replica
from lightning_module.studies.methods.unlabelled import Unlabelled

LAYERS: Final = ("input", "conv1", "conv2", "deconv1", "output")
CHANNELS: Final = 25
KERNELS: Final = (5, 3)  # of the convolutions; the other way round on the way back
STRIDE: Final = 2


class Autoencoder(nn.Module):
    """Two strided convolutions and, back to the signal, two transposed ones, all rectified: 4,076 parameters.

    The output is rectified as well, as in the source: no point below 0 can be given back.

    Args:
        length: Points in a signal.
    """

    def __init__(self, length: int = 40) -> None:
        super().__init__()
        first = (length - 3) // STRIDE + 1  # points after the first convolution, and the second
        second = (first - 1) // STRIDE + 1
        wide, narrow = KERNELS
        own: dict[str, Any] = {"stride": STRIDE, "padding": 1}
        self.conv1 = nn.Conv1d(1, CHANNELS, wide, **own)
        self.conv2 = nn.Conv1d(CHANNELS, CHANNELS, narrow, **own)
        # What the strides left out is put on at the end, so that the signal has its length again.
        missing = first - (STRIDE * (second - 1) + narrow - 2), length - (STRIDE * (first - 1) + wide - 2)
        self.deconv1 = nn.ConvTranspose1d(CHANNELS, CHANNELS, narrow, **own, output_padding=missing[0])
        self.deconv2 = nn.ConvTranspose1d(CHANNELS, 1, wide, **own, output_padding=missing[1])

    def forward(self, x: Tensor) -> Tensor:
        """Returns the signals (batch, length) that are given back for signals (batch, length)."""
        return self.layers(x)[-1]

    def layers(self, x: Tensor) -> list[Tensor]:
        """Returns what each layer makes of signals (batch, length), (batch, width) each; the input is layer 0."""
        layers, h = [x], x.unsqueeze(1)
        for layer in (self.conv1, self.conv2, self.deconv1, self.deconv2):
            h = layer(h).relu()
            layers.append(h.flatten(1))
        return layers


def batched_layers(p: Mapping[str, Tensor], x: Tensor) -> list[Tensor]:
    """Returns what the layers of k autoencoders are before the ReLU, (k, channels, points, batch).

    Args:
        p: The parameters of `Autoencoder`, stacked.
        x: Signals (batch, length) for all, or (k, batch, length).
    """
    first = convolve(p, "conv1", examples_last(x).unsqueeze(1))
    second = convolve(p, "conv2", first, relu=True)
    third = spread(p, "deconv1", second.relu(), points=first.shape[2])
    return [first, second, third, spread(p, "deconv2", third.relu(), points=x.shape[-1])]


def spread(p: Mapping[str, Tensor], layer: str, h: Tensor, *, points: int) -> Tensor:
    """Returns the transposed convolution (k, out, points, batch) of h (k, in, fewer points, batch), with padding 1."""
    weight, bias = p[f"{layer}.weight"], p[f"{layer}.bias"]  # (k, in, out, kernel)
    columns = torch.bmm(weight.flatten(2).transpose(1, 2), h.flatten(2))
    shape = (len(h), weight.shape[2], points, h.shape[3])
    folded: Tensor = _Fold.apply(columns, shape, weight.shape[3])  # type: ignore[no-untyped-call]
    return folded + bias[:, :, None, None]


class _Fold(torch.autograd.Function):
    """Windows added up at their places: what `windows` cuts out, the other way round."""

    @staticmethod
    def forward(ctx: Any, columns: Tensor, shape: tuple[int, int, int, int], kernel: int) -> Tensor:
        ctx.kernel = kernel
        k, channels, points, batch = shape
        columns = columns.view(k, channels, kernel, -1, batch)
        padded = columns.new_zeros(k, channels, points + 2, batch)
        stop = STRIDE * (columns.shape[3] - 1) + 1
        for tap in range(kernel):
            padded[:, :, tap : tap + stop : STRIDE] += columns[:, :, tap]
        return padded[:, :, 1:-1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return windows(gradient, ctx.kernel, stride=STRIDE), None, None


class MaskedAutoencoder(Unlabelled):
    """Several autoencoders trained at once, each on its own signals and masks, without labels.

    The loss is the mean squared error over all points, hidden or not.

    Args:
        mask_ratio: The probability that a point is hidden, which is set to 0; 0 hides none.
        replicas: What is each one's own, see `Unlabelled`.
        length: Points in a signal.
        steps_per_execution: As in `Classifier`.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        mask_ratio: float = 0.0,
        replicas: int | Sequence[Replica | Mapping[str, Any]] = 5,
        *,
        length: int = 40,
        steps_per_execution: int | Literal["auto"] = "auto",
    ) -> None:
        if not 0 <= mask_ratio < 1:
            raise ValueError(f"mask_ratio={mask_ratio} must be in 0 <= mask_ratio < 1")
        network = partial(Autoencoder, length)
        super().__init__(network, replicas, length=length, steps_per_execution=steps_per_execution)
        self.mask_ratio = mask_ratio
        self.save_hyperparameters(
            {
                "mask_ratio": mask_ratio,
                "replicas": [replica.settings() for replica in self.replicas],
                "length": length,
                "steps_per_execution": steps_per_execution,
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        """Returns what is given back, (k, batch, length), for signals (batch, length) or (k, batch, length)."""
        last = batched_layers(dict(self.network.named_parameters()), x)[-1]
        return last.relu().flatten(1, 2).transpose(1, 2)

    def losses(self, x: Tensor) -> Tensor:
        """Returns the mean squared error (k,) of each autoencoder on signals (batch, length), or (k, batch, length)."""
        error: Tensor = self(self._masked(x)) - x
        return error.square().mean((1, 2))

    def _masked(self, x: Tensor) -> Tensor:
        """Returns signals with points set to 0, (k, batch, length); as they are if none is to be hidden."""
        if self.mask_ratio == 0:
            return x
        shape = x.shape[-2:]
        kept = [torch.rand(shape, generator=generator) >= self.mask_ratio for generator in self.generators]
        return x * torch.stack(kept).to(x)

    @staticmethod
    def layers(p: Mapping[str, Tensor], x: Tensor) -> list[Tensor]:
        """Returns the rectified layers (k, channels, points, batch) of signals none of whose points is hidden."""
        return [h.relu() for h in batched_layers(p, x)]

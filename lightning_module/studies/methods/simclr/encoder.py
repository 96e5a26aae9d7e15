"""SimCLR for signals: a convolutional encoder with projectors, the contrastive loss, and its training for k replicas.

Source: Chen, Kornblith, Norouzi, Hinton (2020), "A Simple Framework for Contrastive Learning of Visual
Representations", ICML; in the form of Greydanus & Kobak (2024), "Scaling Down Deep Learning with MNIST-1D", ICML.
"""

import itertools
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal

from torch import Tensor, nn

from lightning_module.batched.logits import convolve, dense, examples_last
from lightning_module.networks import CNN
from lightning_module.replicas.replica import Replica
from lightning_module.studies.methods.simclr.augmentations import add_trend, detrend, draw, roll, stack_draws
from lightning_module.studies.methods.unlabelled import Unlabelled

Projector = Literal["default", "none", "deep"]

CONVOLUTIONS: Final = ("conv1", "conv2", "conv3")
# Units of each layer after the convolutions.
PROJECTORS: Final[dict[Projector, tuple[int, ...]]] = {"default": (125, 16), "none": (), "deep": (125, 125, 125, 16)}


class Encoder(nn.Module):
    """The convolutions of the benchmark's CNN and, behind them, fully connected layers: the projector.

    With 40 points 21,716 parameters with the default projector, 3,950 without one, 53,216 with the deep one.

    Args:
        projector: "default" for 125 hidden units and 16 at the output, "none", or "deep" for three hidden layers.
        length: Points in a signal.
    """

    def __init__(self, projector: Projector = "default", length: int = 40) -> None:
        super().__init__()
        trunk = CNN(length)
        for name in CONVOLUTIONS:
            self.add_module(name, trunk.get_submodule(name))
        widths = (trunk.linear.in_features, *PROJECTORS[projector])
        for i, (inputs, outputs) in enumerate(itertools.pairwise(widths), start=1):
            self.add_module(f"projector{i}", nn.Linear(inputs, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Returns the output (batch, width) of signals (batch, length)."""
        return self.layers(x)[-1]

    def layers(self, x: Tensor) -> list[Tensor]:
        """Returns what each layer makes of signals (batch, length), (batch, width) each; the input is layer 0."""
        layers, h = [x], x.unsqueeze(1)
        names = [name for name, _ in self.named_children()]
        for name in names:
            h = self.get_submodule(name)(h if name in CONVOLUTIONS else h.flatten(1))
            if name in CONVOLUTIONS or name != names[-1]:
                h = h.relu()  # all layers but the output of a projector
            layers.append(h.flatten(1))
        return layers


def layer_names(projector: Projector) -> tuple[str, ...]:
    """Returns the names of the layers, from the input, which is layer 0, to the output."""
    return ("input", *CONVOLUTIONS, *(f"projector{i + 1}" for i in range(len(PROJECTORS[projector]))))


def batched_layers(p: Mapping[str, Tensor], x: Tensor) -> list[Tensor]:
    """Returns what the layers of k encoders are before the ReLU: convolutions (k, channels, points, batch), then
    (k, width, batch).

    Args:
        p: The parameters of `Encoder`, stacked.
        x: Signals (batch, length) for all, or (k, batch, length).
    """  # noqa: D205  # one sentence, one line too long
    layers = [convolve(p, CONVOLUTIONS[0], examples_last(x).unsqueeze(1))]
    for name in CONVOLUTIONS[1:]:
        layers.append(convolve(p, name, layers[-1], relu=True))
    for i in range(1, sum(name.startswith("projector") for name in p) // 2 + 1):
        h = layers[-1].relu()
        layers.append(dense(p, f"projector{i}", h.flatten(1, 2) if h.dim() == 4 else h))
    return layers


def info_nce(z1: Tensor, z2: Tensor, *, temperature: float) -> Tensor:
    """Returns the loss (k,) of finding each signal's second view among those of the whole minibatch.

    In one direction, as in the source: from the first view to the second. The cosines divided by the temperature are
    the logits, and the right one is on the diagonal.

    Args:
        z1: Outputs for the first views, (k, width, batch).
        z2: Outputs for the second views, the same.
        temperature: What the cosines are divided by.
    """
    logits = unit_length(z1).transpose(1, 2) @ unit_length(z2) / temperature  # (k, batch, batch)
    return -logits.log_softmax(2).diagonal(dim1=1, dim2=2).mean(1)


def unit_length(z: Tensor) -> Tensor:
    """Returns vectors (k, width, batch) scaled to length 1; `F.normalize` takes twice as long along this axis."""
    return z * z.square().sum(1, keepdim=True).clamp_min(1e-24).rsqrt()


class SimCLR(Unlabelled):
    """Several encoders trained at once, each on its own signals and augmentations, without labels.

    A replica is what the encoder of its seed would be alone, to rounding: its augmentations come from a generator of
    its own, on the CPU, so they are the same on every device.

    Args:
        projector: See `Encoder`.
        replicas: What is each one's own, see `Unlabelled`.
        temperature: What the cosines of the loss are divided by.
        length: Points in a signal.
        steps_per_execution: As in `Classifier`.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        projector: Projector = "default",
        replicas: int | Sequence[Replica | Mapping[str, Any]] = 5,
        *,
        temperature: float = 0.5,
        length: int = 40,
        steps_per_execution: int | Literal["auto"] = "auto",
    ) -> None:
        if projector not in PROJECTORS:
            raise ValueError(f"projector={projector!r} must be one of {', '.join(map(repr, PROJECTORS))}")
        if temperature <= 0:
            raise ValueError(f"temperature={temperature} must be above 0")
        network = partial(Encoder, projector, length)
        super().__init__(network, replicas, length=length, steps_per_execution=steps_per_execution)
        self.projector: Projector = projector
        self.temperature = temperature
        self.save_hyperparameters(
            {
                "projector": projector,
                "replicas": [replica.settings() for replica in self.replicas],
                "temperature": temperature,
                "length": length,
                "steps_per_execution": steps_per_execution,
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        """Returns the outputs (k, batch, width) of signals (batch, length) or (k, batch, length)."""
        last = batched_layers(dict(self.network.named_parameters()), x)[-1]
        return (last if PROJECTORS[self.projector] else last.relu().flatten(1, 2)).transpose(1, 2)

    def losses(self, x: Tensor) -> Tensor:
        """Returns the contrastive loss (k,) of each encoder on signals (batch, length), or (k, batch, length)."""
        batch = x.shape[-2]
        z = self(self._views(x)).transpose(1, 2)
        return info_nce(z[:, :, :batch], z[:, :, batch:], temperature=self.temperature)

    def _views(self, x: Tensor) -> Tensor:
        """Returns the first views, then the second: (k, 2 * batch, length) of signals (batch, length) or (k, ...)."""
        batch = x.shape[-2]
        draws = stack_draws([draw(2, batch, generator=generator) for generator in self.generators]).to(x)
        # Both views have the same line taken away.
        rest = detrend(x).unsqueeze(-3)
        return add_trend(roll(rest, draws.shift), draws.slope, draws.offset).flatten(1, 2)

    @staticmethod
    def layers(p: Mapping[str, Tensor], x: Tensor) -> list[Tensor]:
        """Returns the rectified layers (k, ..., batch); the output of a projector as it is."""
        *hidden, last = batched_layers(p, x)
        with_projector = any(name.startswith("projector") for name in p)
        return [h.relu() for h in hidden] + [last if with_projector else last.relu()]

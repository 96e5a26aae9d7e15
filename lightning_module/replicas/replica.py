"""`Replica`: the seed, the settings and the data of one model of an `Ensemble`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from lightning_module.datamodule import Examples
from lightning_module.loop.loader import SEEDS
from mnist1d_hf.checks import items, nearest, number, shown, whole_number

MOST_REPLICAS = 100_000
MOST_POINTS = 1_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Replica:
    """The seed, the settings and the data of one model of an `Ensemble`.

    Attributes:
        seed: Decides the initialisation: that of `torch.manual_seed(seed)` before the network is made.
        lr: Learning rate.
        weight_decay: Weight decay, as in `torch.optim.Adam`, or as in AdamW with `Ensemble(optimizer="adamw")`.
        label_noise: The probability with which a training label is replaced by one drawn from all classes, see
            `noisy_labels`.
        label_noise_seed: Decides which labels those are; None for `seed`.
        shuffle_seed: Decides the permutations of the training examples, as `MNIST1DDataModule(seed=...)` does; None for
            those of the data module. The examples held out for validation stay those of the data module.
        points: The order in which the network sees the points of a signal, a permutation of 0..length - 1; None for
            their own.
        data: Training examples (x, y), as many as the data module has; None for those of the data module.
        width: Hidden units or channels of its network; None for those that the network has by itself. In one ensemble
            all replicas have a width or none has. Each is initialised and trained as the network of its width is alone,
            at the cost of the widest: put similar widths together.
        mask: For parameters by their names in the network, such as "linear1.weight", a tensor of their shape with 0
            where the parameter stays 0 and 1 elsewhere.

    Raises:
        ValueError: If a number is out of its range.
    """

    seed: int = 0
    lr: float = 1e-2
    weight_decay: float = 0.0
    label_noise: float = 0.0
    label_noise_seed: int | None = None
    shuffle_seed: int | None = None
    points: Sequence[int] | None = None
    data: Examples | None = None
    width: int | None = None
    mask: Mapping[str, Tensor] | None = None

    def __post_init__(self) -> None:
        checked: dict[str, Any] = {
            "seed": whole_number("seed", self.seed, *SEEDS),
            "lr": number("lr", self.lr, 0, above=True),
            "weight_decay": number("weight_decay", self.weight_decay, 0),
            "label_noise": number("label_noise", self.label_noise, 0, 1),
        }
        for name in ("label_noise_seed", "shuffle_seed"):
            if getattr(self, name) is not None:
                checked[name] = whole_number(name, getattr(self, name), *SEEDS, also=", or None")
        if self.width is not None:
            checked["width"] = whole_number("width", self.width, 1, also=", or None for the network's own")
        if self.points is not None:
            points = items("points", self.points, "the numbers of all points in their order", MOST_POINTS)
            checked["points"] = [whole_number("points", point, 0) for point in points]
        if self.data is not None:
            checked["data"] = _checked_data(self.data)
        if self.mask is not None:
            _check_mask(self.mask)
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def settings(self) -> dict[str, Any]:
        """Returns what a checkpoint keeps: everything but tensors, which are too large or are among the weights."""
        kept = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in ("data", "mask")}
        return {**kept, "points": None if self.points is None else [int(point) for point in self.points]}


def checked_replicas(replicas: int | Sequence[Replica | Mapping[str, Any]]) -> list[Replica]:
    """Returns replicas of their settings, or of how many there are.

    Raises:
        ValueError: If there is none, or one of them is neither a `Replica` nor the settings of one.
    """
    if isinstance(replicas, Integral):
        count = whole_number("replicas", replicas, 0, MOST_REPLICAS)
        found: list[Any] = [{"seed": seed} for seed in range(count)]
    else:
        found = items("replicas", replicas, "a number or a list, such as [Replica(seed=0)]", MOST_REPLICAS)
    if not found:
        raise ValueError(f"replicas={shown(replicas)} must be at least one, such as replicas=[Replica(seed=0)]")
    return [each if isinstance(each, Replica) else _of_settings(each) for each in found]


def _of_settings(settings: Any) -> Replica:
    known = [field.name for field in fields(Replica)]
    if not isinstance(settings, Mapping):
        raise ValueError(f"replicas: {shown(settings)} must be a Replica, or a mapping with its settings")
    for name in settings:
        if name not in known:
            raise ValueError(f"replicas: {shown(name)} is no setting of a replica{nearest(name, known)}")
    return Replica(**settings)


def _checked_data(data: Any) -> Examples:
    what = "two tensors, signals (n, length) and labels (n,), as data=(x, y)"
    parts = items("data", data, what, 2)
    if len(parts) != 2 or not all(isinstance(part, Tensor) for part in parts):
        raise ValueError(f"data must be {what}")
    return Examples(*parts)  # also of a plain pair


def _check_mask(mask: Any) -> None:
    if not isinstance(mask, Mapping) or not all(isinstance(each, Tensor) for each in mask.values()):
        raise ValueError(f"mask={shown(mask)} must be a mapping from names of parameters to tensors, or None")


def noisy_labels(y: Tensor, fraction: float, *, seed: int, num_classes: int = 10) -> Tensor:
    """Returns labels (n,), each replaced with probability `fraction` by one drawn from all classes.

    The new one may be the old one: with 10 classes and a fraction of 0.15, 13.5 % are wrong.
    """
    generator = torch.Generator().manual_seed(seed)
    # On the CPU and in float32, whatever torch's defaults are: the draws are part of the noise's definition.
    replaced = torch.rand(len(y), generator=generator, dtype=torch.float32, device="cpu") < fraction
    drawn = torch.randint(num_classes, y.shape, generator=generator, dtype=torch.int64, device="cpu")
    return torch.where(replaced.to(y.device), drawn.to(y.device), y)

"""`Replica`: what is a replica's own in an `Ensemble`; and how its training data reach it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from lightning_module.datamodule import Examples
from lightning_module.loader import SEEDS, TensorLoader
from lightning_module.twin import Callback, pl
from mnist1d_hf.checks import items, nearest, number, shown, whole_number

MOST_REPLICAS = 100_000
MOST_POINTS = 1_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Replica:
    """What one model of an `Ensemble` has for itself.

    Args:
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


class ReplicaRows:
    """The training data of all replicas, (n, k, ...) where they differ and (n, ...) where they do not.

    Raises:
        ValueError: If a replica's own data do not have the shape of the others.
    """

    def __init__(self, replicas: Sequence[Replica], x: Tensor, y: Tensor, *, num_classes: int) -> None:
        examples = [replica.data or Examples(x, y) for replica in replicas]
        for k, data in enumerate(examples):
            if data.x.shape != x.shape or data.y.shape != y.shape:
                raise ValueError(
                    f"data of replica {k} has x {tuple(data.x.shape)} and y {tuple(data.y.shape)}, and must have "
                    f"{tuple(x.shape)} and {tuple(y.shape)}, as the data module's training split; "
                    "put other sizes into an ensemble of their own"
                )
        self.x, self.y = x, y
        if any(replica.data for replica in replicas):
            self.x = torch.stack([data.x.to(x) for data in examples], dim=1)
        if self.x is not x or any(replica.label_noise for replica in replicas):
            self.y = torch.stack(
                [_labels(replica, data.y.to(y), num_classes) for replica, data in zip(replicas, examples, strict=True)],
                dim=1,
            )
        self._columns = torch.arange(len(replicas), device=x.device)

    def __call__(self, rows: slice | Tensor) -> tuple[Tensor, Tensor]:
        """Returns x (rows, length) or (rows, k, length), and y (rows,) or (rows, k).

        Args:
            rows: Row numbers, (rows,) for all replicas, or (rows, k).
        """
        return self._take(self.x, rows, own=self.x.dim() > 2), self._take(self.y, rows, own=self.y.dim() > 1)

    def _take(self, tensor: Tensor, rows: slice | Tensor, *, own: bool) -> Tensor:
        if not isinstance(rows, Tensor):
            return tensor[rows]
        if own and rows.dim() > 1:  # of rows as wide as these, far faster than indexing with two tensors
            flat = (rows * tensor.shape[1] + self._columns).flatten()
            return tensor.flatten(0, 1).index_select(0, flat).view(*rows.shape, *tensor.shape[2:])
        return tensor.index_select(0, rows.flatten()).view(*rows.shape, *tensor.shape[1:])


def _labels(replica: Replica, y: Tensor, num_classes: int) -> Tensor:
    if not replica.label_noise:
        return y
    seed = replica.seed if replica.label_noise_seed is None else replica.label_noise_seed
    return noisy_labels(y, replica.label_noise, seed=seed, num_classes=num_classes)


class OwnRows(Callback):
    """Lets the training loader hand out each replica's own rows, for as long as an ensemble trains.

    `Ensemble.configure_callbacks` adds it by itself.
    """

    def __init__(self) -> None:
        self._loader: TensorLoader | None = None

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Attaches to the loader, which may be a new one in each epoch.

        Raises:
            ValueError: If the loader cannot do what a replica asks for.
        """
        replicas: Sequence[Replica] = getattr(pl_module, "replicas", ())
        orders = any(replica.shuffle_seed is not None for replica in replicas)
        loader = trainer.train_dataloader
        if loader is self._loader or not (orders or any(replica.data or replica.label_noise for replica in replicas)):
            return
        self._detach()
        if not isinstance(loader, TensorLoader):
            raise ValueError(
                f"the training data come from a {type(loader).__name__}, and data, label_noise and shuffle_seed of a "
                "replica need a TensorLoader; use MNIST1DDataModule or TensorLoader"
            )
        if orders and not loader.shuffle:
            raise ValueError('shuffle_seed of a replica needs permutations: MNIST1DDataModule(shuffle="epoch")')
        self._loader = loader
        loader.take = ReplicaRows(replicas, loader.x, loader.y, num_classes=pl_module.num_classes)  # type: ignore[arg-type]
        if orders:
            loader.seeds = [loader.seed if r.shuffle_seed is None else r.shuffle_seed for r in replicas]

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Leaves the loader as it was."""
        self._detach()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Leaves the loader as it was."""
        self._detach()

    def _detach(self) -> None:
        if self._loader is not None:
            self._loader.take = self._loader.seeds = None
        self._loader = None

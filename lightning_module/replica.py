"""`Replica`: what is a replica's own in an `Ensemble`; and how its training data reach it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from lightning_module.datamodule import Examples
from lightning_module.loader import TensorLoader
from lightning_module.twin import Callback, pl


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
        if self.lr <= 0:
            raise ValueError(f"lr={self.lr} must be above 0")
        if self.weight_decay < 0:
            raise ValueError(f"weight_decay={self.weight_decay} must be at least 0")
        if not 0 <= self.label_noise <= 1:
            raise ValueError(f"label_noise={self.label_noise} must be a probability, 0 to 1")
        if self.width is not None and self.width < 1:
            raise ValueError(f"width={self.width} must be at least 1, or None for the network's own")
        if self.data is not None:
            if len(self.data) != 2 or not all(isinstance(part, Tensor) for part in self.data):
                raise ValueError("data must be two tensors, signals (n, length) and labels (n,), as data=(x, y)")
            object.__setattr__(self, "data", Examples(*self.data))  # also of a plain pair

    def settings(self) -> dict[str, Any]:
        """Returns what a checkpoint keeps: everything but tensors, which are too large or are among the weights."""
        kept = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in ("data", "mask")}
        return {**kept, "points": None if self.points is None else [int(point) for point in self.points]}


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

"""How the training data of each replica of an ensemble reach it: rows, orders and labels of its own."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lightning_module.datamodule import Examples
from lightning_module.loop.loader import TensorLoader
from lightning_module.replicas.replica import Replica, noisy_labels
from lightning_module.twin import Callback, pl


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
    """A callback that lets the training loader hand out each replica's own rows, for as long as an ensemble trains.

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
                "replica need a TensorLoader; use MNIST1DDataModule or TensorLoader, without endless=True"
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

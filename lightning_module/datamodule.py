"""`MNIST1DDataModule`: a config of MNIST-1D as minibatches for a Lightning Trainer."""

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import datasets
import torch
from torch import Tensor

import mnist1d_hf
from lightning_module.loader import TensorLoader
from lightning_module.twin import pl, rank_zero_warn
from mnist1d_hf.pinned import pinned_revision

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Rows in one forward pass of an evaluation: whole splits of the usual sizes, and 50 MB of activations for the largest
# network here.
EVALUATION_ROWS = 10_000

# A split up to this size lies on the device for good; a larger one is moved there minibatch by minibatch.
RESIDENT_BYTES = 2**30


class Examples(NamedTuple):
    """Examples as tensors."""

    x: Tensor  # (n, length), float32
    y: Tensor  # (n,), int64


class MNIST1DDataModule(pl.LightningDataModule):
    """Minibatches of MNIST-1D: each split becomes one tensor, once, and a minibatch is a slice of it.

    On several devices `batch_size` is per device; the training minibatches are those of a `DistributedSampler`, and an
    evaluation sees every example exactly once.

    Args:
        path: "mnist1d", generated on this machine; or a folder or a Hub repository that holds such a data set.
        name: The config: a recipe by its name, such as "default", "long" or "train-50k".
        revision: The version of the data, such as "1.0.0"; of a repository a tag, branch or commit: exactly that one is
            served, or an error. None for the newest.
        batch_size: Examples in a training minibatch, on each device.
        val: What is validated on. A fraction of the training split, held out for good and the same for the same `seed`;
            the default leaves 3,200 of 4,000 examples, 32 whole minibatches of 100. "test" for the test split and all
            of the training split, as the reference does: its accuracies are comparable with the published ones, but no
            model may be selected by them. None for nothing.
        shuffle: "epoch" for a new permutation in each epoch; "none" for the rows' own order in every epoch, as the
        reference does.
        seed: Decides the held-out examples and the permutations. The global random state is neither read nor changed.
        drop_last: Whether a last training minibatch with fewer examples is left out.
        recipe: Numbers of the recipe to change, by name, such as `{"iid_noise_scale": 0.1}`; only with path="mnist1d".

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        path: str = "mnist1d",
        name: str = "default",
        revision: str | None = None,
        *,
        batch_size: int = 100,
        val: float | Literal["test"] | None = 0.2,
        shuffle: Literal["epoch", "none"] = "epoch",
        seed: int = 0,
        drop_last: bool = False,
        recipe: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size} must be at least 1")
        if val is not None and val != "test" and (isinstance(val, str) or not 0 < val < 1):
            raise ValueError(
                f'val={val!r} must be a fraction between 0 and 1, "test" for the test split, or None for nothing'
            )
        if shuffle not in ("epoch", "none"):
            raise ValueError(f'shuffle={shuffle!r} must be "epoch" for a permutation in each epoch, or "none"')
        if recipe and path != "mnist1d":
            raise ValueError(f'recipe={recipe!r} needs path="mnist1d": the data at path={path!r} are made already')
        self.path, self.name, self.revision = path, name, revision
        self.batch_size, self.val, self.shuffle, self.seed, self.drop_last = batch_size, val, shuffle, seed, drop_last
        self.recipe = dict(recipe or {})
        self._splits: dict[str, Examples] = {}
        self._version: str | None = None
        self._commit: str | None = None
        self.save_hyperparameters()

    def prepare_data(self) -> None:
        """Generates or downloads the data, on one process of each machine."""
        self._load()

    @property
    def length(self) -> int:
        """Returns the number of points in a signal."""
        return self.examples("test").x.shape[1]

    @property
    def num_classes(self) -> int:
        """Returns the number of classes."""
        return int(self.examples("test").y.max()) + 1

    def examples(self, split: Literal["train", "val", "test"]) -> Examples:
        """Returns a split as tensors, as this data module divides the data.

        Raises:
            ValueError: If the split does not exist.
        """
        if split not in self._splits:
            if split not in ("train", "val", "test"):
                raise ValueError(f'split={split!r} must be "train", "val" or "test"')
            if split == "val" and self.val is None:
                raise ValueError('val=None leaves no split "val"; use a fraction, or "test"')
            if split == "test" or (split == "val" and self.val == "test"):
                self._splits[split] = self._read("test")
            elif isinstance(self.val, float):
                self._splits["train"], self._splits["val"] = self._divide(self._read("train"), self.val)
            else:
                self._splits["train"] = self._read("train")
        return self._splits[split]

    def train_dataloader(self) -> TensorLoader:
        """Returns the training minibatches of this rank."""
        # A trainer that is to overfit a few minibatches must see the same ones in every epoch.
        overfit = self.trainer is not None and self.trainer.overfit_batches > 0  # type: ignore[attr-defined]
        x, y = self._on_device("train")
        rank, world_size = self._rank
        return TensorLoader(
            x,
            y,
            batch_size=self.batch_size,
            shuffle=self.shuffle == "epoch" and not overfit,
            seed=self.seed,
            drop_last=self.drop_last,
            rank=rank,
            world_size=world_size,
        )

    def val_dataloader(self) -> TensorLoader | list[TensorLoader]:
        """Returns the validation split, in as few pieces as possible; nothing with `val=None`."""
        return [] if self.val is None else self._evaluation("val")

    def test_dataloader(self) -> TensorLoader:
        """Returns the test split, in as few pieces as possible."""
        return self._evaluation("test")

    def predict_dataloader(self) -> TensorLoader:
        """Returns the test split, in its own order."""
        return self._evaluation("test")

    def plot(self, split: Literal["train", "val", "test"] = "train", *, count: int = 10) -> "Figure":
        """Returns a figure of the first examples of a split."""
        from mnist1d_hf.plot import plot_signals

        x, y = self.examples(split)
        return plot_signals(x[:count].numpy(), y[:count].numpy())

    def state_dict(self) -> dict[str, Any]:
        """Returns which data a checkpoint was trained on."""
        config_id = self.name
        if self.path == "mnist1d":
            config_id = str(datasets.load_dataset_builder("mnist1d", self.name, **self._keywords()).config_id)
        return {"path": self.path, "config_id": config_id, "version": self._version}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Warns if a checkpoint was trained on other data than these."""
        self.examples("test")  # now the version is known
        if state_dict != (own := self.state_dict()):
            rank_zero_warn(f"the checkpoint was trained on the data {state_dict}, and now there are {own}")

    def _keywords(self) -> dict[str, Any]:
        return {**self.recipe, **({"revision": self.revision} if self.revision is not None else {})}

    def _load(self) -> Any:
        if self.path == "mnist1d":
            return datasets.load_dataset(self.path, self.name, **self._keywords())
        if self._commit is None:  # a branch may move between the reading of two splits
            self._commit = pinned_revision(self.path, self.revision)
        return mnist1d_hf.load(self.path, self.name, revision=self._commit)

    def _read(self, split: str) -> Examples:
        dataset = self._load()
        if split not in dataset:
            raise ValueError(f"path={self.path!r}, name={self.name!r} has no split {split!r}, but {', '.join(dataset)}")
        self._version = str(dataset[split].info.version)
        columns = mnist1d_hf.as_numpy(dataset[split])
        if missing := {"x", "y"} - columns.keys():
            raise ValueError(f"path={self.path!r} has no column {min(missing)!r}, but {', '.join(columns)}")
        # One copy: the arrays are a read-only view of a file, and a write to such a tensor would kill the process.
        return Examples(torch.tensor(columns["x"], dtype=torch.float32), torch.tensor(columns["y"], dtype=torch.int64))

    def _divide(self, full: Examples, fraction: float) -> tuple[Examples, Examples]:
        """Returns what is trained on and what is held out, each in the order of the rows."""
        held_out = round(fraction * len(full.x))
        if not 0 < held_out < len(full.x):
            raise ValueError(f"val={fraction} of {len(full.x)} examples leaves one part empty")
        order = torch.randperm(len(full.x), generator=torch.Generator().manual_seed(self.seed))
        kept, out = order[held_out:].sort().values, order[:held_out].sort().values
        return Examples(full.x[kept], full.y[kept]), Examples(full.x[out], full.y[out])

    def _evaluation(self, split: Literal["val", "test"]) -> TensorLoader:
        rank, world_size = self._rank
        x, y = self._on_device(split)
        return TensorLoader(x, y, batch_size=EVALUATION_ROWS, rank=rank, world_size=world_size, pad=False)

    def _on_device(self, split: Literal["train", "val", "test"]) -> Examples:
        x, y = self.examples(split)
        if self.trainer is not None and x.nbytes <= RESIDENT_BYTES:
            device = self.trainer.strategy.root_device
            self._splits[split] = Examples(x.to(device), y.to(device))
        return self._splits[split]

    @property
    def _rank(self) -> tuple[int, int]:
        """Which of how many ranks this is, in the eyes of a sampler."""
        sampler = self.trainer.distributed_sampler_kwargs if self.trainer is not None else None
        return (sampler["rank"], sampler["num_replicas"]) if sampler else (0, 1)

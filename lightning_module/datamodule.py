"""`MNIST1DDataModule`: a config of MNIST-1D as minibatches for a Lightning Trainer."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn

import datasets
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

import mnist1d_hf
from lightning_module.hyper_parameters import PlainHyperparameters, apart
from lightning_module.loop.loader import SEEDS, TensorLoader
from lightning_module.transform import Transform
from lightning_module.twin import PACKAGE, pl, rank_zero_warn, refuse_foreign, remedy, warn_of_other
from mnist1d_hf.cache.golden import has_same_records
from mnist1d_hf.checks import flag, items, number, shown, text, whole_number
from mnist1d_hf.checks import path as path_of
from mnist1d_hf.hub.load import pinned_revision

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Rows in one forward pass of an evaluation: whole splits of the usual sizes, and 50 MB of activations for the largest
# network here.
EVALUATION_ROWS = 10_000

# A split up to this size lies on the device for good; a larger one is moved there minibatch by minibatch.
RESIDENT_BYTES = 2**30

MOST_CLASSES = 1_000_000


class Examples(NamedTuple):
    """Examples as tensors.

    Attributes:
        x: Signals (n, length), float32.
        y: Labels (n,), int64.
    """

    x: Tensor
    y: Tensor

    def first(self, count: int) -> "Examples":
        """Returns the first examples, as views; all if there are not more."""
        return Examples(self.x[:count], self.y[:count])

    @staticmethod
    def stacked(several: Iterable["Examples"]) -> "Examples":
        """Returns the examples of k replicas side by side: x (k, n, length) and y (k, n)."""
        xs, ys = zip(*several, strict=True)
        return Examples(torch.stack(xs), torch.stack(ys))


def _check_examples(what: str, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> None:
    """Refuses what is not signals of one length and a label for each: anybody may have written it."""
    if x.ndim != 2 or not np.issubdtype(x.dtype, np.number):
        raise ValueError(f"{what}: column 'x' must hold a list of numbers in each row, all of one length")
    if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer) or (len(y) and y.min() < 0):
        raise ValueError(f"{what}: column 'y' must hold a label in each row, an integer from 0")
    if not len(y):
        raise ValueError(f"{what} has no rows; take another config or split")


class MNIST1DDataModule(PlainHyperparameters, pl.LightningDataModule):
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
        eval_batch_size: Examples in a piece of an evaluation, on each device. None for whole splits (10,000 at most),
            or for `batch_size` where the trainer takes a fraction of a split, such as `limit_val_batches=0.5`.
        classes: The digits that are kept in all splits, such as (0, 1, 2) for a task of continual learning; None for
            all. Labels stay as they are, and `num_classes` is that of the whole data set, so that one network serves
            all tasks. The held-out examples are those of the whole data set: tasks that share no digit share no
            example, and together have them all.
        transform: A function of the signals of a training minibatch, (batch, length) on its device, that returns as
            many: noise, shifts. It is called once per minibatch, in training only, and does not slow several steps at
            once down. It draws from torch's global random state; it may change the tensor that it gets. An `Ensemble`
            shows all replicas the same transformed minibatch; where they have examples of their own, it gets those of
            all replicas as one minibatch (batch * k, length). A checkpoint keeps its name only: pass it again to train
            on.
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
        eval_batch_size: int | None = None,
        classes: Sequence[int] | None = None,
        transform: Transform | None = None,
    ) -> None:
        super().__init__()
        warn_of_other(self)
        path, name = path_of("path", path, '"mnist1d", a folder or "owner/name"'), text("name", name)
        revision = None if revision is None else text("revision", revision, "a version, such as '1.0.0', or None")
        batch_size, seed = whole_number("batch_size", batch_size, 1), whole_number("seed", seed, *SEEDS)
        val, recipe, drop_last = _checked_val(val), _checked_recipe(recipe), flag("drop_last", drop_last)
        if eval_batch_size is not None:
            eval_batch_size = whole_number("eval_batch_size", eval_batch_size, 1, also=", or None for whole splits")
        if transform is not None and not callable(transform) and not isinstance(transform, str):
            raise ValueError(
                f"transform={shown(transform)} must be a function from signals to as many signals, or None"
            )
        if not isinstance(shuffle, str) or (shuffle := str.__str__(shuffle)) not in ("epoch", "none"):  # type: ignore[assignment]
            raise ValueError(f'shuffle={shown(shuffle)} must be "epoch" for a permutation in each epoch, or "none"')
        if recipe and path != "mnist1d":
            raise ValueError(f'recipe={shown(recipe)} needs path="mnist1d": the data at path={path!r} are made already')
        self.path, self.name, self.revision = path, name, revision
        self.batch_size, self.val, self.shuffle, self.seed, self.drop_last = batch_size, val, shuffle, seed, drop_last
        self.recipe = dict(recipe or {})
        classes = _checked_classes(classes)
        self.eval_batch_size, self.classes = eval_batch_size, classes
        # A name stands where a checkpoint has left one: enough to evaluate, not to train.
        self.transform: Transform | str | None = transform
        self._num_classes: int | None = None
        self._splits: dict[str, Examples] = {}
        self._version: str | None = None
        self._commit: str | None = None
        self._known_id: tuple[str, str] | None = None
        self.save_hyperparameters()
        self.hparams["classes"] = None if self.classes is None else list(self.classes)

    @property
    def trainer(self) -> pl.Trainer | None:
        """Returns the trainer that uses this data module, or None."""
        return self._trainer

    @trainer.setter
    def trainer(self, trainer: pl.Trainer | None) -> None:
        refuse_foreign(self, trainer)
        self._trainer = trainer

    @property
    def hparams_initial(self) -> Any:
        """Returns the hyperparameters for a logger: `data_seed` for `seed` where the module has another `seed`."""
        return apart(super().hparams_initial, getattr(self.trainer, "lightning_module", None))

    def __iter__(self) -> NoReturn:
        """Refuses to be taken for a loader, as by a Trainer to which this is no data module.

        Raises:
            ValueError: Always.
        """
        raise ValueError(
            f"this {type(self).__name__} is a data module of {PACKAGE} and no loader; to iterate over minibatches take "
            f"train_dataloader(); if it was given to a Trainer of the other package, {remedy()}"
        )

    def prepare_data(self) -> None:
        """Generates or downloads the data, on one process of each machine."""
        self._load()

    @property
    def length(self) -> int:
        """Returns the number of points in a signal."""
        return self.examples("test").x.shape[1]

    @property
    def num_classes(self) -> int:
        """Returns the number of classes in the whole data set, whichever `classes` are kept."""
        if self._num_classes is None:
            self.examples("test")
        assert self._num_classes is not None  # for the type checker: reading the test split has counted them
        return self._num_classes

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
                whole = self._read("test")
                self._num_classes = int(whole.y.max()) + 1
                parts = {str(split): whole}
            elif isinstance(self.val, float):
                parts = dict(zip(("train", "val"), self._divide(self._read("train"), self.val), strict=True))
            else:
                parts = {"train": self._read("train")}
            self._splits |= {name: self._of_classes(name, part) for name, part in parts.items()}
        return self._splits[split]

    def train_dataloader(self) -> TensorLoader:
        """Returns the training minibatches of this rank."""
        if isinstance(self.transform, str):
            raise ValueError(
                f"transform={self.transform!r}: a checkpoint keeps only the name of a function; to train, pass it "
                f"again, transform={self.transform.rpartition('.')[2]}"
            )
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
            transform=self.transform,
            device=self.trainer.strategy.root_device if self.trainer is not None else None,
        )

    def val_dataloader(self) -> TensorLoader | list[TensorLoader]:
        """Returns the validation split, in as few pieces as possible; nothing with `val=None`."""
        return [] if self.val is None else self._evaluation("val", "limit_val_batches")

    def test_dataloader(self) -> TensorLoader:
        """Returns the test split, in as few pieces as possible."""
        return self._evaluation("test", "limit_test_batches")

    def predict_dataloader(self) -> TensorLoader:
        """Returns the test split, in its own order."""
        return self._evaluation("test", "limit_predict_batches")

    def plot(self, split: Literal["train", "val", "test"] = "train", *, count: int = 10) -> "Figure":
        """Returns a figure of the first examples of a split."""
        from mnist1d_hf.plot.signals import plot_signals

        x, y = self.examples(split)
        return plot_signals(x[:count].numpy(), y[:count].numpy())

    def state_dict(self) -> dict[str, Any]:
        """Returns which data a checkpoint was trained on."""
        config_id = self.name
        if self.path == "mnist1d":
            config_id = self._config_id()
        kept = {} if self.classes is None else {"classes": list(self.classes)}
        return {"path": self.path, "config_id": config_id, "version": self._version, **kept}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Warns if a checkpoint was trained on other data than these."""
        self.examples("test")  # now the version is known
        own = self.state_dict()
        version = state_dict.get("version")
        same = self.path == "mnist1d" and has_same_records(version) and has_same_records(self._version)
        if state_dict != (own | {"version": version} if same else own):
            rank_zero_warn(f"the checkpoint was trained on the data {state_dict}, and now there are {own}")

    def _config_id(self) -> str:
        """Returns the name of the generated data; asked for at every checkpoint, and found out once."""
        asked = repr((self.name, self._keywords()))
        if self._known_id is None or self._known_id[0] != asked:
            builder = datasets.load_dataset_builder("mnist1d", self.name, **self._keywords())
            self._known_id = asked, str(builder.config_id)
        return self._known_id[1]

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
        if missing := {"x", "y"} - {*dataset[split].column_names}:
            names = ", ".join(map(repr, dataset[split].column_names))
            raise ValueError(f"path={self.path!r} has no column {min(missing)!r}, but {names}")
        columns = mnist1d_hf.as_numpy(dataset[split].select_columns(["x", "y"]))
        _check_examples(f"path={self.path!r}, split {split!r}", columns["x"], columns["y"])
        # One copy: the arrays are a read-only view of a file, and a write to such a tensor would kill the process.
        # On the CPU, whatever torch's default device is: the trainer's strategy says where they go.
        x = torch.tensor(columns["x"], dtype=torch.float32, device="cpu")
        return Examples(x, torch.tensor(columns["y"], dtype=torch.int64, device="cpu"))

    def _divide(self, full: Examples, fraction: float) -> tuple[Examples, Examples]:
        """Returns what is trained on and what is held out, each in the order of the rows."""
        held_out = round(fraction * len(full.x))
        if not 0 < held_out < len(full.x):
            raise ValueError(f"val={fraction} of {len(full.x)} examples leaves one part empty")
        order = torch.randperm(len(full.x), generator=torch.Generator().manual_seed(self.seed), device="cpu")
        kept, out = order[held_out:].sort().values, order[:held_out].sort().values
        return Examples(full.x[kept], full.y[kept]), Examples(full.x[out], full.y[out])

    def _of_classes(self, split: str, whole: Examples) -> Examples:
        if self.classes is None:
            return whole
        if unknown := [digit for digit in self.classes if digit >= self.num_classes]:
            raise ValueError(
                f"classes={self.classes} has {unknown[0]}, and the data at path={self.path!r}, name={self.name!r} have "
                f"the classes 0 to {self.num_classes - 1}"
            )
        kept = torch.isin(whole.y, torch.tensor(self.classes, device=whole.y.device))
        if not kept.any():
            raise ValueError(
                f"classes={self.classes} leaves no example of the split {split!r}; add a class that it has, of "
                f"{sorted(set(whole.y.tolist()))}"
            )
        return Examples(whole.x[kept], whole.y[kept])

    def _evaluation(self, split: Literal["val", "test"], limit: str) -> TensorLoader:
        rank, world_size = self._rank
        x, y = self._on_device(split)
        fraction = 0 < getattr(self.trainer, limit, 1.0) < 1
        rows = self.eval_batch_size or (self.batch_size if fraction else EVALUATION_ROWS)
        return TensorLoader(x, y, batch_size=rows, rank=rank, world_size=world_size, pad=False)

    def _on_device(self, split: Literal["train", "val", "test"]) -> Examples:
        x, y = self.examples(split)
        if self.trainer is not None and x.nbytes <= RESIDENT_BYTES:
            device = self.trainer.strategy.root_device
            self._splits[split] = Examples(x.to(device), y.to(device))
        return self._splits[split]

    @property
    def _rank(self) -> tuple[int, int]:
        """Returns the number of this rank, and of all ranks, as a sampler counts them."""
        sampler = self.trainer.distributed_sampler_kwargs if self.trainer is not None else None
        return (sampler["rank"], sampler["num_replicas"]) if sampler else (0, 1)


def _checked_classes(classes: Sequence[int] | None) -> tuple[int, ...] | None:
    if classes is None:
        return None
    what = "different digits, such as classes=(0, 1, 2), or None for all"
    try:  # also of numpy and torch
        digits = [whole_number("classes", each, 0) for each in items("classes", classes, what, MOST_CLASSES)]
    except ValueError:
        digits = []
    if not digits or len(set(digits)) < len(digits):
        raise ValueError(f"classes={shown(classes)} must be {what}")
    return tuple(digits)


def _checked_val(val: float | Literal["test"] | None) -> float | Literal["test"] | None:
    if val is None:
        return None
    if isinstance(val, str) and str.__str__(val) == "test":
        return "test"
    try:
        return number("val", val, 0, 1, above=True, below=True)
    except ValueError:
        raise ValueError(
            f'val={shown(val)} must be a fraction between 0 and 1, "test" for the test split, or None for nothing'
        ) from None


def _checked_recipe(recipe: dict[str, Any] | None) -> dict[str, Any] | None:
    if recipe is None:
        return None
    if not isinstance(recipe, Mapping) or not all(isinstance(name, str) for name in recipe):
        raise ValueError(
            f'recipe={shown(recipe)} must be a mapping of numbers by name, such as {{"iid_noise_scale": 0.1}}'
        )
    return dict(recipe)

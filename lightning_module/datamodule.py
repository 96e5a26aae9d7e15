"""`MNIST1DDataModule`: a config of MNIST-1D as minibatches for a Lightning Trainer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import datasets
import torch

import mnist1d_hf
from lightning_module.data.arguments import check_examples, checked_classes, checked_recipe, checked_val
from lightning_module.data.examples import Examples
from lightning_module.data.streamed import StreamedData, exceeds_memory
from lightning_module.hyper_parameters import PlainHyperparameters, apart
from lightning_module.loop.loader import SEEDS, TensorLoader
from lightning_module.loop.stream_loader import StreamLoader
from lightning_module.transform import Transform
from lightning_module.twin import PACKAGE, pl, rank_zero_warn, refuse_foreign, remedy, warn_of_other
from mnist1d_hf.cache.golden import has_same_records
from mnist1d_hf.checks import flag, shown, text, whole_number
from mnist1d_hf.checks import path as path_of
from mnist1d_hf.generator.templates import NUM_CLASSES
from mnist1d_hf.hub.load import pinned_revision

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Rows in one forward pass of an evaluation: whole splits of the usual sizes, and 50 MB of activations for the largest
# network here.
EVALUATION_ROWS = 10_000

# A split up to this size lies on the device for good; a larger one is moved there minibatch by minibatch.
RESIDENT_BYTES = 2**30

__all__ = ["Examples", "MNIST1DDataModule"]


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
            With the fast stream, `num_samples` may be more than memory holds: the minibatches are then made while they
            are trained on, and what is held out are the last rows of train.
        endless: Whether to train on the fast stream without end, where no example comes twice; only with
            path="mnist1d". It is made while it is trained on, by background threads. Validation is on examples 0 to
            19,999 of the stream's test split, unless `val` is None, and the test on 20,000 to 39,999. `num_samples`,
            `train_split`, `shuffle`, `seed` and `drop_last` decide nothing then; for other examples take another seed
            of the recipe, `recipe={"seed": 1}`.
        steps_per_epoch: Optimiser steps that count as an epoch of an endless training, on each device.

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
        endless: bool = False,
        steps_per_epoch: int = 1000,
    ) -> None:
        super().__init__()
        warn_of_other(self)
        endless, steps_per_epoch = flag("endless", endless), whole_number("steps_per_epoch", steps_per_epoch, 1)
        path, name = path_of("path", path, '"mnist1d", a folder or "owner/name"'), text("name", name)
        revision = None if revision is None else text("revision", revision, "a version, such as '1.0.0', or None")
        batch_size, seed = whole_number("batch_size", batch_size, 1), whole_number("seed", seed, *SEEDS)
        val, recipe, drop_last = checked_val(val), checked_recipe(recipe), flag("drop_last", drop_last)
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
        if endless and path != "mnist1d":
            raise ValueError(f'endless=True needs path="mnist1d": the data at path={path!r} have an end')
        self.path, self.name, self.revision = path, name, revision
        self.endless, self.steps_per_epoch = endless, steps_per_epoch
        self.batch_size, self.val, self.shuffle, self.seed, self.drop_last = batch_size, val, shuffle, seed, drop_last
        self.recipe = dict(recipe or {})
        classes = checked_classes(classes)
        self.eval_batch_size, self.classes = eval_batch_size, classes
        # A name stands where a checkpoint has left one: enough to evaluate, not to train.
        self.transform: Transform | str | None = transform
        self._num_classes: int | None = None
        self._splits: dict[str, Examples] = {}
        self._version: str | None = None
        self._commit: str | None = None
        self._known: tuple[str, str, StreamedData | None] | None = None
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
        """Generates or downloads the data, on one process of each machine; what is streamed needs nothing."""
        if self._streamed is None:
            self._load()

    @property
    def length(self) -> int:
        """Returns the number of points in a signal."""
        streamed = self._streamed
        return self.examples("test").x.shape[1] if streamed is None else streamed.recipe.final_seq_length

    @property
    def num_classes(self) -> int:
        """Returns the number of classes in the whole data set, whichever `classes` are kept."""
        if self._streamed is not None:
            return NUM_CLASSES
        if self._num_classes is None:
            self.examples("test")
        assert self._num_classes is not None  # for the type checker: reading the test split has counted them
        return self._num_classes

    def examples(self, split: Literal["train", "val", "test"]) -> Examples:
        """Returns a split as tensors, as this data module divides the data.

        Raises:
            ValueError: If the split does not exist, or is made as it is needed: see `endless`.
        """
        if split not in self._splits:
            if split not in ("train", "val", "test"):
                raise ValueError(f'split={split!r} must be "train", "val" or "test"')
            if split == "val" and self.val is None:
                raise ValueError('val=None leaves no split "val"; use a fraction, or "test"')
            if self._streamed is not None:
                self._splits[str(split)] = self._streamed.examples(split)
                return self._splits[split]
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

    @property
    def training_examples(self) -> int | None:
        """Returns the number of examples that are trained on, by all devices together; None for no end."""
        return len(self.examples("train").y) if self._streamed is None else self._streamed.size()

    def train_dataloader(self) -> TensorLoader | StreamLoader:
        """Returns the training minibatches of this rank."""
        if isinstance(self.transform, str):
            raise ValueError(
                f"transform={self.transform!r}: a checkpoint keeps only the name of a function; to train, pass it "
                f"again, transform={self.transform.rpartition('.')[2]}"
            )
        # A trainer that is to overfit a few minibatches must see the same ones in every epoch.
        overfit = self.trainer is not None and self.trainer.overfit_batches > 0  # type: ignore[attr-defined]
        if overfit and self.endless:
            raise ValueError(
                "overfit_batches needs minibatches that come again, and endless=True has none; leave one out"
            )
        rank, world_size = self._rank
        keywords: dict[str, Any] = {
            "batch_size": self.batch_size,
            "shuffle": self.shuffle == "epoch" and not overfit,
            "seed": self.seed,
            "rank": rank,
            "world_size": world_size,
            "transform": self.transform,
            "device": self._device,
        }
        if self._streamed is not None:
            return self._streamed.train_loader(**keywords)
        x, y = self._on_device("train")
        return TensorLoader(x, y, drop_last=self.drop_last, **keywords)

    def val_dataloader(self) -> TensorLoader | StreamLoader | list[TensorLoader]:
        """Returns the validation split, in as few pieces as possible; nothing with `val=None`."""
        return [] if self.val is None else self._evaluation("val", "limit_val_batches")

    def test_dataloader(self) -> TensorLoader | StreamLoader:
        """Returns the test split, in as few pieces as possible."""
        return self._evaluation("test", "limit_test_batches")

    def predict_dataloader(self) -> TensorLoader | StreamLoader:
        """Returns the test split, in its own order."""
        return self._evaluation("test", "limit_predict_batches")

    def plot(self, split: Literal["train", "val", "test"] = "train", *, count: int = 10) -> "Figure":
        """Returns a figure of the first examples of a split."""
        from mnist1d_hf.plot.signals import plot_signals

        x, y = self.examples(split) if self._streamed is None else self._streamed.first(split, count)
        return plot_signals(x[:count].numpy(), y[:count].numpy())

    def state_dict(self) -> dict[str, Any]:
        """Returns which data a checkpoint was trained on."""
        config_id = self.name
        if self.path == "mnist1d":
            config_id = self._config_id()
        kept: dict[str, Any] = {} if self.classes is None else {"classes": list(self.classes)}
        kept |= {"endless": True} if self.endless else {}
        return {"path": self.path, "config_id": config_id, "version": self._version, **kept}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Warns if a checkpoint was trained on other data than these."""
        if self._streamed is None:
            self.examples("test")  # now the version is known
        own = self.state_dict()
        version = state_dict.get("version")
        same = self.path == "mnist1d" and has_same_records(version) and has_same_records(self._version)
        if state_dict != (own | {"version": version} if same else own):
            rank_zero_warn(f"the checkpoint was trained on the data {state_dict}, and now there are {own}")

    def _config_id(self) -> str:
        return self._of_config()[0]

    @property
    def _streamed(self) -> StreamedData | None:
        """Returns the data that are made as they are needed, or None if they are held in memory."""
        return self._of_config()[1] if self.path == "mnist1d" else None

    def _of_config(self) -> tuple[str, StreamedData | None]:
        """Returns the name of the generated data, and how they are streamed; asked for often, and found out once."""
        asked = repr((self.name, self._keywords(), self.endless, self.steps_per_epoch, self.val, self.classes))
        if self._known is None or self._known[0] != asked:
            builder = datasets.load_dataset_builder("mnist1d", self.name, **self._keywords())
            config, streamed = builder.config, None
            if self.endless or (config.stream == "fast" and exceeds_memory(config.recipe)):
                steps = self.steps_per_epoch if self.endless else None
                self._refuse_unknown_classes(NUM_CLASSES)
                streamed = StreamedData(config.recipe, steps, self.val, self.classes)
                self._version = mnist1d_hf.DATA_VERSION
            self._known = asked, str(builder.config_id), streamed
        return self._known[1:]

    def _keywords(self) -> dict[str, Any]:
        stream = {"stream": "fast"} if self.endless else {}
        return {**self.recipe, **stream, **({"revision": self.revision} if self.revision is not None else {})}

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
        check_examples(f"path={self.path!r}, split {split!r}", columns["x"], columns["y"])
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
        self._refuse_unknown_classes(self.num_classes)
        kept = torch.isin(whole.y, torch.tensor(self.classes, device=whole.y.device))
        if not kept.any():
            raise ValueError(
                f"classes={self.classes} leaves no example of the split {split!r}; add a class that it has, of "
                f"{sorted(set(whole.y.tolist()))}"
            )
        return Examples(whole.x[kept], whole.y[kept])

    def _refuse_unknown_classes(self, known: int) -> None:
        if unknown := [digit for digit in self.classes or () if digit >= known]:
            raise ValueError(
                f"classes={self.classes} has {unknown[0]}, and the data at path={self.path!r}, name={self.name!r} have "
                f"the classes 0 to {known - 1}"
            )

    def _evaluation(self, split: Literal["val", "test"], limit: str) -> TensorLoader | StreamLoader:
        rank, world_size = self._rank
        fraction = 0 < getattr(self.trainer, limit, 1.0) < 1
        rows = self.eval_batch_size or (self.batch_size if fraction else EVALUATION_ROWS)
        if self._streamed is not None and not self.endless:
            keywords = {"batch_size": rows, "rank": rank, "world_size": world_size, "device": self._device}
            return self._streamed.evaluation(split, **keywords)
        x, y = self._on_device(split)
        return TensorLoader(x, y, batch_size=rows, rank=rank, world_size=world_size, pad=False)

    def _on_device(self, split: Literal["train", "val", "test"]) -> Examples:
        x, y = self.examples(split)
        if (device := self._device) is not None and x.nbytes <= RESIDENT_BYTES:
            self._splits[split] = Examples(x.to(device), y.to(device))
        return self._splits[split]

    @property
    def _device(self) -> torch.device | None:
        """Returns where this rank works, or None where there is no trainer."""
        return self.trainer.strategy.root_device if self.trainer is not None else None

    @property
    def _rank(self) -> tuple[int, int]:
        """Returns the number of this rank, and of all ranks, as a sampler counts them."""
        sampler = self.trainer.distributed_sampler_kwargs if self.trainer is not None else None
        return (sampler["rank"], sampler["num_replicas"]) if sampler else (0, 1)

"""`Classifier`: a network, its loss and its optimiser, for a Lightning Trainer."""

import inspect
import itertools
import os
from collections.abc import Callable
from typing import Any, Literal, Self

import torch
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn
from torchmetrics.classification import MulticlassAccuracy

from lightning_module.batched.as_replica import cross_entropy_alone, has_forward_of, is_as_made, is_one_of_many
from lightning_module.batched.gradients_alone import gradients_alone
from lightning_module.hyper_parameters import OWN_MODULE, PlainHyperparameters, describe_module
from lightning_module.loop.minibatch_training import MinibatchTraining, checked_steps
from lightning_module.loop.threads import is_small
from lightning_module.networks import make_network
from lightning_module.pretrained import load_pretrained
from lightning_module.twin import pl, warn_of_other
from mnist1d_hf.checks import number, text, whole_number

__all__ = ["OWN_MODULE", "Classifier", "describe_module"]

# What a subclass overrides to give the network something else than the signals of the data.
TREATING_SIGNALS = ("forward", "minibatch_loss", "training_step", "validation_step", "test_step", "predict_step")
# Lightning calls these with an example too, although they are written for minibatches (x, y).
TREATING_BATCHES = ("on_before_batch_transfer", "transfer_batch_to_device", "on_after_batch_transfer")


class Classifier(
    PlainHyperparameters,
    MinibatchTraining,
    PyTorchModelHubMixin,
    library_name="mnist1d-hf",
    tags=["mnist1d", "pytorch-lightning"],
    license="apache-2.0",
    coders={nn.Module: (describe_module, lambda name: name)},
):
    """Trains a network on minibatches (x, y) with cross-entropy and Adam, and reports `*/loss` and `*/acc`.

    It logs `train/loss` at each step, `val/loss` and `val/acc`, `test/loss` and `test/acc` over whole splits.
    A subclass may override `forward`: training goes through it as evaluation does. Checkpoints load with
    `weights_only=True`; `save_pretrained`, `push_to_hub`, `from_pretrained` keep the weights as safetensors; and
    `to_onnx(path)` needs no sample.

    Args:
        network: "logistic", "mlp", "cnn", "gru", the name of a network of your own (see `register_network`), or a
            module of your own from signals (batch, length) to logits (batch, num_classes). A checkpoint holds only the
            name, so a module is passed again where one is loaded, and a name is registered before.
        lr: Learning rate of Adam.
        length: Points in a signal.
        num_classes: Number of classes.
        steps_per_execution: Optimiser steps in one step of Lightning's loop: "auto" for as many as possible, see
            `lightning_module.loop.execution`; a number for at most that many; 1 for stock Lightning. The losses are the
            same.

    Raises:
        ValueError: If an argument is out of its range, or a module of one's own is missing at loading.
    """

    def __init__(
        self,
        network: str | nn.Module = "cnn",
        lr: float = 1e-2,
        *,
        length: int = 40,
        num_classes: int = 10,
        steps_per_execution: int | Literal["auto"] = "auto",
    ) -> None:
        length, num_classes = whole_number("length", length, 1), whole_number("num_classes", num_classes, 2)
        lr, steps_per_execution = number("lr", lr, 0, above=True), checked_steps(steps_per_execution)
        if not isinstance(network, nn.Module):
            network = text("network", network, "a name, such as 'cnn', or an nn.Module")
        super().__init__(length=length, steps_per_execution=steps_per_execution)
        warn_of_other(self)
        self.save_hyperparameters()
        # Before Lightning 2.6, a command line that links these to the data does not tell the checkpoint.
        self.hparams.update(length=length, num_classes=num_classes)
        if not isinstance(network, str | nn.Module):
            raise ValueError(f"network={network!r} must be a name, such as 'cnn', or an nn.Module")
        if isinstance(network, str) and network.startswith(OWN_MODULE):
            raise ValueError(
                f"network={network!r}: these weights belong to a module that is not one of the named ones; "
                f"pass it again, network={network.removeprefix(OWN_MODULE)}(...)"
            )
        if isinstance(network, str):
            network = make_network(network, length=length, num_classes=num_classes)
        self.network = network
        self.lr = lr
        self.val_accuracy = MulticlassAccuracy(num_classes, average="micro")
        self.test_accuracy = MulticlassAccuracy(num_classes, average="micro")

    @property
    def example_input_array(self) -> Any:
        """Returns two signals of zeros in the module's dtype, for exports and the summary.

        None for a subclass that treats the signals in its own way, unless it sets one: what goes into its forward pass
        is not known. Neither is it where the module, or the data module of its Trainer, treats minibatches.
        """
        own = super().example_input_array
        is_ours = all(getattr(type(self), name) is getattr(Classifier, name) for name in TREATING_SIGNALS)
        return self._signals() if own is None and is_ours and not self._treats_batches() else own

    @example_input_array.setter
    def example_input_array(self, example: Any) -> None:
        pl.LightningModule.example_input_array.fset(self, example)  # type: ignore[attr-defined]

    def to_onnx(self, file_path: Any = None, input_sample: Any = None, **kwargs: Any) -> Any:
        """Writes the network as ONNX, as `LightningModule.to_onnx` does; by itself for any number of signals at once.

        Args:
            file_path: The file.
            input_sample: Signals (batch, length). Given them, the number is theirs, unless a keyword says otherwise.
            kwargs: Those of `torch.onnx.export`.
        """
        if input_sample is None and super().example_input_array is None:
            input_sample = self._signals()
            default = inspect.signature(torch.onnx.export).parameters["dynamo"].default
            if {"dynamic_shapes", "dynamic_axes"} & kwargs.keys():
                pass
            elif kwargs.get("dynamo", default):
                kwargs["dynamic_shapes"] = ({0: getattr(torch.export.Dim, "AUTO", None) or torch.export.Dim("batch")},)
            else:
                kwargs["input_names"] = kwargs.get("input_names") or ["x"]
                kwargs["dynamic_axes"] = {kwargs["input_names"][0]: {0: "batch"}}
            trainer, self.trainer = self._trainer_or_none(), None  # else its data module treats the sample as a batch
            try:
                return super().to_onnx(file_path, input_sample, **kwargs)
            finally:
                self.trainer = trainer
        return super().to_onnx(file_path, input_sample, **kwargs)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (batch, num_classes) of signals (batch, length)."""
        return self.network(x)  # type: ignore[no-any-return]

    def minibatch_loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the mean cross-entropy of signals (batch, length) with labels (batch,).

        On one thread of a CPU a reference network computes it as a replica of an `Ensemble`, see
        `lightning_module.batched.as_replica`.
        """
        if has_forward_of(self, Classifier) and is_one_of_many(self.network, x):
            return cross_entropy_alone(self.network, x, y)
        return nn.functional.cross_entropy(self(x), y)

    def _gradients_of(self, optimizer: torch.optim.Optimizer) -> Callable[[Tensor, Tensor], Tensor]:
        usual = super()._gradients_of(optimizer)
        ours = type(self).minibatch_loss is Classifier.minibatch_loss and "minibatch_loss" not in vars(self)
        alone = gradients_alone(self.network) if ours and has_forward_of(self, Classifier) else None
        if alone is None or {*self.parameters()} != {*itertools.chain(*(g["params"] for g in optimizer.param_groups))}:
            return usual

        def differentiate(x: Tensor, y: Tensor) -> Tensor:
            loss = alone(x, y)
            return usual(x, y) if loss is None else loss

        return differentiate

    def threads(self, rows: int, length: int, available: int) -> int:
        """Returns 1 for a small reference network, else all; see `lightning_module.loop.threads`."""
        alone = has_forward_of(self, Classifier) and is_as_made(self.network)
        return 1 if alone and is_small(self.network, length, rows) else available

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Adds a piece of the validation split to `val/loss` and `val/acc`."""
        self._evaluate("val", self.val_accuracy, *batch)

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Adds a piece of the test split to `test/loss` and `test/acc`."""
        self._evaluate("test", self.test_accuracy, *batch)

    def predict_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """Returns the probabilities of the classes, (batch, num_classes)."""
        x, _ = batch
        return self(x).softmax(dim=1)  # type: ignore[no-any-return]

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str],
        *,
        map_location: str | torch.device = "cpu",
        strict: bool = True,
        **keywords: Any,
    ) -> Self:
        """Returns a classifier of the Hub or of a folder, at exactly one revision and in evaluation mode.

        Its weights are compared with the digest in its card; where that records none, a warning says once that they are
        not verified. Only safetensors are read, and their names, types and shapes must be the network's.

        Args:
            pretrained_model_name_or_path: "owner/name" on the Hub, or a folder.
            map_location: Device to put it on.
            strict: True; weights that are not all there are not loaded.
            keywords: `revision`, `token`, `cache_dir`, `force_download` and `local_files_only` as in
                `PyTorchModelHubMixin`; and arguments of the class, such as `network` for a module of your own.

        Raises:
            UnavailableError: If the revision is not on this machine and cannot be had.
            ContentError: If there is no such classifier, or its weights are not those that its card tells of.
            ValueError: If there is no such folder, repository or revision, or an argument is not allowed.
        """
        if not strict:
            raise ValueError(
                "strict=False would leave some weights at random; load the file by safetensors.torch.load_file, and "
                "what you want of it by load_state_dict(..., strict=False)"
            )
        return load_pretrained(cls, pretrained_model_name_or_path, **keywords).module.to(map_location)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Returns Adam, fused into one kernel where the device has one."""
        return torch.optim.Adam(self.parameters(), lr=self.lr, fused=self.has_fused_optimizer())

    def _treats_batches(self) -> bool:
        data = getattr(self._trainer_or_none(), "datamodule", None)
        return any(
            getattr(getattr(owner, name), "__func__", None) is not getattr(kind, name)
            for owner, kind in ((self, pl.LightningModule), (data, pl.LightningDataModule))
            if owner is not None
            for name in TREATING_BATCHES
        )

    def _trainer_or_none(self) -> Any:
        try:
            return self.trainer
        except RuntimeError:  # Lightning's way to say that there is none
            return None

    def _signals(self) -> Tensor:
        like = next(self.parameters(), torch.zeros(0))  # its device and dtype
        return like.new_zeros(2, self.length)

    def _evaluate(self, split: str, accuracy: MulticlassAccuracy, x: Tensor, y: Tensor) -> None:
        logits = self(x)
        accuracy.update(logits, y)  # a call would compute that of this piece too
        loss = nn.functional.cross_entropy(logits, y)
        self.log(f"{split}/loss", loss, prog_bar=True, batch_size=len(y), sync_dist=True)
        self.log(f"{split}/acc", accuracy, prog_bar=True, batch_size=len(y))

"""The hyperparameters that a checkpoint and a logger keep: plain values, which either package of Lightning can load."""

import inspect
from collections.abc import Mapping, MutableMapping, Sequence
from types import FrameType
from typing import Any, Self

from torch import nn

from lightning_module.transform import name_of
from lightning_module.twin import PACKAGES, HyperparametersMixin, pl

# Stands where a checkpoint or a config cannot hold a module of the user's own, only its name.
OWN_MODULE = "module:"

# What LightningCLI leaves among the hyperparameters: the name of a function that makes the object from its config. Each
# of Lightning's two packages writes its own; both can load this one, as `pytorch_lightning` is always installed.
INSTANTIATOR = "_instantiator"
OF_EITHER = "pytorch_lightning.cli.instantiate_module"


class PlainHyperparameters(HyperparametersMixin):
    """Hyperparameters that load with `weights_only=True`: of modules and functions among them, the names only."""

    def save_hyperparameters(
        self,
        *args: Any,
        ignore: Sequence[str] | str | None = None,
        frame: FrameType | None = None,
        logger: bool = True,
    ) -> None:
        """Saves the arguments of the constructor that calls it, as Lightning does, and makes them plain."""
        current = inspect.currentframe()
        frame = frame or (current.f_back if current else None)
        super().save_hyperparameters(*args, ignore=ignore, frame=frame, logger=logger)
        if _is_ours(type(self)):
            self.hparams.pop(INSTANTIATOR, None)
        settle_instantiator(self.hparams)
        self.hparams.update(plain(self.hparams))

    @classmethod
    def load_from_checkpoint(cls, checkpoint_path: Any, *args: Any, **kwargs: Any) -> Self:
        """Returns the object of a checkpoint, as Lightning does; nothing is imported that the checkpoint names.

        Args:
            checkpoint_path: The checkpoint.
            args: As Lightning has them.
            kwargs: As Lightning has them; among them arguments of the constructor.
        """
        if _is_ours(cls):  # then what LightningCLI left is not needed, to make it from its config
            kwargs[INSTANTIATOR] = None
        return super().load_from_checkpoint(checkpoint_path, *args, **kwargs)  # type: ignore[misc,no-any-return]

    @property
    def hparams_initial(self) -> Any:
        """Returns the hyperparameters as they were saved, for loggers."""
        initial = super().hparams_initial
        initial.update(plain(initial))
        return initial


def _is_ours(kind: type) -> bool:
    """Returns whether a constructor is ours: it needs no more than its arguments; another's may need its config."""
    return str(kind.__init__.__module__).startswith("lightning_module.")  # type: ignore[misc]


def plain(hyper_parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Returns hyperparameters with names in the place of modules and functions."""
    kept = {}
    for name, value in hyper_parameters.items():
        if isinstance(value, nn.Module):
            value = describe_module(value)
        elif callable(value) and not isinstance(value, type):
            value = name_of(value)
        kept[name] = value
    return kept


def describe_module(module: nn.Module) -> str:
    """Returns the text that a checkpoint keeps in place of a module of the user's own."""
    return f"{OWN_MODULE}{type(module).__name__}"


def arguments_of(hyper_parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the arguments of a constructor among the hyperparameters of a checkpoint."""
    return {name: value for name, value in hyper_parameters.items() if not name.startswith("_")}


def settle_instantiator(hyper_parameters: MutableMapping[str, Any]) -> None:
    """Puts the function's name that both packages can load in the place of either one's."""
    if hyper_parameters.get(INSTANTIATOR) in [f"{package}.cli.instantiate_module" for package in PACKAGES.values()]:
        hyper_parameters[INSTANTIATOR] = OF_EITHER


def apart(data: MutableMapping[str, Any], module: pl.LightningModule | None) -> MutableMapping[str, Any]:
    """Renames those hyperparameters of a data module that the module has too, with another value.

    A logger has one table for both, and Lightning refuses to put two values under one name.
    """
    others = module.hparams_initial if module is not None else {}
    for name in data.keys() & others.keys():
        value, other = data[name], others[name]
        if not name.startswith("_") and (type(value) is not type(other) or value != other):
            data[f"data_{name}"] = data.pop(name)
    return data

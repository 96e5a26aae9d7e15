"""The one module that chooses between `pytorch_lightning` and `lightning.pytorch`; all others take Lightning from here.

They are one library under two names, but the classes of one are not those of the other: a Trainer of one takes no
module, data module or callback of the other. So our classes are made for one of them, chosen when the first of them is
made (when this module is first imported):

1. the one that the environment variable `MNIST1D_LIGHTNING` names, `pytorch_lightning` or `lightning`;
2. else the one that is imported already, so that `import lightning as L` first is enough; of both `pytorch_lightning`;
3. else `pytorch_lightning`.

The choice is written into that variable, so that child processes (spawned strategies, workers) make the same one.
A checkpoint of either is a checkpoint of the other.
"""

import logging
import os
import sys
import warnings
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

VARIABLE: Final = "MNIST1D_LIGHTNING"

# What the variable may say, and where that one's classes are.
PACKAGES: Final = {"pytorch_lightning": "pytorch_lightning", "lightning": "lightning.pytorch"}


def choice(environment: Mapping[str, str], imported: Container[str]) -> str:
    """Returns the name of the package that is used, `pytorch_lightning` or the other one.

    Args:
        environment: The environment variables.
        imported: The names of the modules that are imported.

    Raises:
        ValueError: If the variable names neither.
    """
    if wish := environment.get(VARIABLE):
        if wish not in PACKAGES:
            raise ValueError(f"{VARIABLE}={wish!r} must be {' or '.join(PACKAGES)}, or not be set")
        return wish
    return next((name for name, package in PACKAGES.items() if package in imported), "pytorch_lightning")


CHOSEN: Final = choice(os.environ, sys.modules)
PACKAGE: Final = PACKAGES[CHOSEN]
(OTHER,) = PACKAGES.keys() - {CHOSEN}

# Else it is we who import it, and nobody may be using it.
_USED_BEFORE: Final = PACKAGE in sys.modules

if find_spec(CHOSEN) is None:
    raise ImportError(
        f'{VARIABLE}={CHOSEN} names a package that is not installed: pip install "mnist1d-hf[lightning]", '
        f"or set {VARIABLE}={OTHER}"
    )
os.environ[VARIABLE] = CHOSEN

if TYPE_CHECKING:
    import pytorch_lightning as pl
    from lightning_fabric.utilities.exceptions import MisconfigurationException
    from pytorch_lightning import accelerators, callbacks, cli, loggers, plugins, strategies
    from pytorch_lightning.core.mixins.hparams_mixin import HyperparametersMixin
    from pytorch_lightning.strategies import SingleDeviceStrategy
    from pytorch_lightning.utilities import rank_zero_info, rank_zero_warn
else:
    pl = import_module(PACKAGE)
    rank_zero_info, rank_zero_warn = pl.utilities.rank_zero_info, pl.utilities.rank_zero_warn
    HyperparametersMixin = pl.core.mixins.HyperparametersMixin
    SingleDeviceStrategy = pl.strategies.SingleDeviceStrategy
    MisconfigurationException = pl.utilities.exceptions.MisconfigurationException

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module(f"{PACKAGE}.{name}")  # when it is first used: `cli` takes half a second


__all__ = [
    "CHOSEN",
    "OTHER",
    "PACKAGE",
    "PACKAGES",
    "VARIABLE",
    "Callback",
    "HyperparametersMixin",
    "MisconfigurationException",
    "SingleDeviceStrategy",
    "accelerators",
    "callbacks",
    "choice",
    "cli",
    "loggers",
    "pl",
    "plugins",
    "quiet",
    "rank_zero_info",
    "rank_zero_warn",
    "refuse_foreign",
    "remedy",
    "strategies",
    "warn_of_other",
]


@contextmanager
def quiet(level: int) -> Iterator[None]:
    """Lets Lightning say nothing below a level of `logging`, and warn of nothing, within the block and not after it."""
    log = logging.getLogger(PACKAGE)
    before = log.level
    log.setLevel(level)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=PACKAGE)
            yield
    finally:
        log.setLevel(before)


class Callback(pl.Callback):
    """A callback that refuses a Trainer of the other package."""

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Refuses a foreign Trainer.

        Raises:
            ValueError: If the trainer is one of the other package.
        """
        refuse_foreign(self, trainer)


def refuse_foreign(own: object, trainer: object) -> None:
    """Checks that a trainer which one of our objects was given to is not one of the other package.

    Raises:
        ValueError: If it is.
    """
    foreign = f"{PACKAGES[OTHER]}."
    if any(kind.__module__.startswith(foreign) for kind in type(trainer).__mro__):
        raise ValueError(
            f"this {type(own).__name__} is one of {PACKAGE}, and the Trainer one of {PACKAGES[OTHER]}, which does not "
            f"work together; {remedy()}"
        )


def remedy() -> str:
    """Returns the advice for somebody who uses the other package."""
    return (
        f"import {OTHER} before the first class of lightning_module, set the environment variable {VARIABLE}={OTHER}, "
        f"or take the Trainer of {PACKAGE}"
    )


_warned = False


def warn_of_other(own: object) -> None:
    """Warns, once, if only the other package seems to be used: a Trainer of it would not take our object."""
    global _warned
    if _warned or _USED_BEFORE or PACKAGES[OTHER] not in sys.modules:
        return
    _warned = True
    warnings.warn(
        f"{type(own).__name__} is one of {PACKAGE}, and {PACKAGES[OTHER]} is imported, whose Trainer does not take it; "
        f"{remedy()}",
        stacklevel=3,
    )

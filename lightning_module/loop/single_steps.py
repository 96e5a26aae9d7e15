"""The parts of a run that need every single optimiser step, so that several cannot be taken at once.

It is asked before every execution, and must take some microseconds only.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, Literal, Protocol, runtime_checkable

from torch import Tensor
from torch.optim import Optimizer

from lightning_module.loop.bare_step import foreign_hooks
from lightning_module.loop.loader import TensorLoader
from lightning_module.loop.stream_loader import StreamLoader
from lightning_module.loop.transparency import (
    HARMLESS_IN_CALLBACK,
    HARMLESS_IN_DATA,
    HARMLESS_IN_MODULE,
    HARMLESS_IN_OPTIMIZER,
    NOTHING,
    VOUCH,
    forget_verdicts,
    lightning_name,
    package_of,
    reasons_against,
    vouched_for,
    watches_batches,
)
from lightning_module.twin import pl

# Loaders that hand out several minibatches at once; a class derived from one may do anything.
LOADERS = (TensorLoader, StreamLoader)


@runtime_checkable
class StepsByMinibatch(Protocol):
    """A LightningModule whose training step is the loss of one minibatch and nothing else."""

    automatic_optimization: bool
    steps_per_execution: int | Literal["auto"]

    def minibatch_loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the loss of signals (batch, length) with labels (batch,)."""
        ...

    def step_of(self, optimizer: Optimizer) -> Callable[[Tensor, Tensor], Tensor]:
        """Returns the function that takes an optimiser's step on signals (batch, length) with labels (batch,)."""
        ...

    def training_step_is_plain(self) -> bool:
        """Returns whether `training_step` is still the one that was written for executions."""
        ...


class Gate:
    """The answer, before every execution, to why the next step must be a single one.

    What the parts of a run say is kept for as long as they are the same objects, of the same classes, with the same
    attributes on the instances; everything else is looked at each time.
    """

    def __init__(self) -> None:
        forget_verdicts()  # somebody may have changed a class since the last run
        self._parts: list[Any] = []
        self._seen: list[Any] = []
        self._reason: str | None = None

    def reason(self, trainer: pl.Trainer, module: StepsByMinibatch) -> str | None:
        """Returns the part of this run that may need to see every single step; None if several can be taken at once."""
        return next(_reasons_of_now(trainer, module), None) or self._reason_in_parts(trainer)

    def _reason_in_parts(self, trainer: pl.Trainer) -> str | None:
        parts = parts_of(trainer)
        # An attribute that is new on an instance is its last one, or there are more of them.
        seen = [
            (id(part), type(part), len(own), next(reversed(own), None), own.get(VOUCH))
            for part, own in ((part, vars(part)) for part, _ in parts)
        ]
        if seen != self._seen:
            self._parts, self._seen = parts, seen  # the parts as well, for as long as their ids are to stand for them
            self._reason = next(_reasons_in_parts(trainer, parts), None)
        return self._reason


def _reasons_of_now(trainer: pl.Trainer, module: StepsByMinibatch) -> Iterator[str]:
    loader = trainer.train_dataloader
    if type(loader) not in LOADERS:
        yield f"the training data come from a {type(loader).__name__}, not from a TensorLoader"
    if trainer.world_size > 1:
        yield f"{type(trainer.strategy).__name__} on {trainer.world_size} device(s) synchronises at every step"
    if trainer.precision != "32-true":
        yield f"precision={trainer.precision!r} wraps every step"
    if trainer.gradient_clip_val:
        yield f"gradient_clip_val={trainer.gradient_clip_val} acts on every gradient"
    if trainer.accumulate_grad_batches != 1:
        yield f"accumulate_grad_batches={trainer.accumulate_grad_batches} makes one step of several minibatches"
    if any(config.interval == "step" for config in trainer.lr_scheduler_configs):
        yield "a learning-rate scheduler acts on every step"
    if not module.training_step_is_plain():
        yield f"{type(module).__name__} has a training_step of its own"
    if not module.automatic_optimization:
        yield f"{type(module).__name__}.automatic_optimization is False"
    if len(trainer.optimizers) != 1:
        yield f"{type(module).__name__} has {len(trainer.optimizers)} optimisers"
    for optimizer in trainer.optimizers:
        for hook in foreign_hooks(optimizer):
            yield f"{hook} is called before every step of {type(optimizer).__name__}"
    for checkpoint in trainer.checkpoint_callbacks:
        if checkpoint_interval(checkpoint) is None:
            yield f"{type(checkpoint).__name__} does not say after how many steps it saves"


def _reasons_in_parts(trainer: pl.Trainer, parts: list[tuple[Any, frozenset[str]]]) -> Iterator[str]:
    for callback in callbacks_of(trainer):
        if not isinstance(callback, pl.Callback):
            yield f"{type(callback).__name__} is a callback of {package_of(type(callback))}, and the Trainer is not"
    for optimizer in trainer.optimizers:
        if _needs_closure(type(optimizer)):
            yield f"{type(optimizer).__name__} evaluates the loss several times a step"
    for part, harmless in parts:
        yield from reasons_against(part, harmless)


def parts_of(trainer: pl.Trainer) -> list[tuple[Any, frozenset[str]]]:
    """Returns all that is called at a step, each with the attributes that a user's class may override."""
    loop, data = trainer.fit_loop, trainer.datamodule  # type: ignore[attr-defined]  # set in a connector
    return [
        (trainer.lightning_module, HARMLESS_IN_MODULE),
        *([(data, HARMLESS_IN_DATA)] if data is not None else []),
        *((callback, HARMLESS_IN_CALLBACK) for callback in callbacks_of(trainer)),
        *((optimizer, HARMLESS_IN_OPTIMIZER) for optimizer in trainer.optimizers),
        (trainer.strategy, NOTHING),
        (trainer.precision_plugin, NOTHING),
        (trainer.accelerator, NOTHING),
        (trainer.profiler, NOTHING),  # type: ignore[attr-defined]  # set in a connector
        (trainer, NOTHING),
        (loop, NOTHING),
        (loop.epoch_loop, NOTHING),
        (loop.epoch_loop.automatic_optimization, NOTHING),
        (loop.epoch_loop.manual_optimization, NOTHING),
    ]


def all_vouched_for(trainer: pl.Trainer) -> list[str]:
    """Returns the reasons against several steps at once for which users' classes and objects in this run vouch."""
    return [each for thing, harmless in parts_of(trainer) for each in vouched_for(thing, harmless)]


def _needs_closure(kind: type[Optimizer]) -> bool:
    closure = inspect.signature(kind.step).parameters.get("closure")
    return closure is not None and closure.default is inspect.Parameter.empty


def checkpoint_interval(callback: pl.Callback) -> int | None:
    """Returns after how many steps a checkpoint callback saves: 0 for never by the step, None if it cannot be known."""
    if not isinstance(callback, pl.callbacks.ModelCheckpoint):
        return 0 if isinstance(callback, pl.callbacks.OnExceptionCheckpoint) else None
    # The state key is the documented place of these arguments; the attribute is private.
    found = re.search(r"'every_n_train_steps': (\d+)", callback.state_key)
    return int(found.group(1)) if found else None


def callbacks_of(trainer: pl.Trainer) -> list[pl.Callback]:
    """Returns the trainer's callbacks."""
    return list(trainer.callbacks)  # type: ignore[attr-defined]  # set in a connector


def rows_have_company(trainer: pl.Trainer) -> bool:
    """Returns whether somebody may act at a row of the log: a callback around its batch, or a logger of a user's.

    Then an execution ends at each row, and Lightning itself writes it.
    """
    loggers = trainer.loggers
    return bool(loggers) and (
        any(map(watches_batches, callbacks_of(trainer))) or not all(map(_is_of_lightning, loggers))
    )


def _is_of_lightning(logger: Any) -> bool:
    """Returns whether a logger is one of Lightning's, unchanged: it does with a row nothing but write it."""
    if lightning_name(type(logger)) is None:
        return False
    return not any(callable(getattr(type(logger), name, None)) for name in vars(logger))

"""What needs every single optimiser step, so that several cannot be taken at once."""

import inspect
import re
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Literal, Protocol, runtime_checkable

from torch import Tensor
from torch.optim import Optimizer

from lightning_module.loader import TensorLoader
from lightning_module.threads import ThreadPerNetwork
from lightning_module.twin import SingleDeviceStrategy, pl
from lightning_module.twin import callbacks as lightning_callbacks

# Hooks that belong to one backward pass or one update, and so cannot run once per execution.
STEP_HOOKS = ("on_before_zero_grad", "on_before_backward", "on_after_backward", "on_before_optimizer_step")
BATCH_HOOKS = ("on_train_batch_start", "on_train_batch_end")
MODULE_HOOKS = (
    *STEP_HOOKS,
    "backward",
    "optimizer_step",
    "optimizer_zero_grad",
    "configure_gradient_clipping",
    "on_train_batch_start",
)

# Callbacks that steer the optimisation itself, batch by batch or by trial runs of their own. By name: not every version
# has every one.
STEERING_CALLBACKS = (
    "BatchSizeFinder",
    "GradientAccumulationScheduler",
    "LearningRateFinder",
    "SpikeDetection",
    "StochasticWeightAveraging",
    "WeightAveraging",
)


@runtime_checkable
class StepsByMinibatch(Protocol):
    """A LightningModule whose training step is the loss of one minibatch and nothing else."""

    automatic_optimization: bool
    steps_per_execution: int | Literal["auto"]

    def minibatch_loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the loss of signals (batch, length) with labels (batch,)."""
        ...

    def step_of(self, optimizer: Optimizer) -> Callable[[Tensor, Tensor], Tensor]:
        """Returns what takes an optimiser's step on signals (batch, length) with labels (batch,), for their loss."""
        ...

    def training_step_is_plain(self) -> bool:
        """Returns whether `training_step` is still the one that was written for executions."""
        ...


def reasons_for_single_steps(trainer: pl.Trainer, module: StepsByMinibatch) -> Iterator[str]:
    """Yields whatever in this run needs to see every single step; nothing if several can be taken at once."""
    loader = trainer.train_dataloader
    if not isinstance(loader, TensorLoader):
        yield f"the training data come from a {type(loader).__name__}, not from a TensorLoader"
    if trainer.world_size > 1 or not isinstance(trainer.strategy, SingleDeviceStrategy):
        yield f"{type(trainer.strategy).__name__} on {trainer.world_size} device(s) synchronises at every step"
    if trainer.precision != "32-true":
        yield f"precision={trainer.precision!r} wraps every step"
    if trainer.gradient_clip_val:
        yield f"gradient_clip_val={trainer.gradient_clip_val} acts on every gradient"
    if trainer.accumulate_grad_batches != 1:
        yield f"accumulate_grad_batches={trainer.accumulate_grad_batches} makes one step of several minibatches"
    yield from _reasons_in_module(trainer, module)
    yield from _reasons_in_callbacks(trainer)
    if not hasattr(trainer.fit_loop.epoch_loop, "batch_progress"):
        yield f"pytorch-lightning {version('pytorch-lightning')} keeps its counters elsewhere"


def _reasons_in_module(trainer: pl.Trainer, module: StepsByMinibatch) -> Iterator[str]:
    name = type(module).__name__
    if not module.training_step_is_plain():
        yield f"{name} has a training_step of its own"
    for hook in MODULE_HOOKS:
        if getattr(type(module), hook) is not getattr(pl.LightningModule, hook):
            yield f"{name}.{hook} acts on every step"
    if len(trainer.optimizers) != 1:
        yield f"{name} has {len(trainer.optimizers)} optimisers"
    for optimizer in trainer.optimizers:
        closure = inspect.signature(type(optimizer).step).parameters.get("closure")
        if closure is not None and closure.default is inspect.Parameter.empty:
            yield f"{type(optimizer).__name__} evaluates the loss several times a step"
    if any(config.interval == "step" for config in trainer.lr_scheduler_configs):
        yield "a learning-rate scheduler acts on every step"


def _reasons_in_callbacks(trainer: pl.Trainer) -> Iterator[str]:
    steering = tuple(getattr(lightning_callbacks, n) for n in STEERING_CALLBACKS if hasattr(lightning_callbacks, n))
    for callback in callbacks_of(trainer):
        name = type(callback).__name__
        if isinstance(callback, steering):
            yield f"{name} acts on every step"
        for hook in STEP_HOOKS:
            if getattr(type(callback), hook) is not getattr(pl.Callback, hook):
                yield f"{name}.{hook} acts on every step"
    for checkpoint in trainer.checkpoint_callbacks:
        if checkpoint_interval(checkpoint) is None:
            yield f"{type(checkpoint).__name__} does not say after how many steps it saves"


def checkpoint_interval(callback: pl.Callback) -> int | None:
    """Returns after how many steps a checkpoint callback saves: 0 for never by the step, None if it cannot be known."""
    if not isinstance(callback, lightning_callbacks.ModelCheckpoint):
        return 0 if isinstance(callback, lightning_callbacks.OnExceptionCheckpoint) else None
    # The state key is the documented place of these arguments; the attribute is private.
    found = re.search(r"'every_n_train_steps': (\d+)", callback.state_key)
    return int(found.group(1)) if found else None


def callbacks_of(trainer: pl.Trainer) -> list[pl.Callback]:
    """Returns the trainer's callbacks."""
    return list(trainer.callbacks)  # type: ignore[attr-defined]  # set in a connector


def watches_batches(callback: pl.Callback) -> bool:
    """Returns whether a callback may log something around a batch: any but those that a Trainer has anyway."""
    if isinstance(callback, lightning_callbacks.ProgressBar | lightning_callbacks.Checkpoint | ThreadPerNetwork):
        return False
    return any(getattr(type(callback), hook) is not getattr(pl.Callback, hook) for hook in BATCH_HOOKS)

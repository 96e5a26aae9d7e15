"""Which objects are known to do nothing at a single optimiser step, so that several can be taken at once.

The question is asked the safe way round: what is proven is allowed, and everything else has single steps. Proven are
this package's own classes, the classes of Lightning in `KNOWN`, and of anybody else's class the attributes in the lists
of harmless ones below. Every other attribute of a Lightning base class that is overridden, in a class or on an
instance, whether it is known today or comes with a later version, counts as one that acts on every step.

Whoever knows better says so, on the class or on the instance: `allows_several_steps = True`. It vouches for the class
that says it and for those that it is derived from, not for a class derived from it; on an instance, for the instance.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from torch.optim import Optimizer

from lightning_module.loop.provenance import is_genuine, is_written_in

# The attribute by which a user's class or object vouches for itself.
VOUCH = "allows_several_steps"

# The two twins of Lightning, and the two of the package below them.
TWINS = ("pytorch_lightning.", "lightning.pytorch.", "lightning_fabric.", "lightning.fabric.")
OURS = "lightning_module"
# Packages in which nothing of Lightning's is overridden.
NEUTRAL = frozenset({"abc", "builtins", "collections", "huggingface_hub", "torch", "typing", "typing_extensions"})
# Whose functions a class of ours or Lightning's has by itself. Another one was put there by somebody else.
AUTHORS = frozenset({OURS, "huggingface_hub", "torch"} | {twin.partition(".")[0] for twin in TWINS})

# Classes of Lightning that leave every step as it is, by module and name in either twin. What they do around a batch
# was read: progress bars show its number, checkpoints say after how many steps they save (an execution ends there), the
# monitor of the learning rate writes rows (an execution ends there), the timer looks at the clock.
KNOWN = frozenset(
    {
        "accelerators.accelerator.Accelerator",
        "accelerators.cpu.CPUAccelerator",
        "accelerators.cuda.CUDAAccelerator",
        "accelerators.mps.MPSAccelerator",
        "callbacks.callback.Callback",
        "callbacks.checkpoint.Checkpoint",
        "callbacks.early_stopping.EarlyStopping",
        "callbacks.finetuning.BackboneFinetuning",
        "callbacks.finetuning.BaseFinetuning",
        "callbacks.lambda_function.LambdaCallback",
        "callbacks.lr_monitor.LearningRateMonitor",
        "callbacks.model_checkpoint.ModelCheckpoint",
        "callbacks.model_summary.ModelSummary",
        "callbacks.on_exception_checkpoint.OnExceptionCheckpoint",
        "callbacks.prediction_writer.BasePredictionWriter",
        "callbacks.progress.progress_bar.ProgressBar",
        "callbacks.progress.rich_progress.RichProgressBar",
        "callbacks.progress.tqdm_progress.TQDMProgressBar",
        "callbacks.pruning.ModelPruning",
        "callbacks.rich_model_summary.RichModelSummary",
        "callbacks.timer.Timer",
        "cli.SaveConfigCallback",
        "core.datamodule.LightningDataModule",
        "core.hooks.CheckpointHooks",
        "core.hooks.DataHooks",
        "core.hooks.ModelHooks",
        "core.mixins.hparams_mixin.HyperparametersMixin",
        "core.module.LightningModule",
        "loops.fit_loop._FitLoop",
        "loops.loop._Loop",
        "loops.optimization.automatic._AutomaticOptimization",
        "loops.optimization.manual._ManualOptimization",
        "loops.training_epoch_loop._TrainingEpochLoop",
        "plugins.precision.precision.Precision",
        "profilers.advanced.AdvancedProfiler",
        "profilers.base.PassThroughProfiler",
        "profilers.profiler.Profiler",
        "profilers.simple.SimpleProfiler",
        "strategies.single_device.SingleDeviceStrategy",
        "strategies.strategy.Strategy",
        "trainer.trainer.Trainer",
        "utilities.device_dtype_mixin._DeviceDtypeModuleMixin",
    }
)
# Of these, the ones that have a hook around a batch and write no row there.
SILENT = frozenset(
    {
        "callbacks.model_checkpoint.ModelCheckpoint",
        "callbacks.progress.rich_progress.RichProgressBar",
        "callbacks.progress.tqdm_progress.TQDMProgressBar",
        "callbacks.timer.Timer",
    }
)
BATCH_HOOKS = frozenset({"on_train_batch_start", "on_train_batch_end"})
# The ones whose hooks around a batch were read. A later version may bring one to another, or hooks of another kind.
READ = SILENT | {"callbacks.lr_monitor.LearningRateMonitor"}

# Hooks that run as often, and at the same optimiser steps, however many of them are taken at once: all but those of
# training batches.
_AROUND = frozenset(
    {"setup", "teardown", "on_exception", "on_save_checkpoint", "on_load_checkpoint", "state_dict", "load_state_dict"}
    | {f"on_{stage}_{when}" for stage in ("fit", "sanity_check") for when in ("start", "end")}
    | {f"on_train_{when}" for when in ("start", "end", "epoch_start", "epoch_end")}
    | {
        f"on_{stage}_{when}"
        for stage in ("validation", "test", "predict")
        for when in ("start", "end", "epoch_start", "epoch_end", "batch_start", "batch_end")
    }
)
_HYPERPARAMETERS = frozenset(
    {"hparams", "hparams_initial", "save_hyperparameters", "load_from_checkpoint"}
    | {"_set_hparams", "_to_hparams_dict", "remove_ignored_hparams"}
    | {f"CHECKPOINT_HYPER_PARAMS_{what}" for what in ("KEY", "NAME", "TYPE")}
)
_LOADERS = frozenset({"prepare_data"} | {f"{of}_dataloader" for of in ("train", "val", "test", "predict")})

HARMLESS_IN_CALLBACK = _AROUND | {
    "state_key",
    "_legacy_state_key",
    "_generate_state_key",
    # What derived classes of Lightning's own are made to override: at the start of an epoch, or in a prediction.
    "freeze_before_training",
    "finetune_function",
    "write_on_batch_end",
    "write_on_epoch_end",
    # How a bar is made, once for a fit or a validation.
    *(f"init_{stage}_tqdm" for stage in ("sanity", "train", "predict", "validation", "test")),
    # Parts of a checkpoint's file name.
    "CHECKPOINT_EQUALS_CHAR",
    "CHECKPOINT_JOIN_CHAR",
    "CHECKPOINT_NAME_LAST",
    "FILE_EXTENSION",
}
HARMLESS_IN_MODULE = (
    _AROUND
    | _HYPERPARAMETERS
    | _LOADERS
    | {f"configure_{what}" for what in ("callbacks", "model", "optimizers", "sharded_model")}
    | {"forward", "validation_step", "test_step", "predict_step", "example_input_array"}
    | {f"on_{stage}_model_{mode}" for stage in ("validation", "test", "predict") for mode in ("eval", "train")}
    # At a validation; and by the epoch, since a scheduler that acts by the step is looked at by itself.
    | {"on_validation_model_zero_grad", "lr_scheduler_step"}
    # Called by users only.
    | {"freeze", "unfreeze", "to_onnx", "to_torchscript", "to_tensorrt", "_jit_is_scripting", "strict_loading"}
)
HARMLESS_IN_DATA = _AROUND | _HYPERPARAMETERS | _LOADERS | {"name", "from_datasets"}
HARMLESS_IN_OPTIMIZER = frozenset({"state_dict", "load_state_dict"})
NOTHING: frozenset[str] = frozenset()

# Of our own training classes: what an execution asks for and single steps do not.
_RISKY_OF_OURS = frozenset({"step_of", "_gradients_of", "training_step_is_plain"})
# On an instance it is looked at by itself: torch's schedulers put one there that counts. See `bare_step.foreign_hooks`.
_STEP = "step"
# With these a class may answer for any attribute at all.
_ANY_ATTRIBUTE = frozenset({"__getattr__", "__getattribute__"})


class Verdict(NamedTuple):
    """The verdict on a class: how it goes with several steps at once.

    Attributes:
        reasons: What speaks against several steps at once; nothing if it is known to go well with them.
        risky: Attributes that would be a reason if they were on an instance.
        vouched: Reasons for which the class vouches.
        watches: Whether it may write a row around a batch.
    """

    reasons: tuple[str, ...]
    risky: frozenset[str]
    vouched: tuple[str, ...]
    watches: bool


_VERDICTS: dict[tuple[type, frozenset[str]], Verdict] = {}


def reasons_against(thing: Any, harmless: frozenset[str]) -> Iterator[str]:
    """Yields the parts of an object that may act on a single step; nothing if it is known that none does.

    Args:
        thing: A callback, module, data module, or another part of a run.
        harmless: What its class, if it is a user's, may override.
    """
    verdict = verdict_on(type(thing), harmless)
    own: Mapping[str, Any] = vars(thing)
    if verdict.risky.isdisjoint(own) and VOUCH not in own:
        yield from verdict.reasons
    elif not own.get(VOUCH):
        yield from verdict.reasons
        yield from (_sentence(type(thing), name) for name in own if name in verdict.risky)
        if VOUCH in own:
            yield f"a {type(thing).__name__} says {VOUCH} = {own[VOUCH]}"


def vouched_for(thing: Any, harmless: frozenset[str]) -> tuple[str, ...]:
    """Returns the reasons against an object for which its class, or the object itself, vouches."""
    verdict, own = verdict_on(type(thing), harmless), vars(thing)
    if not own.get(VOUCH):
        return verdict.vouched
    return *verdict.vouched, *verdict.reasons, *(_name(type(thing), name) for name in own if name in verdict.risky)


def watches_batches(callback: Any) -> bool:
    """Returns whether a callback may write a row around a batch: any but those that a Trainer has anyway."""
    return verdict_on(type(callback), HARMLESS_IN_CALLBACK).watches or not BATCH_HOOKS.isdisjoint(vars(callback))


def verdict_on(kind: type, harmless: frozenset[str]) -> Verdict:
    """Returns the verdict on a class, which is kept until `forget_verdicts`."""
    if (kind, harmless) not in _VERDICTS:
        _VERDICTS[kind, harmless] = _judge(kind, harmless)
    return _VERDICTS[kind, harmless]


def forget_verdicts() -> None:
    """Lets classes be looked at anew: somebody may have changed them."""
    _VERDICTS.clear()


def _judge(kind: type, harmless: frozenset[str]) -> Verdict:
    judged = [name for each in kind.__mro__ if _is_judged(each) for name in vars(each)]
    risky = {name for name in judged if not name.startswith("__")} - harmless | _RISKY_OF_OURS
    reasons: list[str] = []
    vouched: list[str] = []
    found = reasons
    for each in kind.__mro__:
        own = vars(each)
        if VOUCH in own and not _is_ours(each):
            if own[VOUCH]:
                found = vouched  # for all that this class is derived from
            else:
                reasons.append(f"{each.__name__} says {VOUCH} = {own[VOUCH]}")
        if _is_ours(each) or _is_lightning(each) or _package(each) in NEUTRAL:
            put = [name for name in own if name in risky and not is_written_in(own[name], AUTHORS)]
            found += [f"{_name(each, name)} was put there by somebody and may act on every step" for name in put]
        if _is_ours(each) or _package(each) in NEUTRAL:
            continue
        if _is_lightning(each):
            name = lightning_name(each)
            if name not in KNOWN or not _hooks_at_steps(each) <= (BATCH_HOOKS if name in READ else NOTHING):
                found.append(f"{each.__name__} is not known to leave every step as it is")
        else:
            found += [_sentence(each, name) for name in own if name in risky or name in _ANY_ATTRIBUTE]
    silent = lightning_name(kind) in SILENT or _is_ours(kind)
    watches = not silent and any(name in vars(each) for name in BATCH_HOOKS for each in kind.__mro__ if not _base(each))
    return Verdict(tuple(reasons), frozenset(risky - {_STEP}), tuple(vouched), watches)


def lightning_name(kind: type) -> str | None:
    """Returns module and name of a class of Lightning, the same in both twins; None for another's class."""
    for twin in TWINS:
        if kind.__module__.startswith(twin) and is_genuine(kind):
            return f"{kind.__module__.removeprefix(twin)}.{kind.__qualname__}"
    return None


def is_known(thing: Any) -> bool:
    """Returns whether an object is of one of our own classes, with nothing of a user's on the instance."""
    return _is_ours(type(thing)) and "minibatch_loss" not in vars(thing)


def package_of(kind: type) -> str:
    """Returns the package that a class comes from, as it is imported."""
    base = next((each for each in kind.__mro__ if _is_lightning(each)), kind)
    return ".".join(base.__module__.split(".")[: 2 if base.__module__.startswith("lightning.") else 1])


def _hooks_at_steps(kind: type) -> set[str]:
    """Returns the hooks of training steps that a callback of Lightning's overrides."""
    base = next((each for each in kind.__mro__ if _base(each)), kind)
    return set() if base is kind else {name for name in vars(kind) if name in vars(base) and _may_act_on_steps(name)}


def _may_act_on_steps(name: str) -> bool:
    return not name.startswith("__") and name not in HARMLESS_IN_CALLBACK


def _sentence(kind: type, name: str) -> str:
    return f"{_name(kind, name)} may act on every step (if not, let {kind.__name__} say {VOUCH} = True)"


def _name(kind: type, name: str) -> str:
    return f"{kind.__name__}.{name}"


def _is_judged(kind: type) -> bool:
    """Returns whether a class's attributes are among those that a user's class is searched for."""
    return _is_lightning(kind) or kind is Optimizer


def _is_lightning(kind: type) -> bool:
    return lightning_name(kind) is not None


def _is_ours(kind: type) -> bool:
    return _package(kind) == OURS


def _package(kind: type) -> str:
    """Returns the package that a class comes from; "" if it is not the one that is there under its name."""
    return kind.__module__.partition(".")[0] if is_genuine(kind) else ""


def _base(kind: type) -> bool:
    return lightning_name(kind) == "callbacks.callback.Callback"

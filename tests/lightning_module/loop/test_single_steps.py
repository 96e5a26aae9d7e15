"""What a user writes: with steps_per_execution="auto" it does what it does with single steps, or there are such."""

import logging
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from fits import SAFELY, Batches, classifier, csv_rows, data_of, same, same_weights, trainer_in

from lightning_module import Classifier, MNIST1DDataModule, StepsPerExecution, TensorLoader
from lightning_module.cli import main
from lightning_module.twin import OTHER, PACKAGES, loggers, pl


class AugmentedModule(Classifier):
    """Where Lightning's manual puts augmentation."""

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        x, y = batch
        return (x.flip(1) if self.trainer.training else x), y


class AugmentedData(MNIST1DDataModule):
    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        x, y = batch
        return (x.flip(1) if self.trainer.training else x), y


class MovingAverage(pl.Callback):
    """An exponential mean of the weights, after every step."""

    def __init__(self) -> None:
        self.found: list[Any] = []

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.mean = next(module.parameters()).detach().clone()

    def on_train_batch_end(self, trainer: pl.Trainer, module: pl.LightningModule, *_: Any) -> None:
        self.mean.lerp_(next(module.parameters()).detach(), 0.1)
        self.found = [self.mean]


class Each20(pl.Callback):
    def __init__(self) -> None:
        self.found: list[Any] = []

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step % 20 == 0:
            self.found.append(trainer.global_step)


class StopAt10(pl.Callback):
    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        trainer.should_stop = batch_idx == 9


class Outputs(pl.Callback):
    def __init__(self) -> None:
        self.found: list[Any] = []

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, outputs: Any, *_: Any) -> None:
        self.found.append(outputs["loss"].item())


class Mean(pl.Callback):
    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        module.log("mean", float(batch_idx), on_epoch=True)


class Sets(pl.Callback):
    """Sets an attribute of the trainer in the second epoch, and back in the third."""

    def __init__(self, name: str, value: Any) -> None:
        self.name, self.value = name, value

    def on_train_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.current_epoch == 0:
            self.before = getattr(trainer, self.name)
        setattr(trainer, self.name, self.value if trainer.current_epoch == 1 else self.before)


class Adds(pl.Callback):
    """Adds another callback at a validation."""

    def __init__(self) -> None:
        self.added = Outputs()

    @property
    def found(self) -> list[Any]:
        return self.added.found

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if self.added not in trainer.callbacks and not trainer.sanity_checking:
            trainer.callbacks.append(self.added)


class SetsHook(pl.Callback):
    """Sets a hook on the module at a validation."""

    def __init__(self) -> None:
        self.found: list[Any] = []

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        module.on_before_zero_grad = lambda optimizer: self.found.append(trainer.global_step)


def lambda_callback() -> pl.callbacks.LambdaCallback:
    found: list[Any] = []
    callback = pl.callbacks.LambdaCallback(
        on_before_optimizer_step=lambda trainer, *_: found.append(trainer.global_step)
    )
    callback.found = found
    return callback


class Aux(Classifier):
    def minibatch_loss(self, x: Any, y: Any) -> Any:
        loss = super().minibatch_loss(x, y)
        self.log("train/aux", 2 * loss)
        return loss


class HookAux(Classifier):
    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.log("train/aux", float(batch_idx))


class WarmUp(Classifier):
    """A loss that depends on the step, and on where it is in the epoch."""

    def minibatch_loss(self, x: Any, y: Any) -> Any:
        weight = min(1.0, (1 + self.global_step) / 50) * (1 + self.trainer.fit_loop.batch_idx % 3)
        return super().minibatch_loss(x, y) * weight * (1 + self.trainer.fit_loop.total_batch_idx % 2)


class StopsInLoss(Classifier):
    def minibatch_loss(self, x: Any, y: Any) -> Any:
        self.trainer.should_stop = self.global_step == 51
        return super().minibatch_loss(x, y)


class Manual(Classifier):
    """Says so, and does not do it: nothing is trained."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.automatic_optimization = False


class ClipsTooEarly(Classifier):
    """In Lightning's step a hook before the optimiser's step comes before the gradients."""

    def configure_optimizers(self) -> Any:
        optimizer = super().configure_optimizers()
        optimizer.register_step_pre_hook(self._clip)
        return optimizer

    def _clip(self, *_: Any) -> None:
        torch.nn.utils.clip_grad_norm_(self.parameters(), 1e-3)


class LossyAdam(torch.optim.SGD):
    """An optimiser that wants the loss."""

    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else closure()
        for group in self.param_groups:
            group["lr"] = 1e-2 if loss is None else 1e-2 * float(loss)
        super().step()
        return loss


class Lossy(Classifier):
    def configure_optimizers(self) -> Any:
        return LossyAdam(self.parameters(), lr=1e-2)


class CountingStrategy(pl.strategies.SingleDeviceStrategy):
    def backward(self, *args: Any, **keywords: Any) -> Any:
        return super().backward(2 * args[0], *args[1:], **keywords)


class OwnLoader(TensorLoader):
    def __iter__(self) -> Any:
        for x, y in super().__iter__():
            yield x.flip(1), y


class OwnLoaderData(MNIST1DDataModule):
    def train_dataloader(self) -> TensorLoader:
        return OwnLoader(*self.examples("train"), batch_size=40)


class Stopping(loggers.Logger):
    """A logger that acts: what it sees and does at a row is as with single steps."""

    def __init__(self, trainer: list[pl.Trainer]) -> None:
        super().__init__()
        self.trainer, self.found = trainer, []
        self.name, self.version = "stopping", ""

    name = version = ""

    def log_hyperparams(self, *_: Any, **__: Any) -> None:
        pass

    def log_metrics(self, metrics: Any, step: Any = None) -> None:
        (trainer,) = self.trainer
        self.found.append((step, metrics, trainer.global_step, next(trainer.model.parameters()).sum().item()))
        trainer.should_stop = step >= 60


# What is written, its class, the callbacks, the trainer's options, and whether there are executions nevertheless.
CASES: dict[str, dict[str, Any]] = {
    "augmentation in the module": {"kind": AugmentedModule, "reason": "AugmentedModule.on_after_batch_transfer"},
    "augmentation in the data module": {"data": AugmentedData, "reason": "AugmentedData.on_after_batch_transfer"},
    "moving average": {"callback": MovingAverage, "reason": "MovingAverage.on_train_batch_end"},
    "every 20 steps": {"callback": Each20, "reason": "Each20.on_train_batch_start"},
    "should_stop in a batch hook": {"callback": StopAt10, "reason": "StopAt10.on_train_batch_end"},
    "a hook on the instance": {"callback": lambda_callback, "reason": "LambdaCallback.on_before_optimizer_step"},
    "min_steps": {
        "callback": lambda: pl.callbacks.EarlyStopping("val/loss", patience=1, divergence_threshold=0.0),
        "options": {"min_steps": 100, "max_epochs": 5},
    },
    "accumulate_grad_batches set": {
        "callback": lambda: Sets("accumulate_grad_batches", 4),
        "reason": "accumulate_grad_batches=4",
    },
    "gradient_clip_val set": {"callback": lambda: Sets("gradient_clip_val", 1e-3), "reason": "gradient_clip_val=0.001"},
    "a callback added": {"callback": Adds, "reason": "Outputs.on_train_batch_end"},
    "a hook set": {"callback": SetsHook, "reason": "Classifier.on_before_zero_grad"},
    "logged in the loss": {"kind": Aux, "reason": "'train/aux' is logged"},
    "logged in a hook of the module": {"kind": HookAux, "reason": "HookAux.on_train_batch_end"},
    "logged in a hook of a callback": {"callback": Mean, "reason": "Mean.on_train_batch_end"},
    "outputs": {"callback": Outputs, "reason": "Outputs.on_train_batch_end"},
    "a loss that looks at the step": {"kind": WarmUp},
    "should_stop in the loss": {"kind": StopsInLoss},
    "manual optimisation": {"kind": Manual, "reason": "automatic_optimization is False"},
    "a hook of the optimiser": {"kind": ClipsTooEarly, "reason": "is called before every step of Adam"},
    "an optimiser of one's own": {"kind": Lossy, "reason": "LossyAdam.step"},
    "a strategy of one's own": {
        "options": lambda: {"strategy": CountingStrategy()},
        "reason": "CountingStrategy.backward",
    },
    "a loader of one's own": {"data": OwnLoaderData, "reason": "OwnLoader"},
}


@pytest.mark.parametrize("case", CASES)
def test_as_with_single_steps(folder, tmp_path, caplog, case):
    of = CASES[case]
    found = []
    for steps in ("auto", 1):
        caplog.clear()
        logger = loggers.CSVLogger(tmp_path / str(steps), name="log", version="")
        callbacks = [of["callback"]()] if "callback" in of else []
        options = of.get("options", {})
        options = {"max_epochs": 3, "callbacks": callbacks, **(options() if callable(options) else options)}
        trainer = trainer_in(tmp_path, logger=logger, log_every_n_steps=5, **options)
        model = classifier("logistic", steps=steps, kind=of.get("kind", Classifier))
        data = of.get("data", MNIST1DDataModule)(str(folder), batch_size=40, val="test")
        with caplog.at_level(logging.INFO):
            trainer.fit(model, data)
        rows = csv_rows(Path(logger.log_dir) / "metrics.csv")
        seen = [getattr(callback, "found", None) for callback in callbacks]
        found.append((trainer.global_step, dict(model.state_dict()), rows, seen, dict(trainer.callback_metrics)))
        told = [record.message for record in caplog.records if "takes single steps" in record.message]
        if steps == 1 or "reason" not in of:
            assert told == []
        else:
            assert [of["reason"] in each for each in told] == [True]
    for name, a, b in zip(("global_step", "weights", "rows", "found", "metrics"), *found, strict=True):
        assert same(a, b), (name, a, b)


def test_logger_of_ones_own_acts_at_its_row(folder, tmp_path):
    found = []
    for steps in ("auto", 1):
        trainers: list[pl.Trainer] = []
        logger = Stopping(trainers)
        trainers.append(trainer_in(tmp_path, max_epochs=3, logger=logger, log_every_n_steps=7))
        trainers[0].fit(classifier("logistic", steps=steps), data_of(folder))
        found.append((trainers[0].global_step, logger.found))
    assert same(*found)
    assert found[0][0] == 63


def test_stopped_from_outside(folder, tmp_path):
    """As by a button or a signal: in the minibatch that it falls into, and not at the end of the execution."""
    trainer = trainer_in(tmp_path, max_epochs=3)

    class Signalled(Classifier):
        def minibatch_loss(self, x: Any, y: Any) -> Any:
            if self.global_step == 50:
                signal.raise_signal(signal.SIGUSR1)
            return super().minibatch_loss(x, y)

    assert threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGUSR1, lambda *_: setattr(trainer, "should_stop", True))
    try:
        trainer.fit(classifier("logistic", kind=Signalled), data_of(folder))
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert trainer.global_step == 51
    assert trainer.fit_loop.epoch_loop.batch_progress.current.completed == 15


class Interrupted(Classifier):
    """Ctrl-C in the loss of a step; or as an optimiser has taken it."""

    at = 75
    where = "loss"
    calls = 0

    def minibatch_loss(self, x: Any, y: Any) -> Any:
        self.calls += 1
        if self.where == "loss" and self.calls == self.at:
            raise KeyboardInterrupt
        return super().minibatch_loss(x, y)

    def configure_optimizers(self) -> Any:
        optimizer = super().configure_optimizers()
        optimizer.register_step_post_hook(self._after_step)
        return optimizer

    def _after_step(self, *_: Any) -> None:
        if self.where == "step" and self.calls == self.at:
            raise KeyboardInterrupt


class InterruptedLogger(loggers.CSVLogger):
    def log_metrics(self, metrics: Any, step: Any = None) -> None:
        super().log_metrics(metrics, step)
        if step == 74:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("where", "at"),
    [
        *((where, at) for where in ("loss", "step") for at in (37, 38, 75, 108)),
        ("row", 75),
    ],  # its row is that of step 74
)
def test_interrupted_saved_and_resumed(folder, tmp_path, where, at):
    """With several steps at once the checkpoint, and what is trained from it, is that of single steps."""
    found = []
    for steps in ("auto", 1):
        path = tmp_path / str(steps)
        kind = InterruptedLogger if where == "row" else loggers.CSVLogger
        trainer = trainer_in(path, max_steps=120, logger=kind(path, name="a", version=""), log_every_n_steps=5)
        model = classifier("logistic", steps=steps, kind=Interrupted)
        model.where, model.at = where, at
        with pytest.raises(SystemExit):
            trainer.fit(model, data_of(folder))
        trainer.save_checkpoint(path / "half.ckpt")
        saved = torch.load(path / "half.ckpt", weights_only=True)
        del saved["callbacks"], saved["hyper_parameters"]
        if where == "step":  # Lightning counts as it sets the gradients to zero, and an execution after the step
            del saved["loops"]["fit_loop"]["epoch_loop.automatic_optimization.optim_progress"]["optimizer"]["zero_grad"]
        logger = loggers.CSVLogger(path, name="b", version="")
        resumed = classifier("logistic")
        trainer = trainer_in(path, max_steps=120, logger=logger, log_every_n_steps=1)
        trainer.fit(resumed, data_of(folder), ckpt_path=path / "half.ckpt", **SAFELY)
        rows = csv_rows(Path(logger.log_dir) / "metrics.csv")
        found.append((saved, rows, dict(resumed.state_dict())))
    assert all(map(same, *found))


def test_interrupted_before_an_execution_begins(folder, tmp_path):
    """Of the minibatches handed out, only the first has begun."""

    class Interrupting(pl.Callback):
        allows_several_steps = True

        def on_train_batch_start(self, trainer: pl.Trainer, module: Any, batch: Any, batch_idx: int) -> None:
            if trainer.global_step == 36:
                raise KeyboardInterrupt

    found = []
    for steps in ("auto", 1):
        saver = pl.callbacks.ModelCheckpoint(tmp_path / str(steps), save_top_k=-1, every_n_train_steps=1000)
        trainer = trainer_in(
            tmp_path, max_steps=120, enable_checkpointing=True, callbacks=[Interrupting(), saver], logger=False
        )
        with pytest.raises(SystemExit):
            trainer.fit(classifier("logistic", steps=steps), data_of(folder))
        trainer.save_checkpoint(tmp_path / "half.ckpt")
        saved = torch.load(tmp_path / "half.ckpt", weights_only=True)
        del saved["callbacks"], saved["hyper_parameters"]
        found.append(saved)
    assert same(*found)


def test_checkpoint_saved_in_a_loss(folder, tmp_path):
    class Saving(Classifier):
        def minibatch_loss(self, x: Any, y: Any) -> Any:
            if self.global_step == 50:
                self.trainer.save_checkpoint(tmp_path / f"{self.steps_per_execution}.ckpt")
            return super().minibatch_loss(x, y)

    for steps in ("auto", 1):
        trainer_in(tmp_path, max_epochs=2).fit(classifier("logistic", steps=steps, kind=Saving), data_of(folder))
    saved = [torch.load(tmp_path / f"{steps}.ckpt", weights_only=True) for steps in ("auto", 1)]
    for each in saved:
        del each["callbacks"], each["hyper_parameters"]
    assert same(*saved)


def test_what_is_logged_later_is_an_error(folder, tmp_path):
    class Late(Classifier):
        def minibatch_loss(self, x: Any, y: Any) -> Any:
            if self.global_step == 50:
                self.log("train/late", 1.0)
            return super().minibatch_loss(x, y)

    with pytest.raises(RuntimeError, match="'train/late' is logged for the first time at step 50"):
        trainer_in(tmp_path, max_epochs=2).fit(classifier("logistic", kind=Late), data_of(folder))


def test_what_is_logged_between_steps_is_no_matter(folder, tmp_path):
    """At the start and the end of an epoch, in callbacks before ours, and in a run that is resumed."""

    class Epochs(pl.Callback):
        def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
            module.log("start", 1.0)

        def on_train_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
            module.log("epoch_start", 1.0)

        def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
            module.log("epoch_end", float(trainer.current_epoch))

    batches = Batches()
    trainer = trainer_in(tmp_path, max_steps=60, callbacks=[Epochs(), batches])
    trainer.fit(classifier("logistic"), data_of(folder))
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    trainer = trainer_in(tmp_path, max_steps=120, callbacks=[Epochs(), batches])
    trainer.fit(classifier("logistic"), data_of(folder), ckpt_path=tmp_path / "half.ckpt", **SAFELY)
    assert [step for _, step in batches.seen] == [1, 36, 60, 61, 72, 108, 120]
    assert trainer.callback_metrics["epoch_end"] == trainer.current_epoch - 1


class Skipping(Classifier):
    allows_several_steps = True

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> int | None:
        return -1 if self.trainer.global_step == 36 else None


class VouchedAugmentation(AugmentedModule):
    """Vouches for what is not so."""

    allows_several_steps = True

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        return batch[0].flip(1), batch[1]


class Shortening(Classifier):
    allows_several_steps = True

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        return batch if isinstance(batch, tuple) and len(batch) == 2 else batch._replace(x=batch.x[:80], y=batch.y[:80])


class Counts(pl.Callback):
    """Counts a step that was none."""

    allows_several_steps = True

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        trainer.fit_loop.epoch_loop.automatic_optimization.optim_progress.optimizer.step.increment_completed()


@pytest.mark.parametrize(
    ("kind", "callbacks", "cause"),
    [
        (Skipping, [], "none was trained on.*Skipping.on_train_batch_start"),
        (VouchedAugmentation, [], "what arrives is a tuple.*VouchedAugmentation.on_after_batch_transfer"),
        (Shortening, [], "what arrives is 2 minibatches.*Shortening.on_before_batch_transfer"),
        (Classifier, [Counts], "global_step is .* and not .*Counts.on_train_batch_end"),
    ],
)
def test_what_was_vouched_for_wrongly_is_found_before_anything_is_written(folder, tmp_path, kind, callbacks, cause):
    saver = pl.callbacks.ModelCheckpoint(tmp_path, every_n_train_steps=36, save_top_k=-1, filename="{step}")
    logger = loggers.CSVLogger(tmp_path, name="log", version="")
    trainer = trainer_in(
        tmp_path,
        max_epochs=2,
        callbacks=[*(each() for each in callbacks), saver],
        logger=logger,
        log_every_n_steps=36,
        enable_checkpointing=True,
    )
    with pytest.raises(RuntimeError, match=cause):
        trainer.fit(classifier("logistic", kind=kind), data_of(folder))
    steps = {torch.load(file, weights_only=True)["global_step"] for file in tmp_path.glob("*.ckpt")}
    assert steps <= {36}
    assert not steps or kind is Skipping


def test_a_vouching_class_vouches_for_itself_and_not_for_those_derived_from_it(folder, tmp_path, caplog):
    class More(Batches):
        def on_before_zero_grad(self, *_: Any) -> None:
            pass

    class Not(Batches):
        allows_several_steps = False

    for callback, reason in (
        (Batches(), None),
        (More(), "More.on_before_zero_grad"),
        (Not(), "Not says allows_several_steps = False"),
        (lambda_callback(), "LambdaCallback.on_before_optimizer_step"),
    ):
        caplog.clear()
        with caplog.at_level(logging.INFO):
            trainer_in(tmp_path, max_steps=3, callbacks=[callback]).fit(classifier("logistic"), data_of(folder))
        assert (reason or "takes single steps") in caplog.text or reason is None
        assert ("takes single steps" in caplog.text) == (reason is not None)
    callback = lambda_callback()
    callback.allows_several_steps = True
    caplog.clear()
    with caplog.at_level(logging.INFO):
        trainer_in(tmp_path, max_steps=3, callbacks=[callback]).fit(classifier("logistic"), data_of(folder))
    assert "takes single steps" not in caplog.text


def test_callback_of_the_other_twin(folder, tmp_path, caplog):
    """Its classes are none of this Lightning's, whatever their names."""
    hooks = {name: value for name, value in vars(pl.Callback).items() if name not in ("__dict__", "__weakref__")}
    other = type("Callback", (), {**hooks, "__module__": f"{PACKAGES[OTHER]}.callbacks.callback"})
    stopper = type("EarlyStopping", (other,), {"__module__": f"{PACKAGES[OTHER]}.callbacks.early_stopping"})
    trainer = trainer_in(tmp_path, max_steps=40)
    trainer.callbacks.append(stopper())  # where a Trainer does not refuse it by itself
    with caplog.at_level(logging.INFO):
        trainer.fit(model := classifier("logistic"), data_of(folder))
    assert f"EarlyStopping is a callback of {PACKAGES[OTHER]}" in caplog.text
    single = classifier("logistic", steps=1)
    trainer_in(tmp_path, max_steps=40).fit(single, data_of(folder))
    assert same_weights(model, single)


def test_a_hook_of_a_later_lightning(folder, tmp_path, caplog, monkeypatch):
    """It is in nobody's list, and so there are single steps."""
    monkeypatch.setattr(pl.Callback, "on_train_something", lambda self, *_: None, raising=False)

    class New(pl.Callback):
        def on_train_something(self, *_: Any) -> None:
            pass

    with caplog.at_level(logging.INFO):
        trainer_in(tmp_path, max_steps=3, callbacks=[New()]).fit(classifier("logistic"), data_of(folder))
    assert "New.on_train_something may act on every step" in caplog.text


@pytest.mark.parametrize("flags", [[], ["--trainer.max_time=00:01:00:00", "--trainer.profiler=simple"]])
def test_what_the_command_and_the_trainer_bring_along_goes_well_with_executions(tmp_path, monkeypatch, flags):
    monkeypatch.chdir(tmp_path)
    sizes, told = [], []
    take = StepsPerExecution.take
    monkeypatch.setattr(StepsPerExecution, "take", lambda *args: (sizes.append(args[1].number), take(*args))[1])
    monkeypatch.setattr("lightning_module.loop.execution.rank_zero_info", told.append)
    main(["fit", "--model.network=logistic", "--trainer.max_steps=100", "--trainer.accelerator=cpu", *flags])
    assert told == []
    assert sizes == [32, 32, 32, 4]


@pytest.mark.parametrize(
    "callback",
    [
        lambda path: pl.callbacks.EarlyStopping("val/loss"),
        lambda path: pl.callbacks.ModelCheckpoint(path, every_n_train_steps=1000),
        lambda path: pl.callbacks.LearningRateMonitor(),
        lambda path: pl.callbacks.ModelSummary(),
        lambda path: pl.callbacks.OnExceptionCheckpoint(path),
        lambda path: pl.callbacks.RichModelSummary(),
        lambda path: pl.callbacks.RichProgressBar(),
        lambda path: pl.callbacks.TQDMProgressBar(),
        lambda path: pl.callbacks.Timer(),
        lambda path: pl.callbacks.ModelPruning("l1_unstructured", amount=0.1),
        lambda path: pl.callbacks.LambdaCallback(on_train_epoch_end=lambda *_: None),
    ],
)
def test_callbacks_of_lightning_that_go_well_with_executions(folder, tmp_path, caplog, callback):
    found, batches = [], []
    for steps in ("auto", 1):
        taken = Batches()
        logger = loggers.CSVLogger(tmp_path / str(steps), name="log", version="")
        trainer = trainer_in(
            tmp_path / str(steps),
            max_epochs=2,
            callbacks=[callback(tmp_path / str(steps)), taken],
            logger=logger,
            enable_checkpointing=True,
            enable_progress_bar=True,
            log_every_n_steps=30,
        )
        model = classifier("logistic", steps=steps)
        with caplog.at_level(logging.INFO):
            trainer.fit(model, data_of(folder))
        found.append((csv_rows(Path(logger.log_dir) / "metrics.csv"), dict(model.state_dict())))
        batches.append(len(taken.seen))
    assert "takes single steps" not in caplog.text
    assert same(*found)
    assert batches[0] < 10 < batches[1] == 72

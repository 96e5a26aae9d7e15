"""Classes that say that they are somebody else's, and functions that somebody put on classes of ours or Lightning's."""

import functools

import pytest
from torch.optim import Adam

from lightning_module import Classifier, MNIST1DDataModule
from lightning_module.loop.provenance import is_genuine, is_written_in
from lightning_module.loop.transparency import AUTHORS
from lightning_module.twin import pl

STEPS = 8


def train(steps, *, make=Classifier, callbacks=()):
    """Takes some steps, several at once or single ones."""
    trainer = pl.Trainer(
        max_steps=STEPS,
        max_epochs=-1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=list(callbacks),
    )
    trainer.fit(make("logistic", steps_per_execution=steps), MNIST1DDataModule(val=None))
    assert trainer.global_step == STEPS


def counted(calls, original=lambda *_, **__: None):
    def hook(*args, **keywords):
        calls.append(args)
        return original(*args, **keywords)

    return hook


def executed_class(calls):
    names = {"__builtins__": __builtins__, "Callback": pl.Callback, "hook": counted(calls)}  # without a __name__
    exec("class Counting(Callback):\n    on_train_batch_end = hook", names)
    assert names["Counting"].__module__ == "builtins"
    return {"callbacks": [names["Counting"]()]}


def updated_class(calls):
    class Counting(Classifier):
        on_train_batch_end = counted(calls)

    functools.update_wrapper(Counting, Classifier, updated=())
    assert Counting.__module__.startswith("lightning_module")
    return {"make": Counting}


@pytest.mark.parametrize("disguised", [executed_class, updated_class])
def test_a_class_that_bears_the_name_of_another_is_a_users(disguised, caplog):
    calls = []
    with caplog.at_level("INFO"):
        train("auto", **disguised(calls))
    assert len(calls) == STEPS
    assert "on_train_batch_end may act on every step" in caplog.text


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Classifier, "on_train_batch_end"),
        (Classifier, "optimizer_step"),
        (MNIST1DDataModule, "on_after_batch_transfer"),
        (pl.LightningModule, "on_before_zero_grad"),
        (pl.LightningModule, "backward"),
        (pl.callbacks.Callback, "on_before_optimizer_step"),
        (pl.callbacks.Timer, "on_train_batch_end"),
        (pl.strategies.Strategy, "batch_to_device"),
        (Adam, "zero_grad"),
    ],
)
@pytest.mark.parametrize("wraps", [False, True])
def test_a_function_that_was_put_on_a_class_is_called_at_every_step(monkeypatch, kind, name, wraps):
    original, numbers = getattr(kind, name), []
    for steps in (1, "auto"):
        calls = []
        hook = counted(calls, original)
        with monkeypatch.context() as patched:
            patched.setattr(kind, name, functools.wraps(original)(hook) if wraps else hook, raising=False)
            train(steps, callbacks=[pl.callbacks.Timer()])
        numbers.append(len(calls))
    assert numbers[0] == numbers[1]
    assert wraps or numbers[0] >= STEPS  # Lightning takes some hooks that wrap its own for its own, and calls none


def test_an_object_that_vouches_no_longer_gets_single_steps():
    calls = []

    class Counting(pl.Callback):
        on_train_batch_end = counted(calls)

    class Revoking(pl.Callback):
        def on_train_epoch_start(self, *_):
            counting.allows_several_steps = False

    counting = Counting()
    counting.allows_several_steps = True
    train("auto", callbacks=[counting, Revoking()])
    assert len(calls) == STEPS


def test_whose_code_an_attribute_is():
    class Local:
        pass

    def function(self):
        pass

    theirs = pl.Trainer.fit
    assert is_genuine(Classifier)
    assert is_genuine(pl.Trainer)
    assert not is_genuine(Local)
    for value in (theirs, property(theirs), classmethod(theirs), functools.lru_cache(theirs), Classifier, 3, None):
        assert is_written_in(value, AUTHORS)
    mine = (function, property(theirs, function), staticmethod(function), functools.partial(theirs), Local, print)
    for value in (*mine, functools.wraps(theirs)(function), functools.lru_cache(function)):
        assert not is_written_in(value, AUTHORS)

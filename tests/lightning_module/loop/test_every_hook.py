"""Every hook of Lightning's, found by introspection and overridden: equal to single steps, or single steps and said so.

Nobody has made a list of these hooks. With a version of Lightning that has more of them, there are more tests.
"""

import contextlib
import functools
import importlib
import inspect
import logging
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from fits import SAFELY, data_of, trainer_in

import lightning_module
from lightning_module import Classifier, MNIST1DDataModule, StepsPerExecution
from lightning_module.loop.transparency import (
    BATCH_HOOKS,
    HARMLESS_IN_CALLBACK,
    HARMLESS_IN_DATA,
    HARMLESS_IN_MODULE,
    KNOWN,
    lightning_name,
    verdict_on,
)
from lightning_module.twin import loggers, pl

HARMLESS: dict[type, frozenset[str]] = {
    pl.Callback: HARMLESS_IN_CALLBACK,
    pl.LightningModule: HARMLESS_IN_MODULE,
    pl.LightningDataModule: HARMLESS_IN_DATA,
}
TAKES_SINGLE_STEPS = "takes single steps"


def attributes(base: type) -> dict[str, Any]:
    """Returns what the base class and Lightning's classes above it define."""
    own = [
        kind for kind in base.__mro__ if kind.__module__.split(".")[0].startswith(("pytorch_lightning", "lightning"))
    ]
    return {name: value for kind in reversed(own) for name, value in vars(kind).items() if not name.startswith("__")}


def hooks(base: type) -> Iterator[str]:
    """Yields the names of what can be called and is public."""
    for name, value in attributes(base).items():
        if not name.startswith("_") and not isinstance(value, property) and hasattr(value, "__get__"):
            yield name


class Plain(pl.Callback):
    pass


class Fails(torch.nn.Linear):
    """A network that fails in its step number `at`."""

    at = -1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.at -= 1
            if self.at == 0:
                raise RuntimeError("the power is out")
        return super().forward(x)


def counting(original: Callable[..., Any], counts: Counter[str], name: str) -> Callable[..., Any]:
    """Returns a function that counts its calls, and calls the original."""
    asks_for_frame = "frame" in inspect.signature(original).parameters

    @functools.wraps(original)
    def wrapper(*args: Any, **keywords: Any) -> Any:
        counts[name] += 1
        if asks_for_frame:  # `save_hyperparameters` reads the arguments of whoever calls it
            keywords["frame"] = inspect.currentframe().f_back
        return original(*args, **keywords)

    return wrapper


class Run:
    """Two fits, the second of them resumed and broken off, with an evaluation in between; and what came of it."""

    def __init__(self, folder: Path, steps: Any, overridden: tuple[type, str] | None, *, on_instance: bool) -> None:
        self.counts: Counter[str] = Counter()
        rows: list[Any] = []
        base, self.hook = overridden or (type, "")
        self.on_instance = on_instance
        torch.manual_seed(3)
        network = Fails(40, 10)
        self.model = self.made(Classifier, base is pl.LightningModule, network, steps_per_execution=steps)
        self.data = self.made(
            MNIST1DDataModule, base is pl.LightningDataModule, str(folder), batch_size=240, val="test"
        )
        self.data._splits, self.data._version = dict(EXAMPLES), "1.0.0"
        callback = self.made(Plain, base is pl.Callback)
        tester = trainer_in(folder, callbacks=[callback])
        checkpoint = folder / "half.ckpt"

        def logged(**keywords: Any) -> pl.Trainer:
            logger = loggers.CSVLogger(folder, name="", version="")
            logger.rows = rows
            return trainer_in(folder, callbacks=[callback], logger=logger, log_every_n_steps=2, **keywords)

        EXECUTIONS.clear()
        trainer = logged(max_steps=9)
        trainer.fit(self.model, self.data)
        trainer.save_checkpoint(checkpoint)
        tester.test(self.model, self.data, verbose=False)
        tester.predict(self.model, self.data)
        network.at = 7
        again = logged(max_epochs=4)
        with pytest.raises(RuntimeError, match="the power is out"):
            again.fit(self.model, self.data, ckpt_path=checkpoint, **SAFELY)
        self.executions = len(EXECUTIONS)
        weights = {name: tensor.tolist() for name, tensor in network.state_dict().items()}
        metrics = {name: float(value) for name, value in again.callback_metrics.items()}
        self.found = (trainer.global_step, again.global_step, rows, metrics, dict(self.counts), weights)

    def made(self, kind: type, chosen: bool, *args: Any, **keywords: Any) -> Any:
        """Returns an object of a class; with the hook overridden if this one is chosen for it."""
        if not chosen:
            return kind(*args, **keywords)
        if self.on_instance:
            made = kind(*args, **keywords)
            setattr(made, self.hook, counting(getattr(made, self.hook), self.counts, self.hook))
            return made
        definition = next(vars(each)[self.hook] for each in kind.__mro__ if self.hook in vars(each))
        if inspect.isfunction(definition):
            override: Any = counting(definition, self.counts, self.hook)
        else:  # of a class, and not of an instance
            original = getattr(kind, self.hook)
            override = classmethod(lambda cls, *a, **k: counting(original, self.counts, self.hook)(*a, **k))
        return type(f"Own{kind.__name__}", (kind,), {self.hook: override, "__module__": __name__})(*args, **keywords)


EXAMPLES: dict[str, Any] = {}
EXECUTIONS: list[int] = []


@pytest.fixture
def _quick(folder, monkeypatch):
    """No files but the checkpoint, and no data set read anew for each fit."""
    data = data_of(folder)
    EXAMPLES.update({split: data.examples(split) for split in ("train", "test", "val")})
    monkeypatch.setattr(MNIST1DDataModule, "_load", lambda self: None)
    for name in ("save", "log_hyperparams", "finalize"):
        monkeypatch.setattr(loggers.CSVLogger, name, lambda self, *_: None)
    monkeypatch.setattr(
        loggers.CSVLogger, "log_metrics", lambda self, metrics, step: self.rows.append((step, dict(metrics)))
    )
    monkeypatch.setattr(loggers.CSVLogger, "experiment", None)
    take = StepsPerExecution.take
    monkeypatch.setattr(StepsPerExecution, "take", lambda *args: (EXECUTIONS.append(args[1].number), take(*args))[1])


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("base", HARMLESS, ids=lambda base: base.__name__)
def test_every_hook(tmp_path, caplog, base, record_property):
    found, silent = Counter({"tried": 0, "equal": 0, "single with a reason": 0}), []
    with caplog.at_level(logging.INFO):
        for name in hooks(base):
            single: Run | None = None
            for on_instance in (False, True):
                caplog.clear()
                found["tried"] += 1
                auto = Run(tmp_path, "auto", (base, name), on_instance=on_instance)
                told = [record.message for record in caplog.records if TAKES_SINGLE_STEPS in record.message]
                if any(name in each for each in told):
                    found["single with a reason"] += 1
                    continue
                single = single or Run(tmp_path, 1, (base, name), on_instance=on_instance)
                if auto.found != single.found:  # a method that is called in __init__ is not called on the instance
                    single = Run(tmp_path, 1, (base, name), on_instance=on_instance)
                if not told and auto.executions and not single.executions and auto.found == single.found:
                    found["equal"] += 1
                else:
                    silent.append((name, on_instance, told, auto.executions, auto.found, single.found))
    for what, count in found.items():
        record_property(what, count)
    # Shown by `pytest -s`.
    print(f"{base.__name__}: {len(list(hooks(base)))} hooks, {dict(found)}")  # noqa: T201
    assert silent == []
    assert found["tried"] == found["equal"] + found["single with a reason"] == 2 * len(list(hooks(base)))


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("on_instance", [False, True])
@pytest.mark.parametrize("name", ["on_train_batch_end", "on_before_optimizer_step"])
def test_the_test_sees_a_difference(tmp_path, monkeypatch, name, on_instance):
    """The test of the test: with a hook of which nobody is told."""
    monkeypatch.setattr("lightning_module.loop.single_steps.reasons_against", lambda *_: iter(()))
    auto, single = (Run(tmp_path, steps, (pl.Callback, name), on_instance=on_instance) for steps in ("auto", 1))
    assert auto.executions
    assert auto.found != single.found


# What our own classes override and single steps have as well: it was written for executions.
OURS = {
    "MinibatchTraining": {"training_step", "log"},
    "StepsPerExecution": set(BATCH_HOOKS),
    "ThreadPerNetwork": set(BATCH_HOOKS),
    "TrainingBar": {"on_train_batch_end"},
    "PageReport": {"on_train_batch_end"},  # asks whether to stop, between two calls of the training step
}


def test_own_classes_are_as_they_are_taken_to_be():
    """All that is in the package is trusted, so none of it may have a hook that nobody has looked at."""
    seen = Counter()
    for module in pkgutil.walk_packages(lightning_module.__path__, "lightning_module."):
        importlib.import_module(module.name)
    for base, harmless in HARMLESS.items():
        for kind in _subclasses(base):
            if kind.__module__.startswith("lightning_module."):
                acting = {name for name in vars(kind) if name in attributes(base)} - harmless
                assert acting == OURS.get(kind.__name__, set()), kind
                seen[base.__name__] += 1
    assert min(seen[base.__name__] for base in HARMLESS) > 0


def _subclasses(kind: type) -> Iterator[type]:
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_known_classes_exist(name):
    """In this Lightning or the package below it, and without hooks that were not there when it was read."""
    module, _, kind = name.rpartition(".")
    for twin in (pl.__name__, pl.accelerators.Accelerator.__mro__[1].__module__.partition(".accelerators")[0]):
        with contextlib.suppress(ModuleNotFoundError, AttributeError):
            found = getattr(importlib.import_module(f"{twin}.{module}"), kind)
            assert lightning_name(found) == name
            assert verdict_on(found, HARMLESS_IN_CALLBACK).reasons == ()
            return
    pytest.fail(f"there is no {name}")

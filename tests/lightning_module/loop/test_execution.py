"""Several steps in one execution against hand-written loops, and against Lightning's own single steps."""

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from fits import SAFELY, Batches, Validations, classifier, csv_rows, data_of, same, same_weights, trainer_in
from torch.utils.data import DataLoader, TensorDataset

from lightning_module import Classifier, StepsPerExecution, TensorLoader
from lightning_module.twin import callbacks, loggers, pl


def bare_loop(folder: Path, steps: int, *, shuffle: bool) -> tuple[torch.nn.Module, list[float]]:
    """A loop that knows nothing of this package but the network and its loss; no Trainer."""
    x, y = data_of(folder).examples("train")
    torch.manual_seed(3)
    model = Classifier("mlp")
    network = model.network
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2, fused=True)
    losses = []
    for step in range(steps):
        epoch, i = divmod(step, 36)
        order = torch.randperm(1440, generator=torch.Generator().manual_seed(epoch)) if shuffle else torch.arange(1440)
        rows = order[40 * i : 40 * (i + 1)]
        loss = model.minibatch_loss(x[rows], y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return network, losses


@pytest.mark.parametrize("shuffle", ["none", "epoch"])
@pytest.mark.parametrize("steps", ["auto", 1, 7])
def test_fit_takes_the_very_steps_of_a_bare_loop(folder, tmp_path, shuffle, steps):
    logger = loggers.CSVLogger(tmp_path)
    trainer = trainer_in(tmp_path, max_steps=97, log_every_n_steps=1, logger=logger)
    model = classifier(steps=steps)
    trainer.fit(model, data_of(folder, shuffle=shuffle))

    network, losses = bare_loop(folder, 97, shuffle=shuffle == "epoch")
    assert same_weights(model.network, network)
    rows = [row for row in csv_rows(Path(logger.log_dir) / "metrics.csv") if row["train/loss"]]
    assert [int(row["step"]) for row in rows] == list(range(97))
    assert [float(row["train/loss"]) for row in rows] == pytest.approx(losses, rel=1e-6)
    assert [int(row["epoch"]) for row in rows] == [step // 36 for step in range(97)]


RUNS: dict[str, dict[str, Any]] = {
    "max_steps cuts an execution": {"max_steps": 97},
    "epochs only": {"max_epochs": 2},
    "validation every 10 steps": {"max_steps": 75, "val_check_interval": 10, "check_val_every_n_epoch": None},
    "validation every 50 steps, epochs of 36": {
        "max_steps": 120,
        "val_check_interval": 50,
        "check_val_every_n_epoch": None,
    },
    "validation three times an epoch": {"max_epochs": 2, "val_check_interval": 0.33},
    "validation every other epoch": {"max_epochs": 4, "check_val_every_n_epoch": 2},
    "13 batches an epoch": {"max_epochs": 3, "limit_train_batches": 13},
    "a part of the epoch": {"max_epochs": 2, "limit_train_batches": 0.4},
    "no validation": {"max_epochs": 2, "limit_val_batches": 0},
    "a last short minibatch": {"max_epochs": 2, "batch_size": 37},
    "few rows of the log": {"max_epochs": 4, "log_every_n_steps": 50},
    "rows every 7 steps": {"max_epochs": 2, "log_every_n_steps": 7},
    "new loaders": {"max_epochs": 3, "reload_dataloaders_every_n_epochs": 1},
    "overfitting": {"max_epochs": 3, "overfit_batches": 5},
    "min_steps": {"max_epochs": 2, "min_steps": 60},
    "learning-rate monitor": {"max_epochs": 3, "monitor": True},
}


@pytest.mark.parametrize("run", RUNS)
def test_everything_is_as_with_single_steps(folder, tmp_path, run):
    """Checkpoints entry by entry, their names, rows of the log and validations."""
    found = []
    for steps in ("auto", 1):
        options = dict(RUNS[run])
        data = data_of(folder, batch_size=options.pop("batch_size", 40))
        path = tmp_path / str(steps)
        logger, validations = loggers.CSVLogger(path, name="log", version=""), Validations()
        saver = callbacks.ModelCheckpoint(path / "saved", every_n_train_steps=9, save_top_k=-1)
        extra = [callbacks.LearningRateMonitor()] if options.pop("monitor", False) else []
        trainer = trainer_in(
            path, logger=logger, callbacks=[validations, saver, *extra], **{"enable_checkpointing": True, **options}
        )
        model = classifier(steps=steps)
        trainer.fit(model, data)
        saved = {file.name: torch.load(file, weights_only=True) for file in (path / "saved").iterdir()}
        for checkpoint in saved.values():
            del checkpoint["callbacks"], checkpoint["hyper_parameters"]  # the folder, and steps_per_execution
        metrics = dict(trainer.callback_metrics), dict(trainer.logged_metrics), dict(trainer.progress_bar_metrics)
        found.append((saved, csv_rows(path / "log" / "metrics.csv"), validations.steps, trainer.global_step, metrics))
    (saved, rows, validated, steps, metrics), (saved_1, rows_1, validated_1, steps_1, metrics_1) = found
    assert saved.keys() == saved_1.keys()
    assert len(saved) == steps // 9
    assert all(same(saved[name], saved_1[name]) for name in saved)
    assert rows == rows_1
    assert validated == validated_1
    assert steps == steps_1
    assert same(metrics, metrics_1)


@pytest.mark.parametrize(
    "options", [{"every_n_train_steps": 7}, {"every_n_epochs": 1, "save_on_train_epoch_end": True}]
)
def test_callbacks_see_the_newest_training_loss(folder, tmp_path, options):
    best = []
    for steps in ("auto", 1):
        saver = callbacks.ModelCheckpoint(tmp_path / str(steps), monitor="train/loss", save_top_k=2, **options)
        trainer = trainer_in(tmp_path, max_epochs=3, callbacks=[saver], enable_checkpointing=True)
        trainer.fit(classifier(steps=steps), data_of(folder))
        best.append({Path(path).name: score.item() for path, score in saver.best_k_models.items()})
    assert best[0] == best[1]
    assert len(best[0]) == 2


def test_intervals_mean_optimiser_steps(folder, tmp_path):
    """The same as above, but against numbers worked out by hand."""
    validations = Validations()
    saver = callbacks.ModelCheckpoint(tmp_path / "saved", every_n_train_steps=40, save_top_k=-1)
    logger = loggers.CSVLogger(tmp_path, name="log", version="")
    options = {"val_check_interval": 50, "check_val_every_n_epoch": None, "enable_checkpointing": True}
    trainer = trainer_in(tmp_path, max_steps=170, callbacks=[validations, saver], logger=logger, **options)
    trainer.fit(classifier(), data_of(folder))
    assert validations.steps == [50, 100, 150]
    assert sorted(p.name for p in (tmp_path / "saved").iterdir()) == [
        "epoch=1-step=40.ckpt",
        "epoch=2-step=80.ckpt",
        "epoch=3-step=120.ckpt",
        "epoch=4-step=160.ckpt",
    ]
    rows = csv_rows(tmp_path / "log" / "metrics.csv")
    assert [int(row["step"]) for row in rows if row["train/loss"]] == [49, 99, 149]
    assert trainer.global_step == 170


def test_executions_end_where_something_is_due(folder, tmp_path):
    batches = Batches()
    trainer = trainer_in(
        tmp_path, max_steps=97, val_check_interval=30, check_val_every_n_epoch=None, callbacks=[batches]
    )
    trainer.fit(classifier(), data_of(folder))
    # The first minibatch is Lightning's, since somebody vouches for the callback: it may yet log something.
    assert batches.seen == [(0, 1), (29, 30), (35, 36), (23, 60), (35, 72), (17, 90), (24, 97)]

    batches.seen.clear()
    trainer = trainer_in(tmp_path, max_steps=20, callbacks=[batches])
    trainer.fit(classifier(steps=8), data_of(folder))
    assert batches.seen == [(0, 1), (8, 9), (16, 17), (19, 20)]


class Summed(Classifier):
    """Remembers the batches its training step was called for, which says nothing against executions."""

    allows_several_steps = True

    def on_fit_start(self) -> None:
        self.calls = 0

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.calls += 1


def test_fast_dev_run_takes_one_step(folder, tmp_path):
    trainer = trainer_in(tmp_path, fast_dev_run=True)
    model = classifier(kind=Summed)
    trainer.fit(model, data_of(folder))
    assert (trainer.global_step, model.calls) == (1, 1)


@pytest.mark.parametrize("then", ["auto", 1, 5])
@pytest.mark.parametrize("first", ["auto", 1])
@pytest.mark.parametrize("at", [41, 72])
def test_resumed_run_is_the_uninterrupted_one(folder, tmp_path, first, then, at):
    """From the middle of an epoch and from the end of one, shuffled, with any steps per execution before and after."""
    whole = classifier()
    trainer_in(tmp_path, max_steps=120).fit(whole, data_of(folder))

    trainer = trainer_in(tmp_path, max_steps=at)
    trainer.fit(classifier(steps=first), data_of(folder))
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    validations = Validations()
    trainer = trainer_in(tmp_path, max_steps=120, callbacks=[validations])
    resumed = classifier(steps=then)
    trainer.fit(resumed, data_of(folder), ckpt_path=tmp_path / "half.ckpt", **SAFELY)
    assert same_weights(whole, resumed)
    assert trainer.global_step == 120
    assert validations.steps[-1] == 108


@pytest.mark.parametrize("steps", ["auto", 1])
def test_resumed_from_a_checkpoint_that_was_saved_on_the_way(folder, tmp_path, steps):
    whole = classifier(steps=steps)
    saver = callbacks.ModelCheckpoint(tmp_path, every_n_train_steps=41, save_top_k=-1, filename="{step}")
    trainer_in(tmp_path, max_steps=120, callbacks=[saver], enable_checkpointing=True).fit(whole, data_of(folder))
    resumed = classifier()
    trainer = trainer_in(tmp_path, max_steps=120)
    trainer.fit(resumed, data_of(folder), ckpt_path=tmp_path / "step=41.ckpt", **SAFELY)
    assert same_weights(whole, resumed)


class Failing(Classifier):
    """Fails once, in the middle of an execution."""

    fail_at = 50
    taken = 0

    def minibatch_loss(self, x, y):
        self.taken += 1
        if self.taken == self.fail_at:
            raise RuntimeError("the power is out")
        return super().minibatch_loss(x, y)


def test_checkpoint_of_an_interrupted_execution_counts_the_steps_that_were_taken(folder, tmp_path):
    trainer = trainer_in(
        tmp_path, max_steps=120, callbacks=[callbacks.OnExceptionCheckpoint(tmp_path)], enable_checkpointing=True
    )
    broken = classifier(kind=Failing)
    with pytest.raises(RuntimeError, match="the power is out"):
        trainer.fit(broken, data_of(folder))
    saved = torch.load(tmp_path / "on_exception.ckpt", weights_only=True)
    progress = saved["loops"]["fit_loop"]["epoch_loop.batch_progress"]
    assert saved["global_step"] == 49
    assert (progress["total"]["completed"], progress["total"]["ready"], progress["current"]["ready"]) == (49, 50, 14)
    assert saved["loops"]["fit_loop"]["state_dict"]["combined_loader"] == [{"epoch": 1, "position": 14}]
    network, _ = bare_loop(folder, 49, shuffle=True)
    assert same_weights(network, broken.network)
    assert broken.automatic_optimization


def test_one_trainer_for_two_fits(folder, tmp_path):
    """The second model goes on counting where the first stopped, as with stock Lightning; then a foreign one does."""
    found = []
    for steps in ("auto", 1):
        trainer, models = trainer_in(tmp_path, max_steps=50), []
        for limit in (50, 110):
            trainer.fit_loop.epoch_loop.max_steps = limit
            models.append(classifier("logistic", steps=steps))
            trainer.fit(models[-1], data_of(folder))
            assert trainer.global_step == limit
        found.append(models)
    assert all(map(same_weights, *found))


class Scheduled(Classifier):
    interval = "epoch"

    def configure_optimizers(self) -> Any:
        optimizer = super().configure_optimizers()
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.9)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": self.interval}}


def test_scheduler_by_the_epoch(folder, tmp_path):
    trainer = trainer_in(tmp_path, max_epochs=3, callbacks=[batches := Batches()])
    trainer.fit(classifier(kind=Scheduled), data_of(folder))
    assert trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(1e-2 * 0.9**3)
    assert [step for _, step in batches.seen] == [1, 36, 72, 108]


class ByStep(Scheduled):
    interval = "step"


class OwnStep(Classifier):
    def training_step(self, batch: Any, batch_idx: int) -> Any:
        return 2 * super().training_step(batch, batch_idx)


class OwnHook(Classifier):
    def on_after_backward(self) -> None:
        pass


class Quasi(Classifier):
    def configure_optimizers(self) -> Any:
        return torch.optim.LBFGS(self.parameters(), lr=1e-3, max_iter=1)


class Gradients(pl.Callback):
    def on_before_optimizer_step(self, trainer: Any, module: Any, optimizer: Any) -> None:
        pass


SINGLE: list[tuple[type[Classifier], dict[str, Any], str]] = [
    (Classifier, {"gradient_clip_val": 0.5}, "gradient_clip_val=0.5"),
    (Classifier, {"accumulate_grad_batches": 3}, "accumulate_grad_batches=3"),
    (Classifier, {"precision": "bf16-mixed"}, "precision='bf16-mixed'"),
    (Classifier, {"callbacks": [Gradients()]}, "Gradients.on_before_optimizer_step"),
    (Classifier, {"callbacks": [pl.callbacks.StochasticWeightAveraging(1e-2)]}, "StochasticWeightAveraging"),
    (ByStep, {}, "scheduler"),
    (OwnStep, {}, "OwnStep has a training_step of its own"),
    (OwnHook, {}, "OwnHook.on_after_backward"),
    (Quasi, {}, "LBFGS"),
]


@pytest.mark.parametrize(("kind", "options", "reason"), SINGLE, ids=[reason for _, _, reason in SINGLE])
def test_what_needs_every_step_gets_it_and_says_so(folder, tmp_path, caplog, kind, options, reason):
    batches = Batches()
    callbacks = [*options.get("callbacks", []), batches]
    trainer = trainer_in(tmp_path, max_epochs=1, **{**options, "callbacks": callbacks})
    with caplog.at_level(logging.INFO):
        trainer.fit(classifier(kind=kind), data_of(folder))
    assert [i for i, _ in batches.seen] == list(range(36))
    told = [record.message for record in caplog.records if "takes single steps" in record.message]
    assert len(told) == 1
    assert reason in told[0]


def test_explicit_number_of_steps_that_cannot_be_is_an_error(folder, tmp_path):
    trainer = trainer_in(tmp_path, max_steps=10, gradient_clip_val=1.0)
    with pytest.raises(
        ValueError, match=r'steps_per_execution=4 cannot be: gradient_clip_val=1\.0 .* use steps_per_execution="auto"'
    ):
        trainer.fit(classifier(steps=4), data_of(folder))


def test_foreign_loader(folder, tmp_path, caplog):
    x, y = data_of(folder).examples("train")
    model = classifier()
    with caplog.at_level(logging.INFO):
        trainer_in(tmp_path, max_steps=50).fit(model, DataLoader(TensorDataset(x, y), batch_size=40))
    assert "the training data come from a DataLoader" in caplog.text
    assert same_weights(bare_loop(folder, 50, shuffle=False)[0], model.network)


def test_loader_without_a_data_module(folder, tmp_path):
    x, y = data_of(folder).examples("train")
    model = classifier()
    trainer = trainer_in(tmp_path, max_steps=50, callbacks=[batches := Batches()])
    loader = TensorLoader(x, y, batch_size=40)
    trainer.fit(model, loader)
    assert [step for _, step in batches.seen] == [1, 36, 50]
    assert same_weights(bare_loop(folder, 50, shuffle=False)[0], model.network)
    assert loader.plan is None
    assert all(isinstance(batch, tuple) and len(batch[0]) == 40 for batch in loader)


def test_callback_is_added_once(folder, tmp_path):
    trainer = trainer_in(tmp_path, max_steps=1)
    model = classifier()
    trainer.fit(model, data_of(folder))
    trainer.test(model, data_of(folder), verbose=False)
    assert sum(isinstance(callback, StepsPerExecution) for callback in trainer.callbacks) == 1

"""Checkpoints and configurations of fits are there whole or not at all, however a fit ends."""

import os
import shutil
import tempfile
import time
from pathlib import Path

import pytest
import torch

from lightning_module import Classifier, MNIST1DDataModule
from lightning_module.checkpoint_files import WholeCheckpointIO
from lightning_module.cli import main
from lightning_module.twin import callbacks, pl, plugins


class Killed(BaseException):
    """As if the process ended: nobody catches it."""


QUIET = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
FIT = ["fit", "--config", "logistic.yaml", "--trainer.max_steps=2", "--trainer.enable_progress_bar=false"]
FIT += ["--trainer.limit_train_batches=2", "--data.name=train-1k", "--trainer.limit_val_batches=0"]


def fitted(folder, **keywords):
    trainer = pl.Trainer(max_steps=2, limit_val_batches=0, default_root_dir=folder, **{**QUIET, **keywords})
    trainer.fit(Classifier("logistic"), MNIST1DDataModule(name="train-1k"))
    return trainer


@pytest.fixture
def cut_short(tmp_path, monkeypatch):
    """From now on the process ends just before, or while, a written file comes to its place, which is another disk."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    def half_copied(source, target, *_, **__):
        Path(target).write_bytes(Path(source).read_bytes()[:100])
        raise Killed

    def interrupted(*_, **__):
        raise Killed

    def begin():
        monkeypatch.setattr(shutil, "move", half_copied)
        monkeypatch.setattr(os, "replace", interrupted)

    yield begin
    monkeypatch.undo()


def test_a_checkpoint_cut_short_leaves_the_one_from_before(tmp_path, cut_short):
    trainer = fitted(tmp_path, enable_checkpointing=False)
    trainer.save_checkpoint(tmp_path / "kept.ckpt")
    assert list((tmp_path / "temporary").iterdir()) == []
    before = (tmp_path / "kept.ckpt").read_bytes()
    cut_short()
    for name in ("kept.ckpt", "new.ckpt"):
        with pytest.raises(Killed):
            trainer.save_checkpoint(tmp_path / name)
    assert (tmp_path / "kept.ckpt").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"kept.ckpt", "temporary"}
    assert torch.load(tmp_path / "kept.ckpt", weights_only=True)["global_step"] == 2


def test_it_holds_what_lightnings_own_holds(tmp_path):
    trainer = fitted(tmp_path, enable_checkpointing=False)
    content = trainer._checkpoint_connector.dump_checkpoint()
    for name, way in (("ours", WholeCheckpointIO()), ("theirs", plugins.TorchCheckpointIO())):
        way.save_checkpoint(content, tmp_path / "made" / name)
    assert (tmp_path / "made/ours").read_bytes() == (tmp_path / "made/theirs").read_bytes()
    with pytest.raises(TypeError, match="storage_options"):
        WholeCheckpointIO().save_checkpoint(content, tmp_path / "no", storage_options={})
    WholeCheckpointIO().save_checkpoint({"a": 1}, "memory://whole/checkpoint")
    assert WholeCheckpointIO().load_checkpoint("memory://whole/checkpoint", weights_only=True) == {"a": 1}


def test_a_checkpoint_io_of_ones_own_stays(tmp_path):
    class Mine(plugins.TorchCheckpointIO):
        pass

    mine = Mine()
    assert fitted(tmp_path, enable_checkpointing=False, plugins=[mine]).strategy.checkpoint_io is mine
    usual = fitted(tmp_path, callbacks=[callbacks.ModelCheckpoint(tmp_path)])
    assert type(usual.strategy.checkpoint_io) is WholeCheckpointIO


def test_a_configuration_cut_short_is_none(tmp_path, monkeypatch, cut_short):
    monkeypatch.chdir(tmp_path)
    cut_short()
    with pytest.raises(Killed):
        main([*FIT, "--trainer.logger=CSVLogger", "--trainer.logger.save_dir=logs"])
    assert [path.name for path in (tmp_path / "logs").rglob("*") if path.is_file()] == []


def test_a_fit_takes_away_what_killed_ones_left(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(FIT) == 0
    first = tmp_path / "lightning_logs/version_0"
    assert (first / "config.yaml").stat().st_size > 100
    left = [first / f".config.yaml.{'a' * 32}.part", first / "checkpoints" / f".last.ckpt.{'b' * 32}.part"]
    young = first / "checkpoints" / f".last.ckpt.{'c' * 32}.part"
    (first / "checkpoints").mkdir(exist_ok=True)
    for path in (*left, young):
        path.write_text("half")
    for path in left:
        os.utime(path, (time.time() - 7200,) * 2)
    assert main(FIT) == 0
    assert not any(path.exists() for path in left)
    assert young.exists()  # somebody may be writing it

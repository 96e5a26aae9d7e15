"""`WholeCheckpoints`: a fit that is killed while it saves leaves the checkpoint from before or none, never half of one.

Lightning writes a checkpoint into the system's folder for temporary files and moves it from there. Where that folder is
on another disk, as on most Linux systems and clusters, the move is a copy, which a kill or a full disk cuts short: then
half a file stands under the checkpoint's name, and in the folder for temporary files another one that nobody deletes.
"""

import io
import os
from pathlib import Path
from typing import Any

import torch

from lightning_module.twin import Callback, pl, plugins, strategies
from mnist1d_hf.atomic import replace, sweep


def is_local(path: str | os.PathLike[str]) -> bool:
    """Returns whether a path is one of this machine's file systems, and not a URL of a store."""
    return "://" not in os.fspath(path)


class WholeCheckpointIO(plugins.TorchCheckpointIO):
    """Lightning's own way to write checkpoints, but a local file is written beside its place and renamed."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        """Writes a checkpoint, all of it or nothing.

        Raises:
            TypeError: If there are `storage_options`, as Lightning has it.
            OSError: If it cannot be written.
        """
        if storage_options is not None or not is_local(path):
            super().save_checkpoint(checkpoint, path, storage_options)
            return
        content = io.BytesIO()  # written to a path, the file would hold its name
        torch.save(checkpoint, content)
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        replace(target, lambda part: part.write_bytes(content.getbuffer()))


class WholeCheckpoints(Callback):
    """A callback that has checkpoints written whole, and removes what killed fits left unfinished beside this one's.

    `Classifier.configure_callbacks` and that of `Ensemble` add it by themselves. A checkpoint IO of your own, and a
    strategy that saves in its own way, stay as they are.
    """

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Puts `WholeCheckpointIO` in the place of Lightning's own."""
        super().setup(trainer, pl_module, stage)
        if stage != "fit":
            return
        strategy = trainer.strategy
        saves_as_usual = type(strategy).save_checkpoint is strategies.Strategy.save_checkpoint
        if saves_as_usual and type(strategy.checkpoint_io) is plugins.TorchCheckpointIO:
            strategy.checkpoint_io = WholeCheckpointIO()
        if (folder := trainer.log_dir) is not None and is_local(folder) and trainer.is_global_zero:
            _sweep_runs(Path(folder).parent)


def _sweep_runs(folder: Path) -> None:
    """Removes what killed fits left in their folders, each of which Lightning calls a version."""
    for run in folder.glob("version_*"):
        for place in (run, run / "checkpoints"):
            sweep(place)

"""`PredictionWriter`: what a network predicts, as a CSV file."""

import csv
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from lightning_module.twin import Callback, pl
from mnist1d_hf.atomic import replace


class PredictionWriter(Callback):
    """Writes the predictions of `Trainer.predict`: row of the split, predicted class, probability of each class.

    Args:
        path: The file, in the trainer's `default_root_dir` unless it is absolute. On several devices each writes a file
            of its own, with its number in the name.
    """

    def __init__(self, path: str = "predictions.csv") -> None:
        self.path = path
        self._probabilities: list[Tensor] = []

    def on_predict_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forgets what was predicted before."""
        self._probabilities = []

    def on_predict_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keeps the probabilities (batch, num_classes) of one piece of the split."""
        self._probabilities.append(outputs.cpu())

    def on_predict_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Writes the file."""
        path = Path(trainer.default_root_dir) / self.path
        if trainer.world_size > 1:
            path = path.with_stem(f"{path.stem}-{trainer.global_rank}")
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, partial(self._write, trainer=trainer))

    def _write(self, path: Path, *, trainer: pl.Trainer) -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            rows = [row for piece in self._probabilities for row in piece.tolist()]
            classes = range(len(rows[0])) if rows else range(0)
            writer.writerow(["row", "prediction", *(f"p{c}" for c in classes)])
            for i, row in enumerate(rows):
                # Device r of w has every w-th row from r.
                place = trainer.global_rank + i * trainer.world_size
                writer.writerow([place, max(classes, key=row.__getitem__), *(f"{p:.6f}" for p in row)])

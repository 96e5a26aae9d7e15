"""Trains endlessly on two CPU processes and writes, as JSON, what both of them saw. Run by a test."""

import json
import sys
from typing import Any

import torch
from fits import trainer_in

from lightning_module import Classifier, MNIST1DDataModule
from lightning_module.twin import pl


class Rows(pl.Callback):
    """The first number of each signal that any rank was given, rank by rank."""

    def __init__(self) -> None:
        self.rows: list[list[float]] = [[], []]

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        for rows, found in zip(self.rows, trainer.strategy.all_gather(batch[0][:, 0].contiguous()), strict=True):
            rows += found.tolist()


def main(path: str) -> None:
    torch.set_num_threads(1)
    data = MNIST1DDataModule(endless=True, steps_per_epoch=6, batch_size=300, val=None)
    rows = Rows()
    trainer = trainer_in(path, max_epochs=2, devices=2, strategy="ddp", callbacks=[rows])
    trainer.fit(Classifier("logistic"), data)
    if trainer.is_global_zero:
        sys.stdout.write("RESULT" + json.dumps(rows.rows) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])

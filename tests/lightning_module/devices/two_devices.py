"""Trains on the given number of CPU processes and writes, as JSON, what the first of them saw. Run by a test."""

import json
import sys
from typing import Any

import torch
from fits import data_of, trainer_in

from lightning_module import Classifier
from lightning_module.twin import pl


class Losses(pl.Callback):
    """The loss of the global minibatch: the mean over the ranks, whose minibatches are of one size."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.losses.append(trainer.strategy.reduce(outputs["loss"].detach().clone(), reduce_op="mean").item())


def main(folder: str, path: str, devices: int, shuffle: str) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model, losses = Classifier("mlp"), Losses()
    data = data_of(folder, batch_size=100 // devices, shuffle=shuffle)
    strategy = "ddp" if devices > 1 else "auto"
    # Rows of the log at every step: the one device must not take several at once here.
    trainer = trainer_in(
        path, max_steps=50, devices=devices, strategy=strategy, callbacks=[losses], log_every_n_steps=1, logger=True
    )
    trainer.fit(model, data)
    (tested,) = trainer.test(model, data, verbose=False)
    if trainer.is_global_zero:
        sys.stdout.write(
            "RESULT" + json.dumps({"losses": losses.losses, "tested": tested, "steps": trainer.global_step}) + "\n"
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])

"""The process in which visitors' networks are trained, one after another: lines of JSON in, lines of JSON out.

A process of its own, so that the page answers while a network is trained. It reads ``{"train": {...}}`` and
``{"stop": true}``, and ends as soon as nobody can write to it any more, whatever it does then: so none is ever left.
What the datasets library writes goes into the folder that it is started with, and goes with it.
"""

import json
import os
import queue
import shutil
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

NICE = 5  # below the process that answers the visitors


class _Orders:
    """What the page asks for, read by a thread of its own."""

    def __init__(self, source: TextIO, folder: Path) -> None:
        self.stop = threading.Event()
        self._source, self._folder = source, folder
        self._trainings: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._source:
            order = json.loads(line)
            if "train" in order:
                self.stop.clear()
                self._trainings.put(order["train"])
            else:
                self.stop.set()
        shutil.rmtree(self._folder, ignore_errors=True)
        os._exit(0)  # the page is gone; a training under way serves nobody

    def next(self) -> dict[str, Any]:
        """Returns the numbers of the next training, once there is one."""
        return self._trainings.get()


def main(folder: Path) -> None:
    """Trains what it is asked to, until nobody asks any more.

    Args:
        folder: Where the datasets library may write.
    """
    os.nice(NICE)
    os.environ["HF_DATASETS_CACHE"] = str(folder / "datasets")
    os.environ["HF_HUB_OFFLINE"] = "1"
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    orders = _Orders(sys.stdin, folder)

    def say(**answer: Any) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    import torch

    from lightning_module.explorer.train.settings import Settings
    from lightning_module.explorer.train.training import trained

    torch.set_num_threads(1)
    while True:
        order = orders.next()
        try:
            result = trained(Settings(**order), lambda step, acc: say(step=step, accuracy=acc), orders.stop.is_set)
            say(result=result)
        except Exception as error:  # one training's fault must not take the others' process
            say(error=f"{type(error).__name__}: {error}")
        shutil.rmtree(folder / "datasets", ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

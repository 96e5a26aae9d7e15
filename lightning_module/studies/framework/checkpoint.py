"""`Scratch`: the checkpoint of a long cell, from which it goes on where it was interrupted."""

import json
import logging
import time
import zipfile
import zlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist1d_hf.atomic import replace

logger = logging.getLogger(__name__)

RECORD = "record"  # the name of the text among the arrays


class Scratch:
    """A checkpoint that belongs to one cell, replaced as a whole, and thrown away when the cell is done.

    A cell whose state decides what is left of it, to the last bit, comes to the same outcome with an interruption and
    without one.

    Args:
        file: Where it is kept; None for nowhere, and then nothing is.
        run: What tells the run from others; a state of another one is none.
    """

    def __init__(self, file: Path | None = None, *, run: str = "") -> None:
        self.file, self._run = file, run
        self._began, self._before = time.monotonic(), 0.0

    def load(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """Returns the record and the arrays that were saved last, both empty if none were, or none can be read."""
        if self.file is None or not self.file.is_file():
            return {}, {}
        try:
            with np.load(self.file, allow_pickle=False) as held:
                arrays = {name: held[name] for name in held}
            saved = json.loads(str(arrays.pop(RECORD)))
            record, seconds, run = dict(saved["record"]), float(saved["seconds"]), saved.get("run", "")
        except (OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            logger.warning("%s cannot be read (%s): its cell begins anew", self.file, error)
            return {}, {}
        if run != self._run:
            logger.warning("%s is of another run: its cell begins anew", self.file)
            return {}, {}
        self._began, self._before = time.monotonic(), seconds
        return record, arrays

    def save(self, record: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]] | None = None) -> None:
        """Saves a record of what JSON can hold, and arrays of numbers, in place of those before.

        Raises:
            ValueError: If an array has the name that the record has among them.
        """
        if self.file is None:
            return
        if arrays and RECORD in arrays:
            raise ValueError(f"arrays has {RECORD!r}, the name of the record; give the array another name")
        text = np.array(json.dumps({"record": dict(record), "seconds": self.seconds, "run": self._run}))
        replace(self.file, partial(_write, arrays={RECORD: text, **(arrays or {})}))

    @property
    def seconds(self) -> float:
        """Returns the seconds spent on the cell, those before the last interruption included up to the last `save`."""
        return self._before + time.monotonic() - self._began


def _write(path: Path, *, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]

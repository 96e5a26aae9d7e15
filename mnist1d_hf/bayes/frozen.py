"""The posteriors of the 5,000 signals of the frozen data set, computed once and committed; no scipy is needed.

``python -m mnist1d_hf.bayes.renew`` writes the file anew. A test recomputes a sample of it.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
import numpy.typing as npt

from mnist1d_hf.generator.recipe import DEFAULT

FILE: Final = "frozen_posterior.npy"  # log-probabilities, float32 (5000, 10), train then test


@dataclass(frozen=True, eq=False)
class FrozenPosterior:
    """Log-probabilities of the ten digits given each signal of `make_mnist1d()`, row by row.

    Single precision: of a probability above 1e-13 the relative error is below 2e-6.

    Attributes:
        train: float32 ``(4000, 10)``, read-only.
        test: float32 ``(1000, 10)``, read-only.
    """

    train: npt.NDArray[np.float32]
    test: npt.NDArray[np.float32]


@cache
def frozen_posterior() -> FrozenPosterior:
    """Returns the exact posteriors of the frozen data set (config ``default``), to be used as soft labels, say."""
    with files("mnist1d_hf.bayes").joinpath(FILE).open("rb") as file:
        log_p = np.load(file, allow_pickle=False)
    log_p.flags.writeable = False
    train = DEFAULT.split_sizes("reference")["train"]
    return FrozenPosterior(train=log_p[:train], test=log_p[train:])

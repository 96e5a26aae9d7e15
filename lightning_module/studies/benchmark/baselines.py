"""What no network is needed for: the majority class, nearest neighbours, a support vector machine."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lightning_module.datamodule import Examples
from lightning_module.studies.framework.cells import Row
from lightning_module.studies.framework.data import Draw
from mnist1d_hf.extras import extra_imports

NEIGHBOURS = (1, 3, 5, 10, 20, 40)
HELD_OUT = 0.2


def baseline_rows(arm: str, draws: Sequence[Draw], test: Examples, *, penalties: Sequence[float]) -> list[Row]:
    """Returns the accuracies of the baselines, on the fresh test set and, of a single draw, on its own.

    Args:
        arm: The arm of the study, for the rows.
        draws: A data set for each seed.
        test: The fresh test set.
        penalties: Of the support vector machine, to choose from.
    """
    rows: list[Row] = []
    for seed, draw in enumerate(draws):
        for name, fitted in _fit(draw.train, penalties).items():
            for on, examples in {"fresh test": test, **({"test": draw.test} if len(draws) == 1 else {})}.items():
                accuracy = float(np.mean(fitted(examples.x.numpy()) == examples.y.numpy()))
                rows.append(
                    {"arm": arm, "network": name, "points": "own", "seed": seed, "on": on, "accuracy": accuracy}
                )
    return rows


def _fit(train: Examples, penalties: Sequence[float]) -> dict[str, Callable[[Any], Any]]:
    """Returns for each baseline what predicts classes (n,) from signals (n, length)."""
    with extra_imports():
        from sklearn.neighbors import KNeighborsClassifier
        from sklearn.svm import SVC

    x, y = train.x.numpy(), train.y.numpy()
    majority = int(np.bincount(y).argmax())
    neighbours = _best([KNeighborsClassifier(k, algorithm="brute") for k in NEIGHBOURS], x, y)
    machine = _best([SVC(C=penalty) for penalty in penalties], x, y)
    return {
        "majority": lambda signals: np.full(len(signals), majority),
        "kNN": neighbours.fit(x, y).predict,
        "SVM": machine.fit(x, y).predict,
    }


def _best(candidates: Sequence[Any], x: Any, y: Any) -> Any:
    """Returns the one with the highest accuracy on the last fifth of the rows, after fitting the others."""
    held_out = round(HELD_OUT * len(x))
    scores = [
        candidate.fit(x[:-held_out], y[:-held_out]).score(x[-held_out:], y[-held_out:]) for candidate in candidates
    ]
    return candidates[int(np.argmax(scores))]

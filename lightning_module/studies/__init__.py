"""Studies of MNIST-1D: the experiments of the blog post and the paper as data, and a frame for your own.

The names are imported when they are first used: this package by itself loads neither torch nor pandas nor scipy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lightning_module.studies.catalogue import Catalogue

if TYPE_CHECKING:
    from lightning_module.studies.base import Band, Cell, Config, Outcome, Study, grid
    from lightning_module.studies.claims import Claim, Finding, Number, Verdict
    from lightning_module.studies.data import Draw, fresh, fresh_test, frozen
    from lightning_module.studies.quantities import Unpaired, largest, mean_of, proportion, smallest, value
    from lightning_module.studies.result import Result
    from lightning_module.studies.trained import Trained, train
    from lightning_module.studies.verdict_rows import verdict_table

# The packaged studies in the order in which they are listed: the name on the command line, and the module.
STUDIES = Catalogue(
    {
        "benchmark": "benchmark",
        "recipe-sweep": "recipe_sweep",
        "priors": "priors",
        "pooling": "pooling",
        "self-supervision": "self_supervision",
        "comparison": "comparison",
        "learning-rate": "learning_rate",
        "activation": "activation",
        "double-descent": "double_descent",
        "thresholds": "thresholds",
        "lottery": "lottery",
        "dataset": "dataset",
        "ceiling": "ceiling.study",
        "soft-labels": "soft_labels.study",
        "scaling": "scaling.study",
    }
)

_HOME = {
    "Band": "base",
    "Cell": "base",
    "Config": "base",
    "Outcome": "base",
    "Study": "base",
    "grid": "base",
    "Claim": "claims",
    "Finding": "claims",
    "Number": "claims",
    "Verdict": "claims",
    "Draw": "data",
    "fresh": "data",
    "fresh_test": "data",
    "frozen": "data",
    "Unpaired": "quantities",
    "largest": "quantities",
    "mean_of": "quantities",
    "proportion": "quantities",
    "smallest": "quantities",
    "value": "quantities",
    "Result": "result",
    "Trained": "trained",
    "train": "trained",
    "verdict_table": "verdict_rows",
}

__all__ = [
    "STUDIES",
    "Band",
    "Cell",
    "Claim",
    "Config",
    "Draw",
    "Finding",
    "Number",
    "Outcome",
    "Result",
    "Study",
    "Trained",
    "Unpaired",
    "Verdict",
    "fresh",
    "fresh_test",
    "frozen",
    "grid",
    "largest",
    "mean_of",
    "proportion",
    "smallest",
    "train",
    "value",
    "verdict_table",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

"""Studies of MNIST-1D: the experiments of the blog post and the paper as data, and a frame for your own.

The names are imported when they are first used: this package by itself loads neither torch nor pandas nor scipy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lightning_module.studies.framework.listing.catalogue import Catalogue

if TYPE_CHECKING:
    from lightning_module.studies.framework.cells import Band, Cell, Config, Outcome, SharedTests, grid
    from lightning_module.studies.framework.claims import Claim, Finding, Number, Verdict
    from lightning_module.studies.framework.data import Draw, fresh, fresh_test, frozen
    from lightning_module.studies.framework.proof.committed import committed_result
    from lightning_module.studies.framework.quantities import Unpaired, largest, mean_of, proportion, smallest, value
    from lightning_module.studies.framework.result import Result
    from lightning_module.studies.framework.study import Study
    from lightning_module.studies.framework.training import Trained, train
    from lightning_module.studies.report.words import verdict_table

# The packaged studies in the order in which they are listed: the name on the command line, and the module.
STUDIES = Catalogue(
    {
        "benchmark": "benchmark.study",
        "recipe-sweep": "recipe_sweep.study",
        "priors": "priors.study",
        "pooling": "pooling.study",
        "self-supervision": "self_supervision.study",
        "comparison": "comparison.study",
        "learning-rate": "learning_rate.study",
        "activation": "activation.study",
        "double-descent": "double_descent.study",
        "thresholds": "thresholds.study",
        "lottery": "lottery.study",
        "dataset": "dataset.study",
        "ceiling": "ceiling.study",
        "soft-labels": "soft_labels.study",
        "scaling": "scaling.study",
    }
)

_HOME = {
    "Band": "framework.cells",
    "Cell": "framework.cells",
    "Config": "framework.cells",
    "Outcome": "framework.cells",
    "SharedTests": "framework.cells",
    "Study": "framework.study",
    "grid": "framework.cells",
    "Claim": "framework.claims",
    "Finding": "framework.claims",
    "Number": "framework.claims",
    "Verdict": "framework.claims",
    "Draw": "framework.data",
    "fresh": "framework.data",
    "fresh_test": "framework.data",
    "frozen": "framework.data",
    "committed_result": "framework.proof.committed",
    "Unpaired": "framework.quantities",
    "largest": "framework.quantities",
    "mean_of": "framework.quantities",
    "proportion": "framework.quantities",
    "smallest": "framework.quantities",
    "value": "framework.quantities",
    "Result": "framework.result",
    "Trained": "framework.training",
    "train": "framework.training",
    "verdict_table": "report.words",
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
    "SharedTests",
    "Study",
    "Trained",
    "Unpaired",
    "Verdict",
    "committed_result",
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

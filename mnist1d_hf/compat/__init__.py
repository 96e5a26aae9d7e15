"""The reference package ``mnist1d``, for the notebooks written with it; data by this package's generator.

``from mnist1d_hf import compat as mnist1d`` keeps such a notebook running, and so do its imports of ``mnist1d.data``,
``mnist1d.utils`` and ``mnist1d.transform`` after `install`. The calls, their arguments and what they return are those
of the reference (0.0.2.post1). So is the global random state of ``random`` and ``numpy``: `make_dataset` seeds and
moves both as the reference does, because notebooks draw from them afterwards. (Nothing outside `compat` touches it.)

On purpose it differs here:

- Nothing is downloaded and no pickle is read or written. Caches are ``.npz`` files, one per set of arguments.
- Arguments that mean nothing are a `RecipeError` that names them.
- `set_seed` seeds torch, too, if it is imported.
"""

from typing import Any

from mnist1d_hf.compat import data, utils
from mnist1d_hf.compat.alias import install, uninstall
from mnist1d_hf.compat.arguments import ObjectView
from mnist1d_hf.compat.calls import (
    get_dataset,
    get_dataset_args,
    get_templates,
    make_dataset,
    plot_signals,
    set_seed,
)
from mnist1d_hf.compat.pickles import from_pickle, to_pickle
from mnist1d_hf.compat.transform import (
    corr_noise_like,
    iid_noise_like,
    interpolate,
    pad,
    shear,
    transform,
    translate,
)

__all__ = [
    "ObjectView",
    "corr_noise_like",
    "data",
    "from_pickle",
    "get_dataset",
    "get_dataset_args",
    "get_templates",
    "iid_noise_like",
    "install",
    "interpolate",
    "make_dataset",
    "pad",
    "plot_signals",
    "set_seed",
    "shear",
    "to_pickle",
    "transform",
    "translate",
    "uninstall",
    "utils",
]

# What the package had before it was published, and clones of its repository still have.
_TRAINING = {"accuracy", "get_model_args", "train_model", "LinearBase", "MLPBase", "ConvBase", "GRUBase"}


def __getattr__(name: str) -> Any:
    remedy = "; the published package has no training either: use lightning_module, Classifier and make_network"
    raise AttributeError(
        f"module {__name__!r} has no attribute {name!r}{remedy if name in _TRAINING else ''}", name=name
    )

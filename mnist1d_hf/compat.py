"""The calls of the reference package ``mnist1d``, for the notebooks written with it; data by this package's generator.

``from mnist1d_hf import compat as mnist1d`` keeps such a notebook running: the calls, their arguments and what they
return are the reference's (0.0.2.post1), also under ``mnist1d.data`` and ``mnist1d.utils``. On purpose it differs here:

- Nothing is downloaded and no pickle is read or written. Caches are ``.npz`` files, one per set of arguments.
- `make_dataset` leaves the random state of ``random`` and ``numpy`` alone; the reference reseeds both.
- Arguments that make no sense are a `RecipeError` that names them.

The functions on single signals (`pad`, `shear`, `transform` ...) draw from numpy's global state, in the reference's
order, because that is what ``numpy.random.seed`` before them is meant to fix.
"""

import random
import sys
import warnings
from os import PathLike
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from mnist1d_hf import npz_cache
from mnist1d_hf.generate import make_mnist1d
from mnist1d_hf.one_signal import corr_noise_like, iid_noise_like, interpolate, pad, shear, transform, translate
from mnist1d_hf.recipe import DEFAULT, INTEGER_BOUNDS, Recipe, RecipeError
from mnist1d_hf.templates import Templates, digit_templates

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "ObjectView",
    "corr_noise_like",
    "data",
    "get_dataset",
    "get_dataset_args",
    "get_templates",
    "iid_noise_like",
    "interpolate",
    "make_dataset",
    "pad",
    "plot_signals",
    "set_seed",
    "shear",
    "transform",
    "translate",
    "utils",
]

# The reference's parameters, which are fields of a recipe under the same names.
_ARGUMENTS: Final = (
    "num_samples",
    "train_split",
    "template_len",
    "padding",
    "scale_coeff",
    "max_translation",
    "corr_noise_scale",
    "iid_noise_scale",
    "shear_scale",
    "shuffle_seq",
    "final_seq_length",
    "seed",
)
# Notebooks print it. Nothing here reads it.
_FROZEN_FILE: Final = "https://github.com/greydanus/mnist1d/raw/master/mnist1d_data.pkl"


class ObjectView:
    """The entries of a dictionary as attributes; setting one changes the dictionary."""

    def __init__(self, d: dict[str, Any]) -> None:
        self.__dict__ = d

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


def get_dataset_args(as_dict: bool = False) -> Any:
    """The parameters of the frozen data set: an `ObjectView` with one attribute each, or a dictionary."""
    values: dict[str, Any] = {name: getattr(DEFAULT, name) for name in _ARGUMENTS}
    values |= {"padding": list(DEFAULT.padding), "url": _FROZEN_FILE}
    return values if as_dict else ObjectView(values)


def get_templates() -> dict[str, Any]:
    """The ten digits: x ``(10, 12)``, t ``(12,)``, y ``(10,)``."""
    return digit_templates().as_dict()


def make_dataset(args: Any = None, template: dict[str, Any] | None = None) -> dict[str, Any]:
    """A data set as a dictionary of arrays: x ``(n, length)``, x_test, y, y_test, t ``(length,)``, templates.

    Unlike the reference's it does not reseed the global random state: call `set_seed` where a later draw shall repeat.

    Args:
        args: What `get_dataset_args` returns, attributes changed as wanted; unknown ones play no role. The remainder
            of ``num_samples`` by the number of templates is dropped.
        template: Other curves than the ten digits: x ``(classes, points)``, t ``(points,)``, y ``(classes,)``.

    Raises:
        RecipeError: If an argument is missing or not allowed.
    """
    templates = _templates(template)
    arrays = make_mnist1d(_recipe(args, templates), stream="reference", templates=templates)
    made = {name: np.ascontiguousarray(array) for name, array in arrays.as_dict().items() if name != "templates"}
    return made | {"templates": get_templates() if template is None else template}


def get_dataset(
    args: Any,
    path: str | PathLike[str] | None = None,
    verbose: bool = True,
    download: bool = True,
    regenerate: bool = False,
    **kwargs: Any,
) -> dict[str, Any]:
    """The data set of `make_dataset`, from a file if it was made before.

    The cache of the default arguments is ``path`` with the ending ``.npz``; other arguments have a file of their own
    beside it, so neither can be taken for, or replace, the other. A pickle at ``path`` is neither read nor changed.

    Args:
        args: See `make_dataset`.
        path: Where to keep it, by default ``mnist1d_data.npz`` in the working directory.
        verbose: Whether to print if it was loaded or built.
        download: Without effect: the frozen data set is generated, equal to the published file. It warns where the
            reference would have returned the frozen data set in place of the one asked for.
        regenerate: Whether to build it even if there is a cache.
        **kwargs: ``template``, see `make_dataset`.

    Raises:
        RecipeError: If an argument is missing or not allowed.
        ForeignFileError: If the file at ``path`` was not written by this function.
    """
    if unknown := kwargs.keys() - {"template"}:
        raise TypeError(f"get_dataset() takes template= besides its named arguments, not {', '.join(sorted(unknown))}")
    templates = _templates(kwargs.get("template"))
    recipe = _recipe(args, templates)
    if download and not regenerate and recipe != DEFAULT:
        warnings.warn(
            "download=True with arguments other than the default: the reference ignores them and returns the frozen "
            f"data set, this call makes the one with {recipe.differences()}. Pass download=False, or "
            "get_dataset_args() as it is for the frozen one.",
            stacklevel=2,
        )
    cache = npz_cache.at(path, recipe, templates)
    cached = None if regenerate else cache.load()
    if verbose:
        done = f"Loaded {cache.path}" if cached else f"Building the data set, to be kept in {cache.path}"
        print(done)  # noqa: T201 - what `verbose` promises
    if cached:
        return cached | {"templates": kwargs.get("template") or get_templates()}
    dataset = make_dataset(args, **kwargs)
    cache.store({name: array for name, array in dataset.items() if name != "templates"})
    return dataset


def _recipe(args: Any, templates: Templates) -> Recipe:
    args = get_dataset_args() if args is None else args
    if isinstance(args, dict):
        raise RecipeError("args is a dictionary but must have attributes; wrap it: ObjectView(args)")
    for name in _ARGUMENTS:
        if not hasattr(args, name):
            raise RecipeError(f"args has no {name!r}; start from get_dataset_args() and change its attributes")
    values = {name: getattr(args, name) for name in _ARGUMENTS}
    recipe = Recipe(**values | {"shuffle_seq": bool(values["shuffle_seq"])})  # any truth value, as in the reference
    remainder = recipe.num_samples % len(templates.y)  # which the reference drops without a word
    kept = recipe.num_samples - remainder
    return recipe.replace(num_samples=kept) if kept >= INTEGER_BOUNDS["num_samples"][0] else recipe


def _templates(template: dict[str, Any] | None) -> Templates:
    if template is None:
        return digit_templates()
    x, t, y = (np.asarray(template[name]) for name in ("x", "t", "y"))
    if x.ndim != 2 or t.shape != x.shape[1:] or y.shape != x.shape[:1]:
        raise RecipeError(
            f"template has x {x.shape}, t {t.shape}, y {y.shape}; it must have x (classes, points), t (points,), "
            "y (classes,)"
        )
    if y.dtype.hasobject:
        raise RecipeError(f"template has labels y of Python objects, {y.tolist()}; give numbers or strings as an array")
    return Templates(x=x.astype(np.float64), t=t.astype(np.float64), y=y)


def set_seed(seed: int) -> None:
    """Seed ``random``, ``numpy`` and, if it is imported already, ``torch``.

    The reference's function of 2020 seeded torch, the published one no longer does, and notebooks rely on it.
    """
    random.seed(seed)
    np.random.seed(seed)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(seed)


def plot_signals(
    xs: npt.NDArray[Any],
    t: npt.NDArray[Any],
    labels: Any = None,
    args: Any = None,
    ratio: float = 2.6,
    do_transform: bool = False,
    dark_mode: bool = False,
    zoom: float = 1,
) -> "Figure":
    """The first ten signals side by side, drawn and shown; needs the extra ``plot``.

    Args:
        xs: Signals, ``(n, length)`` with n of at least ten.
        t: Their positions, ``(length,)``.
        labels: A title for each.
        args: Parameters of `transform`, where ``do_transform`` asks for it.
        ratio: Height of a panel in widths.
        do_transform: Whether to draw what `transform` makes of the signals in place of themselves.
        dark_mode: White dots on black in place of a black line.
        zoom: Half the extent of both axes.

    Raises:
        ValueError: If ``do_transform`` is set without ``args``.
    """
    from mnist1d_hf import plot

    if do_transform and args is None:
        raise ValueError("do_transform=True needs args=, what get_dataset_args() returns")
    shown = [transform(xs[row], t, args) if do_transform else (xs[row], t) for row in range(10)]
    titles = None if labels is None else [f"label={label}" for label in labels[:10]]
    return plot.show_in_a_row(shown, titles, ratio=ratio, zoom=zoom, style=plot.DARK if dark_mode else plot.LIGHT)


data = SimpleNamespace(
    get_dataset=get_dataset,
    get_dataset_args=get_dataset_args,
    get_templates=get_templates,
    make_dataset=make_dataset,
)
utils = SimpleNamespace(ObjectView=ObjectView, plot_signals=plot_signals, set_seed=set_seed)

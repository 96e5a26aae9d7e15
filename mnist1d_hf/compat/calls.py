"""The reference's calls on whole data sets: their arguments and what they return are the reference's, the data ours."""

import sys
import warnings
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mnist1d_hf.compat import npz_cache
from mnist1d_hf.compat.arguments import ObjectView, checked, default_arguments
from mnist1d_hf.compat.generation import generate, seed_as_the_reference, untouched
from mnist1d_hf.compat.one_signal import transform
from mnist1d_hf.generator.recipe import RecipeError
from mnist1d_hf.generator.templates import Templates, digit_templates

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def get_dataset_args(as_dict: bool = False) -> Any:
    """Returns the parameters of the frozen data set: an `ObjectView` with one attribute each, or a dictionary."""
    values = default_arguments()
    return values if as_dict else ObjectView(values)


def get_templates() -> dict[str, Any]:
    """Returns the ten digits: x ``(10, 12)``, t ``(12,)``, y ``(10,)``."""
    return digit_templates().as_dict()


def make_dataset(args: Any = None, template: dict[str, Any] | None = None) -> dict[str, Any]:
    """Returns a data set as a dictionary of arrays: x ``(n, length)``, x_test, y, y_test, t ``(length,)``, templates.

    As the reference's it seeds ``random`` and ``numpy`` with ``args.seed`` and leaves both as the reference does: what
    is drawn afterwards, such as noise on the labels, is the same. `mnist1d_hf.make_mnist1d` leaves them alone.

    Args:
        args: What `get_dataset_args` returns, attributes changed as wanted; unknown ones play no role. The remainder
            of ``num_samples`` by the number of templates is dropped. ``seed=None`` makes other data at each call.
        template: Other curves than the ten digits: x ``(classes, points)``, t ``(points,)``, y ``(classes,)``.

    Raises:
        RecipeError: If an argument is missing or not allowed.
    """
    templates = _templates(template)
    made = generate(checked(args, len(templates.y)), templates)
    return made | {"templates": get_templates() if template is None else template}


def get_dataset(
    args: Any,
    path: str | PathLike[str] | None = None,
    verbose: bool = True,
    download: bool = True,
    regenerate: bool = False,
    **kwargs: Any,
) -> dict[str, Any]:
    """Returns the data set of `make_dataset`, from a file if it was made before.

    The cache of the default arguments is ``path`` with the ending ``.npz``; other arguments have a file of their own
    beside it, so neither can be taken for, or replace, the other. A pickle at ``path`` is neither read nor changed.

    The global random state is seeded where the reference does it: when a data set is built because neither a file nor
    a download gave it.

    Args:
        args: See `make_dataset`.
        path: Where to keep it, by default ``mnist1d_data.npz`` in the working directory.
        verbose: Whether to print if it was loaded or built.
        download: Nothing is downloaded: the frozen data set is generated, equal to the published file. It warns where
            the reference would have returned the frozen data set in place of the one asked for.
        regenerate: Whether to build it even if there is a cache.
        **kwargs: ``template``, see `make_dataset`.

    Raises:
        RecipeError: If an argument is missing or not allowed.
        ForeignFileError: If the file at ``path`` was not written by this function.
    """
    if unknown := kwargs.keys() - {"template"}:
        raise TypeError(f"get_dataset() takes template= besides its named arguments, not {', '.join(sorted(unknown))}")
    templates = _templates(kwargs.get("template"))
    arguments = checked(args, len(templates.y))
    downloaded = download and not regenerate
    if downloaded and (differences := arguments.differences(len(templates.y))):
        warnings.warn(
            "download=True with arguments other than the default: the reference ignores them and returns the frozen "
            f"data set, this call makes the one with {differences}. Pass download=False, or "
            "get_dataset_args() as it is for the frozen one.",
            stacklevel=2,
        )
    cache = npz_cache.at(path, arguments.described(len(templates.y)), templates)
    cached = None if regenerate else cache.load()
    if verbose:
        done = f"Loaded {cache.path}" if cached else f"Building the data set, to be kept in {cache.path}"
        print(done)  # noqa: T201 - what `verbose` promises
    if cached:
        return cached | {"templates": kwargs.get("template") or get_templates()}
    if downloaded:
        with untouched():
            dataset = make_dataset(args, **kwargs)
    else:
        dataset = make_dataset(args, **kwargs)
    cache.store(dataset | {"templates": templates.as_dict()})
    return dataset


def _templates(template: dict[str, Any] | None) -> Templates:
    if template is None:
        return digit_templates()
    try:
        x, t, y = (np.asarray(template[name]) for name in ("x", "t", "y"))
    except (KeyError, TypeError, ValueError) as error:  # the last: curves of different lengths
        raise RecipeError(
            "template must be a dictionary with x (classes, points), t (points,), y (classes,), all curves of one "
            f"length; {type(error).__name__}: {error}"
        ) from error
    if x.ndim != 2 or t.shape != x.shape[1:] or y.shape != x.shape[:1]:
        raise RecipeError(
            f"template has x {x.shape}, t {t.shape}, y {y.shape}; it must have x (classes, points), t (points,), "
            "y (classes,)"
        )
    if not len(y):
        raise RecipeError("template has no curve; give at least one")
    if y.dtype.hasobject:
        raise RecipeError(f"template has labels y of Python objects, {y.tolist()}; give numbers or strings as an array")
    return Templates(x=x.astype(np.float64), t=t.astype(np.float64), y=y)


def set_seed(seed: int | None) -> None:
    """Seeds ``random``, ``numpy`` and, if it is imported already, ``torch``.

    The reference's function of 2020 seeded torch, the published one no longer does, and notebooks rely on it.
    """
    seed_as_the_reference(seed)
    torch = sys.modules.get("torch")
    if torch and seed is not None:
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
    """Shows the first ten signals side by side, and returns the figure; needs the extra ``plot``.

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
    from mnist1d_hf.plot import signals

    if do_transform and args is None:
        raise ValueError("do_transform=True needs args=, what get_dataset_args() returns")
    shown = [transform(xs[row], t, args) if do_transform else (xs[row], t) for row in range(10)]
    titles = None if labels is None else [f"label={label}" for label in labels[:10]]
    return signals.show_in_a_row(
        shown, titles, ratio=ratio, zoom=zoom, style=signals.DARK if dark_mode else signals.LIGHT
    )

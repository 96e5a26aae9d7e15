"""`load_mnist1d`: the data set in scikit-learn's manner, as its `load_digits` returns the digits."""

from typing import Any, Final, Literal, overload

import numpy as np

from mnist1d_hf.checks import nearest, one_of
from mnist1d_hf.generator.arrays import MNIST1DArrays
from mnist1d_hf.generator.generate import make_mnist1d
from mnist1d_hf.generator.recipe import Recipe, RecipeError

_SPLITS: Final = ("train", "test", "all")
_DESCRIPTION: Final = """MNIST-1D

    Number of instances: {rows} ({split})
    Number of attributes: {points}, the heights of a signal at equidistant places
    Classes: {classes}
    Missing values: none
    What differs from the frozen data set of 2020: {differences}

Ten hand-made curves, one for each digit, padded, stretched, scaled, shifted, sheared and covered with noise. All
signals are normalised together. Rows of train come before those of test.

Source: Greydanus & Kobak (2024), "Scaling Down Deep Learning with MNIST-1D", ICML.
"""


class Bunch(dict[str, Any]):
    """A dictionary whose entries are attributes, too."""

    def __getattr__(self, name: str) -> Any:
        """Returns the entry of this name."""
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no {name!r}{nearest(name, self)}", name=name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        """Sets the entry of this name."""
        self[name] = value

    def __dir__(self) -> list[str]:
        """Returns the names of the entries, for completion."""
        return [*super().__dir__(), *self]


@overload
def load_mnist1d(
    recipe: str | Recipe = ...,
    *,
    split: str = ...,
    return_X_y: Literal[False] = ...,  # noqa: N803
    as_frame: bool = ...,
    stream: str | None = ...,
    **changes: Any,
) -> Bunch: ...
@overload
def load_mnist1d(
    recipe: str | Recipe = ...,
    *,
    split: str = ...,
    return_X_y: Literal[True],  # noqa: N803
    as_frame: bool = ...,
    stream: str | None = ...,
    **changes: Any,
) -> tuple[Any, Any]: ...


def load_mnist1d(
    recipe: str | Recipe = "default",
    *,
    split: str = "train",
    return_X_y: bool = False,  # noqa: N803 - scikit-learn's name
    as_frame: bool = False,
    stream: str | None = None,
    **changes: Any,
) -> Bunch | tuple[Any, Any]:
    """Returns MNIST-1D for scikit-learn: a `Bunch` with data ``(n, points)`` and target ``(n,)``, or these two alone.

    The data set has a test split, so what is returned by default is train: a cross-validation on it leaves test alone.

    Args:
        recipe: Name of a config, or a recipe.
        split: "train", "test", or "all" for train and then test.
        return_X_y: Whether to return ``(data, target)`` in place of the `Bunch`.
        as_frame: Whether data is a pandas `DataFrame`, target a `Series`, and ``frame`` both in one.
        stream: The stream of random numbers, see `make_mnist1d`.
        **changes: Fields of the recipe and their values, ``iid_noise_scale=0.1``.

    Returns:
        A `Bunch` of data, target, feature_names, target_names, frame (None without ``as_frame``), DESCR, and t, the
        positions of the points ``(points,)``.

    Raises:
        RecipeError: If a name is unknown or a value not allowed.

    Source: the conventions of scikit-learn's `load_digits`.
    """
    split = one_of("split", split, _SPLITS, error=RecipeError)
    arrays = make_mnist1d(recipe, stream=stream, **changes)
    parts = [getattr(arrays, name) for name in ("train", "test") if split in (name, "all")]
    x, y = (np.concatenate([getattr(part, column) for part in parts]) for column in ("x", "y"))
    names = [f"point_{place}" for place in range(x.shape[1])]
    data, target, frame = _framed(x, y, names) if as_frame else (x, y, None)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        frame=frame,
        feature_names=names,
        target_names=arrays.templates.y.copy(),
        t=arrays.t,
        DESCR=_description(arrays, split, len(y)),
    )


def _framed(x: Any, y: Any, names: list[str]) -> tuple[Any, Any, Any]:
    import pandas as pd

    frame = pd.DataFrame(x, columns=names)
    target = pd.Series(y, name="target")
    return frame, target, frame.assign(target=target)


def _description(arrays: MNIST1DArrays, split: str, rows: int) -> str:
    return _DESCRIPTION.format(
        rows=rows,
        split=split if split != "all" else "train and test",
        points=arrays.recipe.final_seq_length,
        classes=len(arrays.templates.y),
        differences=", ".join(f"{name} = {value}" for name, value in arrays.recipe.differences().items()) or "nothing",
    )

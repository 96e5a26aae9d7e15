"""The reference's arguments: the object that holds them, and what they may be, checked by name.

Most of what the reference takes is a recipe, and the generator makes it. A few values have no place in a recipe but
mean something in a notebook: no seed, negative scales, one for each point, shifts to choose from. They are allowed here
and made signal by signal, as the reference makes all.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from mnist1d_hf.checks import whole_number
from mnist1d_hf.generator.recipe import (
    DEFAULT,
    LONGEST_SIGNAL,
    REAL_BOUNDS,
    REFERENCE_CAPACITY,
    Recipe,
    RecipeError,
    is_bool,
)

# Notebooks print it. Nothing here reads it.
FROZEN_FILE: Final = "https://github.com/greydanus/mnist1d/raw/master/mnist1d_data.pkl"


# What values that no recipe has end in; RecipeError is a ValueError.
_NOT_A_RECIPES: Final = (ArithmeticError, AttributeError, TypeError, ValueError)


class ObjectView:
    """The entries of a dictionary as attributes; setting one changes the dictionary."""

    def __init__(self, d: dict[str, Any]) -> None:
        self.__dict__ = d

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Arguments:
    """The reference's twelve parameters with values that make sense together.

    Attributes:
        num_samples: Examples asked for; the remainder by the number of templates is dropped.
        train_split: See `Recipe`, as for all the others.
        template_len: Also 0 or 1.
        padding: See `Recipe`.
        scale_coeff: Also negative; or one number for each point of the dilated signal.
        max_translation: Or a tuple of shifts to choose from.
        corr_noise_scale: As `scale_coeff`.
        iid_noise_scale: As `scale_coeff`.
        shear_scale: As `scale_coeff`.
        shuffle_seq: See `Recipe`.
        final_seq_length: Also 1.
        seed: Or None: other data at each call.
    """

    num_samples: int
    train_split: float
    template_len: int
    padding: tuple[int, int]
    scale_coeff: float | npt.NDArray[np.float64]
    max_translation: int | tuple[int, ...]
    corr_noise_scale: float | npt.NDArray[np.float64]
    iid_noise_scale: float | npt.NDArray[np.float64]
    shear_scale: float | npt.NDArray[np.float64]
    shuffle_seq: bool
    final_seq_length: int
    seed: int | None

    def recipe(self, classes: int) -> Recipe | None:
        """Returns the recipe that makes these data of so many templates, or None where there is none."""
        values = {name: getattr(self, name) for name in NAMES}
        whole = self.num_samples // classes * classes  # the reference drops the remainder without a word
        try:
            # The seed is that of the state that the draws are taken from; the recipe's own plays no role.
            return Recipe(**values | {"num_samples": whole, "seed": 0 if self.seed is None else self.seed})
        except _NOT_A_RECIPES:
            return None

    def described(self, classes: int) -> dict[str, Any]:
        """Returns everything that decides the data, as text and numbers: the key of their cache."""
        recipe = self.recipe(classes)
        if recipe is not None:
            return asdict(recipe) | {"seed": self.seed}
        values = {name: getattr(self, name) for name in NAMES}
        return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in values.items()}

    def differences(self, classes: int) -> dict[str, Any]:
        """Returns the parameters that differ from the frozen data set's."""
        frozen = asdict(DEFAULT)
        return {name: value for name, value in self.described(classes).items() if value != frozen[name]}


NAMES: Final = tuple(field.name for field in fields(Arguments))


def default_arguments() -> dict[str, Any]:
    """Returns the values of the frozen data set under the reference's names, and in its types."""
    values: dict[str, Any] = {name: getattr(DEFAULT, name) for name in NAMES}
    return values | {"padding": list(DEFAULT.padding), "url": FROZEN_FILE}


def checked(args: Any, classes: int) -> Arguments:
    """Returns the arguments that an object's attributes hold; unknown attributes play no role.

    Raises:
        RecipeError: If one is missing, or has a value that means nothing.
    """
    args = ObjectView(default_arguments()) if args is None else args
    if isinstance(args, dict):
        raise RecipeError("args is a dictionary but must have attributes; wrap it: ObjectView(args)")
    for name in NAMES:
        if not hasattr(args, name):
            raise RecipeError(f"args has no {name!r}; start from get_dataset_args() and change its attributes")
    values = {name: getattr(args, name) for name in NAMES}
    plain = {name: _plain(name, values[name], classes) for name in ("padding", "template_len", "num_samples")}
    if plain["num_samples"] < classes:
        raise RecipeError(
            f"num_samples={plain['num_samples']} is less than one example for each of the {classes} templates; ask for "
            f"at least {classes}"
        )
    length = plain["template_len"] + plain["padding"][1]
    if length < 2:
        raise RecipeError(
            f"template_len={plain['template_len']} and padding={plain['padding']} make a signal of {length} points "
            "before it is resampled; it must have at least 2: raise either"
        )
    rest = {name: _plain(name, value, length) for name, value in values.items() if name not in plain}
    return Arguments(**plain, **rest)


def _plain(name: str, value: Any, context: int) -> Any:
    """Returns the value as a recipe has it, else as the reference understands it."""
    if name == "seed" and value is None:
        return None
    try:
        if name == "shuffle_seq":
            return bool(value)  # any truth value, as in the reference
        only = {name: value}
        return getattr(Recipe(**only), name)
    except _NOT_A_RECIPES as error:
        allowed = _MORE[name](value, context) if name in _MORE else None
        if allowed is not None:
            return allowed
        if isinstance(error, RecipeError):
            raise
        raise RecipeError(f"{name}={value!r} cannot be used: {error}") from error


def _integer(value: Any, low: int, high: int) -> int | None:
    try:
        return whole_number("", value, low, high)
    except ValueError:
        return None


def _fewer_samples(value: Any, classes: int) -> int | None:
    return _integer(value, classes, REFERENCE_CAPACITY)


def _short(lowest: int) -> Callable[[Any, int], int | None]:
    return lambda value, _: _integer(value, lowest, 1)


def _scale(value: Any, length: int) -> float | npt.NDArray[np.float64] | None:
    if is_bool(value) or isinstance(value, (str, bytes)):
        return None
    numbers = np.asarray(value)
    if numbers.dtype.kind not in "iuf" or numbers.shape not in {(), (length,)}:
        return None
    numbers = numbers.astype(np.float64)
    _, most = REAL_BOUNDS["scale_coeff"]
    if not (np.isfinite(numbers).all() and (np.abs(numbers) <= most).all()):
        return None
    return numbers if numbers.ndim else float(numbers)


def _shifts(value: Any, _: int) -> tuple[int, ...] | None:
    if not isinstance(value, (list, tuple, range, np.ndarray)) or np.ndim(value) != 1 or not len(value):
        return None
    shifts = [_integer(shift, -LONGEST_SIGNAL, LONGEST_SIGNAL) for shift in value]
    return None if None in shifts else tuple(shift for shift in shifts if shift is not None)


# What the reference takes beyond the bounds of a recipe; each gives None for a value that it refuses too.
_MORE: Final[dict[str, Callable[[Any, int], Any]]] = {
    "num_samples": _fewer_samples,
    "template_len": _short(0),
    "final_seq_length": _short(1),
    "max_translation": _shifts,
    **dict.fromkeys(("scale_coeff", "corr_noise_scale", "iid_noise_scale", "shear_scale"), _scale),
}

"""The form of a recipe: a control for each of its numbers, the five that matter first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

from lightning_module.explorer import parse
from mnist1d_hf import RECIPES, Recipe
from mnist1d_hf.generator.recipe import STREAMS, RecipeError

Kind = Literal["slider", "number", "flag", "choice"]


@dataclass(frozen=True)
class Field:
    """One control.

    Attributes:
        name: The recipe's field; ``padding`` has two controls.
        label: What stands beside it: the field's name, as code has it.
        info: What it is, in a few words.
        kind: How it is entered.
        low: Its lowest value.
        high: Its highest value in the form; the recipe itself allows more.
        step: From one value to the next; 1 for whole numbers.
    """

    name: str
    label: str
    info: str
    kind: Kind = "slider"
    low: float = 0.0
    high: float = 1.0
    step: float = 0.01

    @property
    def is_whole(self) -> bool:
        """Returns whether it takes whole numbers only."""
        return self.kind in ("slider", "number") and float(self.step).is_integer()

    @property
    def parse(self) -> Callable[[str], Any]:
        """Returns what reads its value from the page's address."""
        if self.kind == "flag":
            return parse.flag
        if self.kind == "choice":
            return parse.choice(STREAMS)
        return parse.whole(int(self.low), int(self.high)) if self.is_whole else parse.number(self.low, self.high)


FIRST: Final = (
    Field("iid_noise_scale", "iid_noise_scale", "noise on every point", high=0.3, step=0.005),
    Field("corr_noise_scale", "corr_noise_scale", "smoothed noise beside the digit"),
    Field("max_translation", "max_translation", "shifts of 0 to this many points, less one", low=1, high=72, step=1),
    Field("shear_scale", "shear_scale", "how steep the ramp below a signal may be", high=2.0, step=0.05),
    Field("scale_coeff", "scale_coeff", "how much amplitudes differ", high=2.0, step=0.05),
)
PADDING: Final = (
    Field("padding_low", "padding, fewest", "zeros appended to the digit, at least", high=120, step=1),
    Field("padding_high", "padding, most", "and at most", high=120, step=1),
)
REST: Final = (
    Field("final_seq_length", "final_seq_length", "points of a finished signal", low=2, high=200, step=1),
    Field("template_len", "template_len", "points that a digit contributes to the length", low=2, high=60, step=1),
    Field("shuffle_seq", "shuffle_seq", "one fixed permutation of all points", "flag"),
    Field("flip_seq", "flip_seq", "points in reverse", "flag"),
    Field("num_samples", "num_samples", "examples, train and test together", "number", 10, 1_100_000, 1),
    Field("train_split", "train_split", "share that goes to train"),
    Field("seed", "seed", "of all that is drawn", "number", 0, 2**32 - 1, 1),
    Field("label_noise", "label_noise", "share of train labels drawn anew"),
    Field("label_noise_seed", "label_noise_seed", "of these labels", "number", 0, 2**32 - 1, 1),
    Field("stream", "stream", "how random numbers are drawn", "choice"),
)
ALL: Final = (*FIRST, *PADDING, *REST)
NAMES: Final = tuple(field.name for field in ALL)


def values_of(config: str) -> list[Any]:
    """Returns the value of each control for a named config, in the order of `ALL`."""
    named = RECIPES[config]
    low, high = named.recipe.padding
    other = {"padding_low": low, "padding_high": high, "stream": named.stream}
    return [other[name] if name in other else getattr(named.recipe, name) for name in NAMES]


def recipe_of(values: Sequence[Any]) -> tuple[Recipe, str]:
    """Returns the recipe and the stream that the controls say.

    Args:
        values: One for each of `ALL`.

    Raises:
        RecipeError: If they are no recipe; the message begins with the field.
    """
    given = dict(zip(NAMES, values, strict=True))
    for field in ALL:
        value = given[field.name]
        if value is None:
            raise RecipeError(f"{field.name} is empty; give a number")
        if field.is_whole and isinstance(value, float) and value.is_integer():
            given[field.name] = int(value)
    stream = given.pop("stream")
    if stream not in STREAMS:
        raise RecipeError(f"stream={stream!r} must be one of {', '.join(STREAMS)}")
    padding = (given.pop("padding_low"), given.pop("padding_high"))
    return Recipe(padding=padding, **given), stream


def changes(config: str, recipe: Recipe) -> dict[str, Any]:
    """Returns the numbers of a recipe that differ from those of a named config, as keywords of `make_mnist1d`."""
    base = RECIPES[config].recipe
    return {
        field.name: getattr(recipe, field.name)
        for field in fields(Recipe)
        if getattr(recipe, field.name) != getattr(base, field.name)
    }


def place_of(message: str) -> str:
    """Returns beside which group of controls an error stands: "first", "padding" or "rest"."""
    groups: Mapping[str, Sequence[str]] = {
        "first": [field.name for field in FIRST],
        "padding": ["padding"],
    }
    return next((group for group, names in groups.items() if message.startswith(tuple(names))), "rest")

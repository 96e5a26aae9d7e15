"""Recipes: every parameter of the generator with its unit and its bounds, and the named ones with why they exist."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Literal, Self, get_args

from mnist1d_hf.checks import flag, is_bool, items, nearest, number, shown, whole_number
from mnist1d_hf.generator.templates import NUM_CLASSES

__all__ = [
    "RECIPES",
    "STREAMS",
    "Recipe",
    "RecipeError",
    "Stream",
    "checked_stream",
    "is_bool",
    "named_recipe",
    "nearest",
]

Stream = Literal["reference", "fast"]
STREAMS: Final[tuple[str, ...]] = get_args(Stream)

LONGEST_SIGNAL: Final = 4096  # points; of more, the tables of clean signals would no longer fit into memory
REFERENCE_CAPACITY: Final = 1_000_000  # examples; the reference stream shuffles them in memory
FAST_CAPACITY: Final = 10**12  # examples; block numbers stay far inside 64 bits

# Lowest and highest value allowed, both included.
INTEGER_BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "num_samples": (NUM_CLASSES, FAST_CAPACITY),
    "template_len": (2, LONGEST_SIGNAL),
    "max_translation": (1, LONGEST_SIGNAL),
    "final_seq_length": (2, LONGEST_SIGNAL),
    "seed": (0, 2**32 - 1),
    "label_noise_seed": (0, 2**32 - 1),
}
REAL_BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "train_split": (0.0, 1.0),
    "scale_coeff": (0.0, 1e3),
    "corr_noise_scale": (0.0, 1e3),
    "iid_noise_scale": (0.0, 1e3),
    "shear_scale": (0.0, 1e3),
    "label_noise": (0.0, 1.0),
}
FLAGS: Final = ("shuffle_seq", "flip_seq")
PADDING: Final = "(low, high), two integers with 0 <= low <= high"


class RecipeError(ValueError):
    """A recipe, stream or config name that cannot be used; the message names the field, its value and the remedy."""


def checked_stream(stream: str) -> Stream:
    """Returns the stream's name, once it is known to exist.

    Raises:
        RecipeError: If it is none of `STREAMS`.
    """
    if not isinstance(stream, str) or str.__str__(stream) not in STREAMS:
        raise RecipeError(f"stream={shown(stream)} is not known{nearest(stream, STREAMS)}")
    return str.__str__(stream)  # type: ignore[return-value]  # just checked


def _padding(value: Any) -> tuple[int, int]:
    ends = items("padding", value, PADDING, 2, error=RecipeError)
    if len(ends) != 2:
        raise RecipeError(f"padding={shown(value)} must be {PADDING}")
    low, high = (whole_number("padding", end, 0, LONGEST_SIGNAL, error=RecipeError) for end in ends)
    if low > high:
        raise RecipeError(f"padding={(low, high)} must be (low, high) with 0 <= low <= high; swap them?")
    return low, high


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Every number that decides what is generated. The defaults make the frozen 2020 data set.

    Attributes:
        num_samples: Examples, train and test together. The reference stream makes ``num_samples // 10`` of each digit.
        train_split: Fraction of the examples that goes to train, rounded down.
        template_len: Points that the template contributes to the dilated length ``template_len + padding[1]``.
        padding: Fewest and most zeros appended to the twelve points of a template; uniform, both included.
        scale_coeff: Width of the interval around 1 from which the amplitude's factor is drawn.
        max_translation: Shifts are uniform on 0 .. max_translation - 1 points, to the right, circular.
        corr_noise_scale: Standard deviation of the noise on the padding, before it is smoothed.
        iid_noise_scale: Standard deviation of the noise on every point.
        shear_scale: Width of the interval around 0 from which the ramp's rise over the whole signal is drawn.
        shuffle_seq: Whether one fixed permutation is applied to the points of all signals.
        final_seq_length: Points of a finished signal.
        seed: Seed of the stream.
        flip_seq: Whether the points of all signals are reversed (after a permutation).
        label_noise: Probability that a train label is replaced by one of the ten digits, drawn uniformly.
        label_noise_seed: Seed of these replacements, apart from ``seed``: x does not depend on them.

    Raises:
        RecipeError: If a value has the wrong type or lies outside its bounds.
    """

    num_samples: int = 5000
    train_split: float = 0.8
    template_len: int = 12
    padding: tuple[int, int] = (36, 60)
    scale_coeff: float = 0.4
    max_translation: int = 48
    corr_noise_scale: float = 0.25
    iid_noise_scale: float = 0.02
    shear_scale: float = 0.75
    shuffle_seq: bool = False
    final_seq_length: int = 40
    seed: int = 42
    flip_seq: bool = False
    label_noise: float = 0.0
    label_noise_seed: int = 0

    def __post_init__(self) -> None:
        for name, (lowest, highest) in INTEGER_BOUNDS.items():
            value = whole_number(name, getattr(self, name), lowest, highest, error=RecipeError)
            object.__setattr__(self, name, value)
        for name, (low, high) in REAL_BOUNDS.items():
            object.__setattr__(self, name, number(name, getattr(self, name), low, high, error=RecipeError))
        for name in FLAGS:
            object.__setattr__(self, name, flag(name, getattr(self, name), error=RecipeError))
        object.__setattr__(self, "padding", _padding(self.padding))

    @property
    def dilated_length(self) -> int:
        """Returns the number of points of a signal between the stages dilate and resample."""
        return self.template_len + self.padding[1]

    def replace(self, **changes: Any) -> Self:
        """Returns this recipe with other values for some fields.

        Raises:
            RecipeError: If a field does not exist or a value is not allowed.
        """
        for name in changes:
            if name not in FIELD_NAMES:
                raise RecipeError(f"{name!r} is not a field of a recipe{nearest(name, FIELD_NAMES)}")
        return replace(self, **changes)

    def split_sizes(self, stream: Stream) -> dict[str, int]:
        """Returns the number of examples of each split, ``{"train": ..., "test": ...}``.

        Raises:
            RecipeError: If the stream cannot hold so many examples.
        """
        total = self.num_samples
        if checked_stream(stream) == "reference":
            if total > REFERENCE_CAPACITY:
                raise RecipeError(
                    f"num_samples={total} is more than the reference stream can hold, {REFERENCE_CAPACITY}, for it "
                    "shuffles them in memory; use stream='fast', which has no such limit"
                )
            total = total // NUM_CLASSES * NUM_CLASSES
        train = int(total * self.train_split)
        return {"train": train, "test": total - train}

    def differences(self) -> dict[str, Any]:
        """Returns the fields that differ from the default recipe, with this recipe's values."""
        return {name: value for name, value in asdict(self).items() if value != getattr(DEFAULT, name)}


FIELD_NAMES: Final = tuple(field.name for field in fields(Recipe))
DEFAULT: Final = Recipe()


@dataclass(frozen=True, kw_only=True)
class NamedRecipe:
    """A recipe that has a name on the Hub.

    Attributes:
        recipe: Its numbers.
        why: What it is for, in a sentence.
        stream: The stream it is made with unless another is asked for.
        latents: Whether padding, scale, shift and shear of each example are columns.
    """

    recipe: Recipe
    why: str
    stream: Stream = "reference"
    latents: bool = False


def _pooling(train: int) -> NamedRecipe:
    total = train + 1000
    return NamedRecipe(
        recipe=Recipe(num_samples=total, train_split=train / total),
        why=f"{train:,} training examples, 1,000 of test, as in the study of pooling over data set size.",
    )


RECIPES: Final[Mapping[str, NamedRecipe]] = {
    "default": NamedRecipe(recipe=DEFAULT, why="The frozen 2020 data set, bit for bit in float32."),
    "high-noise": NamedRecipe(
        recipe=Recipe(corr_noise_scale=0.5, iid_noise_scale=0.1),
        why="Twice the correlated and five times the iid noise: how a model degrades.",
    ),
    "no-noise": NamedRecipe(
        recipe=Recipe(corr_noise_scale=0.0, iid_noise_scale=0.0),
        why="Only padding, scale, shift and shear vary: what the geometry alone costs.",
    ),
    "no-shift": NamedRecipe(
        recipe=Recipe(max_translation=1), why="Digits stay in place: what translation invariance is worth."
    ),
    "no-shear": NamedRecipe(recipe=Recipe(shear_scale=0.0), why="No ramp under the signal: the role of the trend."),
    "shuffled": NamedRecipe(
        recipe=Recipe(shuffle_seq=True),
        why="One fixed permutation of the 40 points: the control that takes away spatial structure.",
    ),
    "flipped": NamedRecipe(
        recipe=Recipe(flip_seq=True), why="The 40 points in reverse: local structure stays, orientation does not."
    ),
    "long": NamedRecipe(
        recipe=Recipe(final_seq_length=120), why="120 points instead of 40: resolution, and longer sequences."
    ),
    "label-noise": NamedRecipe(
        recipe=Recipe(label_noise=0.15),
        why="15 % of the train labels redrawn, so about 13.5 % wrong; the clean label is the column y_clean.",
    ),
    "double-descent": NamedRecipe(
        recipe=Recipe(num_samples=16_000, train_split=0.25),
        why="4,000 training and 12,000 test examples, clean, as in the study of double descent.",
    ),
    "double-descent-noisy": NamedRecipe(
        recipe=Recipe(num_samples=16_000, train_split=0.25, label_noise=0.15),
        why="The double-descent config with 15 % of the train labels redrawn.",
    ),
    **{f"train-{train // 1000}k": _pooling(train) for train in (1000, 2000, 5000, 10_000, 20_000, 50_000)},
    "large": NamedRecipe(
        recipe=Recipe(num_samples=1_100_000, train_split=1_000_000 / 1_100_000),
        why="A million training and 100,000 test examples by the fast stream, for questions about data set size.",
        stream="fast",
    ),
    "latents": NamedRecipe(
        recipe=DEFAULT,
        why="The default with the padding, scale, shift and shear that each example was made with.",
        latents=True,
    ),
}


def known_name(name: str) -> str:
    """Returns the name of a config, once it is known to exist.

    Raises:
        RecipeError: If there is none; the message lists all names and the nearest.
    """
    if not isinstance(name, str) or str.__str__(name) not in RECIPES:
        raise RecipeError(f"there is no config {shown(name)}{nearest(name, RECIPES)}")
    return str.__str__(name)


def named_recipe(name: str) -> NamedRecipe:
    """Returns the recipe of that name.

    Raises:
        RecipeError: If there is none; the message lists all names and the nearest.
    """
    return RECIPES[known_name(name)]

"""How examples come to be, stage by stage: what the pictures of the stages show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from mnist1d_hf.generator.arithmetic import FloatArray, IntArray
from mnist1d_hf.generator.arrays import MNIST1DArrays, Split
from mnist1d_hf.generator.draws import BLOCK_SIZE
from mnist1d_hf.generator.fast_stream import FastStream
from mnist1d_hf.generator.generate import make_mnist1d
from mnist1d_hf.generator.recipe import Recipe, Stream
from mnist1d_hf.generator.stages import STAGES
from mnist1d_hf.generator.templates import NUM_CLASSES, Templates, digit_templates

TEMPLATE = "template"
_TRACEABLE_BYTES = 2**30  # of a trace; the reference stream has to make every example to make one


@dataclass(frozen=True, eq=False)
class Construction:
    """One training example of each digit, from its template to the finished signal.

    Attributes:
        digits: The digits, in the order of the rows.
        recipe: The numbers that they were made with.
        stages: The signals after each stage, ``(digits, length at that stage)``, in raw units: "template", all of
            `STAGES`, and "shuffle", "flip" or "shuffle and flip" where the recipe does so. After "pad" NaN stands
            behind the end of the shorter ones.
    """

    digits: tuple[int, ...]
    recipe: Recipe
    stages: dict[str, FloatArray]

    @classmethod
    def of(cls, arrays: MNIST1DArrays, *, digits: Sequence[int] = range(NUM_CLASSES), index: int = 0) -> Self:
        """Returns the example of each digit that stands at ``index`` among those of train.

        Raises:
            ValueError: If the arrays hold no trace, or not so many examples of a digit.
        """
        return cls._traced(arrays.train, arrays.templates, arrays.recipe, arrays.mean, arrays.std, digits, index)

    @classmethod
    def make(cls, recipe: Recipe, *, stream: Stream = "reference", index: int = 0) -> Self:
        """Returns the example of each digit of a data set that is made for this, as far as it is needed.

        Raises:
            ValueError: If there are not so many examples of a digit, or too many to trace them all.
        """
        if stream == "reference":
            _check_size(recipe)
            return cls.of(make_mnist1d(recipe, trace=True), index=index)
        # A block holds equally many of each digit, and is made whole in any case.
        stop = BLOCK_SIZE * (NUM_CLASSES * index // BLOCK_SIZE + 1)
        fast = FastStream.of(recipe)
        train = fast.slice("train", 0, min(stop, recipe.split_sizes(stream)["train"]), trace=True)
        return cls._traced(train, digit_templates(), recipe, fast.mean, fast.std, range(NUM_CLASSES), index)

    @classmethod
    def _traced(
        cls,
        train: Split,
        templates: Templates,
        recipe: Recipe,
        mean: float,
        std: float,
        digits: Sequence[int],
        index: int,
    ) -> Self:
        if train.trace is None:
            raise ValueError("arrays hold no trace; make them with make_mnist1d(..., trace=True)")
        rows = [_row(train.y_clean, digit, index) for digit in digits]
        stages = {TEMPLATE: templates.x[np.searchsorted(templates.y, digits)]}
        stages |= {stage: train.trace[stage][rows] for stage in STAGES}
        if name := " and ".join(["shuffle"] * recipe.shuffle_seq + ["flip"] * recipe.flip_seq):
            stages[name] = train.x[rows] * std + mean
        return cls(digits=tuple(digits), recipe=recipe, stages=stages)

    @property
    def shift(self) -> IntArray:
        """Returns by how many points the stage "translate" rotated each signal, to the right."""
        before, after = self.stages["scale"], self.stages["translate"]
        shifts = range(before.shape[1])
        return np.array(
            [
                next(shift for shift in shifts if np.array_equal(np.roll(x, shift), y))
                for x, y in zip(before, after, strict=True)
            ]
        )


def _row(y: IntArray, digit: int, index: int) -> int:
    rows = np.flatnonzero(y == digit)
    if not len(rows):
        raise ValueError(
            f"digit={digit} does not occur in train; give one from 0 to {NUM_CLASSES - 1}, or more examples"
        )
    if not 0 <= index < len(rows):
        raise ValueError(f"index={index} must be from 0 to {len(rows) - 1}: train has {len(rows)} of digit {digit}")
    return int(rows[index])


def _check_size(recipe: Recipe) -> None:
    total = recipe.num_samples * recipe.dilated_length * len(STAGES) * np.dtype(np.float64).itemsize
    if total > _TRACEABLE_BYTES:
        raise ValueError(
            f"num_samples={recipe.num_samples}: a trace of so many signals of {recipe.dilated_length} points takes "
            f"{total / 2**30:.1f} GiB; ask for fewer, or for stream='fast', which makes a few of them alone"
        )

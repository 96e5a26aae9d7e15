"""What the generator returns: splits of NumPy arrays, with latents and a trace where asked for."""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist1d_hf.generator.arithmetic import FloatArray, IntArray
from mnist1d_hf.generator.recipe import Recipe, Stream
from mnist1d_hf.generator.templates import Templates


@dataclass(frozen=True, eq=False)
class Latents:
    """The numbers that each example was made with, one array of ``(n,)`` per quantity.

    Attributes:
        padding: Zeros appended to the template.
        scale: Factor on the amplitude.
        shift: Rotation to the right, in points of the dilated signal.
        shear: Rise of the subtracted ramp over the signal's length, before normalisation.
    """

    padding: IntArray
    scale: FloatArray
    shift: IntArray
    shear: FloatArray

    def __getitem__(self, rows: Any) -> "Latents":
        """Returns the latents of some of the examples."""
        return Latents(**{name: column[rows] for name, column in self.columns().items()})

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Returns the arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def concatenate(cls, parts: list["Latents"]) -> "Latents":
        """Returns the latents of several parts, one after another."""
        return cls(**{name: np.concatenate([part.columns()[name] for part in parts]) for name in parts[0].columns()})


@dataclass(frozen=True, eq=False)
class Split:
    """Examples and what is known of them, row by row.

    Attributes:
        x: Signals, ``(n, length)``, normalised.
        y: Labels, int64 ``(n,)``; noisy where the recipe says so.
        y_clean: Labels before noise, ``(n,)``.
        latents: What each example was made with, if asked for.
        trace: Raw signals after each stage, ``(n, length at that stage)`` each, if asked for. They are neither
            normalised nor permuted nor flipped; behind the end of a padded template stands NaN.
    """

    x: FloatArray
    y: IntArray
    y_clean: IntArray
    latents: Latents | None = None
    trace: dict[str, FloatArray] | None = None

    def __len__(self) -> int:
        """Returns the number of examples."""
        return len(self.y)

    def __getitem__(self, rows: Any) -> "Split":
        """Returns some of the examples, chosen by a slice, a mask or indices."""
        return Split(
            x=self.x[rows],
            y=self.y[rows],
            y_clean=self.y_clean[rows],
            latents=self.latents[rows] if self.latents else None,
            trace={stage: signals[rows] for stage, signals in self.trace.items()} if self.trace else None,
        )

    def astype(self, dtype: npt.DTypeLike) -> "Split":
        """Returns the split with x in another precision."""
        return replace(self, x=self.x.astype(dtype, copy=False))

    @classmethod
    def concatenate(cls, parts: list["Split"]) -> "Split":
        """Returns one split of several with the same columns."""
        traces = [part.trace for part in parts if part.trace]
        latents = [part.latents for part in parts if part.latents]
        return cls(
            x=np.concatenate([part.x for part in parts]),
            y=np.concatenate([part.y for part in parts]),
            y_clean=np.concatenate([part.y_clean for part in parts]),
            latents=Latents.concatenate(latents) if latents else None,
            trace={stage: np.concatenate([t[stage] for t in traces]) for stage in traces[0]} if traces else None,
        )


@dataclass(frozen=True, eq=False)
class MNIST1DArrays:
    """A generated data set as NumPy arrays.

    Attributes:
        train: Examples to learn from.
        test: Examples to measure on.
        t: Positions of the points, ``(length,)``, in units of the standard deviation of the raw signals.
        templates: The clean curves that the examples were made from.
        recipe: The numbers of the generator.
        stream: The stream of random numbers.
        mean: What was subtracted from the raw signals.
        std: What they were then divided by.
    """

    train: Split
    test: Split
    t: FloatArray
    templates: Templates
    recipe: Recipe
    stream: Stream
    mean: float
    std: float

    def as_dict(self) -> dict[str, Any]:
        """Returns the reference package's dictionary: x, x_test, y, y_test, t, templates."""
        return {
            "x": self.train.x,
            "x_test": self.test.x,
            "y": self.train.y,
            "y_test": self.test.y,
            "t": self.t,
            "templates": self.templates.as_dict(),
        }

    def astype(self, dtype: npt.DTypeLike) -> "MNIST1DArrays":
        """Returns the data set with x and t in another precision."""
        t = self.t.astype(dtype, copy=False)
        return replace(self, train=self.train.astype(dtype), test=self.test.astype(dtype), t=t)

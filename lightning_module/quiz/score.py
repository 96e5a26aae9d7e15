"""The score of a quiz: the right answers among all, with the interval that they leave open."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Self

from lightning_module.studies.methods.person import CONFUSION

LEVEL = 0.95


@dataclass(frozen=True)
class QuizScore:
    """Right answers among all.

    Attributes:
        right: Right answers.
        of: All answers.
    """

    right: int
    of: int

    @classmethod
    def count(cls, right: Iterable[bool]) -> Self:
        """Returns the score of answers, each of which is right or not."""
        each = list(right)
        return cls(sum(each), len(each))

    @property
    def accuracy(self) -> float | None:
        """Returns the fraction that is right; None without answers."""
        return self.right / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Returns the 95 % interval of the accuracy by Wilson's score; None without answers.

        Source: E. B. Wilson, "Probable inference", JASA 1927. The studies take it from scipy, which is not needed here.
        """
        if not self.of:
            return None
        z = NormalDist().inv_cdf((1 + LEVEL) / 2)
        share, weight = self.right / self.of, z * z / self.of
        middle = share + weight / 2
        half = z * math.sqrt(share * (1 - share) / self.of + weight / (4 * self.of))
        low, high = (middle - half) / (1 + weight), (middle + half) / (1 + weight)
        # But for rounding, no answer right leaves 0 possible, and all right leave 1.
        return low if self.right else 0.0, high if self.right < self.of else 1.0


def published_person() -> QuizScore:
    """Returns the published quiz: one person, one of the authors, who knew the data; each answer counted once."""
    return QuizScore(int(CONFUSION.trace()), int(CONFUSION.sum()))

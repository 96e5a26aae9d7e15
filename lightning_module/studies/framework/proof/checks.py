"""What a check of a result says: ok, DIFFERS or not verified. Nothing to compare with is never ok."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

Answer = Literal["ok", "DIFFERS", "not verified"]


class Check(NamedTuple):
    """The outcome of a comparison, or of one that could not be made.

    Attributes:
        answer: What came out.
        what: In a sentence.
        essential: Whether a result of which this is not verified is not verified as a whole.
    """

    answer: Answer
    what: str
    essential: bool = False

    @property
    def good(self) -> bool:
        """Returns whether nothing differs."""
        return self.answer != "DIFFERS"


def same(holds: bool, what: str, otherwise: str) -> Check:
    """Returns the check that says ok if it holds, else DIFFERS."""
    return Check("ok", what) if holds else Check("DIFFERS", otherwise)


def overall(checks: Iterable[Check]) -> Answer:
    """Returns the answer of all checks together: DIFFERS if one differs, not verified if an essential one is not."""
    checks = list(checks)
    if any(check.answer == "DIFFERS" for check in checks):
        return "DIFFERS"
    if not checks or any(check.answer == "not verified" and check.essential for check in checks):
        return "not verified"
    return "ok"

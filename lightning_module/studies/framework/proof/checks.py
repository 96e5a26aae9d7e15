"""What a check of a result says: ok, DIFFERS or not verified. Nothing to compare with is never ok."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

Answer = Literal["ok", "DIFFERS", "not verified"]


class Check(NamedTuple):
    """Something that was compared, or could not be.

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
    """Returns a check that holds, or does not."""
    return Check("ok", what) if holds else Check("DIFFERS", otherwise)


def overall(checks: Iterable[Check]) -> Answer:
    """Returns what a result is by all its checks: DIFFERS if one does, not verified if something essential is not."""
    checks = list(checks)
    if any(check.answer == "DIFFERS" for check in checks):
        return "DIFFERS"
    if not checks or any(check.answer == "not verified" and check.essential for check in checks):
        return "not verified"
    return "ok"

"""A replication: a study on seeds that nobody used, and where its verdicts disagree with those of another result."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from lightning_module.studies.framework.claims import Verdict

OPPOSITE: Final = {("holds", "fails"), ("fails", "holds")}


class Compared(NamedTuple):
    """The same claim in two results.

    Attributes:
        there: The verdict of the result that was there.
        here: That of the replication.
        agreement: "opposite" verdicts; intervals that are "apart"; "less certain" where one is inconclusive; "same"; or
            "not compared" where one has no contrast.
    """

    there: Verdict
    here: Verdict
    agreement: Literal["opposite", "apart", "less certain", "same", "not compared"]


def compare_verdicts(there: Sequence[Verdict], here: Sequence[Verdict]) -> list[Compared]:
    """Returns each claim with what two results say of it, by the same contrasts.

    Args:
        there: The verdicts of the result that was there.
        here: Those of the replication.
    """
    ours = {verdict.claim.name: verdict for verdict in here}
    return [Compared(each, ours[each.claim.name], _agreement(each, ours[each.claim.name])) for each in there]


def _agreement(there: Verdict, here: Verdict) -> Literal["opposite", "apart", "less certain", "same", "not compared"]:
    if not there.parts or not here.parts:
        return "not compared"
    if (there.finding, here.finding) in OPPOSITE:
        return "opposite"
    pairs = zip(there.parts, here.parts, strict=True)
    if any(a.units and (a.interval.high < b.interval.low or b.interval.high < a.interval.low) for a, b in pairs):
        return "apart"
    return "same" if there.finding == here.finding else "less certain"

"""Three of ten draws end in another minimum, so that a mean is the learning rate of none of them: shares and basins.

The committed table decides; that the runs fall into two clusters was seen in it, before these rules were written.
"""

from dataclasses import replace
from typing import Final

from lightning_module.studies.framework.amendments import Amendment
from lightning_module.studies.framework.claims import Claim, Finding
from lightning_module.studies.framework.quantities import Quantity
from lightning_module.studies.framework.shares import Among, Share
from lightning_module.studies.learning_rate.claims import (
    CLAIMS,
    HIGH,
    LOW,
    SAME,
    SAME_LOSS,
    best,
    mean_loss,
    rate,
)

DATE: Final = "2026-11-28"
KNOWN: Final = "the committed table, with both clusters, from which the new verdict comes too"
BASINS: Final = "three of ten draws end in another minimum: the mean over both is the learning rate of no draw"
MOST: Final = 0.5  # of the draws
APART: Final = rate(HIGH) - rate(LOW)  # 0 in the draws with one minimum
PUBLISHED: Final = (0.615, 0.625)  # what rounds to 0.62

_OLD: Final = {claim.name: claim for claim in CLAIMS}


def _mostly(of: Quantity, *, above: float | None = None, below: float | None = None) -> Finding:
    return Finding(of=Share(of, above, below), above=MOST)


def _amended(name: str, text: str, *findings: Finding) -> Amendment:
    claim = replace(_OLD[name], text=text, finding=findings, number=None)
    return Amendment(claim=claim, date=DATE, reason=BASINS, known=KNOWN)


def _basin(name: str, text: str, of: Quantity) -> Amendment:
    low, high = PUBLISHED
    claim = Claim(name=name, text=text, finding=Finding(of=of, above=low, below=high), exploratory=True)
    return Amendment(claim=claim, date=DATE, reason=BASINS, known=KNOWN)


AMENDMENTS: Final = (
    _amended(
        "converge",
        "From 1.5 and from 0.15 the learning rate comes to the same value, in more than half of the draws.",
        _mostly(APART, above=-SAME, below=SAME),
    ),
    _amended(
        "optimal",
        "What it comes to is the optimal learning rate, in more than half of the draws: none of the grid has a lower "
        "mean loss.",
        *(_mostly(mean_loss(start) - best("loss", "mean_loss"), below=SAME_LOSS) for start in (HIGH, LOW)),
    ),
    _amended(
        "many-starts",
        "Do other starts, from 0.3 to 1.25, come to the same learning rate, in more than half of the draws?",
        *(_mostly(rate(start) - rate(LOW), above=-SAME, below=SAME) for start in (0.3, 0.6, 1.0, 1.25)),
    ),
    _basin("value-of-the-lower-basin", "Is the value that is reached from 0.15 the published 0.62?", rate(LOW)),
    _basin(
        "value-of-one-basin",
        "In draws in which both starts come to the same value, is it the published 0.62?",
        Among(rate(HIGH), APART, -SAME, SAME),
    ),
    _basin(
        "value-of-the-upper-basin",
        "In draws with another minimum, is the value that is reached from 1.5 the published 0.62?",
        Among(rate(HIGH), APART, SAME),
    ),
)

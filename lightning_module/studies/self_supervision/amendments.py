"""Five seeds left most claims open after the correction for several: the same contrasts on fifteen new seeds.

The rules are as they were. "Peaks in the middle" is six contrasts, which all have to hold: each was told from zero
alone, and the claim was not, after the correction. And one run of five learned far less than the others.

Fifteen seeds from 100 on, the fresh arm alone: their number, and that they are these, was fixed here before any was run
(preset "amended"). The results of seeds 0 to 4 were known.
"""

from dataclasses import replace
from typing import Final

from lightning_module.studies.framework.amendments import Amendment
from lightning_module.studies.self_supervision.claims import SOURCES

DATE: Final = "2026-11-28"
AMENDED: Final = "amended"  # the preset
SEEDS: Final = 15
FIRST_SEED: Final = 100
REASON: Final = "five seeds are too few after the correction for several claims; the contrast is as it was"
KNOWN: Final = "the verdict of seeds 0 to 4; none of seeds 100 to 114"

AMENDMENTS: Final = tuple(
    Amendment(claim=replace(claim, number=None), date=DATE, reason=REASON, known=KNOWN, decided_by=AMENDED)
    for claim in SOURCES
    if claim.not_tested is None
)

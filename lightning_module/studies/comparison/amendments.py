"""An adjective without a margin: "much more" is at least a doubling of the odds, chosen from the word alone."""

import math
from dataclasses import replace
from typing import Final

from lightning_module.studies.comparison.claims import CLAIMS, learned
from lightning_module.studies.framework.amendments import Amendment
from lightning_module.studies.framework.quantities import Unpaired

DATE: Final = "2026-11-28"
MUCH: Final = round(math.log(2), 6)  # of log-odds

_OLD: Final = {claim.name: claim for claim in CLAIMS}

AMENDMENTS: Final = (
    Amendment(
        claim=replace(
            _OLD["representation"],
            text="Learning a nonlinear representation matters much more on MNIST-1D: there the CNN gains over kNN at "
            "least twice the odds that it gains on MNIST.",
            finding=Unpaired(learned("mnist1d"), learned("mnist")) > MUCH,
        ),
        date=DATE,
        reason="the source says much more, and the rule had no margin",
        known="the old verdict, and the committed table, from which the new one comes too",
    ),
)

"""Ranks that are the same in all seeds have no variance and give no p; and 400 steps are not the source's setting.

What the source says of MNIST and CIFAR-10 is about whole data sets and full trainings. From 4,000 digits and 400 steps
that can be neither confirmed nor refuted, so those claims are "inconclusive for the source's setting", and what is seen
here is a question of its own: by losses, with the size of the difference, and not by ranks.

"Substantially outperforms" had no margin either. The source gives one itself: more than 5 points over ReLU. Now that is
asked of each of the six functions. It was written with the committed table known, which decides.
"""

from dataclasses import replace
from typing import Final

from lightning_module.studies.activation.claims import CLAIMS, NAMES, OTHERS, result
from lightning_module.studies.framework.amendments import OTHER_SETTING, Amendment
from lightning_module.studies.framework.claims import Claim, Finding
from lightning_module.studies.framework.quantities import Quantity, Value, smallest, value

DATE: Final = "2026-11-28"
KNOWN: Final = "the committed table, from which the new verdict comes too"
SETTING: Final = f"{OTHER_SETTING}: 400 steps on a part of the images are not a full training"
SUBSTANTIALLY: Final = 0.05  # by the source's own number for ReLU
NO_MARGIN: Final = "the source says substantially, and the rule had no margin; its own number for ReLU is 5 points"
RANKS: Final = "the rank is the same in all five seeds: no variance, and no p; and the setting is not the source's"

_OLD: Final = {claim.name: claim for claim in CLAIMS}


def transferred(function: str, column: str, data: str) -> Value:
    """Returns a loss of the CNN with an activation function on images, by seed."""
    return value(column, table="transfer", data=data, function=function)


def behind_best(column: str, data: str) -> Quantity:
    """Returns by how much the learned function's loss is above the lowest one of the others, by seed."""
    return transferred("learned", column, data) - smallest(*(transferred(name, column, data) for name in OTHERS))


def _question(name: str, text: str, finding: Finding) -> Amendment:
    claim = Claim(name=name, text=text, finding=finding, exploratory=True)
    return Amendment(claim=claim, date=DATE, reason="the size of the difference, in place of a rank", known=KNOWN)


AMENDMENTS: Final = (
    *(
        Amendment(
            claim=replace(
                _OLD[f"above-{function}"],
                text=f"The learned function substantially outperforms {NAMES[function]}: by more than 5 points.",
                number=None,
                finding=result("learned") - result(function) > SUBSTANTIALLY,
            ),
            date="2026-11-29",
            reason=NO_MARGIN,
            known=KNOWN,
        )
        for function in OTHERS
    ),
    *(
        Amendment(claim=replace(_OLD[name], finding=(), not_tested=SETTING), date=DATE, reason=RANKS, known=KNOWN)
        for name in ("mnist-middle", "mnist-early")
    ),
    _question(
        "mnist-test-loss",
        "With 400 steps on a part of MNIST, is the learned function's test loss lower than the best of the others?",
        behind_best("test_loss", "mnist") < 0.0,
    ),
    _question(
        "mnist-early-loss",
        "With 400 steps on a part of MNIST, is its early training loss higher than ReLU's?",
        transferred("learned", "early_loss", "mnist") - transferred("relu", "early_loss", "mnist") > 0.0,
    ),
    _question(
        "digits-below-relu",
        "On scikit-learn's digits, is the accuracy with the learned function lower than with ReLU?",
        transferred("learned", "accuracy", "digits") - transferred("relu", "accuracy", "digits") < 0.0,
    ),
)

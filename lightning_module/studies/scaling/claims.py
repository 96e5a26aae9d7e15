"""What is asked about scaling, as claims: published laws of other data beside our own questions, with margins.

What was known when they were written: the entropy of the posterior of both recipes (0.757 and about 0.1 nats), and
nothing of a network at any n. All margins stood before there was a result.

**The prediction.** A law is fitted to n up to 64,000 and asked for the loss at 1,024,000. It is right if the excess
loss that it means is within a factor of 1.5 of the one that is there: between a third less and a half more. The same
holds for the raw loss with a floor that is fitted, whose miss is taken over the excess loss too: only so is it
comparable.

**The exponents** that networks and publications are compared by are fitted from 4,000 on: with fewer examples a network
may know next to nothing, its curve is flat there, and how long it is flat is no exponent. (On made-up curves with one
exponent and such a beginning, fits from 250 on differed by 0.1.)
"""

import math
from typing import Final

from lightning_module.studies.framework.claims import Claim, Finding
from lightning_module.studies.framework.quantities import Quantity, mean_of
from lightning_module.studies.framework.turning_points import Log
from lightning_module.studies.scaling.config import RECIPES, UNITS, ScalingConfig
from lightning_module.studies.scaling.curves import Curve, Excess, Fitted, Local, Miss

OWN: Final = "our question"
HESTNESS: Final = "our question; Hestness et al. 2017 say it of language, images and speech"
KAPLAN: Final = "our question; 0.095 is Kaplan et al. 2020's, of language"
HOFFMANN: Final = "our question; 0.28 is Hoffmann et al. 2022's, of language, with a floor that is fitted"
SIZES: Final = ScalingConfig().sizes
LAST: Final = SIZES[-1]
LEARNED: Final = 4000  # examples from which on something is
FACTOR: Final = 1.5
ALIKE: Final = 0.1  # of exponents
NEAR: Final = 0.05  # nats, of floors
NAMES: Final = {"mlp": "MLP", "cnn": "CNN"}


def _question(name: str, text: str, *findings: Finding, source: str = OWN) -> Claim:
    return Claim(name=name, text=text, source=source, finding=findings, exploratory=True)


def _predicted(recipe: str, network: str) -> list[Claim]:
    """Returns the claims on whether laws that are fitted to small n predict the loss with a million examples."""
    curve, where = Curve(recipe, network), f"{recipe}, {NAMES[network]}"

    def within(of: Quantity) -> Finding:
        return Finding(of=of, above=1 / FACTOR - 1, below=FACTOR - 1)

    return [
        _question(
            f"excess-predicts-{recipe}-{network}",
            f"{where}: the law of the excess loss up to 64,000 examples predicts that at 1,024,000, within a factor of "
            f"{FACTOR}.",
            within(Miss(curve, "excess")),
        ),
        _question(
            f"excess-from-1000-predicts-{recipe}-{network}",
            f"{where}: so it does without the 250 examples, with which hardly anything is learned.",
            within(Miss(curve, "excess", low=1000)),
        ),
        _question(
            f"raw-predicts-{recipe}-{network}",
            f"{where}: the law of the raw loss, its floor fitted, predicts it as well.",
            within(Miss(curve, "raw")),
        ),
        _question(
            f"floor-found-{recipe}-{network}",
            f"{where}: the fitted floor is the true one, within {NEAR} nats.",
            Finding(of=Fitted(curve, "floor", of="raw", floor=True), above=-NEAR, below=NEAR),
        ),
        _question(
            f"exponent-kept-{recipe}-{network}",
            f"{where}: the exponent is the same with a fitted floor as with the known one, within {ALIKE}.",
            Finding(
                of=Fitted(curve, "exponent", of="raw", floor=True) - Fitted(curve, "exponent"),
                above=-ALIKE,
                below=ALIKE,
            ),
        ),
    ]


def _laws(recipe: str) -> list[Claim]:
    """Returns the claims on a recipe's exponents beside the published laws."""
    curves = {network: Curve(recipe, network) for network in UNITS}
    exponents = {network: Fitted(curve, "exponent", low=LEARNED, high=LAST) for network, curve in curves.items()}
    leads = [Log(Excess(curves["mlp"], n) / Excess(curves["cnn"], n)) for n in SIZES[1:]]
    return [
        _question(
            f"architecture-not-exponent-{recipe}",
            f"{recipe}: the architecture does not change the exponent: those of MLP and CNN differ by less than "
            f"{ALIKE}.",
            Finding(of=exponents["cnn"] - exponents["mlp"], above=-ALIKE, below=ALIKE),
            source=HESTNESS,
        ),
        _question(
            f"architecture-constant-{recipe}",
            f"{recipe}: it changes the constant: the excess loss of the MLP is more than 1.25 times that of the CNN, "
            "in the mean over 1,000 examples and more.",
            mean_of(*leads) > math.log10(1.25),
            source=HESTNESS,
        ),
        _question(
            f"steeper-than-hestness-{recipe}",
            f"{recipe}: the excess loss falls faster than any law of Hestness et al., whose exponents are at most "
            "0.35: MLP and CNN.",
            *(exponent > 0.35 for exponent in exponents.values()),
            source=HESTNESS,
        ),
        _question(
            f"steeper-than-kaplan-{recipe}",
            f"{recipe}: and faster than with the power 0.095: MLP and CNN.",
            *(exponent > 0.095 for exponent in exponents.values()),
            source=KAPLAN,
        ),
        _question(
            f"raw-steeper-than-hoffmann-{recipe}",
            f"{recipe}: the raw loss beyond a fitted floor falls faster than with the power 0.28: MLP and CNN.",
            *(
                Fitted(curve, "exponent", of="raw", floor=True, low=LEARNED, high=LAST) > 0.28
                for curve in curves.values()
            ),
            source=HOFFMANN,
        ),
        _question(
            f"slower-than-knowing-{recipe}",
            f"{recipe}: it falls slower than 1/n, the law of a learner that knows the generator up to its numbers: MLP "
            "and CNN.",
            *(exponent < 1.0 for exponent in exponents.values()),
        ),
        _question(
            f"flattens-{recipe}",
            f"{recipe}: of the network of half the width the exponent at the end, from 256,000 to 1,024,000, is less "
            "than half of that from 4,000 to 16,000: MLP and CNN.",
            *(
                Local(half, SIZES[-2], LAST) / Local(half, 4000, 16_000) < 0.5
                for half in (Curve(recipe, network, 0.5) for network in UNITS)
            ),
        ),
        _question(
            f"half-width-has-a-floor-{recipe}",
            f"{recipe}: of the network of half the width more than half of the excess loss at 1,024,000 is an "
            "approximation error, the floor of a law fitted to all n: MLP and CNN.",
            *(Fitted(Curve(recipe, network, 0.5), "floor-share", floor=True, high=LAST) > 0.5 for network in UNITS),
        ),
        _question(
            f"width-matters-at-the-end-{recipe}",
            f"{recipe}: at 1,024,000 examples half the width has more than 1.25 times the excess loss of twice the "
            "width: MLP and CNN.",
            *(
                Excess(Curve(recipe, network, 0.5), LAST) / Excess(Curve(recipe, network, 2.0), LAST) > 1.25
                for network in UNITS
            ),
        ),
    ]


CLAIMS: Final = tuple(
    claim
    for recipe in RECIPES
    for claim in [*(each for network in UNITS for each in _predicted(recipe, network)), *_laws(recipe)]
)

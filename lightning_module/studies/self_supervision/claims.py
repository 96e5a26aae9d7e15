"""What the source says about self-supervised learning, as claims; our questions about it; and the regression bands.

**The best layer** is chosen for each seed by a probe that saw four fifths of the labelled training signals, on the last
fifth, and reported on test by a probe that saw all of them. The published best layers are selected on the test split:
they stand beside ours that are, as numbers without a part in a finding.

**The margins.** "Higher", "highest", "peaks" have the margin 0. "Similar quality" compares accuracies around 82 % of
runs on 1000 test signals, whose difference has a standard error of 1.7 points; two of them are 3.4. In whole points:
what is similar must differ by less than 3.

**Isolated clusters.** In the output space the ten nearest training signals of a test signal are of its own digit; the
share of those that are, by digit, needs no picture. The weakest of the digits that the source names must exceed the
strongest of those that it does not.
"""

from typing import Any, Final

from lightning_module.studies.framework.cells import Band
from lightning_module.studies.framework.claims import Claim, Finding, Number
from lightning_module.studies.framework.quantities import Across, Combined, Quantity, Value, largest, smallest, value
from lightning_module.studies.methods.simclr.encoder import PROJECTORS, Projector
from lightning_module.studies.self_supervision.published import (
    EPOCHS,
    LATEST,
    LOSS,
    NEIGHBOURS,
    OWN_RUNS,
    output_layer,
    published_gain,
    published_probe,
)

PAPER: Final = "Greydanus & Kobak 2024, section 5.5"
NOTEBOOK: Final = "Greydanus & Kobak 2024, notebook"
SIMILAR: Final = 0.03
ISOLATED: Final = (0, 3, 6, 8)
HEAD: Final = {"default": "two layers", "none": "no head", "deep": "four layers"}


def linear(projector: Projector, layer: int, **where: Any) -> Value:
    """Returns the accuracy of a linear classifier after a layer, by seed; of the fresh arm if nothing else is said."""
    return value(
        "accuracy", **{"arm": "fresh", "probe": "linear", "on": "fresh test", **where}, projector=projector, layer=layer
    )


def as_published(projector: Projector, layer: int, *, probe: str = "linear") -> Value:
    """Returns the accuracy on the frozen test split after the published number of epochs, by seed."""
    return linear(projector, layer, arm="frozen", on="test", epoch=EPOCHS, probe=probe)


def chosen(projector: Projector, column: str = "accuracy", *, arm: str = "fresh", on: str = "fresh test") -> Value:
    """Returns the accuracy after the layer chosen on validation, by seed; or that of the "input" or the "output"."""
    return value(column, table="chosen", arm=arm, projector=projector, on=on)


def over_training(projector: Projector, layer: int, **where: Any) -> Value:
    """Returns the accuracy after a layer at some time of the training, in the fresh arm, by seed."""
    return value("accuracy", table="training", arm="fresh", projector=projector, layer=layer, probe="linear", **where)


def _best(projector: Projector) -> Across:
    return largest(*(as_published(projector, layer) for layer in range(output_layer(projector) + 1)))


def _selected_gain(projector: Projector) -> Number:
    of = _best(projector) - as_published(projector, output_layer(projector))
    return Number(of=of, published=published_gain(projector))


def _peaks(projector: Projector, **where: Any) -> tuple[Finding, Finding]:
    best = chosen(projector, **where)
    return tuple(Finding(of=best - chosen(projector, end, **where), above=0.0) for end in ("output", "input"))  # type: ignore[return-value]


def _purity(digit: int) -> Value:
    return value("purity", table="digits", arm="fresh", projector="default", digit=digit)


def _isolation() -> Combined:
    others = [digit for digit in range(10) if digit not in ISOLATED]
    return smallest(*map(_purity, ISOLATED)) - largest(*map(_purity, others))


SOURCES = (
    Claim(
        name="pixels",
        text="The accuracy of logistic regression on the signals themselves is low (33 %); what SimCLR makes of them "
        "is easier to classify.",
        source=PAPER,
        number=Number(of=as_published("default", 0), published=0.33, rounding=0.005),
        finding=Finding(of=chosen("default") - linear("default", 0), above=0.0),
    ),
    Claim(
        name="before-the-head",
        text="A linear classifier reaches 82 % before the projection head, more than after it: guillotine "
        "regularisation.",
        source=PAPER,
        number=Number(of=as_published("default", 3), published=0.82, rounding=0.005),
        finding=Finding(of=linear("default", 3) - linear("default", 5), above=0.0),
    ),
    Claim(
        name="second-layer",
        text="The accuracy is the highest after the second layer (of the latest stored run, after the third).",
        source=PAPER,
        number=Number(
            of=as_published("default", 2) - as_published("default", 3),
            published=published_probe("default", 2) - published_probe("default", 3),
        ),
        finding=tuple(
            Finding(of=linear("default", 2) - linear("default", other), above=0.0) for other in (0, 1, 3, 4, 5)
        ),
    ),
    Claim(
        name="peaks-in-the-middle",
        text="With the default head, a deeper one and none, the accuracy always peaks in the middle: neither at the "
        "output nor at the input.",
        source=f"{PAPER} and figure 8b",
        finding=tuple(finding for projector in PROJECTORS for finding in _peaks(projector)),
    ),
    Claim(
        name="similar-quality",
        text="A deeper head, or none, comes to a representation of similar quality: within 3 points.",
        source=PAPER,
        finding=tuple(
            Finding(of=chosen(other) - chosen("default"), above=-SIMILAR, below=SIMILAR) for other in ("deep", "none")
        ),
    ),
    Claim(
        name="isolated-digits",
        text="In the output space digits 0, 3, 6 and 8 are isolated clusters, and the others are not.",
        source=f"{PAPER} and figure 8a",
        finding=Finding(of=_isolation(), above=0.0),
    ),
    Claim(
        name="run-time",
        text="Training takes about a minute on a CPU, all three encoders about five.",
        source=PAPER,
        not_tested="a time belongs to a machine; benchmarks/self_supervision.py compares with the published loop",
    ),
    Claim(
        name="trained-on-test-signals",
        text="The encoder is trained on training and test signals together.",
        source=PAPER,
        not_tested="the notebook that the numbers come from trains on the 4,000 training signals alone, and so do we",
    ),
)


def _question(name: str, text: str, *findings: Finding) -> Claim:
    return Claim(name=name, text=text, source="our question", finding=findings, exploratory=True)


def _above_zero(name: str, text: str, *of: Quantity) -> Claim:
    return _question(name, text, *(Finding(of=each, above=0.0) for each in of))


QUESTIONS = (
    _question(
        "peaks-in-the-middle-frozen",
        "Does the accuracy peak in the middle on the frozen data as well?",
        *(f for projector in PROJECTORS for f in _peaks(projector, arm="frozen", on="test")),
    ),
    _above_zero(
        "training-helps",
        "Is the last convolution better than that of the same encoder before training?",
        over_training("default", 3, last=True) - over_training("default", 3, epoch=0),
    ),
    _above_zero(
        "not-the-width",
        "The output has 16 units and the layers before it have 125: with 16 principal components of each, is the last "
        "convolution still better than the output (default and deep)?",
        linear("default", 3, probe="linear 16") - linear("default", 5),
        linear("deep", 3, probe="linear 16") - linear("deep", 7),
    ),
    _above_zero(
        "no-head-harms-the-output",
        "Without a head, is the last convolution worse than with the default one?",
        linear("default", 3) - linear("none", 3),
    ),
    _above_zero(
        "deeper-head-worse-output",
        "Is the output of the deep head worse than that of the default one?",
        linear("default", 5) - linear("deep", 7),
    ),
)

NUMBERS = (
    *(
        Claim(
            name=f"gain-{projector}",
            text=f"{HEAD[projector]}: the best layer, selected on test, is better than the output by "
            f"{100 * published_gain(projector):.1f} points.",
            source=f"{NOTEBOOK}, {LATEST} run",
            number=_selected_gain(projector),
        )
        for projector in PROJECTORS
    ),
    *(
        Claim(
            name=f"linear-{projector}-{layer}-{run.split()[0].lower()}",
            text=f"{HEAD[projector]}, layer {layer}: {100 * published_probe(projector, layer, run):.1f} %.",
            source=f"{NOTEBOOK}, {run} run",
            number=Number(of=as_published(projector, layer), published=published_probe(projector, layer, run)),
        )
        for run in OWN_RUNS
        for projector in PROJECTORS
        for layer in range(0 if projector == "default" else 1, output_layer(projector) + 1)
    ),
    *(
        Claim(
            name=f"neighbours-{projector}-{run.split()[0].lower()}",
            text=f"{HEAD[projector]}: ten nearest neighbours in the output space reach "
            f"{NEIGHBOURS[run][projector]:.1f} %.",
            source=f"{NOTEBOOK}, {run} run",
            number=Number(
                of=as_published(projector, output_layer(projector), probe="neighbours"),
                published=NEIGHBOURS[run][projector] / 100,
            ),
        )
        for run in OWN_RUNS
        for projector in PROJECTORS
    ),
    *(
        Claim(
            name=f"loss-{projector}",
            text=f"{HEAD[projector]}: the loss of the last epoch is {LOSS[projector]:.2f}.",
            source=f"{NOTEBOOK}, {LATEST} run",
            number=Number(
                of=value("loss", table="losses", arm="frozen", projector=projector, epoch=EPOCHS),
                published=LOSS[projector],
                rounding=0.005,
            ),
        )
        for projector in PROJECTORS
    ),
)

CLAIMS = (*SOURCES, *QUESTIONS, *NUMBERS)

_LEAST_GAIN: Final[dict[Projector, float]] = {"default": 0.04, "none": 0.18, "deep": 0.14}

BANDS = (
    *(
        Band(
            name=f"best layer minus output, {HEAD[projector]}, frozen",
            of=_best(projector) - as_published(projector, output_layer(projector)),
            low=least,
            high=0.5,
        )
        for projector, least in _LEAST_GAIN.items()
    ),
    *(Band(name=f"best layer, {HEAD[each]}, frozen", of=_best(each), low=0.79, high=0.86) for each in PROJECTORS),
    Band(name="last convolution, two layers, frozen", of=as_published("default", 3), low=0.78, high=0.85),
    Band(name="input, frozen", of=as_published("default", 0), low=0.32, high=0.34),
    Band(name="output, no head, frozen", of=as_published("none", 3), low=0.48, high=0.62),
)

"""What the sources say about the benchmark, as claims; and where its numbers were before, as regression bands."""

from typing import Any

from lightning_module.studies.framework.cells import Band
from lightning_module.studies.framework.claims import Claim, Finding, Number
from lightning_module.studies.framework.quantities import Unpaired, Value, proportion, value
from lightning_module.studies.methods.person import PUBLISHED_ACCURACY

PAPER = "Greydanus & Kobak 2024"
FIGURE_2 = f"{PAPER}, figure 2"
TABLE = f"README and {PAPER}, table 1"
STEPS = 6000  # of the published protocol, where the published numbers are


def accuracy(network: str, points: str = "own", *, arm: str = "fresh", on: str = "fresh test", **where: Any) -> Value:
    """Returns the accuracy after the last step, by seed."""
    return value("accuracy", arm=arm, network=network, points=points, on=on, **where)


def frozen_accuracy(network: str, points: str = "own") -> Value:
    """Returns the accuracy on the frozen test split after the last step of the published protocol, by seed."""
    return accuracy(network, points, arm="frozen", on="test", step=STEPS)


def _published(network: str, number: float, points: str = "own") -> Number:
    # Printed as whole percents; one run each.
    return Number(of=frozen_accuracy(network, points), published=number, rounding=0.005)


# "All reach 100 % on the training set": at the printed precision.
PERFECT = 0.995

CLAIMS = (
    Claim(
        name="logistic",
        text="Logistic regression (32 %) fares worse than the MLP.",
        source=TABLE,
        number=_published("logistic", 0.32),
        finding=Finding(of=accuracy("mlp") - accuracy("logistic"), above=0.0),
    ),
    Claim(
        name="mlp",
        text="The MLP (68 %) fares worse than the CNN and the GRU.",
        source=TABLE,
        number=_published("mlp", 0.68),
        finding=(
            Finding(of=accuracy("cnn") - accuracy("mlp"), above=0.0),
            Finding(of=accuracy("gru") - accuracy("mlp"), above=0.0),
        ),
    ),
    Claim(
        name="cnn",
        text="The CNN (94 %) does worse when shuffling destroys local correlations: it uses the spatial prior.",
        source=TABLE,
        number=_published("cnn", 0.94),
        finding=Finding(of=accuracy("cnn") - accuracy("cnn", "shuffled"), above=0.0),
    ),
    Claim(
        name="gru",
        text="The GRU (91 %) does worse when shuffling destroys local correlations.",
        source=TABLE,
        number=_published("gru", 0.91),
        finding=Finding(of=accuracy("gru") - accuracy("gru", "shuffled"), above=0.0),
    ),
    Claim(
        name="cnn-above-gru",
        text="The CNN is the best of the four networks.",
        source=TABLE,
        finding=Finding(of=accuracy("cnn") - accuracy("gru"), above=0.0),
    ),
    Claim(
        name="shuffled-mlp",
        text="After shuffling the MLP (68 %) is the best of the four.",
        source=FIGURE_2,
        number=_published("mlp", 0.68, "shuffled"),
        finding=tuple(
            Finding(of=accuracy("mlp", "shuffled") - accuracy(other, "shuffled"), above=0.0)
            for other in ("logistic", "cnn", "gru")
        ),
    ),
    Claim(
        name="shuffled-cnn",
        text="After shuffling the CNN reaches 56 %, less than the MLP.",
        source=TABLE,
        number=_published("cnn", 0.56, "shuffled"),
        finding=Finding(of=accuracy("mlp", "shuffled") - accuracy("cnn", "shuffled"), above=0.0),
    ),
    Claim(
        name="shuffled-gru",
        text="After shuffling the GRU reaches 57 %, less than the MLP.",
        source=TABLE,
        number=_published("gru", 0.57, "shuffled"),
        finding=Finding(of=accuracy("mlp", "shuffled") - accuracy("gru", "shuffled"), above=0.0),
    ),
    Claim(
        name="shuffled-logistic",
        text="Logistic regression (32 %) does not notice the shuffling. It cannot: this checks the machinery.",
        source=TABLE,
        number=_published("logistic", 0.32, "shuffled"),
        finding=Finding(of=accuracy("logistic") - accuracy("logistic", "shuffled"), above=-0.005, below=0.005),
        exploratory=True,
    ),
    Claim(
        name="mlp-order",
        text="The MLP does not notice the shuffling. It cannot, in distribution: this checks the machinery.",
        source=TABLE,
        finding=Finding(of=accuracy("mlp") - accuracy("mlp", "shuffled"), above=-0.02, below=0.02),
        exploratory=True,
    ),
    Claim(
        name="perfect-training",
        text="All networks except logistic regression fit the training set perfectly (100 % as printed).",
        source=f"{PAPER}, table 1",
        finding=(
            *(Finding(of=accuracy(each, on="train", step=STEPS), above=PERFECT) for each in ("mlp", "cnn", "gru")),
            Finding(of=accuracy("logistic", on="train", step=STEPS), below=PERFECT),
        ),
    ),
    Claim(
        name="human",
        text="A practised human (95.8 %) beats a strong CNN. One person with feedback; the same 400 signals for both.",
        source=PAPER,
        number=Number(of=proportion("hits", "trials", network="human"), published=PUBLISHED_ACCURACY, rounding=0.0005),
        finding=Finding(
            of=Unpaired(proportion("hits", "trials", network="human"), value("accuracy", table="quiz", network="cnn")),
            above=0.0,
        ),
    ),
    Claim(
        name="human-shuffled",
        text="A human reads about 30 % of shuffled signals.",
        source="README",
        not_tested="no data were ever published, and reading shuffled signals needs a person",
    ),
    Claim(
        name="easy-digits",
        text="The CNN, like the human, makes no errors on 3 and 6 (0 % as printed).",
        source="Greydanus 2020, errors by class on 500 test signals",
        number=Number(of=value("errors_on_3_and_6", table="quiz", network="cnn"), published=0.0),
        finding=Finding(
            of=value("error", table="classes", arm="fresh", network="cnn", points="own", digit=(3, 6)), below=0.005
        ),
    ),
    Claim(
        name="cnn-best-evaluation",
        text="Is the CNN's 94 % within reach of the last step, without selection on test?",
        source="our question",
        finding=Finding(of=accuracy("cnn"), above=0.935),
        exploratory=True,
    ),
)


def _band(name: str, of: Any, low: float, high: float) -> Band:
    return Band(name=name, of=of, low=low, high=high)


BANDS = (
    _band("logistic, frozen", frozen_accuracy("logistic"), 0.31, 0.34),
    _band("MLP, frozen", frozen_accuracy("mlp"), 0.62, 0.67),
    _band("CNN, frozen", frozen_accuracy("cnn"), 0.915, 0.95),
    _band("GRU, frozen", frozen_accuracy("gru"), 0.88, 0.93),
    _band("CNN minus MLP, frozen", frozen_accuracy("cnn") - frozen_accuracy("mlp"), 0.25, 0.35),
    _band("MLP minus logistic, frozen", frozen_accuracy("mlp") - frozen_accuracy("logistic"), 0.28, 0.36),
    _band("CNN shuffled, frozen", frozen_accuracy("cnn", "shuffled"), 0.54, 0.61),
    _band("GRU shuffled, frozen", frozen_accuracy("gru", "shuffled"), 0.50, 0.58),
    _band("MLP shuffled, frozen", frozen_accuracy("mlp", "shuffled"), 0.61, 0.69),
    _band("CNN's drop by shuffling, frozen", frozen_accuracy("cnn") - frozen_accuracy("cnn", "shuffled"), 0.30, 0.42),
)

"""What is said and asked about the continuum of spatial priors; and the exact checks of the machinery, as bands."""

from typing import Final

from lightning_module.studies.framework.cells import Band
from lightning_module.studies.framework.claims import Claim, Finding
from lightning_module.studies.framework.quantities import Combined, Value, value

BLOG: Final = 'Greydanus 2020, "Measuring the spatial priors of deep networks"'
OWN: Final = "our question"
SPATIAL: Final = ("transformer", "locally_connected", "cnn", "average_cnn")
ORDER_BLIND: Final = ("deep_sets", "transformer_set")
ALIKE: Final = 0.02  # the benchmark's margin for "does not notice the shuffling"


def accuracy(network: str, points: str = "own") -> Value:
    """Returns the accuracy on fresh tests after the last step, by seed."""
    return value("accuracy", network=network, points=points, on="fresh test")


def position(network: str, points: str = "own") -> Combined:
    """Returns where a network lies on the way from the MLP (0) to the CNN (1), which both see ordered points."""
    return (accuracy(network, points) - accuracy("mlp")) / (accuracy("cnn") - accuracy("mlp"))


def drop(network: str) -> Combined:
    """Returns the accuracy that shuffling costs."""
    return accuracy(network) - accuracy(network, "shuffled")


CLAIMS: Final = (
    # "Between" is the source's word and has no other margins than the two ends.
    Claim(
        name="moderate-prior-between",
        text="Networks with more moderate spatial priors would sit between the MLP and the CNN: the locally connected "
        "one, which knows neighbours but does not share weights.",
        source=BLOG,
        finding=Finding(of=position("locally_connected"), above=0.0, below=1.0),
    ),
    Claim(
        name="transformer-between",
        text="A Transformer with learned positions sits between the MLP and the CNN.",
        source=OWN,
        finding=Finding(of=position("transformer"), above=0.0, below=1.0),
        exploratory=True,
    ),
    Claim(
        name="average-cnn-beyond",
        text="Global average pooling, a stronger prior, lies beyond the CNN.",
        source=OWN,
        finding=Finding(of=position("average_cnn"), above=1.0),
        exploratory=True,
    ),
    Claim(
        name="deep-sets-below",
        text="A set of values, each looked at alone, is worse than the MLP.",
        source=OWN,
        finding=Finding(of=position("deep_sets"), below=0.0),
        exploratory=True,
    ),
    Claim(
        name="transformer-set-below",
        text="A set of values that look at each other is worse than the MLP.",
        source=OWN,
        finding=Finding(of=position("transformer_set"), below=0.0),
        exploratory=True,
    ),
    Claim(
        name="sharing-matters-more",
        text="Weight sharing is the larger half of the CNN's prior: knowing neighbours alone goes less than half way.",
        source=OWN,
        finding=Finding(of=position("locally_connected"), below=0.5),
        exploratory=True,
    ),
    *(
        Claim(
            name=f"shuffled-{network.replace('_', '-')}",
            text=f"After shuffling the {name} lies below the MLP: a prior that is wrong costs.",
            source=OWN,
            finding=Finding(of=position(network, "shuffled"), below=0.0),
            exploratory=True,
        )
        for network, name in zip(
            SPATIAL,
            ("Transformer with positions", "locally connected network", "CNN", "CNN with global pooling"),
            strict=True,
        )
    ),
    Claim(
        name="stronger-prior-larger-drop",
        text="The stronger the prior, the more shuffling costs: the pooled CNN more than the CNN, that one more than "
        "the locally connected network, and that one more than the MLP.",
        source=OWN,
        finding=(
            Finding(of=drop("average_cnn") - drop("cnn"), above=0.0),
            Finding(of=drop("cnn") - drop("locally_connected"), above=0.0),
            Finding(of=drop("locally_connected") - drop("mlp"), above=0.0),
        ),
        exploratory=True,
    ),
    *(
        Claim(
            name=f"{network.replace('_', '-')}-order",
            text=f"{name} does not notice the shuffling. It cannot: this checks the machinery.",
            source=OWN,
            finding=Finding(of=drop(network), above=-ALIKE, below=ALIKE),
            exploratory=True,
        )
        for network, name in {
            "mlp": "The MLP",
            "deep_sets": "Deep sets",
            "transformer_set": "The Transformer without positions",
        }.items()
    ),
)


def _permuted(column: str, network: str) -> Value:
    return value(column, table="permuted", network=network)


# Exact, at every size: what is blind to the order of the points changes its mind about no signal.
BANDS: Final = (
    *(
        Band(name=f"{network}, answers unchanged", of=_permuted("unchanged", network), low=1.0, high=1.0)
        for network in ORDER_BLIND
    ),
    *(
        Band(name=f"{network}, change of logits", of=_permuted("change", network), low=0.0, high=1e-9)
        for network in ORDER_BLIND
    ),
)

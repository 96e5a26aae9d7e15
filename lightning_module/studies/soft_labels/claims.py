"""What is asked about soft labels, as claims: none is a source's, all margins stood before there was a result.

What was known when they were written: the accuracy (0.72) and entropy (0.757 nats) of the exact posterior at high
noise, and nothing of any network trained on it.

How many examples a soft label is worth may lie beyond the grid, where there is no number. So a claim that it is worth
four compares the soft arm at n with the hard arm at 4 n: that is defined whatever comes out.
"""

from typing import Final

from lightning_module.studies.framework.claims import Claim, Finding
from lightning_module.studies.framework.quantities import Quantity, mean_of, value
from lightning_module.studies.framework.turning_points import Log
from lightning_module.studies.soft_labels.config import NETWORKS, SoftLabelsConfig

OWN: Final = "our question"
SIZES: Final = SoftLabelsConfig().sizes
BOTH: Final = SIZES[: SoftLabelsConfig().soft_sizes]


def measure(column: str, network: str, arm: str, size: int) -> Quantity:
    """Returns a column of the chosen run of an arm, by seed."""
    return value(column, network=network, arm=arm, n=size)


def lead(network: str, size: int, times: int = 1, column: str = "divergence") -> Quantity:
    """Returns by how much hard labels at some times the examples are further from the posterior than soft ones."""
    return measure(column, network, "hard", times * size) - measure(column, network, "soft", size)


def remains(network: str, size: int) -> Quantity:
    """Returns the logarithm of the divergence with soft labels over that with hard ones, by seed."""
    return Log(measure("divergence", network, "soft", size) / measure("divergence", network, "hard", size))


def _question(name: str, text: str, *findings: Finding) -> Claim:
    return Claim(name=name, text=text, source=OWN, finding=findings, exploratory=True)


CLAIMS: Final = (
    _question(
        "soft-labels-help",
        "Trained on the exact posterior in place of labels, a network ends nearer to it, at each number of examples.",
        *(lead(network, size) > 0.0 for network in NETWORKS for size in BOTH),
    ),
    *(
        _question(
            f"worth-{times}-at-{size}",
            f"{size:,} soft labels are worth more than {times} times as many hard ones: MLP and CNN.",
            *(lead(network, size, times) > 0.0 for network in NETWORKS),
        )
        for times in (4, 16)
        for size in BOTH
        if times * size in SIZES
    ),
    _question(
        "halves-the-divergence",
        "On average over the numbers of examples, soft labels leave less than half of the divergence: MLP and CNN.",
        *(mean_of(*(remains(network, size) for size in BOTH)) < -0.30103 for network in NETWORKS),
    ),
    _question(
        "gain-shrinks",
        "The more examples, the less soft labels gain: the share of the divergence that they leave is larger at 16,000 "
        "examples than at 250, for MLP and CNN.",
        *(remains(network, BOTH[-1]) - remains(network, BOTH[0]) > 0.0 for network in NETWORKS),
    ),
    _question(
        "fewer-errors-too",
        "Soft labels leave fewer errors as well, not only better probabilities: at 1,000 examples, MLP and CNN.",
        *(lead(network, 1000, column="avoidable") > 0.0 for network in NETWORKS),
    ),
    _question(
        "cnn-gains-less",
        "The CNN, which knows more by itself, gains less than the MLP, on average over the numbers of examples.",
        mean_of(*(remains("cnn", size) - remains("mlp", size) for size in BOTH)) > 0.0,
    ),
)

"""What is asked about the ceiling, as claims: none is a source's, all margins stood before there was a result.

What was known when they were written: first numbers of the posterior alone (accuracy 0.9998 at the default, 0.81 at iid
noise 0.1, 0.53 at 0.2), the benchmark's accuracies at the default, and that a CNN reads 67 % at iid noise 0.08.
"""

from typing import Any, Final

from lightning_module.studies.ceiling.config import KNOBS, NOISE, CeilingConfig, recipe_at
from lightning_module.studies.framework.cells import Band
from lightning_module.studies.framework.claims import Claim, Finding
from lightning_module.studies.framework.quantities import Quantity, mean_of, value

OWN: Final = "our question"
NETWORKS: Final = ("logistic", "mlp", "cnn", "gru")
DEEP: Final = ("mlp", "cnn", "gru")
PAPER: Final = CeilingConfig()
DEFAULT: Final = ("iid_noise_scale", 0.02)
LOUD: Final = ("iid_noise_scale", 0.16)

At = tuple[str, float]


def measure(column: str, network: str, at: At, arm: str = "final") -> Quantity:
    """Returns the quantity that is a column of a network at a level of a knob, by seed."""
    return value(column, network=network, arm=arm, **recipe_at(*at))


def limit(column: str, at: At) -> Quantity:
    """Returns the quantity that is a column of the posterior at a level of a knob, by block of test signals."""
    where: dict[str, Any] = recipe_at(*at)
    return value(column, table="limits", unit="block", **where)


def share_removed(network: str, arm: str) -> Quantity:
    """Returns the share of the divergence that the temperature removes, the mean over all recipes, by seed."""
    return mean_of(*(measure("removed", network, at, arm) for at in _recipes()))


def _recipes() -> list[At]:
    """Returns a level of a knob for each recipe, the default once."""
    rest = [(knob, level) for knob in KNOBS for level in getattr(PAPER, knob) if recipe_at(knob, level) != _DEFAULTS]
    return [DEFAULT, *rest]


_DEFAULTS: Final = recipe_at(*DEFAULT)
QUIET: Final = tuple(
    (knob, level)
    for knob in KNOBS
    if knob not in NOISE
    for level in getattr(PAPER, knob)
    if recipe_at(knob, level) != _DEFAULTS and not (knob == "final_seq_length" and level < 20)
)


def _question(name: str, text: str, *findings: Finding) -> Claim:
    return Claim(name=name, text=text, source=OWN, finding=findings, exploratory=True)


CLAIMS: Final = (
    _question(
        "learner-not-data",
        "At the default less than a tenth of each network's error is the data's: the rest is missing in the learner.",
        *(measure("data_share", network, DEFAULT) < 0.1 for network in NETWORKS),
    ),
    _question(
        "data-not-learner",
        "With eight times the noise on every point more than half of each network's error is the data's.",
        *(measure("data_share", network, LOUD) > 0.5 for network in NETWORKS),
    ),
    _question(
        "only-noise-lowers-the-ceiling",
        "Translation, scale, shear and a length from 20 points leave at most 1 % to misread: of the knobs only noise "
        "lowers the ceiling.",
        *(limit("error", at) < 0.01 for at in QUIET),
    ),
    _question(
        "noise-costs-learners-more",
        "Noise costs the networks more than it costs the data: from the default to four times the noise on every "
        "point, the error that could be avoided grows, for MLP, CNN and GRU.",
        *(
            measure("avoidable", network, ("iid_noise_scale", 0.08)) - measure("avoidable", network, DEFAULT) > 0.0
            for network in DEEP
        ),
    ),
    _question(
        "avoidable-error-falls-again",
        "Where hardly anything can be read, hardly anything is left to avoid: from 0.08 to 0.24 the avoidable error "
        "falls, for MLP, CNN and GRU.",
        *(
            measure("avoidable", network, ("iid_noise_scale", 0.24))
            - measure("avoidable", network, ("iid_noise_scale", 0.08))
            < 0.0
            for network in DEEP
        ),
    ),
    _question(
        "temperature-after-full-training",
        "After the benchmark's 6000 steps one temperature, fitted to 1000 validation labels, removes more than half of "
        "the divergence from the exact posterior, on average over the recipes: MLP, CNN, GRU.",
        *(share_removed(network, "final") > 0.5 for network in DEEP),
    ),
    _question(
        "temperature-after-stopping",
        "Stopped where validation is best, a temperature removes less than a tenth of it: what is missing then is not "
        "confidence. MLP, CNN, GRU.",
        *(share_removed(network, "stopped") < 0.1 for network in DEEP),
    ),
    _question(
        "calibrated-and-far",
        "A network can be calibrated and far from the posterior: the MLP at the default, stopped and with its "
        "temperature, has a calibration error below 0.05 and a divergence above 0.5 nats.",
        measure("tempered_calibration_error", "mlp", DEFAULT, "stopped") < 0.05,
        measure("tempered_divergence", "mlp", DEFAULT, "stopped") > 0.5,
    ),
    _question(
        "stopping-removes-most",
        "At the default, stopping where validation is best removes more than half of the divergence that the MLP and "
        "the CNN have after 6000 steps.",
        *(
            measure("divergence", network, DEFAULT, "stopped") / measure("divergence", network, DEFAULT) < 0.5
            for network in ("mlp", "cnn")
        ),
    ),
    _question(
        "cnn-nearest-in-divergence",
        "At the default the CNN is the nearest to the posterior, each network stopped where validation is best: "
        "nearer than the MLP, and than the GRU.",
        *(
            measure("divergence", other, DEFAULT, "stopped") - measure("divergence", "cnn", DEFAULT, "stopped") > 0.0
            for other in ("mlp", "gru")
        ),
    ),
)

# The benchmark's own bands at the default; and that the posterior is calibrated, without which nothing above holds.
BANDS: Final = (
    *(
        Band(
            name=f"{network}, default",
            of=1.0 - measure("label_error", network, DEFAULT),
            low=low,
            high=high,
            numbers={"steps": 6000},
        )
        for network, low, high in (
            ("logistic", 0.29, 0.345),
            ("mlp", 0.61, 0.68),
            ("cnn", 0.91, 0.955),
            ("gru", 0.87, 0.935),
        )
    ),
    Band(
        name="the posterior's loss on labels minus its entropy, all recipes",
        of=value("loss_minus_entropy", table="limits", unit="block"),
        low=-0.01,
        high=0.01,
        numbers={"tests": 1000},
    ),
    Band(
        name="the posterior's errors on labels minus those it expects, all recipes",
        of=value("label_error_minus_error", table="limits", unit="block"),
        low=-0.005,
        high=0.005,
        numbers={"tests": 1000},
    ),
)

"""What is asked of the recipe sweep, as claims: none is a source's, all margins stood before there was a result."""

from typing import Any, Final, Literal

import numpy as np

from lightning_module.studies.framework.cells import Band
from lightning_module.studies.framework.claims import Claim, Finding
from lightning_module.studies.framework.quantities import Quantity, Slope, value
from lightning_module.studies.recipe_sweep.axes import AXES, DEFAULTS, recipe_at

BLOG: Final = "Greydanus 2020, introduction"
OWN: Final = "our question"


def measure(network: str, axis: str, level: float, column: str = "accuracy") -> Quantity:
    """Returns the score of a network on fresh tests with one number of the recipe at a level, by seed."""
    where: dict[str, Any] = recipe_at(axis, level)
    return value(column, network=network, on="fresh test", **where)


def lead(axis: str, level: float, column: str = "accuracy") -> Quantity:
    """Returns the CNN minus the MLP of the same seed, whose signals are the same."""
    return measure("cnn", axis, level, column) - measure("mlp", axis, level, column)


def slope(axis: str, network: str | None = None, column: str = "accuracy") -> Slope:
    """Returns the slope along an axis of a network's score, or of the CNN's lead over the MLP."""
    levels = AXES[axis].levels
    at = np.log2(levels) if AXES[axis].doubling else np.array(levels) / DEFAULTS[axis]
    of = [measure(network, axis, level, column) if network else lead(axis, level, column) for level in levels]
    return Slope(tuple(round(float(place), 9) for place in at), tuple(of))


def _every_network(axis: str, text: str, side: Literal["above", "below"]) -> Claim:
    findings = tuple(
        Finding(of=slope(axis, network), above=0.0) if side == "above" else Finding(of=slope(axis, network), below=0.0)
        for network in ("logistic", "mlp", "cnn", "gru")
    )
    return Claim(name=f"slope-{axis}", text=text, source=OWN, finding=findings, exploratory=True)


def _lead_slope(axis: str, text: str, side: Literal["above", "below"]) -> Claim:
    of = slope(axis)
    finding = Finding(of=of, above=0.0) if side == "above" else Finding(of=of, below=0.0)
    return Claim(name=f"lead-slope-{axis}", text=text, source=OWN, finding=finding, exploratory=True)


NONE, DEFAULT = 1, DEFAULTS["max_translation"]

CLAIMS: Final = (
    Claim(
        name="smoothly-varied",
        text="A procedurally generated data set lets one smoothly vary noise, translation and resolution.",
        source=BLOG,
        not_tested="it is said of the generator, which takes any such number, and names no result to compare",
    ),
    Claim(
        name="lead-without-translation",
        text="Without translation the CNN is still ahead of the MLP.",
        source=OWN,
        finding=Finding(of=lead("max_translation", NONE), above=0.0),
        exploratory=True,
    ),
    Claim(
        name="translation-widens-lead",
        text="Translation, as it is in the default, widens the CNN's lead over the MLP.",
        source=OWN,
        finding=Finding(of=lead("max_translation", DEFAULT) - lead("max_translation", NONE), above=0.0),
        exploratory=True,
    ),
    Claim(
        name="most-of-lead-is-translation",
        text="Without translation less than half of the CNN's lead is left.",
        source=OWN,
        finding=Finding(of=lead("max_translation", NONE) / lead("max_translation", DEFAULT), below=0.5),
        exploratory=True,
    ),
    Claim(
        name="translation-widens-lead-in-log-odds",
        text="Translation widens the CNN's lead in log-odds too, where no ceiling presses the accuracies together.",
        source=OWN,
        finding=Finding(
            of=lead("max_translation", DEFAULT, "log_odds") - lead("max_translation", NONE, "log_odds"), above=0.0
        ),
        exploratory=True,
    ),
    _every_network("iid_noise_scale", "Noise on every point costs every network accuracy.", "below"),
    _every_network("corr_noise_scale", "Correlated noise costs every network accuracy.", "below"),
    _every_network("max_translation", "Translation costs every network accuracy.", "below"),
    _every_network("final_seq_length", "Every network reads longer signals better.", "above"),
    _lead_slope("iid_noise_scale", "Noise on every point narrows the CNN's lead over the MLP.", "below"),
    _lead_slope("corr_noise_scale", "Correlated noise widens the CNN's lead over the MLP.", "above"),
    _lead_slope("max_translation", "The CNN's lead over the MLP grows with translation.", "above"),
    _lead_slope("final_seq_length", "The CNN's lead over the MLP grows with resolution.", "above"),
)

# The benchmark's own bands, at the default.
BANDS: Final = tuple(
    Band(
        name=f"{network}, default",
        of=measure(network, "max_translation", DEFAULT),
        low=low,
        high=high,
        numbers={"steps": 6000},
    )
    for network, low, high in (("logistic", 0.31, 0.34), ("mlp", 0.62, 0.67), ("cnn", 0.915, 0.95), ("gru", 0.88, 0.93))
)

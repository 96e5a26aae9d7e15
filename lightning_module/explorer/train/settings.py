"""What a visitor trains: the five numbers that matter, and the command that trains the same."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

from mnist1d_hf.generator.recipe import DEFAULT

LABELS: Final = {"logistic": "logistic", "mlp": "MLP", "cnn": "CNN", "gru": "GRU"}  # networks, as figures call them
NETWORKS: Final = tuple(LABELS)
LEAST_STEPS: Final = 500
MOST_STEPS: Final = 6_000
LEAST_RATE: Final = 1e-4
MOST_RATE: Final = 0.1
MOST_NOISE: Final = 0.3
MOST_SEED: Final = 9_999
POINTS: Final = 20  # of a curve, about


@dataclass(frozen=True)
class Settings:
    """The numbers of a training; everything else is as in the benchmark.

    Attributes:
        network: Name of a reference network.
        lr: Learning rate of Adam.
        noise: Standard deviation of the noise on every point (`iid_noise_scale`).
        shuffled: Whether the points of all signals are in another order, the same for all.
        steps: Optimiser steps.
        seed: Decides the first weights.

    Raises:
        ValueError: If a number is outside of its bounds, which bound the work that a visitor can ask for.
    """

    network: str = "cnn"
    lr: float = 0.01
    noise: float = DEFAULT.iid_noise_scale
    shuffled: bool = False
    steps: int = 1_000
    seed: int = 42

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise ValueError(f"network={self.network!r} must be one of {', '.join(NETWORKS)}")
        if not isinstance(self.shuffled, bool):
            raise ValueError(f"shuffled={self.shuffled!r} must be true or false")
        _between("learning rate", self.lr, LEAST_RATE, MOST_RATE)
        _between("noise", self.noise, 0, MOST_NOISE)
        for name, low, high in (("steps", LEAST_STEPS, MOST_STEPS), ("seed", 0, MOST_SEED)):
            value = getattr(self, name)
            _between(name, value, low, high)
            if int(value) != value:
                raise ValueError(f"{name}={value:g} must be a whole number")
            object.__setattr__(self, name, int(value))

    @property
    def every(self) -> int:
        """Returns the steps between two points of the curve."""
        return max(25, self.steps // POINTS)

    @property
    def recipe(self) -> dict[str, Any]:
        """Returns the numbers of the recipe that are not those of the default."""
        noise = {"iid_noise_scale": self.noise} if self.noise != DEFAULT.iid_noise_scale else {}
        return noise | ({"shuffle_seq": True} if self.shuffled else {})

    @property
    def command(self) -> str:
        """Returns the command that trains the same network on the same data to the same accuracy."""
        words = [f"mnist1d fit --config {self.network} --trainer.max_steps {self.steps} --trainer.accelerator cpu"]
        words += [f"--model.lr {self.lr:g}"] * (self.lr != Settings.lr)
        words += [f"--seed_everything {self.seed}"] * (self.seed != Settings.seed)
        for name, value in self.recipe.items():
            words.append(f"--data.recipe.{name} {str(value).lower()}")
        return " ".join(words)

    @property
    def title(self) -> str:
        """Returns what tells it from another training, for a legend."""
        noise = f", noise {self.noise:g}" if self.noise != DEFAULT.iid_noise_scale else ""
        shuffled = ", shuffled" if self.shuffled else ""
        rate = f", rate {self.lr:g}" if self.lr != Settings.lr else ""
        return f"{LABELS[self.network]}{noise}{shuffled}{rate}"

    def as_dict(self) -> dict[str, Any]:
        """Returns the numbers by name."""
        return asdict(self)


def _between(name: str, value: Any, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name}={value!r} must be a number from {low:g} to {high:g}")
    if not low <= value <= high:
        raise ValueError(f"{name}={value:g} must be from {low:g} to {high:g}")

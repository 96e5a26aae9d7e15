"""The numbers of the activation study."""

from dataclasses import dataclass, field
from typing import Any

from lightning_module.studies.framework.cells import Config
from lightning_module.studies.methods.other_data.image_files import file_record


@dataclass(frozen=True, kw_only=True)
class ActivationConfig(Config):
    """The numbers of the study.

    Attributes:
        seeds: Initialisations and draws of the fair test, which are 0, 1, 2, ...
        meta_seeds: Meta-trainings, each with initialisations and noise of its own; the first is the published one.
        outer_steps: Steps of gradient descent on the activation function.
        steps: Steps of the inner training.
        window: The objective is the mean of this many last losses of the inner training.
        tuning_seeds: Initialisations and draws that settings are chosen by.
        rates: Inner learning rates to choose from.
        inward: Factors of the activation function's input to choose from.
        outward: Factors of its output to choose from.
        tests: Examples in the fresh test set.
        transfer_seeds: Initialisations and parts of the images.
        transfer_steps: Optimiser steps of the CNN.
        transfer_rates: The CNN's learning rates to choose from.
        images: Images that the CNN is trained on, and as many more, at most 1000, to choose a learning rate by.
        mnist: An npz file of MNIST: x (n, 28, 28) uint8 and y (n,).
        hub: Whether to load images from the Hub if there is no file.
    """

    seeds: int = 20
    meta_seeds: int = 5
    outer_steps: int = 301
    steps: int = 301
    window: int = 200
    tuning_seeds: int = 4
    rates: tuple[float, ...] = (0.0025, 0.005, 0.01, 0.02, 0.04)
    inward: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    outward: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    tests: int = 20_000
    transfer_seeds: int = 5
    transfer_steps: int = 400
    transfer_rates: tuple[float, ...] = (0.001, 0.003, 0.01)
    images: int = 7000
    # Where data come from is no number of the study: a preset is that preset with a file too.
    mnist: str | None = field(default=None, compare=False)
    hub: bool = field(default=True, compare=False)

    def record(self) -> dict[str, Any]:
        """Returns the numbers, with the name and the SHA-256 of a file in place of where it is."""
        return super().record() | {"mnist": None if self.mnist is None else file_record(self.mnist)}


PRESETS = {
    "smoke": ActivationConfig(
        seeds=2,
        meta_seeds=2,
        outer_steps=2,
        steps=12,
        window=8,
        tuning_seeds=1,
        rates=(0.01, 0.02),
        inward=(1.0,),
        outward=(1.0, 2.0),
        tests=200,
        transfer_seeds=2,
        transfer_steps=4,
        transfer_rates=(0.003,),
        images=200,
        hub=False,
    ),
    "quick": ActivationConfig(
        seeds=5,
        meta_seeds=1,
        outer_steps=60,
        tuning_seeds=1,
        rates=(0.005, 0.01, 0.02),
        inward=(1.0, 2.0),
        outward=(1.0, 2.0),
        tests=5000,
        transfer_seeds=2,
        transfer_steps=200,
        transfer_rates=(0.003, 0.01),
    ),
    "paper": ActivationConfig(),
}

"""The numbers of the study of double descent, and the presets of two statements that were tested later.

Those presets, their seeds and the sizes that their rules name were fixed before any of it was run; see the amendments.
"""

from dataclasses import dataclass
from typing import Any, Final

from lightning_module.studies.double_descent.published import (
    CHANNELS,
    CHANNELS_2020,
    EPOCHS,
    FROZEN_CHANNELS,
    N_2020,
    WIDTHS,
    WIDTHS_2020,
)
from lightning_module.studies.framework.cells import Config, later

BATCH: Final = 100
ARMS: Final = ("frozen", "fresh")

MORE_DATA: Final = "more-data"  # the preset
DATA_WIDTH: Final = 30
DATA_SIZES: Final = (400, 800, 1600, 2500, 4000)
DATA_STEPS: Final = 20_000  # for each number of signals
DATA_SEEDS: Final = 10

FIGURE_5: Final = "figure-5"  # the preset
PEAK_WIDTHS: Final = (40, 50, 60)
SIDE_WIDTHS: Final = (25, 100)
PEAK_SEEDS: Final = 5

NEW_FIRST_SEED: Final = 200


@dataclass(frozen=True, kw_only=True)
class DoubleDescentConfig(Config):
    """The numbers of the study of double descent.

    Attributes:
        seeds: Number of seeds of the MLP.
        few_seeds: Number of seeds of the CNN, and of the form of 2020.
        widths: Units in each of two hidden layers.
        channels: Of the CNN; in the fresh arm.
        frozen_channels: Of the CNN in the frozen arm.
        epochs: Passes through the training set.
        n: Training signals.
        widths_2020: Units of the one hidden layer in the form of 2020.
        channels_2020: Of the CNN in the form of 2020.
        epochs_2020: Passes through the training set in the form of 2020.
        n_2020: Training signals in the form of 2020.
        evaluations: Evaluations on the way, at most; each epoch of them nearly the same multiple of the one before.
        tests: Examples in the fresh test set.
        arms: "frozen" and "fresh" data, or one of them, of the current form.
        sizes: Training signals with which the MLP of 30 units is trained, all for the same number of steps.
        steps: That number of steps.
        figure_widths: Units of the MLPs that are trained by the protocol of the paper's figure.

    Raises:
        ValueError: If there are fewer training signals than in a minibatch, or more than the data have.
    """

    seeds: int = 5
    few_seeds: int = 3
    widths: tuple[int, ...] = WIDTHS
    channels: tuple[int, ...] = CHANNELS
    frozen_channels: tuple[int, ...] = FROZEN_CHANNELS
    epochs: int = EPOCHS
    n: int = 4000
    widths_2020: tuple[int, ...] = WIDTHS_2020
    channels_2020: tuple[int, ...] = CHANNELS_2020
    epochs_2020: int = 100
    n_2020: int = N_2020
    evaluations: int = 20
    tests: int = 20_000
    arms: tuple[str, ...] = later(ARMS)
    sizes: tuple[int, ...] = later(())
    steps: int = later(DATA_STEPS)
    figure_widths: tuple[int, ...] = later(())

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (BATCH <= self.n <= 4000 and self.n_2020 >= BATCH):
            raise ValueError(
                f"n={self.n} must be {BATCH}..4000, from one minibatch to what the frozen data have, and "
                f"n_2020={self.n_2020} at least {BATCH}"
            )
        if any(not BATCH <= n <= 4000 or n % BATCH or self.steps * BATCH % n for n in self.sizes):
            raise ValueError(
                f"sizes={self.sizes} must be multiples of {BATCH} up to 4000 that steps={self.steps} minibatches of "
                f"{BATCH} are whole epochs of"
            )
        if not self.arms or not set(self.arms) <= set(ARMS):
            raise ValueError(f"arms={self.arms} must be one or several of {', '.join(ARMS)}")


# Of a preset that runs one added form alone.
SIZES: Final = ("widths", "channels", "frozen_channels", "widths_2020", "channels_2020")
NOTHING: Final[dict[str, Any]] = dict.fromkeys(SIZES, ())
FIGURE_WIDTHS: Final = tuple(sorted(PEAK_WIDTHS + SIDE_WIDTHS))
SMOKE: Final[dict[str, Any]] = {**NOTHING, "seeds": 2, "first_seed": 90, "evaluations": 2, "tests": 300}

ADDED_PRESETS: Final = {
    MORE_DATA: DoubleDescentConfig(
        **NOTHING, seeds=DATA_SEEDS, first_seed=NEW_FIRST_SEED, sizes=DATA_SIZES, evaluations=2
    ),
    f"{MORE_DATA}-smoke": DoubleDescentConfig(**SMOKE, sizes=DATA_SIZES, steps=400),
    FIGURE_5: DoubleDescentConfig(
        **NOTHING,
        seeds=PEAK_SEEDS,
        first_seed=NEW_FIRST_SEED,
        figure_widths=FIGURE_WIDTHS,
        epochs=1000,
        evaluations=2,
    ),
    f"{FIGURE_5}-smoke": DoubleDescentConfig(**SMOKE, figure_widths=FIGURE_WIDTHS, epochs=2, n=200),
}

"""The numbers of the comparison, and the files that data come from."""

from dataclasses import dataclass, field
from typing import Any

from lightning_module.studies.framework.cells import Config, later
from lightning_module.studies.methods.other_data.image_files import HUB, file_record
from lightning_module.studies.methods.other_data.tasks import SETS, Sizes
from mnist1d_hf.checks import nearest


@dataclass(frozen=True, kw_only=True)
class ComparisonConfig(Config):
    """The numbers of the comparison.

    Attributes:
        seeds: Number of seeds, which are 0, 1, 2, ...
        steps: Optimiser steps.
        rates: Learning rates, of which validation chooses one for each seed and network.
        train: Training examples, the same for all data sets that have as many.
        validation: Examples to choose a learning rate by.
        tests: Test examples of what has any number; of the others all that are left.
        points: Examples in a t-SNE picture.
        only: Data sets on which networks are trained at equal n, and nothing else is done; none for the whole study.
        mnist: An npz file with MNIST's images, x (n, 28, 28) uint8 and y (n,), or a folder with its four IDX files;
            None for the Hub's.
        fashion_mnist: The same with FashionMNIST's; None for the Hub's.
        cifar10: The same with CIFAR-10's, x (n, 32, 32, 3); None for the Hub's.
        hub: Whether to ask the Hub for what no file is named for.

    Raises:
        ValueError: If a number is out of its range.
    """

    seeds: int = 5
    steps: int = 6000
    rates: tuple[float, ...] = (0.001, 0.003, 0.01)
    train: int = 4000
    validation: int = 1000
    tests: int = 20_000
    points: int = 5000
    only: tuple[str, ...] = later(())
    # Where data come from is no number of the study: a preset is that preset with a file too.
    mnist: str | None = field(default=None, compare=False)
    fashion_mnist: str | None = field(default=None, compare=False)
    cifar10: str | None = field(default=None, compare=False)
    hub: bool = field(default=True, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.rates:
            raise ValueError("rates=() must have at least one learning rate")
        for name in ("steps", "train", "validation", "tests"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        for name in self.only:
            if name not in SETS:
                raise ValueError(f"only={self.only} has {name!r}, which is no data set{nearest(name, SETS)}")
        if self.points < 100:
            raise ValueError(f"points={self.points} must be at least 100: a perplexity of 30 looks at 90 neighbours")

    @property
    def sizes(self) -> Sizes:
        """Returns how many examples of each kind."""
        return Sizes(self.train, self.validation, self.tests)

    def record(self) -> dict[str, Any]:
        """Returns the numbers, with the name and the SHA-256 of a file in place of where it is."""
        files = {name: getattr(self, name) for name in HUB}
        return super().record() | {name: None if file is None else file_record(file) for name, file in files.items()}


FASHION = "fashion"  # the preset of an added question: its seeds are new, and two sets are trained on, nothing else
TWO_SETS = ("mnist", "fashion_mnist")

PRESETS = {
    "smoke": ComparisonConfig(
        seeds=2, steps=20, rates=(0.003, 0.01), train=200, validation=50, tests=200, points=150, hub=False
    ),
    "quick": ComparisonConfig(seeds=2, steps=1000, points=1500),
    "paper": ComparisonConfig(),
    FASHION: ComparisonConfig(first_seed=100, steps=2000, only=TWO_SETS),
    f"{FASHION}-smoke": ComparisonConfig(
        seeds=2,
        first_seed=90,
        steps=20,
        rates=(0.003, 0.01),
        train=200,
        validation=50,
        tests=200,
        only=TWO_SETS,
        hub=False,
    ),
}

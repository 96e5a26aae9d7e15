"""The numbers of the study of the learned learning rate."""

from dataclasses import dataclass
from typing import Final

from lightning_module.studies.framework.cells import Config

PUBLISHED_STARTS: Final = (1.5, 0.15)


@dataclass(frozen=True, kw_only=True)
class LearningRateConfig(Config):
    """The numbers of the study.

    Attributes:
        seeds: Number of seeds, which are 0, 1, 2, ...; in the fresh arm each has its own draw of the data set.
        starts: Learning rates to begin with beside the two published ones.
        steps: Steps of the inner training.
        batch_size: Examples in a minibatch.
        outer_steps: Steps of gradient descent on the learning rate.
        outer_rate: The learning rate of the learning rate.
        grid: Learning rates of the landscape, spaced evenly on a logarithmic scale from 0.01 to 4.
        tests: Examples in the fresh test set.
        lengths: Steps of the inner training that time and memory are measured for.
        repeats: Repetitions of which the fastest counts as the time; 0 measures no time, so that two runs are equal.
    """

    seeds: int = 10
    starts: tuple[float, ...] = (0.05, 0.1, 0.3, 0.6, 1.0, 1.25, 1.75, 2.0)
    steps: int = 200
    batch_size: int = 50
    outer_steps: int = 50
    outer_rate: float = 0.3
    grid: int = 60
    tests: int = 20_000
    lengths: tuple[int, ...] = (50, 100, 200, 400, 800)
    repeats: int = 3

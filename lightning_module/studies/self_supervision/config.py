"""The numbers of the self-supervision study."""

from dataclasses import dataclass
from typing import Final, Literal

from lightning_module.studies.framework.cells import Config, later
from lightning_module.studies.self_supervision.published import EPOCHS

Arm = Literal["frozen", "fresh"]
ARMS: Final[tuple[Arm, ...]] = ("frozen", "fresh")


@dataclass(frozen=True, kw_only=True)
class SelfSupervisionConfig(Config):
    """The numbers of the study.

    Attributes:
        seeds: Number of seeds; in the fresh arm each has its own draw of the data set.
        epochs: Passes through the training signals.
        probed: Epochs after which the layers are probed; 0 is before the training.
        signals: Training signals.
        tests: Examples in the fresh test set.
        pictured: Signals in the pictures by t-SNE, of the training split and then of the test split.
        arms: "frozen" and "fresh" data, or one of them.
        test_signals: Test signals that the encoder with the default head is also trained on; nothing else is done then.
            0 for the whole study.
        autoencoder: Whether autoencoders are trained, and SimCLR with the default head beside them; nothing else is
            done then.

    Raises:
        ValueError: If a number is out of its range.
    """

    seeds: int = 5
    epochs: int = EPOCHS
    probed: tuple[int, ...] = (0, 1, 2, 5, 10, 20, 50, 100, 200)
    signals: int = 4000
    tests: int = 20_000
    pictured: int = 5000
    arms: tuple[str, ...] = later(ARMS)
    test_signals: int = later(0)
    autoencoder: bool = later(False)

    batch_size = 100  # as published; a constant

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.probed or self.probed[0] != 0 or self.probed[-1] != self.epochs:
            raise ValueError(f"probed={self.probed} must go from 0 to epochs={self.epochs}")
        if not self.arms or not set(self.arms) <= set(ARMS):
            raise ValueError(f"arms={self.arms} must be one or several of {', '.join(ARMS)}")
        if self.signals < 3 * self.batch_size or self.epochs < 1 or self.pictured < 1:
            raise ValueError(
                f"signals={self.signals}, epochs={self.epochs}, pictured={self.pictured} must be at least "
                f"{3 * self.batch_size}, 1 and 1"
            )

    @property
    def steps(self) -> int:
        """Returns the optimiser steps."""
        return self.steps_on(self.signals)

    def steps_on(self, count: int) -> int:
        """Returns the optimiser steps on so many signals."""
        return self.epochs * -(-count // self.batch_size)

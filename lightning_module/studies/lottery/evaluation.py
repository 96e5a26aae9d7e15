"""The tickets on new data: as they are, reversed, permuted, in halves, and with other initial weights."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lightning_module.studies.framework.cells import Row
from lightning_module.studies.framework.checkpoint import Scratch
from lightning_module.studies.framework.data import fresh_test, frozen
from lightning_module.studies.lottery.config import LotteryConfig
from lightning_module.studies.lottery.search import FIRST_SEED, weights_of_seed
from lightning_module.studies.methods.pruning.mask_nulls import curveball
from lightning_module.studies.methods.pruning.masked_training import Masked, TrainedMasked, train_masked
from lightning_module.studies.methods.pruning.pruning import Tensors

CONDITIONS = ("baseline", "flipped", "shuffled", "halves", "reinit")
AS_THEY_ARE = ("baseline", "reinit")  # of these, the conditions with the points in their own order


@dataclass(frozen=True)
class Trial:
    """One training of an evaluation.

    Attributes:
        condition: One of `CONDITIONS`.
        permutation: The number of the permutation of the points.
        seed: Torch's seed of the initial weights.
    """

    condition: str
    permutation: int
    seed: int


def trials(config: LotteryConfig, arm: str, ticket: int) -> Iterator[Trial]:
    """Yields the trainings of an arm. "unseeded" is the protocol of the 2024 rerun: other weights in each training."""
    own = FIRST_SEED + ticket
    for i, condition in enumerate(CONDITIONS):
        if arm == "unseeded":
            if condition != "reinit":  # which is nothing else
                yield Trial(condition, 0, 1000 + len(CONDITIONS) * ticket + i)
        elif condition == "reinit":
            yield Trial(condition, 0, own + 1)
        else:
            several = condition == "shuffled" and arm == "lottery"
            for permutation in range(config.permutations if several else 1):
                yield Trial(condition, permutation, own)


def evaluate_arms(config: LotteryConfig, arms: Mapping[str, Tensors], ticket: int, scratch: Scratch) -> list[Row]:
    """Returns the scores of several arms of a ticket; each training that is done is kept.

    Args:
        config: The numbers of the study.
        arms: The masks of each arm.
        ticket: The ticket.
        scratch: Where it goes on.
    """
    record, arrays = scratch.load()
    rows: list[Row] = record.get("evaluation", [])
    tests = fresh_test(frozen(seed=config.data_seed), count=config.tests)
    for arm, masks in arms.items():
        for trial in trials(config, arm, ticket):
            columns = {"arm": arm, "condition": trial.condition, "permutation": trial.permutation, "seed": ticket}
            if not any(row.items() >= columns.items() for row in rows):
                rows += _train(config, trial, ticket, masks).rows({"fresh test": tests}, **columns)
                scratch.save({**record, "evaluation": rows}, arrays)
    return rows


def order_of(trial: Trial, ticket: int, *, length: int = 40) -> Tensor:
    """Returns the order of the points in a condition, (length,)."""
    points = np.arange(length)
    if trial.condition == "flipped":
        points = points[::-1]
    elif trial.condition == "halves":
        points = np.roll(points, length // 2)
    elif trial.condition == "shuffled":
        # The published permutation first; the others are each ticket's own.
        seed = 0 if trial.permutation == 0 else 100 * (ticket + 1) + trial.permutation
        points = np.random.RandomState(seed).permutation(length)
    return torch.from_numpy(points.copy())


def shuffled_mask(masks: Tensors, ticket: int) -> dict[str, Tensor]:
    """Returns masks whose weights of the first layer are shuffled, with the same number kept in each row and column."""
    first = masks["linear1.weight"].numpy() != 0
    shuffled = curveball(first, np.random.default_rng(ticket))
    return {**masks, "linear1.weight": torch.from_numpy(shuffled).float()}


def _train(config: LotteryConfig, trial: Trial, ticket: int, masks: Tensors) -> TrainedMasked:
    draw = frozen(seed=config.data_seed)
    points = None if trial.condition in AS_THEY_ARE else order_of(trial, ticket)
    return train_masked(
        Masked(weights_of_seed(config, trial.seed), masks, points),
        draw.train,
        lr=config.lr,
        steps=config.evaluation_steps,
        batch_size=config.evaluation_batch_size,
        evaluate={"test": draw.test},
        every=config.every,
    )

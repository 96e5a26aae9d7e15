"""What a ticket is worth on new data: as they are, reversed, permuted, in halves, and with other initial weights."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lightning_module.studies.base import Row
from lightning_module.studies.data import fresh_test, frozen
from lightning_module.studies.lottery_config import LotteryConfig
from lightning_module.studies.lottery_search import FIRST_SEED, weights_of_seed
from lightning_module.studies.mask_nulls import curveball
from lightning_module.studies.masked_training import Masked, TrainedMasked, train_masked
from lightning_module.studies.pruning import Tensors
from lightning_module.studies.scratch import Scratch

CONDITIONS = ("baseline", "flipped", "shuffled", "halves", "reinit")
AS_THEY_ARE = ("baseline", "reinit")  # of these, the conditions with the points in their own order


@dataclass(frozen=True)
class Trial:
    """One training of an evaluation.

    Args:
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


def evaluate_arms(
    config: LotteryConfig, arms: Mapping[str, Sequence[Tensors]], tickets: Sequence[int], scratch: Scratch
) -> list[Row]:
    """Returns what several arms of the tickets score; each training that is done is kept.

    Args:
        config: The numbers of the study.
        arms: The masks of each ticket, for each arm.
        tickets: The tickets, which are trained side by side.
        scratch: Where it goes on.
    """
    record, arrays = scratch.load()
    rows: list[Row] = record.get("evaluation", [])
    tests = fresh_test(frozen(seed=config.data_seed), count=config.tests)
    for arm, masks in arms.items():
        for same in zip(*(trials(config, arm, ticket) for ticket in tickets), strict=True):
            columns = [
                {"arm": arm, "condition": trial.condition, "permutation": trial.permutation, "seed": ticket}
                for ticket, trial in zip(tickets, same, strict=True)
            ]
            if not any(row.items() >= columns[0].items() for row in rows):
                rows += _train(config, same, tickets, masks).rows({"fresh test": tests}, columns)
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


def _train(
    config: LotteryConfig, same: Sequence[Trial], tickets: Sequence[int], masks: Sequence[Tensors]
) -> TrainedMasked:
    """Returns the networks of one trial, which is that of all tickets, in the tickets' order."""
    draw = frozen(seed=config.data_seed)
    networks = []
    for trial, ticket, own in zip(same, tickets, masks, strict=True):
        order = order_of(trial, ticket)
        points = None if trial.condition in AS_THEY_ARE else order
        networks.append(Masked(weights_of_seed(config, trial.seed), own, points))
    return train_masked(
        networks,
        draw.train,
        lr=config.lr,
        steps=config.evaluation_steps,
        batch_size=config.evaluation_batch_size,
        evaluate={"test": draw.test},
        every=config.every,
    )

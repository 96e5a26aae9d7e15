"""The search for lottery tickets: rounds of training, pruning and rewinding; and random pruning beside it."""

from collections import ChainMap
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lightning_module.networks import MLP
from lightning_module.studies.framework.cells import Row
from lightning_module.studies.framework.checkpoint import Scratch
from lightning_module.studies.framework.data import fresh_test, frozen
from lightning_module.studies.lottery.config import LotteryConfig
from lightning_module.studies.methods.pruning.masked_training import Masked, TrainedMasked, train_masked
from lightning_module.studies.methods.pruning.pruning import (
    Tensors,
    initial_weights,
    magnitudes,
    masks_by,
    random_scores,
    sparsities,
)

# The published trials have the seeds 42 and 43.
FIRST_SEED = 42


def weights_of_seed(config: LotteryConfig, seed: int) -> dict[str, Tensor]:
    """Returns the initial weights of the dense network, by torch's seed: the arms of a ticket share them."""
    return initial_weights(partial(MLP, hidden_size=config.hidden_size), seed)


def all_ones(like: Tensors) -> dict[str, Tensor]:
    """Returns masks that keep everything."""
    return {name: torch.ones_like(weight) for name, weight in like.items()}


def random_masks(config: LotteryConfig, ticket: int, number: int) -> dict[str, Tensor]:
    """Returns the masks of random pruning in a round."""
    like = weights_of_seed(config, FIRST_SEED + ticket)
    return masks_by(random_scores(like, seed=10_000 * (ticket + 1) + number), sparsities(config.rounds)[number])


def search_random(config: LotteryConfig, ticket: int, scratch: Scratch) -> list[Row]:
    """Returns the scores of randomly pruned networks, over sparsity."""
    record, _ = scratch.load()
    rows: list[Row] = record.get("rows", [])
    done = {row["round"] for row in rows}
    for number in config.random_rounds:
        if number not in done:
            masks = random_masks(config, ticket, number)
            rows += _rows(config, _train_round(config, ticket, masks), "random", ticket, number)
            scratch.save({"rows": rows})
    return rows


def search_lottery(
    config: LotteryConfig, ticket: int, scratch: Scratch, keep: Sequence[int]
) -> tuple[list[Row], dict[int, dict[str, Tensor]]]:
    """Returns the scores of the networks of all rounds, and the masks of those that are to be kept, by round.

    Each round starts from the same initial weights, pruned by the magnitudes that the round before came to at the step
    `prune_step`, which is not its last.

    Args:
        config: The numbers of the study.
        ticket: The ticket.
        scratch: Where it goes on.
        keep: The rounds whose masks are kept.
    """
    record, arrays = scratch.load()
    rows: list[Row] = record.get("rows", [])
    found = {number: tensors_in(arrays, f"masks-{number}") for number in keep if number <= record.get("round", -1)}
    reached = tensors_in(arrays, "reached") or weights_of_seed(config, FIRST_SEED + ticket)
    for number in range(record.get("round", -1) + 1, config.rounds):
        masks = masks_by(magnitudes(reached), sparsities(config.rounds)[number])
        trained = _train_round(config, ticket, masks)
        reached = trained.weights
        rows += _rows(config, trained, "lottery", ticket, number)
        if number in keep:
            found[number] = masks
        kept = [arrays_of(masks, f"masks-{each}", np.uint8) for each, masks in found.items()]
        scratch.save({"rows": rows, "round": number}, dict(ChainMap(arrays_of(reached, "reached"), *kept)))
    return rows, found


def arrays_of(tensors: Tensors, prefix: str, dtype: Any = np.float32) -> dict[str, Any]:
    """Returns tensors as arrays by their names behind a prefix."""
    return {f"{prefix}/{name}": tensor.numpy().astype(dtype) for name, tensor in tensors.items()}


def tensors_in(arrays: Mapping[str, Any], prefix: str) -> dict[str, Tensor]:
    """Returns the tensors that `arrays_of` made arrays of, float32."""
    return {
        name.removeprefix(f"{prefix}/"): torch.from_numpy(array).float()
        for name, array in arrays.items()
        if name.startswith(f"{prefix}/")
    }


def smallest_that_matches(rows: list[Row], ticket: int) -> float:
    """Returns the smallest fraction of entries with which a ticket's network is at least as accurate as the dense one.

    On the fresh tests. Accuracies scatter from round to round, by about a point; they fall so fast where they fall that
    it matters little.
    """
    accuracy = {row["kept"]: row["accuracy"] for row in rows if (row["on"], row["seed"]) == ("fresh test", ticket)}
    return float(min(kept for kept, value in accuracy.items() if value >= accuracy[1.0]))


def _train_round(config: LotteryConfig, ticket: int, masks: Tensors) -> TrainedMasked:
    draw = frozen()
    return train_masked(
        Masked(weights_of_seed(config, FIRST_SEED + ticket), masks),
        draw.train,
        lr=config.lr,
        steps=config.steps,
        batch_size=config.batch_size,
        evaluate={"test": draw.test},
        every=config.every,
        weights_at=config.prune_step,
    )


def _rows(config: LotteryConfig, trained: TrainedMasked, arm: str, ticket: int, number: int) -> list[Row]:
    draw, sparsity = frozen(), sparsities(config.rounds)[number]
    return trained.rows(
        {"train": draw.train, "fresh test": fresh_test(draw, count=config.tests)},
        arm=arm,
        seed=ticket,
        round=number,
        percent=round(100 * sparsity),
        kept=round(1 - sparsity, 6),
    )

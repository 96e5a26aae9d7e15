"""The tuned arm: dense network, ticket and others each with its own learning rate, which other tickets choose.

At the published rate of 0.02 the dense network is far from its best, so part of a ticket's lead over it is the rate's.
Here each arm is trained at several rates. Tickets that are in no verdict are scored on validation signals, and choose
a rate for each arm, with equal trials; the tickets of the verdicts are scored on tests at all rates, so that contrasts
can be reported at each as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from torch import Tensor

from lightning_module.datamodule import Examples
from lightning_module.studies.framework.cells import Outcome, Row
from lightning_module.studies.framework.checkpoint import Scratch
from lightning_module.studies.framework.data import Draw, fresh, fresh_test, frozen
from lightning_module.studies.lottery.config import LotteryConfig
from lightning_module.studies.lottery.search import (
    FIRST_SEED,
    all_ones,
    random_masks,
    search_lottery,
    tensors_in,
    weights_of_seed,
)
from lightning_module.studies.methods.pruning.masked_training import Masked, train_masked
from lightning_module.studies.methods.pruning.pruning import Tensors, sparsities

if TYPE_CHECKING:
    import numpy.typing as npt

TUNED: Final = "tuned"  # the cells, and the table
VALIDATION: Final = "validation"
VALIDATION_SEED: Final = 2_000_000  # of signals that nothing is trained or tested on
NEW_SEED: Final = 3_000_000  # of the fresh training signals of ticket 0
KEPT: Final = {"tenth": 0.1, "hundredth": 0.01}  # fractions of the parameters, besides the ticket's


@dataclass(frozen=True)
class Setting:
    """Where arms are compared.

    Attributes:
        name: "frozen", the data that tickets are found on, or "new", fresh ones for each ticket.
        draw: Training signals.
        steps: Optimiser steps.
        batch_size: Examples in a minibatch.
    """

    name: str
    draw: Draw
    steps: int
    batch_size: int


def rounds_kept(config: LotteryConfig) -> dict[str, int]:
    """Returns the round of each arm that is a mask of the search: the first that keeps no more than its fraction."""
    pruned = sparsities(config.rounds)
    found = {arm: next(i for i, each in enumerate(pruned) if 1 - each <= kept + 1e-9) for arm, kept in KEPT.items()}
    last = config.rounds - 2  # the last round has nothing left
    return {"ticket": config.ticket_round, **{arm: min(number, last) for arm, number in found.items()}}


def tuned_outcome(config: LotteryConfig, ticket: int, scratch: Scratch) -> Outcome:
    """Returns the scores of all arms of a ticket at all rates, the course of its search, and its whole masks."""
    numbers = rounds_kept(config)
    rows, by_round = search_lottery(config, ticket, scratch, sorted(set(numbers.values())))
    masks = {arm: by_round[number] for arm, number in numbers.items()}
    own = weights_of_seed(config, FIRST_SEED + ticket)
    arms: dict[str, tuple[Tensors, Tensors]] = {
        "dense": (own, all_ones(own)),
        "random": (own, random_masks(config, ticket, config.ticket_round)),
        **{arm: (own, mask) for arm, mask in masks.items()},
        "reinit": (weights_of_seed(config, FIRST_SEED + ticket + 1), masks["ticket"]),
    }
    new = fresh(NEW_SEED + ticket, tests=0)
    settings = (
        Setting("frozen", frozen(), config.steps, config.batch_size),
        Setting("new", new, config.evaluation_steps, config.evaluation_batch_size),
    )
    found = _scores(config, ticket, scratch, arms, settings)
    arrays = {f"whole-{arm}-{ticket}-{name}": packed for arm, of in masks.items() for name, packed in _packed(of)}
    data = {"search": frozen().what, f"new/{ticket}": new.what}
    return Outcome({"rows": rows, TUNED: found}, arrays, data)


def _scores(
    config: LotteryConfig,
    ticket: int,
    scratch: Scratch,
    arms: Mapping[str, tuple[Tensors, Tensors]],
    settings: tuple[Setting, ...],
) -> list[Row]:
    """Returns the last scores of each training; each that is done is kept."""
    record, arrays = scratch.load()
    rows: list[Row] = record.get(TUNED, [])
    for setting in settings:
        tests = _tests(config, ticket, setting.draw)
        for arm, (weights, masks) in arms.items():
            if arm in KEPT and setting.name == "new":
                continue  # how few are enough is asked of the data that they were found on
            for rate in config.rates:
                columns = {"arm": arm, "data": setting.name, "rate": rate, "seed": ticket}
                if any(row.items() >= columns.items() for row in rows):
                    continue
                trained = train_masked(
                    Masked(weights, masks),
                    setting.draw.train,
                    lr=rate,
                    steps=setting.steps,
                    batch_size=setting.batch_size,
                    evaluate={"train": setting.draw.train},
                )
                rows += trained.rows(tests, **columns)
                scratch.save({**record, TUNED: rows}, arrays)
    return rows


def _tests(config: LotteryConfig, ticket: int, draw: Draw) -> dict[str, Examples]:
    """Returns what a ticket is scored on: one that chooses rates on validation, and never on a test."""
    if ticket not in config.tuning_tickets:
        return {"fresh test": fresh_test(draw, count=config.tests)}
    drawn = fresh(VALIDATION_SEED, num_samples=config.tests, train_split=1.0, tests=0)
    raw = drawn.train.x * drawn.std + drawn.mean
    return {VALIDATION: Examples((raw - draw.mean) / draw.std, drawn.train.y)}


def _packed(masks: Tensors) -> "list[tuple[str, npt.NDArray[Any]]]":
    """Returns masks by name as bits, eight to a byte."""
    return [(name, np.packbits(mask.numpy() != 0)) for name, mask in masks.items()]


def whole_ticket(
    arrays: "Mapping[str, npt.NDArray[Any]]", config: LotteryConfig, ticket: int, arm: str = "ticket"
) -> dict[str, Tensor]:
    """Returns the masks of a ticket that a result of the tuned arm holds.

    Args:
        arrays: Those of the result.
        config: Its numbers.
        ticket: The ticket.
        arm: "ticket", "tenth" or "hundredth".
    """
    like = weights_of_seed(config, FIRST_SEED + ticket)
    bits = {name: arrays[f"whole-{arm}-{ticket}-{name}"] for name in like}
    flat = {name: np.unpackbits(bits[name], count=like[name].numel()).reshape(like[name].shape) for name in like}
    return tensors_in({f"mask/{name}": array for name, array in flat.items()}, "mask")

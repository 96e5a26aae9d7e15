"""Lottery tickets: what iterative pruning finds, what of it survives new data, and whether it is local connectivity.

Source: Greydanus (2020), "Scaling down Deep Learning", "Finding lottery tickets"; Greydanus & Kobak (2024), "Scaling
Down Deep Learning with MNIST-1D", ICML; the idea: Frankle & Carbin (2019), "The Lottery Ticket Hypothesis", ICLR.
"""

from typing import Any

import numpy as np
from torch import Tensor

from lightning_module.studies.framework.cells import FRESH_TESTS, Cell, Outcome, Row
from lightning_module.studies.framework.data import frozen
from lightning_module.studies.framework.protocol import ProtocolFile
from lightning_module.studies.framework.study import Study
from lightning_module.studies.lottery.amendments import AMENDED, AMENDMENTS, RATES, TUNING
from lightning_module.studies.lottery.claims import BANDS, CLAIMS
from lightning_module.studies.lottery.config import LotteryConfig
from lightning_module.studies.lottery.evaluation import evaluate_arms, shuffled_mask
from lightning_module.studies.lottery.figures import (
    draw_adjacency,
    draw_evaluation,
    draw_masks,
    draw_search,
    draw_tuned,
)
from lightning_module.studies.lottery.search import (
    FIRST_SEED,
    all_ones,
    random_masks,
    search_lottery,
    search_random,
    smallest_that_matches,
    weights_of_seed,
)
from lightning_module.studies.lottery.tuned import TUNED, tuned_outcome
from lightning_module.studies.methods.pruning.mask_nulls import by_chance, null_fractions, run_fraction, runs
from lightning_module.studies.methods.pruning.pruning import Tensors

RUNS = (2, 3, 4)

# Shares of the work.
COST = {"lottery": 11.0, "random": 3.5, "dense": 2.0}
COST_TUNED = 19.0


def cells(config: LotteryConfig) -> list[Cell]:
    """Returns three cells for each ticket, or one where rates are tuned; each goes on after an interruption."""
    if config.rates:
        tickets = [*config.seed_range, *config.tuning_tickets]
        return [Cell({"arm": TUNED, "ticket": ticket}, COST_TUNED) for ticket in tickets]
    return [Cell({"arm": arm, "ticket": ticket}, cost) for arm, cost in COST.items() for ticket in config.seed_range]


def run_cell(config: LotteryConfig, cell: Cell) -> Outcome:
    """Returns the outcome of one arm of a ticket."""
    arm, ticket = cell["arm"], cell["ticket"]
    tables: dict[str, list[Row]] = {}
    arms: dict[str, dict[str, Tensor]]
    if arm == TUNED:
        return tuned_outcome(config, ticket, cell.scratch)
    if arm == "dense":
        arms = {"dense": all_ones(weights_of_seed(config, FIRST_SEED + ticket))}
    elif arm == "random":
        tables["rows"] = search_random(config, ticket, cell.scratch)
        arms = {"random": random_masks(config, ticket, config.ticket_round)}
    else:
        tables["rows"], by_round = search_lottery(config, ticket, cell.scratch, [config.ticket_round])
        found = by_round[config.ticket_round]
        tables["smallest"] = [{"seed": ticket, "kept": smallest_that_matches(tables["rows"], ticket)}]
        arms = {"lottery": found, "unseeded": found, "shuffled mask": shuffled_mask(found, ticket)}
    arrays: dict[str, Any] = {}
    if arm != "dense":
        masks = arms[arm]
        first = masks["linear1.weight"].numpy() != 0
        tables["adjacency"] = adjacency_rows(config, first, arm=arm, seed=ticket)
        tables["masks"] = [{"arm": arm, "seed": ticket, **shape_of(masks)}]
        arrays[f"mask-{arm}-{ticket}"] = np.packbits(first, axis=1)  # (units, inputs / 8), for the picture
    tables["evaluation"] = evaluate_arms(config, arms, ticket, cell.scratch)
    data = {"search": frozen().what, "evaluation": frozen(seed=config.data_seed).what}
    return Outcome(tables, arrays, data)


def adjacency_rows(config: LotteryConfig, mask: Any, *, arm: str, seed: int) -> list[Row]:
    """Returns how many runs of adjacent kept inputs a mask (units, inputs) has, beside both nulls."""
    drawn = null_fractions(mask, RUNS, samples=config.null_samples, seed=seed)  # (samples, lengths)
    rows = []
    for length, null in zip(RUNS, drawn.T, strict=True):
        fraction, chance, expected = run_fraction(mask, length), by_chance(mask, length), float(null.mean())
        rows.append(
            {
                "arm": arm,
                "seed": seed,
                "run": length,
                "fraction": fraction,
                "over_inputs": runs(mask, length) / mask.size,  # as published: over all inputs, not all places
                "chance": chance,
                "same_sums": expected,
                "same_sums_deviation": float(null.std(ddof=1)),
                "times_chance": fraction / chance if chance else None,
                "times_same_sums": fraction / expected if expected else None,
            }
        )
    return rows


def shape_of(masks: Tensors) -> dict[str, Any]:
    """Returns how much of the first layer a mask keeps, and how many units and inputs it leaves unused."""
    weights, biases = masks["linear1.weight"] != 0, masks["linear1.bias"] != 0
    return {
        "weights_kept": float(weights.double().mean()),
        "biases_kept": float(biases.double().mean()),
        "units_without_inputs": int((~weights.any(1)).sum()),
        "inputs_unused": int((~weights.any(0)).sum()),
    }


STUDY = Study(
    name="lottery",
    question="Which part of a wide MLP is enough, does it stay enough on new data, and is it because the part that is "
    "left looks at neighbouring points?",
    presets={
        "smoke": LotteryConfig(
            seeds=2,
            hidden_size=40,
            rounds=14,
            ticket_round=12,
            random_rounds=(0, 11, 12),
            steps=6,
            prune_step=4,
            every=2,
            evaluation_steps=4,
            evaluation_batch_size=100,
            permutations=2,
            tests=500,
            null_samples=4,
        ),
        "quick": LotteryConfig(
            seeds=2,
            hidden_size=100,
            rounds=26,
            ticket_round=23,
            random_rounds=(0, 8, 15, 20, 23, 24, 25),
            steps=900,
            prune_step=600,
            evaluation_steps=1500,
            permutations=2,
            tests=5000,
            null_samples=50,
        ),
        "paper": LotteryConfig(),
        AMENDED: LotteryConfig(rates=RATES, tuning=TUNING),
        f"{AMENDED}-smoke": LotteryConfig(
            seeds=2,
            hidden_size=40,
            rounds=14,
            ticket_round=12,
            random_rounds=(0, 12),
            steps=6,
            prune_step=4,
            every=2,
            evaluation_steps=4,
            evaluation_batch_size=100,
            tests=500,
            rates=(0.002, 0.02),
            tuning=1,
        ),
    },
    cells=cells,
    run_cell=run_cell,
    claims=CLAIMS,
    figures={"figure": draw_search, "evaluation": draw_evaluation, "adjacency": draw_adjacency, "masks": draw_masks},
    bands=BANDS,
    amendments=AMENDMENTS,
    amended_figures={"tuned": draw_tuned},
    shared_tests=(FRESH_TESTS,),
    protocol=ProtocolFile(__file__),
)

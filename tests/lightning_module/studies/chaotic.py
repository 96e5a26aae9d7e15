"""A study that rounding changes as it changes a training: a map that doubles each error in the last bit, for long.

How it is rounded an environment variable says, so that a test can round otherwise on any machine.
"""

import os
from dataclasses import dataclass

import numpy as np
import torch

from lightning_module.studies import Cell, Config, Outcome, Study

ROUNDED = "CHAOTIC_ROUNDED"  # a number: results with another one differ by rounding
CAPABILITY = "CHAOTIC_CAPABILITY"  # one more table, with the instructions that torch uses


@dataclass(frozen=True, kw_only=True)
class ChaoticConfig(Config):
    """Numbers.

    Args:
        seeds: Number of seeds.
        steps: Of the map; after 60 nothing is left of what two roundings have in common.
    """

    seeds: int = 10
    steps: int = 80


def cells(config):
    return [Cell({"network": "mlp", "noise": noise}) for noise in (0.25, 0.5)]  # told apart by a float alone


def run_cell(config, cell):
    of, lead = dict(cell.of), 0.4 * cell["noise"]
    random = np.random.default_rng(int(100 * cell["noise"]))
    state, own = random.uniform(0.2, 0.8, (2, config.seeds, 50))
    state += 1e-15 * np.random.default_rng(int(os.environ.get(ROUNDED, "0"))).uniform(-1, 1, state.shape)
    rows = []
    for step in range(config.steps):
        state = np.abs(1 - 2 * np.abs(state - 0.5) * 0.999)
        accuracies = 0.3 + 0.4 * step / config.steps + lead + 0.1 * own[:, 0] + 0.02 * state[:, 0]
        rows += [{**of, "seed": i, "step": step, "accuracy": a} for i, a in enumerate(accuracies)]
    final = [{**row, "best": row["accuracy"] > 0.75 + lead} for row in rows if row["step"] == config.steps - 1]
    right = own + 0.05 * state > 0.4
    mistakes = [{**of, "seed": int(i), "signal": int(j)} for i, j in np.argwhere(~right)]
    tables = {"rows": rows, "final": final, "mistakes": mistakes}
    if os.environ.get(CAPABILITY):
        tables["capability"] = [{**of, "capability": torch.backends.cpu.get_cpu_capability()}]
    return Outcome(tables, {f"right-{cell['noise']}": right.astype(np.uint8)})


STUDY = Study(
    name="chaotic",
    question="What does rounding do?",
    presets={"smoke": ChaoticConfig(), "quick": ChaoticConfig(seeds=20), "paper": ChaoticConfig(seeds=40)},
    cells=cells,
    run_cell=run_cell,
)

"""The networks of the tab Break: trained as the benchmark trains them, and kept if they score as those did.

``python -m lightning_module.explorer.break_.renew`` takes a minute of one core. After
6,000 steps another processor's rounding makes other weights, so that the accuracies are near those of the committed
result and not the same.
"""

from pathlib import Path
from typing import Final

import numpy as np
import torch
from safetensors.torch import save_file

from lightning_module.networks import REFERENCE
from lightning_module.replicas.replica import Replica
from lightning_module.studies import committed_result
from lightning_module.studies.benchmark.study import STUDY
from lightning_module.studies.framework.data import frozen
from lightning_module.studies.framework.training import train
from mnist1d_hf.atomic import replace

FILE: Final = "networks.safetensors"
SEEDS: Final = 3  # the benchmark's first; all ten would be a megabyte
NEAR: Final = 0.03  # two of the benchmark's MLPs differ by as much


def networks(name: str) -> list[dict[str, torch.Tensor]]:
    """Returns the weights of a network for each seed, trained for as many steps as in the benchmark.

    Args:
        name: "logistic", "mlp", "cnn" or "gru".

    Raises:
        ValueError: If they do not read the frozen test split about as well as those of the committed result.
    """
    config = STUDY.presets["paper"]
    data = frozen()
    trained = train(name, [Replica(seed=seed) for seed in range(SEEDS)], data.train, steps=config.steps)
    _, accuracy = trained.ensemble.evaluate(data.test.x, data.test.y)
    rows = committed_result("benchmark").tables["rows"]
    wanted = {"arm": "frozen", "network": name, "points": "own", "on": "test", "step": config.steps}
    known = rows[(rows[list(wanted)] == list(wanted.values())).all(axis=1)].sort_values("seed")["accuracy"][:SEEDS]
    if np.abs(accuracy.numpy() - known.to_numpy()).max() > NEAR:
        raise ValueError(f"network={name!r} scores {accuracy.tolist()}, and {known.tolist()} in the benchmark's result")
    states = [trained.ensemble.replica(place).network.state_dict() for place in range(SEEDS)]
    return [{each: tensor.contiguous() for each, tensor in state.items()} for state in states]


def keep(path: Path) -> None:
    """Writes the weights of all networks, each by network, seed and its own name: ``cnn/0/conv1.weight``."""
    tensors = {
        f"{name}/{seed}/{each}": tensor
        for name in REFERENCE
        for seed, state in enumerate(networks(name))
        for each, tensor in state.items()
    }
    replace(path, lambda part: save_file(tensors, part))


if __name__ == "__main__":
    keep(Path(__file__).with_name(FILE))

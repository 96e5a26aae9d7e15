"""Self-supervised learning: what each layer of a contrastively trained encoder knows, and what its last ones forget.

Source: Greydanus & Kobak (2024), "Scaling Down Deep Learning with MNIST-1D", ICML, section 5.5, with SimCLR (Chen et
al. 2020) and guillotine regularisation (Bordes et al. 2023).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from torch import Tensor

from lightning_module.datamodule import Examples
from lightning_module.studies.framework.cells import FRESH_TESTS, Cell, Outcome, Row, SharedTests
from lightning_module.studies.framework.data import Draw, fresh, fresh_test, frozen
from lightning_module.studies.framework.protocol import ProtocolFile
from lightning_module.studies.framework.study import Study
from lightning_module.studies.methods.embedding import tsne
from lightning_module.studies.methods.probes import Array, one_numpy_thread
from lightning_module.studies.methods.simclr.encoder import PROJECTORS, Projector, SimCLR, layer_names
from lightning_module.studies.self_supervision.amendments import (
    AMENDED,
    AMENDMENTS,
    AUTOENCODER_FIRST_SEED,
    AUTOENCODER_SEEDS,
    BOTH,
    BOTH_FIRST_SEED,
    BOTH_SEEDS,
    FIRST_SEED,
    SEEDS,
)
from lightning_module.studies.self_supervision.claims import BANDS, CLAIMS
from lightning_module.studies.self_supervision.config import SelfSupervisionConfig
from lightning_module.studies.self_supervision.figures import draw_amended, draw_layers, draw_training, draw_tsne
from lightning_module.studies.self_supervision.learned import (
    AUTOENCODER,
    compared_cells,
    loss_rows,
    probed,
    replicas_of,
    run_compared,
    trained,
)
from lightning_module.studies.self_supervision.published import EPOCHS
from lightning_module.studies.self_supervision.rows import Represented, training_rows

# What a projector's encoder costs next to one without, for the remaining time.
COST: Final[dict[Projector, float]] = {"default": 1.05, "none": 1.0, "deep": 1.3}


def cells(config: SelfSupervisionConfig) -> list[Cell]:
    """Returns a cell for each arm and projector, with all seeds; or for each learner, or kind of signals."""
    if config.autoencoder:
        return compared_cells()
    if config.test_signals:
        return [Cell({"seen": seen}, COST["default"]) for seen in ("training", "both")]
    return [
        Cell({"arm": arm, "projector": projector}, COST[projector]) for arm in config.arms for projector in PROJECTORS
    ]


def run_cell(config: SelfSupervisionConfig, cell: Cell) -> Outcome:
    """Returns the scores of the probes of all layers of one kind of encoder, seed by seed."""
    if config.autoencoder:
        return run_compared(config, cell)
    if config.test_signals:
        return _on_own_tests(config, cell)
    projector, is_frozen = cell["projector"], cell["arm"] == "frozen"
    draws = [frozen()] if is_frozen else [fresh(seed, tests=config.tests) for seed in config.seed_range]
    signals = [draw.train.first(config.signals) for draw in draws]
    model, weights = _train(config, projector, signals)
    tests = {"fresh test": fresh_test(draws[0], count=config.tests) if is_frozen else draws[0].test}
    if is_frozen:
        tests["test"] = draws[0].test
    losses = {"losses": loss_rows(config, cell, model)}
    tables, wrong = probed(config, cell, weights, signals, tests, names=layer_names(projector))
    tables = losses | tables
    arrays = {f"wrong-{cell['arm']}-{projector}-{on.replace(' ', '-')}": each for on, each in wrong.items()}
    if is_frozen and projector == "default":
        arrays |= _pictures(config, draws[0], weights)
    labels = [0] if is_frozen else config.seed_range
    what = {f"{cell['arm']}/{seed}": draw.what for seed, draw in zip(labels, draws, strict=True)}
    return Outcome(tables, arrays, what)


def _on_own_tests(config: SelfSupervisionConfig, cell: Cell) -> Outcome:
    """Returns the scores on each seed's own test signals, which the encoder saw if the cell says so."""
    count = config.signals + config.test_signals
    draws = {seed: fresh(seed, tests=1, num_samples=10 * -(-count // 8)) for seed in config.seed_range}
    signals = [draw.train.first(count) for draw in draws.values()]
    seen = count if cell["seen"] == "both" else config.signals
    _, weights = _train(replace(config, signals=seen), "default", [each.first(seen) for each in signals])
    rows: list[Row] = []
    with one_numpy_thread():
        for i, seed in enumerate(draws):
            encoder = {name: tensor[i : i + 1] for name, tensor in weights[config.epochs].items()}
            own = Represented.of(encoder, signals[i])
            train, test = own.rows(np.arange(config.signals)), own.rows(np.arange(config.signals, count))
            rows += [{**cell.of, "seed": seed, **row} for row in training_rows(train, test)]
    return Outcome({"rows": rows}, data={f"{cell['seen']}/{seed}": draw.what for seed, draw in draws.items()})


def _train(
    config: SelfSupervisionConfig, projector: Projector, signals: Sequence[Examples]
) -> tuple[SimCLR, dict[int, dict[str, Tensor]]]:
    """Returns the encoders of all seeds, and their weights after the probed epochs."""
    model = SimCLR(projector, replicas_of(config, signals), length=signals[0].x.shape[1])
    return model, trained(config, model, signals[0])


def _pictures(config: SelfSupervisionConfig, draw: Draw, weights: dict[int, dict[str, Tensor]]) -> dict[str, Array]:
    """Returns t-SNE of the outputs of seed 0, before and after its training, and the digits."""
    x, y = (torch.cat(both)[: config.pictured] for both in zip(draw.train, draw.test, strict=True))
    arrays: dict[str, Array] = {"tsne-digits": y.numpy().astype(np.uint8)}
    for when, epoch in (("before", 0), ("after", config.epochs)):
        encoder = {name: tensor[:1] for name, tensor in weights[epoch].items()}
        z = Represented.of(encoder, Examples(x, y)).layers[-1]
        z = z / np.linalg.norm(z, axis=1, keepdims=True)  # distances are those of the cosine, as in the loss
        with one_numpy_thread():
            arrays[f"tsne-{when}"] = tsne(z, seed=0).points.astype(np.float16)
    return arrays


STUDY = Study(
    name="self-supervision",
    question="What does each layer of a contrastively trained encoder know about the digits, and why are the last ones "
    "better cut off?",
    presets={
        "smoke": SelfSupervisionConfig(seeds=2, epochs=2, probed=(0, 2), signals=400, tests=300, pictured=120),
        "quick": SelfSupervisionConfig(seeds=3, epochs=30, probed=(0, 1, 5, 30), tests=5000, pictured=2000),
        "paper": SelfSupervisionConfig(),
        AMENDED: SelfSupervisionConfig(seeds=SEEDS, first_seed=FIRST_SEED, arms=("fresh",), probed=(0, EPOCHS)),
        f"{AMENDED}-smoke": SelfSupervisionConfig(
            seeds=2, first_seed=90, epochs=2, probed=(0, 2), signals=400, tests=300, arms=("fresh",)
        ),
        BOTH: SelfSupervisionConfig(
            seeds=BOTH_SEEDS, first_seed=BOTH_FIRST_SEED, probed=(0, EPOCHS), arms=("fresh",), test_signals=1000
        ),
        f"{BOTH}-smoke": SelfSupervisionConfig(
            seeds=2, first_seed=90, epochs=2, probed=(0, 2), signals=400, arms=("fresh",), test_signals=100
        ),
        AUTOENCODER: SelfSupervisionConfig(
            seeds=AUTOENCODER_SEEDS, first_seed=AUTOENCODER_FIRST_SEED, probed=(0, EPOCHS), autoencoder=True
        ),
        f"{AUTOENCODER}-smoke": SelfSupervisionConfig(
            seeds=2, first_seed=90, epochs=2, probed=(0, 2), signals=400, tests=300, autoencoder=True
        ),
    },
    cells=cells,
    run_cell=run_cell,
    claims=CLAIMS,
    figures={"figure": draw_layers, "training": draw_training, "tsne": draw_tsne},
    bands=BANDS,
    amendments=AMENDMENTS,
    amended_figures={"figure": draw_amended},
    shared_tests=(FRESH_TESTS, SharedTests(where={"arm": "frozen", "on": "test"}, examples=1000)),
    protocol=ProtocolFile(__file__),
)

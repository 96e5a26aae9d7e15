"""Self-supervised learning: what each layer of a contrastively trained encoder knows, and what its last ones forget.

Source: Greydanus & Kobak (2024), "Scaling Down Deep Learning with MNIST-1D", ICML, section 5.5, with SimCLR (Chen et
al. 2020) and guillotine regularisation (Bordes et al. 2023).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import torch
from torch import Tensor

from lightning_module.datamodule import Examples
from lightning_module.replicas.replica import Replica
from lightning_module.studies.framework.cells import FRESH_TESTS, Cell, Config, Outcome, Row, SharedTests, later
from lightning_module.studies.framework.data import Draw, fresh, fresh_test, frozen
from lightning_module.studies.framework.protocol import ProtocolFile
from lightning_module.studies.framework.study import Study
from lightning_module.studies.framework.training import fit
from lightning_module.studies.methods.embedding import tsne
from lightning_module.studies.methods.probes import Array, one_numpy_thread
from lightning_module.studies.methods.simclr.encoder import PROJECTORS, Projector, SimCLR, layer_names
from lightning_module.studies.self_supervision.amendments import (
    AMENDED,
    AMENDMENTS,
    BOTH,
    BOTH_FIRST_SEED,
    BOTH_SEEDS,
    FIRST_SEED,
    SEEDS,
)
from lightning_module.studies.self_supervision.claims import BANDS, CLAIMS
from lightning_module.studies.self_supervision.figures import draw_amended, draw_layers, draw_training, draw_tsne
from lightning_module.studies.self_supervision.published import EPOCHS
from lightning_module.studies.self_supervision.rows import Represented, final_rows, training_rows
from lightning_module.twin import pl

Arm = Literal["frozen", "fresh"]
ARMS: Final[tuple[Arm, ...]] = ("frozen", "fresh")

# What a projector's encoder costs next to one without, for the remaining time.
COST: Final[dict[Projector, float]] = {"default": 1.05, "none": 1.0, "deep": 1.3}

# Fresh test signals that are probed during the training, and whose final predictions are kept.
CURVE_ROWS: Final = 2000
LOSS_INTERVAL: Final = 5  # epochs from one kept loss to the next
# Replica s has the permutations s * ORDERS + epoch, which no other one has.
ORDERS: Final = 1000


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
        return self.epochs * -(-self.signals // self.batch_size)


def cells(config: SelfSupervisionConfig) -> list[Cell]:
    """Returns a cell for each arm and projector, with all seeds; or for each kind of signals that an encoder sees."""
    if config.test_signals:
        return [Cell({"seen": seen}, COST["default"]) for seen in ("training", "both")]
    return [
        Cell({"arm": arm, "projector": projector}, COST[projector]) for arm in config.arms for projector in PROJECTORS
    ]


def run_cell(config: SelfSupervisionConfig, cell: Cell) -> Outcome:
    """Returns the scores of the probes of all layers of one kind of encoder, seed by seed."""
    if config.test_signals:
        return _on_own_tests(config, cell)
    projector, is_frozen = cell["projector"], cell["arm"] == "frozen"
    draws = [frozen()] if is_frozen else [fresh(seed, tests=config.tests) for seed in config.seed_range]
    signals = [draw.train.first(config.signals) for draw in draws]
    model, weights = _train(config, projector, signals)
    final_tests = {"fresh test": fresh_test(draws[0], count=config.tests) if is_frozen else draws[0].test}
    if is_frozen:
        final_tests["test"] = draws[0].test
    on_the_way = final_tests["fresh test"].first(CURVE_ROWS)

    tables: dict[str, list[Row]] = {"losses": _loss_rows(config, cell, model)}
    wrong: dict[str, list[Array]] = {on: [] for on in final_tests}
    with one_numpy_thread():
        for i, seed in enumerate(config.seed_range):
            own, of = signals[i % len(signals)], {**cell.of, "seed": seed}
            for epoch, stacked in weights.items():
                encoder = {name: tensor[i : i + 1] for name, tensor in stacked.items()}
                train, when = Represented.of(encoder, own), {"epoch": epoch, "last": epoch == config.epochs}
                found = {"training": training_rows(train, Represented.of(encoder, on_the_way))}
                if when["last"]:
                    final = final_rows(train, {on: Represented.of(encoder, each) for on, each in final_tests.items()})
                    found |= final.tables
                    for on, predicted in final.wrong.items():
                        wrong[on].append(predicted[:, :CURVE_ROWS])
                for name, rows in found.items():
                    tables.setdefault(name, []).extend({**of, **when, **row} for row in rows)
    for row in tables["rows"]:
        row["name"] = layer_names(projector)[row["layer"]]
    arrays = {f"wrong-{cell['arm']}-{projector}-{on.replace(' ', '-')}": np.stack(w) for on, w in wrong.items()}
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
    own_data = len(signals) > 1
    replicas = [
        Replica(seed=seed, shuffle_seed=ORDERS * seed, data=signals[i] if own_data else None)
        for i, seed in enumerate(config.seed_range)
    ]
    model, snapshots = SimCLR(projector, replicas, length=signals[0].x.shape[1]), Snapshots(config.probed)
    fit(model, signals[0], steps=config.steps, batch_size=config.batch_size, shuffle=True, callbacks=[snapshots])
    return model, snapshots.weights


class Snapshots(pl.Callback):
    """A callback that keeps the weights of the encoders as they are after certain epochs, on the CPU.

    Args:
        epochs: After how many epochs; 0 is before the training.
    """

    def __init__(self, epochs: Sequence[int]) -> None:
        self.epochs = epochs
        self.weights: dict[int, dict[str, Tensor]] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keeps the initial weights."""
        self._keep(0, pl_module)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keeps the weights."""
        self._keep(trainer.current_epoch + 1, pl_module)

    def _keep(self, epoch: int, model: pl.LightningModule) -> None:
        if epoch in self.epochs and isinstance(model, SimCLR):
            copies = {name: p.detach().to("cpu", copy=True) for name, p in model.network.named_parameters()}
            self.weights[epoch] = copies


def _loss_rows(config: SelfSupervisionConfig, cell: Cell, model: SimCLR) -> list[Row]:
    last = len(model.epoch_losses)
    return [
        {**cell.of, "seed": seed, "epoch": epoch, "loss": float(f"{loss:.6g}")}
        for epoch, losses in enumerate(model.epoch_losses, start=1)
        if epoch in (1, last) or epoch % LOSS_INTERVAL == 0
        for seed, loss in zip(config.seed_range, losses.tolist(), strict=True)
    ]


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

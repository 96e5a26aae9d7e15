"""What the learners of the self-supervision study learn, as probes read it; and the cells of the autoencoders."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor

from lightning_module.datamodule import Examples
from lightning_module.replicas.replica import Replica
from lightning_module.studies.framework.cells import Cell, Outcome, Row
from lightning_module.studies.framework.data import fresh, fresh_test, frozen
from lightning_module.studies.framework.training import fit
from lightning_module.studies.methods.autoencoder import masked
from lightning_module.studies.methods.probes import Array, one_numpy_thread
from lightning_module.studies.methods.simclr import encoder
from lightning_module.studies.methods.unlabelled import Unlabelled
from lightning_module.studies.self_supervision.config import SelfSupervisionConfig
from lightning_module.studies.self_supervision.rows import Representations, Represented, final_rows, training_rows
from lightning_module.twin import pl

# Fresh test signals that are probed during the training, and whose final predictions are kept.
CURVE_ROWS: Final = 2000
LOSS_INTERVAL: Final = 5  # epochs from one kept loss to the next
# Replica s has the permutations s * ORDERS + epoch, which no other one has.
ORDERS: Final = 1000

MASKED: Final = 0.5  # of the points, in our own arm; the source's run hides none
AUTOENCODER, MASKED_AUTOENCODER, SIMCLR = "autoencoder", "masked autoencoder", "simclr"
# What a learner costs next to the others, for the remaining time; the frozen arm has a quarter more signals.
COMPARED: Final = (
    ("frozen", AUTOENCODER, 1.25),
    ("fresh", AUTOENCODER, 1.0),
    ("fresh", MASKED_AUTOENCODER, 1.0),
    ("fresh", SIMCLR, 1.5),
)


def replicas_of(config: SelfSupervisionConfig, signals: Sequence[Examples]) -> list[Replica]:
    """Returns a replica for each seed, each with its own signals if there are several."""
    own_data = len(signals) > 1
    return [
        Replica(seed=seed, shuffle_seed=ORDERS * seed, data=signals[i] if own_data else None)
        for i, seed in enumerate(config.seed_range)
    ]


def trained(config: SelfSupervisionConfig, model: Unlabelled, signals: Examples) -> dict[int, dict[str, Tensor]]:
    """Returns the weights of all replicas after the probed epochs."""
    snapshots, steps = Snapshots(config.probed), config.steps_on(len(signals.y))
    fit(model, signals, steps=steps, batch_size=config.batch_size, shuffle=True, callbacks=[snapshots])
    return snapshots.weights


class Snapshots(pl.Callback):
    """A callback that keeps the weights of the networks as they are after certain epochs, on the CPU.

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
        if epoch in self.epochs and isinstance(model, Unlabelled):
            copies = {name: p.detach().to("cpu", copy=True) for name, p in model.network.named_parameters()}
            self.weights[epoch] = copies


def loss_rows(config: SelfSupervisionConfig, cell: Cell, model: Unlabelled) -> list[Row]:
    """Returns the losses of some epochs, the first and the last among them, seed by seed."""
    last = len(model.epoch_losses)
    return [
        {**cell.of, "seed": seed, "epoch": epoch, "loss": float(f"{loss:.6g}")}
        for epoch, losses in enumerate(model.epoch_losses, start=1)
        if epoch in (1, last) or epoch % LOSS_INTERVAL == 0
        for seed, loss in zip(config.seed_range, losses.tolist(), strict=True)
    ]


def probed(
    config: SelfSupervisionConfig,
    cell: Cell,
    weights: Mapping[int, dict[str, Tensor]],
    labelled: Sequence[Examples],
    tests: Mapping[str, Examples],
    *,
    names: Sequence[str],
    by: Representations = encoder.SimCLR.read_layers,
) -> tuple[dict[str, list[Row]], dict[str, Array]]:
    """Returns the rows of all probes, by table, and by test set what the last ones got wrong, seed by seed.

    Args:
        config: The numbers.
        cell: The cell, whose names the rows have.
        weights: The weights of all replicas, by epoch.
        labelled: The training signals with labels: one set for all replicas, or one for each.
        tests: Test signals by name; those on the way are of the fresh ones.
        names: The names of the layers, from the input.
        by: What turns weights and signals into representations.
    """
    tables: dict[str, list[Row]] = {}
    wrong: dict[str, list[Array]] = {on: [] for on in tests}
    on_the_way = tests["fresh test"].first(CURVE_ROWS)
    with one_numpy_thread():
        for i, seed in enumerate(config.seed_range):
            own, of = labelled[i % len(labelled)], {**cell.of, "seed": seed}
            for epoch, stacked in weights.items():
                network = {name: tensor[i : i + 1] for name, tensor in stacked.items()}
                train, when = Represented.of(network, own, by), {"epoch": epoch, "last": epoch == config.epochs}
                found = {"training": training_rows(train, Represented.of(network, on_the_way, by))}
                if when["last"]:
                    final = final_rows(train, {on: Represented.of(network, each, by) for on, each in tests.items()})
                    found |= final.tables
                    for on, predicted in final.wrong.items():
                        wrong[on].append(predicted[:, :CURVE_ROWS])
                for name, rows in found.items():
                    tables.setdefault(name, []).extend({**of, **when, **row} for row in rows)
    for row in tables["rows"]:
        row["name"] = names[row["layer"]]
    return tables, {on: np.stack(each) for on, each in wrong.items()}


def compared_cells() -> list[Cell]:
    """Returns a cell for each learner of the preset that trains autoencoders."""
    return [Cell({"arm": arm, "learner": learner}, cost) for arm, learner, cost in COMPARED]


def run_compared(config: SelfSupervisionConfig, cell: Cell) -> Outcome:
    """Returns the scores of the probes of all layers of one learner, seed by seed.

    On frozen data the learner sees the test signals too, without their labels, as in the source; on fresh data not.
    """
    learner, is_frozen = cell["learner"], cell["arm"] == "frozen"
    draws = [frozen()] if is_frozen else [fresh(seed, tests=config.tests) for seed in config.seed_range]
    labelled = [draw.train.first(config.signals) for draw in draws]
    tests = {"fresh test": fresh_test(draws[0], count=config.tests) if is_frozen else draws[0].test}
    seen = labelled
    if is_frozen:
        tests["test"] = draws[0].test
        seen = [Examples(*(torch.cat(both) for both in zip(labelled[0], draws[0].test, strict=True)))]
    replicas, length = replicas_of(config, seen), seen[0].x.shape[1]
    if learner == SIMCLR:
        model: Unlabelled = encoder.SimCLR("default", replicas, length=length)
        names, by = encoder.layer_names("default"), encoder.SimCLR.read_layers
    else:
        ratio = MASKED if learner == MASKED_AUTOENCODER else 0.0
        model = masked.MaskedAutoencoder(ratio, replicas, length=length)
        names, by = masked.LAYERS, masked.MaskedAutoencoder.read_layers
    weights = trained(config, model, seen[0])
    tables, wrong = probed(config, cell, weights, labelled, tests, names=names, by=by)
    tables["losses"] = loss_rows(config, cell, model)
    own_name = f"{cell['arm']}-{learner.replace(' ', '-')}"
    arrays = {f"wrong-{own_name}-{on.replace(' ', '-')}": each for on, each in wrong.items()}
    labels = [0] if is_frozen else config.seed_range
    what = {f"{cell['arm']}/{seed}": draw.what for seed, draw in zip(labels, draws, strict=True)}
    return Outcome(tables, arrays, what)

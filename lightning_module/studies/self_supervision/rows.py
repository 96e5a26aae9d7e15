"""The probes of all layers of the self-supervision study's encoders, as rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from lightning_module.datamodule import Examples
from lightning_module.studies.framework.cells import Row
from lightning_module.studies.methods.probes import Array, linear_probe, neighbour_labels, predictions, purity, votes
from lightning_module.studies.methods.simclr.encoder import SimCLR

COMPONENTS = 16  # of the layers that are wider, so that they have no more to offer than a projector's output
Representations = Callable[[Mapping[str, Tensor], Tensor], list[Tensor]]
VALIDATION = 5  # one of so many labelled training signals chooses the layer


@dataclass(frozen=True)
class Represented:
    """The representations of some signals, layer by layer, and their labels.

    Attributes:
        layers: The representations after each layer, from the input to the output, (n, width) each.
        y: The labels, (n,).
    """

    layers: list[Array]
    y: Array

    @classmethod
    def of(
        cls, weights: Mapping[str, Tensor], examples: Examples, by: Representations = SimCLR.read_layers
    ) -> "Represented":
        """Returns the representations of examples in one network, with weights (1, ...); SimCLR's by default."""
        layers = [h.cpu().numpy() for h in by(weights, examples.x)]
        return cls(layers, examples.y.numpy())

    def rows(self, rows: Array) -> "Represented":
        """Returns some of the signals."""
        return Represented([layer[rows] for layer in self.layers], self.y[rows])


@dataclass
class Measured:
    """The rows and the errors that the probes of one encoder measured.

    Attributes:
        tables: Rows by the name of their table.
        wrong: By test set, (prediction - label) modulo 10 of the linear probe of each layer, (layers, n).
    """

    tables: dict[str, list[Row]] = field(default_factory=dict)
    wrong: dict[str, Array] = field(default_factory=dict)


def training_rows(train: Represented, test: Represented) -> list[Row]:
    """Returns the accuracies after each layer, and that of the neighbours in the output space."""
    rows = [
        {"layer": layer, "probe": "linear", "accuracy": _share(predictions(linear_probe(x, train.y), x_test), test.y)}
        for layer, (x, x_test) in enumerate(zip(train.layers, test.layers, strict=True))
    ]
    found = votes(neighbour_labels(train.layers[-1], train.y, test.layers[-1]))
    return [*rows, {"layer": len(rows) - 1, "probe": "neighbours", "accuracy": _share(found, test.y)}]


def final_rows(train: Represented, tests: Mapping[str, Represented]) -> Measured:
    """Returns all that is measured after the training, and the layer that the validation signals choose.

    Args:
        train: The labelled training signals.
        tests: Sets of test signals by name.
    """
    measured = Measured({"rows": [], "chosen": [], "digits": []})
    held_out = np.arange(len(train.y)) % VALIDATION == VALIDATION - 1
    fitted, held = train.rows(~held_out), train.rows(held_out)
    wrong: dict[str, list[Array]] = {on: [] for on in tests}
    for layer, x in enumerate(train.layers):
        rows = measured.tables["rows"]
        of: Row = {"layer": layer, "width": x.shape[1]}
        choosing = linear_probe(fitted.layers[layer], fitted.y)
        accuracy = _share(predictions(choosing, held.layers[layer]), held.y)
        rows.append({**of, "probe": "linear", "on": "validation", "accuracy": accuracy})
        probes = {"linear": linear_probe(x, train.y)}
        if x.shape[1] > COMPONENTS:
            probes[f"linear {COMPONENTS}"] = linear_probe(x, train.y, components=COMPONENTS)
        for on, test in tests.items():
            for name, probe in probes.items():
                found = predictions(probe, test.layers[layer])
                rows.append({**of, "probe": name, "on": on, "accuracy": _share(found, test.y)})
                if name == "linear":
                    wrong[on].append(((found - test.y) % 10).astype(np.uint8))
    measured.tables["chosen"] = _chosen(measured.tables["rows"], tests)
    measured.wrong = {on: np.stack(layers) for on, layers in wrong.items()}
    for on, test in tests.items():
        labels = neighbour_labels(train.layers[-1], train.y, test.layers[-1])
        of = {"layer": len(train.layers) - 1, "width": train.layers[-1].shape[1], "probe": "neighbours"}
        measured.tables["rows"].append({**of, "on": on, "accuracy": _share(votes(labels), test.y)})
        if on == "fresh test":
            shares = purity(labels, test.y)
            measured.tables["digits"] = [{"digit": each, "purity": round(share, 6)} for each, share in shares.items()]
    return measured


def _chosen(rows: list[Row], tests: Mapping[str, Represented]) -> list[Row]:
    """Returns the layer that is best on validation, the first of several, and its accuracy on each test set."""
    linear = {(row["on"], row["layer"]): row["accuracy"] for row in rows if row["probe"] == "linear"}
    layers = sorted({layer for _, layer in linear})
    best = max(layers, key=lambda layer: linear["validation", layer])
    return [
        {
            "on": on,
            "layer": best,
            "accuracy": linear[on, best],
            "input": linear[on, layers[0]],
            "output": linear[on, layers[-1]],
        }
        for on in tests
    ]


def _share(found: Array, y: Array) -> float:
    return round(float(np.mean(found == y)), 6)

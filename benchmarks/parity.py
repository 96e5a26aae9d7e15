"""Whether the reference stream and `mnist1d_hf.compat` make what the reference package makes, over many parameter sets.

    pip install -e '.[bench]' && python benchmarks/parity.py

Prints the largest difference of each set and exits with 1 if one is above 1e-12 or a label differs.
"""

import importlib.metadata
import os
import random
import sys
from dataclasses import fields
from typing import Any

os.environ.setdefault("MPLBACKEND", "Agg")  # the reference imports pyplot

import mnist1d as reference
import mnist1d.data
import numpy as np
from report import machine

from mnist1d_hf import RECIPES, compat, make_mnist1d
from mnist1d_hf.generator.recipe import Recipe

TOLERANCE = 1e-12
RANDOM_SETS = 24
OURS_ALONE = {"flip_seq", "label_noise", "label_noise_seed"}  # the reference does not know them
PARAMETERS = [field.name for field in fields(Recipe) if field.name not in OURS_ALONE]
EXTREMES: dict[str, dict[str, Any]] = {
    "no randomness but noise": {"scale_coeff": 0, "shear_scale": 0, "max_translation": 1, "padding": (50, 50)},
    "shifts beyond the length": {"max_translation": 300, "padding": (0, 20)},
    "no padding at all": {"padding": (0, 0), "template_len": 40},
    "odd dilated length": {"padding": (36, 61)},
    "filter longer than signal": {"template_len": 3, "padding": (1, 2), "final_seq_length": 5},
    "everything to test": {"train_split": 0.0},
    "remainder of 7": {"num_samples": 237},
    "largest seed": {"seed": 2**32 - 1},
}


def parameter_sets() -> dict[str, dict[str, Any]]:
    """Returns changes from the default by name: the named configs that the reference can make, extremes and random."""
    sets: dict[str, dict[str, Any]] = {"frozen (5,000 examples)": {}}
    for name, named in RECIPES.items():
        changes = named.recipe.differences()
        if changes and not OURS_ALONE & changes.keys():
            sets[name] = changes | {"num_samples": min(named.recipe.num_samples, 1000)}
    sets |= {name: {"num_samples": 200} | changes for name, changes in EXTREMES.items()}
    draw = random.Random(0)
    for number in range(RANDOM_SETS):
        sets[f"random {number}"] = random_changes(draw)
    return sets


def random_changes(draw: random.Random) -> dict[str, Any]:
    """Returns a value for every parameter."""
    return {
        "num_samples": draw.randint(10, 400),
        "train_split": draw.random(),
        "template_len": draw.randint(2, 40),
        "padding": tuple(sorted((draw.randint(0, 80), draw.randint(0, 80)))),
        "scale_coeff": draw.choice((0.0, draw.uniform(0, 2))),
        "max_translation": draw.randint(1, 120),
        "corr_noise_scale": draw.choice((0.0, draw.uniform(0, 2))),
        "iid_noise_scale": draw.uniform(0.001, 1),
        "shear_scale": draw.choice((0.0, draw.uniform(0, 3))),
        "shuffle_seq": draw.random() < 0.5,
        "final_seq_length": draw.randint(2, 150),
        "seed": draw.randrange(2**32),
    }


def as_arguments(changes: dict[str, Any]) -> object:
    """Returns the reference's arguments object with these changes."""
    arguments = reference.get_dataset_args()
    for name, value in changes.items():
        setattr(arguments, name, list(value) if name == "padding" else value)
    return arguments


def compare(changes: dict[str, Any]) -> tuple[float, float, bool]:
    """Returns the largest difference of x and of t, and whether all labels are equal."""
    theirs = mnist1d.data.make_dataset(as_arguments(changes))
    size = int(changes.get("num_samples", 5000))
    ours = make_mnist1d(**changes | {"num_samples": size // 10 * 10}).as_dict()
    pairs = [(ours[name], theirs[name]) for name in ("x", "x_test")]
    if any(mine.shape != their.shape for mine, their in pairs):
        return float("inf"), float("inf"), False
    x = max(float(np.abs(mine - their).max(initial=0.0)) for mine, their in pairs)
    t = float(np.abs(ours["t"] - theirs["t"]).max())
    return x, t, all(np.array_equal(ours[name], theirs[name]) for name in ("y", "y_test"))


def compare_compat(changes: dict[str, Any]) -> tuple[float, float, bool]:
    """Returns what `compare` does, for `transform` on each digit under one seed; the flag: both drew equally much."""
    arguments, templates = as_arguments(changes), reference.get_templates()
    made = []
    for package in (reference, compat):
        package.set_seed(int(changes.get("seed", 42)))
        signals = [package.transform(curve, templates["t"], arguments) for curve in templates["x"]]
        made.append((np.stack([x for x, _ in signals]), np.stack([t for _, t in signals]), np.random.rand()))
    theirs, ours = made
    return float(np.abs(ours[0] - theirs[0]).max()), float(np.abs(ours[1] - theirs[1]).max()), ours[2] == theirs[2]


def main() -> int:
    """Compares all sets and prints a table; returns 1 if one differs."""
    sets = parameter_sets()
    for name in PARAMETERS:
        if len({str(changes.get(name)) for changes in sets.values()}) < 3:
            raise ValueError(f"the sets do not vary {name}")
    print(machine())
    print(", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("mnist1d", "scipy")))
    print(f"{'parameter set':<28}{'max |dx|':>11}{'max |dt|':>11}{'labels':>8}{'transform':>12}")
    failed = []
    for name, changes in sets.items():
        x, t, labels = compare(changes)
        signal, place, drawn = compare_compat(changes)
        print(f"{name:<28}{x:>11.1e}{t:>11.1e}{'equal' if labels else 'DIFFER':>8}{signal:>12.1e}")
        if not (max(x, t, signal, place) <= TOLERANCE and labels and drawn):
            failed.append(name)
    print(f"differ: {', '.join(failed)}" if failed else f"{len(sets)} parameter sets within {TOLERANCE:g}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())

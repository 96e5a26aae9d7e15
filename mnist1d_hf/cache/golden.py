"""What every config must contain, on every machine: committed digests, or probes where the last bit may differ.

The reference stream is exact, so a SHA-256 per column and split says all. The fast stream hangs on numpy's `Generator`,
whose streams may change between releases, so a few rows and moments are compared within a tolerance.

A version is written as what it adds to those before it with the same MAJOR, whose records it has as well: a MINOR that
brings a config adds that config, and says nothing of the others.

``python -m mnist1d_hf.cache.golden`` adds what is missing. It refuses to change what a published data version contains.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np

from mnist1d_hf.generator.arrays import Split
from mnist1d_hf.generator.columns import Array, column_digests, features_of, table_of
from mnist1d_hf.generator.generate import make_mnist1d, make_slice
from mnist1d_hf.generator.recipe import RECIPES, NamedRecipe
from mnist1d_hf.mnist1d import DATA_VERSION

FILE: Final = "golden.json"
TOLERANCE: Final = 1e-5
PROBE_ROWS: Final = (0, 1, 999, 54_321)  # two of one block, its last, and one far behind
MOMENT_ROWS: Final = 10_000

Golden = Mapping[str, Any]


@cache
def has_same_records(version: object) -> bool:
    """Returns whether the configs of another data version have the records that they have in this one."""
    return isinstance(version, str) and version.split(".")[0] == DATA_VERSION.split(".")[0]


def committed() -> dict[str, dict[str, Golden]]:
    """Returns the committed content of every config of this data version, by config and split."""
    return _contained(json.loads(files("mnist1d_hf.cache").joinpath(FILE).read_text(encoding="utf-8")), DATA_VERSION)


def _contained(content: Mapping[str, Mapping[str, Any]], version: str) -> dict[str, dict[str, Golden]]:
    """Returns what a version contains: its own entry, and those before it with the same MAJOR."""
    until = _numbers(version)
    entries = sorted(
        (each for each in content if _numbers(each)[0] == until[0] and _numbers(each) <= until), key=_numbers
    )
    return {name: splits for each in entries for name, splits in content[each].items()}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def computed(name: str) -> dict[str, Golden]:
    """Returns the content of a config, generated now, by split: digests, or probes of the fast stream."""
    named = RECIPES[name]
    if named.stream == "fast":
        return {split: _generated_probes(named, split) for split in ("train", "test")}
    arrays = make_mnist1d(name)
    return {split: _digests(named, getattr(arrays, split)) for split in ("train", "test")}


def differences(name: str, expected: Mapping[str, Golden], found: Mapping[str, Golden]) -> list[str]:
    """Returns where the content of a config is not the expected one, in words; empty if it is."""
    problems = []
    for split in sorted(expected.keys() | found.keys()):
        left, right = expected.get(split, {}), found.get(split, {})
        problems += [
            f"{name}, split {split!r}: {key} is not what version {DATA_VERSION} contains"
            for key in sorted(left.keys() | right.keys())
            if not _same(left.get(key), right.get(key))
        ]
    return problems


def _same(left: Any, right: Any) -> bool:
    if left is None or right is None or isinstance(left, str):
        return bool(left == right)
    return np.shape(left) == np.shape(right) and bool(np.allclose(left, right, rtol=0, atol=TOLERANCE))


def _digests(named: NamedRecipe, split: Split) -> Golden:
    return column_digests([table_of(split, features_of(named.recipe, named.latents))])


def probes(x: Array, y: Array, first_x: Array) -> Golden:
    """Returns the probes of a split of the fast stream: the numbers by which two builds of it are compared.

    Args:
        x: Signals of `PROBE_ROWS`, ``(rows, length)``.
        y: Their labels, ``(rows,)``.
        first_x: The first `MOMENT_ROWS` signals.
    """
    return {
        "rows": list(PROBE_ROWS),
        "x": np.round(x.astype(np.float64), 7).tolist(),
        "y": y.tolist(),
        "mean": round(float(first_x.mean(dtype=np.float64)), 7),
        "std": round(float(first_x.std(dtype=np.float64)), 7),
    }


def _generated_probes(named: NamedRecipe, split: str) -> Golden:
    rows = Split.concatenate([make_slice(named.recipe, split, row, row + 1) for row in PROBE_ROWS])
    return probes(rows.x, rows.y, make_slice(named.recipe, split, 0, MOMENT_ROWS).x)


def write(path: Path) -> None:
    """Writes what the present data version adds to those before it into the file.

    Raises:
        ValueError: If a config that the file already holds, under this version or one before it with the same MAJOR,
            would change or be gone; a higher MINOR may add columns to it.
    """
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    present = content.setdefault(DATA_VERSION, {})
    known = _contained(content, DATA_VERSION)
    for name in dict.fromkeys([*RECIPES, *known]):
        found = computed(name) if name in RECIPES else {}
        kept = found if name in present else _without_new_columns(found, known.get(name, {}))
        if name in known and (changed := differences(name, known[name], kept)):
            raise ValueError(
                f"{changed[0]}. Published records never change under their version: raise DATA_VERSION in mnist1d.py "
                "to the next MAJOR and say why in DATA_HISTORY, or restore the generator"
            )
        if name not in known or differences(name, known[name], found):
            present[name] = found
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _without_new_columns(found: Mapping[str, Golden], known: Mapping[str, Golden]) -> Mapping[str, Golden]:
    return {split: {key: entry[key] for key in entry if key in known.get(split, {})} for split, entry in found.items()}


if __name__ == "__main__":
    write(Path(__file__).with_name(FILE))

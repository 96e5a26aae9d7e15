"""Rows and moments of the fast stream, also of a recipe that no config has.

They may only change together with the MAJOR of DATA_VERSION; ``python tests/mnist1d_hf/fast_probes.py`` renews them.
"""

import json
import re
from pathlib import Path

import numpy as np

from mnist1d_hf import make_mnist1d, make_slice

FILE = Path(__file__).with_suffix(".json")
RECIPES = {
    "default": {},
    "another seed": {"seed": 2**32 - 1},
    "every field": {
        "template_len": 9,
        "padding": [3, 20],
        "scale_coeff": 1.0,
        "max_translation": 40,
        "corr_noise_scale": 0.4,
        "iid_noise_scale": 0.1,
        "shear_scale": 0.3,
        "shuffle_seq": True,
        "flip_seq": True,
        "final_seq_length": 23,
        "seed": 5,
        "label_noise": 0.5,
        "label_noise_seed": 6,
    },
}
PROBES = [
    *(("train", row) for row in (0, 999, 1000, 123_456, 10**12 - 1)),
    *(("test", row) for row in (0, 12_345)),
]
MOMENT_ROWS = 20_000


def content(changes):
    """What the stream of a recipe is recognised by."""
    rows = [make_slice("default", split, row, row + 1, **changes) for split, row in PROBES]
    many = {split: make_slice("default", split, 0, MOMENT_ROWS, **changes) for split in ("train", "test")}
    x = {split: part.x.astype(np.float64) for split, part in many.items()}
    t = make_mnist1d("default", stream="fast", num_samples=10, **changes).t
    return {
        "x": [row.x[0].tolist() for row in rows],
        "y": [int(row.y[0]) for row in rows],
        "y_clean": [int(row.y_clean[0]) for row in rows],
        "moments": [[float((x[split] ** power).mean()) for power in (1, 2, 3)] for split in x],
        "wrong_labels": [int((part.y != part.y_clean).sum()) for part in many.values()],
        "t": [float(value) for value in t[[0, 1, -1]]],
    }


def main():
    """Write the file anew."""
    rounded = json.loads(
        json.dumps({name: content(changes) for name, changes in RECIPES.items()}),
        parse_float=lambda text: round(float(text), 6),
    )
    one_line_a_row = re.sub(
        r"\[\s+([^\[\]{}]*?)\s+\]",
        lambda found: "[" + re.sub(r"\s+", " ", found[1]) + "]",
        json.dumps(rounded, indent=1),
    )
    FILE.write_text(one_line_a_row + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

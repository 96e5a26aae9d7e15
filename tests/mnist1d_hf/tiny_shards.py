"""A config in four shards, made in a second: short signals of the fast stream, three leaves and a part of one."""

import hashlib

from mnist1d_hf import RECIPES, make_slice

TRAIN, TEST = 301_000, 1_000
TINY = {"padding": (4, 8), "final_seq_length": 8, "stream": "fast"}
TINY |= {"num_samples": TRAIN + TEST, "train_split": TRAIN / (TRAIN + TEST)}
RECIPE = RECIPES["default"].recipe.replace(**{name: value for name, value in TINY.items() if name != "stream"})
SHARDS = {"new_config": "tiny", "recipe": TINY, "rows_per_shard": 100_000}
PATHS = [f"tiny/train-{number:05}-of-00004.parquet" for number in range(4)]


def independent_leaves(split="train", rows=TRAIN):
    """The digests of the leaves, of arrays that were made by the generator alone, in one piece."""
    made = make_slice(RECIPE, split, 0, rows)
    columns = {"x": made.x.astype("<f4"), "y": made.y.astype("<i8")}
    return {
        name: [hashlib.sha256(values[first : first + 100_000].tobytes()).digest() for first in range(0, rows, 100_000)]
        for name, values in columns.items()
    }

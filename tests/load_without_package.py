"""Load every config of an exported folder with nothing but datasets, and compare its columns with the card's digests.

``python -I tests/load_without_package.py FOLDER``, in an environment that has `datasets` and not this package.
"""

import hashlib
import importlib.util
import sys
from pathlib import Path

import datasets
import numpy as np
import yaml

folder = sys.argv[1]
if importlib.util.find_spec("mnist1d_hf"):
    sys.exit("mnist1d_hf is installed here: that proves nothing")
records = yaml.safe_load(Path(folder, "README.md").read_text(encoding="utf-8").split("---\n")[1])["mnist1d"]
for record in records:
    dataset = datasets.load_dataset(folder, record["config_name"])
    for split, digests in record["digests"].items():
        columns = dataset[split].with_format("numpy")[:]
        for name, expected in digests.items():
            values = np.ascontiguousarray(columns[name])
            found = hashlib.sha256(values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()).hexdigest()
            if found != expected:
                sys.exit(f"{record['config_name']}, {split}, {name}: {found} instead of {expected}")
    sys.stdout.write(f"{record['config_name']} {dataset['train'].info.version}: equal to its digests\n")

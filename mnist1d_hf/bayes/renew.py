"""Writes the committed files: the posteriors of the frozen data set, and the limits of the named configs.

``python -m mnist1d_hf.bayes.renew`` takes a minute or two. Limits stay as they are unless ``--limits`` is given.
"""

import argparse
import json
from pathlib import Path
from typing import Final

import numpy as np

from mnist1d_hf.bayes import frozen, limits
from mnist1d_hf.bayes.posterior import log_posterior
from mnist1d_hf.generator.generate import make_mnist1d
from mnist1d_hf.generator.recipe import RECIPES

SIGNALS: Final = 10_000  # of each config
DIGITS: Final = 7


def write_frozen(path: Path) -> None:
    """Writes the posteriors of the frozen data set, train then test, in single precision."""
    data = make_mnist1d()
    log_p = log_posterior(np.concatenate([data.train.x, data.test.x]), progress=True)
    np.save(path, log_p.astype("<f4"), allow_pickle=False)


def write_limits(path: Path) -> None:
    """Writes the limits of every config that has them, of the labels that a test split has."""
    content = {}
    for name, named in RECIPES.items():
        if named.recipe.iid_noise_scale > 0:
            found = limits.bayes_limits(name, n=SIGNALS, progress=True).as_dict()
            content[name] = {key: round(value, DIGITS) for key, value in found.items()}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Writes both files beside this one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limits", action="store_true", help="the limits of the configs too")
    options = parser.parse_args()
    folder = Path(__file__).parent
    write_frozen(folder / frozen.FILE)
    if options.limits:
        write_limits(folder / limits.FILE)


if __name__ == "__main__":
    main()

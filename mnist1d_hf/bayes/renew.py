"""Writes the committed files: the posteriors of the frozen data set, and the limits of the named configs.

``python -m mnist1d_hf.bayes.renew`` writes the posteriors, in a minute or two; ``--limits`` the limits of all configs
too; ``--missing`` nothing but those of new configs.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from mnist1d_hf.atomic import replace
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


def write_limits(path: Path, *, known: Mapping[str, Any] | None = None) -> list[str]:
    """Writes the limits of every config that has them, of the labels that a test split has; returns what was computed.

    Args:
        path: The file.
        known: Limits that stay as they are, by config.
    """
    content, computed = {}, []
    for name, named in RECIPES.items():
        if named.recipe.iid_noise_scale > 0:
            if known is None or name not in known:
                found = limits.bayes_limits(name, n=SIGNALS, progress=True).as_dict()
                content[name] = {key: round(value, DIGITS) for key, value in found.items()}
                computed.append(name)
            else:
                content[name] = known[name]
    replace(path, lambda part: part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8"))
    return computed


def main() -> None:
    """Writes what is asked for beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--limits", action="store_true", help="the limits of all configs too")
    which.add_argument("--missing", action="store_true", help="only the limits of configs that have none yet")
    options = parser.parse_args()
    folder = Path(__file__).parent
    file = folder / limits.FILE
    if options.missing:
        write_limits(file, known=json.loads(file.read_text(encoding="utf-8")))
        return
    write_frozen(folder / frozen.FILE)
    if options.limits:
        write_limits(file)


if __name__ == "__main__":
    main()

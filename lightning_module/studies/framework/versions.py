"""The versions that decide a study's numbers."""

from importlib.metadata import version
from typing import Final

import mnist1d_hf

LIBRARIES: Final = ("torch", "pytorch-lightning", "numpy", "datasets")


def versions() -> dict[str, str]:
    """Returns the versions that decide the numbers."""
    return {
        "mnist1d_hf": mnist1d_hf.__version__,
        "data": mnist1d_hf.DATA_VERSION,
        **{name: version(name) for name in LIBRARIES},
    }

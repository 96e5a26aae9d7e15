"""What every benchmark says about where it ran."""

import importlib.metadata
import platform

PACKAGES = ("numpy", "datasets", "pyarrow", "torch", "pytorch-lightning")


def machine() -> str:
    """Returns processor, cores, Python and the versions that matter, in one line."""
    from lightning_module.studies.framework.records.environment import cores, processor  # with torch

    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    return f"{processor()}, {cores()} cores, Python {platform.python_version()}, {versions}"

"""What every benchmark says about where it ran."""

import importlib.metadata
import os
import platform
from pathlib import Path

PACKAGES = ("numpy", "datasets", "pyarrow", "torch", "pytorch-lightning")


def machine() -> str:
    """Returns processor, cores, Python and the versions that matter, in one line."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    return f"{_processor()}, {_cores()} cores, Python {platform.python_version()}, {versions}"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

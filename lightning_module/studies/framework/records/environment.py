"""What a run's numbers and times depend on beside its code: versions of the libraries, the processor, its cores."""

import os
import platform
import re
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

import torch

import mnist1d_hf

LIBRARIES: Final = ("torch", "pytorch-lightning", "numpy", "datasets")


def versions() -> dict[str, str]:
    """Returns the versions that decide a study's numbers."""
    return {
        "mnist1d_hf": mnist1d_hf.__version__,
        "data": mnist1d_hf.DATA_VERSION,
        **{name: version(name) for name in LIBRARIES},
    }


@cache
def processor() -> str:
    """Returns the processor's model and the instructions that torch uses of it, such as "AMD EPYC 7R13 (AVX2)".

    The last bits of a number depend on them.
    """
    return f"{_model()} ({torch.backends.cpu.get_cpu_capability()})"


def cores() -> int:
    """Returns how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _model() -> str:
    try:
        if platform.system() == "Darwin":
            command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
            named = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stdout.strip()
        else:
            text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
            named = next(iter(re.findall(r"^model name\s*:\s*(.+)$", text, re.M)), "").strip()
    except (OSError, subprocess.SubprocessError):
        named = ""
    return named or platform.processor() or platform.machine()

"""What a number's last bits depend on beside the versions of the libraries: the processor."""

import platform
import re
import subprocess
from functools import cache
from pathlib import Path

import torch


@cache
def processor() -> str:
    """Returns the processor's model and the instructions that torch uses of it, such as "AMD EPYC 7R13 (AVX2)"."""
    return f"{_model()} ({torch.backends.cpu.get_cpu_capability()})"


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

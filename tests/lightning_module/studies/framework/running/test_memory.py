import ctypes
import platform
import subprocess
import sys

import pytest

from lightning_module.studies.framework.running import memory

# What glibc says of ten blocks of 4 MB: how many are mapped by themselves, and how many bytes it keeps once they are
# freed. Of another process, since it is for good.
BLOCKS = """
import ctypes, sys
import torch
from lightning_module.studies.framework.running.memory import keep_freed_memory

class Info(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

info = ctypes.CDLL(None).mallinfo2
info.restype = Info
if sys.argv[1] == "kept":
    assert keep_freed_memory()
before = info().hblks
blocks = [torch.ones(1_000_000) for _ in range(10)]
mapped = info().hblks - before
del blocks
print(mapped, info().fordblks)
"""


def blocks(how: str) -> tuple[int, int]:
    done = subprocess.run([sys.executable, "-c", BLOCKS, how], capture_output=True, text=True, check=True)
    mapped, kept = map(int, done.stdout.split())
    return mapped, kept


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="glibc 2.33 tells"
)
def test_freed_memory_stays() -> None:
    mapped, kept = blocks("kept")
    assert mapped == 0
    assert kept >= 40_000_000
    mapped, kept = blocks("as it was")
    assert mapped == 10
    assert kept < 40_000_000


def test_other_c_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert not memory.keep_freed_memory()

"""How long the two streams take against the reference package, and how much memory a million examples need.

    pip install -e '.[bench]' && python benchmarks/generate_speed.py

Each round times the reference package, the reference stream and the fast stream one after the other in this process, so
that a ratio compares neighbours; the figures are medians over the rounds. Memory is the peak of a fresh process.
Exits with 1 if a target is missed.
"""

import argparse
import importlib.metadata
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

os.environ.setdefault("MPLBACKEND", "Agg")  # the reference imports pyplot

import mnist1d as reference
import mnist1d.data
from report import machine

from mnist1d_hf import make_mnist1d, make_slice

REFERENCE_EXAMPLES = 5000
FAST_EXAMPLES = 1_000_000
TARGET_REFERENCE = 10.0  # times the reference package's speed
TARGET_FAST = 100.0
TARGET_MEMORY = 1.0  # GB
PEAK = f"""
import resource, sys
from mnist1d_hf import make_slice
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
split = make_slice("default", "train", 0, {FAST_EXAMPLES})
unit = 1 if sys.platform == "darwin" else 1024
print(before * unit / 1e9, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9, split.x.nbytes / 1e9)
"""


def microseconds_per_example(make: Callable[[], object], examples: int) -> float:
    """Returns the time of one call, divided by how many examples it makes."""
    start = time.perf_counter()
    make()
    return (time.perf_counter() - start) / examples * 1e6


def measure(rounds: int) -> dict[str, list[float]]:
    """Returns the microseconds per example of each side, one figure per round."""
    arguments = reference.get_dataset_args()
    sides = {
        "reference package": (lambda: mnist1d.data.make_dataset(arguments), REFERENCE_EXAMPLES),
        "reference stream": (make_mnist1d, REFERENCE_EXAMPLES),
        "fast stream": (lambda: make_slice("default", "train", 0, FAST_EXAMPLES), FAST_EXAMPLES),
    }
    make_slice("default", "train", 0, 1)  # the table of clean signals, made once per recipe
    times: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, (make, examples) in sides.items():
            times[side].append(microseconds_per_example(make, examples))
    return times


def peak_memory() -> list[float]:
    """Returns the peak of a fresh process after its imports, its peak after a million examples, and x's size, in GB."""
    printed = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True).stdout
    return [float(number) for number in printed.split()]


def main() -> int:
    """Measures and prints; returns 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each measurement")
    rounds = parser.parse_args().rounds
    before, peak, size = peak_memory()  # first: a process starts with its parent's peak, which is still small
    times = measure(rounds)
    print(machine())
    print(", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("mnist1d", "scipy")))
    print(f"{'us per example':<20}{'median':>9}{'lowest':>9}{'highest':>9}{'times faster':>14}")
    base = times["reference package"]
    ratio = {}
    for side, own in times.items():
        ratio[side] = statistics.median(theirs / ours for theirs, ours in zip(base, own, strict=True))
        print(f"{side:<20}{statistics.median(own):>9.2f}{min(own):>9.2f}{max(own):>9.2f}{ratio[side]:>14.1f}")
    print(
        f"peak memory for {FAST_EXAMPLES:,} examples: {peak:.2f} GB, of which {before:.2f} GB after imports and "
        f"{size:.2f} GB for x itself"
    )
    met = {
        f"reference stream >= {TARGET_REFERENCE:g} times": ratio["reference stream"] >= TARGET_REFERENCE,
        f"fast stream >= {TARGET_FAST:g} times": ratio["fast stream"] >= TARGET_FAST,
        f"within {TARGET_MEMORY:.1f} GB": peak <= TARGET_MEMORY,
    }
    for target, reached in met.items():
        print(f"{target}: {'yes' if reached else 'NO'}")
    return int(not all(met.values()))


if __name__ == "__main__":
    sys.exit(main())

"""What the datasets builder costs: building a million rows against bare generation, warm loads, and the import.

    python benchmarks/builder.py

Every ratio is the median over rounds that alternate the two sides in fresh processes of one run.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile

from report import machine

ROWS = 1_000_000

GENERATE = f"""
import time, mnist1d_hf
start = time.perf_counter()
arrays = mnist1d_hf.make_mnist1d("large", num_samples={ROWS} + 1000, train_split={ROWS} / ({ROWS} + 1000))
print(time.perf_counter() - start)
"""
BUILD = f"""
import time, datasets, mnist1d_hf
datasets.disable_progress_bars()
start = time.perf_counter()
split = datasets.load_dataset("mnist1d", "large", num_samples={ROWS} + 1000, train_split={ROWS} / ({ROWS} + 1000))
print(time.perf_counter() - start)
"""
WARM = """
import time, datasets, mnist1d_hf
start = time.perf_counter()
datasets.load_dataset("mnist1d", "default")
first = time.perf_counter() - start
times = []
for _ in range(20):
    start = time.perf_counter()
    datasets.load_dataset("mnist1d", "default")
    times.append(time.perf_counter() - start)
print(first, sorted(times)[10])
"""
IMPORT = """
import time
start = time.perf_counter()
import {module}
print(time.perf_counter() - start)
"""


def run(code: str, cache: str) -> list[float]:
    """Returns the numbers that a fresh process prints."""
    environment = {**os.environ, "HF_HOME": cache, "HF_HUB_OFFLINE": "1"}
    printed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return [float(number) for number in printed.stdout.split()]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each measurement")
    rounds = parser.parse_args().rounds
    print(machine())

    generated, built = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as cache:
            generated += run(GENERATE, cache)
            built += run(BUILD, cache)
    ratio = statistics.median(b / g for b, g in zip(built, generated, strict=True))
    print(
        f"{ROWS:,} rows: generated in {statistics.median(generated):.2f} s, built and loaded in "
        f"{statistics.median(built):.2f} s, ratio {ratio:.2f} (at most 2)"
    )

    with tempfile.TemporaryDirectory() as cache:
        run(WARM, cache)
        first, later = zip(*(run(WARM, cache) for _ in range(rounds)), strict=True)
    print(
        f"warm load_dataset after imports: first of a process {statistics.median(first) * 1e3:.1f} ms, "
        f"later {statistics.median(later) * 1e3:.1f} ms (at most 30)"
    )

    with tempfile.TemporaryDirectory() as cache:
        pairs = [
            (run(IMPORT.format(module="mnist1d_hf"), cache)[0], run(IMPORT.format(module="datasets"), cache)[0])
            for _ in range(4 * rounds)
        ]
    ours, theirs = zip(*pairs, strict=True)
    print(
        f"import mnist1d_hf {statistics.median(ours):.3f} s, import datasets {statistics.median(theirs):.3f} s, "
        f"ratio {statistics.median(ours) / statistics.median(theirs):.3f} (at most 1.15)"
    )


if __name__ == "__main__":
    main()

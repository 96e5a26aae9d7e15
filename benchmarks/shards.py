"""A long export, killed twice at random and gone on with, beside one that nobody disturbed: the same bytes?

    python benchmarks/shards.py
    python benchmarks/shards.py --rows 1000000 --kills 3

Prints rows a second, the peak of memory of all processes together, and the peak of the disk. Fails if the bytes differ.
"""

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from report import machine

TEST_ROWS = 10_000
LOOK = 0.1  # seconds between two looks at memory and disk


@dataclass
class Run:
    """What one command did.

    Attributes:
        status: Its exit status; negative: the signal that ended it.
        seconds: How long it ran.
        memory: Most bytes of memory that its processes had together, shared pages counted once.
        disk: Most bytes of files below the folder.
    """

    status: int
    seconds: float
    memory: int
    disk: int


def command(folder: Path, rows: int, processes: int, rows_per_shard: int) -> list[str]:
    """Returns the export, as it is typed."""
    total = rows + TEST_ROWS
    numbers = ["--num-samples", str(total), "--train-split", repr(rows / total), "--stream", "fast"]
    start = [sys.executable, "-m", "lightning_module", "data", "export", str(folder), "--new-config", "many"]
    return [*start, *numbers, "--num-proc", str(processes), "--rows-per-shard", str(rows_per_shard)]


def run(arguments: list[str], folder: Path, kill_after: float | None = None) -> Run:
    """Returns what a command did; after some seconds all of its processes are killed."""
    start, memory, disk = time.monotonic(), 0, 0
    process = subprocess.Popen(arguments, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        memory, disk = max(memory, memory_of(process.pid)), max(disk, size_of(folder.parent))
        if kill_after is not None and time.monotonic() - start >= kill_after:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            break
        time.sleep(LOOK)
    return Run(process.returncode, time.monotonic() - start, memory, disk)


def memory_of(session: int) -> int:
    """Returns the bytes of memory of a session's processes, each page shared among them counted once."""
    total = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                lines = (entry / "smaps_rollup").read_text().splitlines() if int(fields[3]) == session else []
            except OSError:  # it has just ended
                continue
            total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def size_of(folder: Path) -> int:
    """Returns the bytes of all files below a folder."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(place, name)).st_size
            except OSError:  # it has just been renamed
                continue
    return total


def digests(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 of every file below a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                found[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def main() -> int:
    """Runs both and prints; returns 1 if they differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000, help="training rows")
    parser.add_argument("--processes", type=int, default=2, help="processes that make shards")
    parser.add_argument("--rows-per-shard", type=int, default=500_000, help="most rows of a shard")
    parser.add_argument("--kills", type=int, default=2, help="how often the second export is killed")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    chosen = parser.parse_args()
    print(machine())
    rng = random.Random(chosen.seed)
    with tempfile.TemporaryDirectory() as temporary:
        folders = [Path(temporary, name, "long") for name in ("quiet", "killed")]
        for folder in folders:
            folder.parent.mkdir()
        numbers = (chosen.rows, chosen.processes, chosen.rows_per_shard)
        quiet = run(command(folders[0], *numbers), folders[0])
        expected = digests(folders[0])
        runs = []
        for _ in range(chosen.kills):
            moment = rng.uniform(0.2, 0.8) * quiet.seconds / chosen.kills  # before all is done
            runs.append(run(command(folders[1], *numbers), folders[1], moment))
        runs.append(run(command(folders[1], *numbers), folders[1]))
        same = quiet.status == runs[-1].status == 0 and digests(folders[1]) == expected
        left = sorted(path.name for path in folders[1].parent.iterdir())
        size = sum(path.stat().st_size for path in folders[0].rglob("*") if path.is_file())
    print(f"{chosen.rows:,} rows by {chosen.processes} processes, {len(expected)} files, {size / 1e9:.2f} GB")
    print("run         status  seconds      rows/s  memory MB  disk GB")
    for name, each in [("quiet", quiet), *((f"killed {i + 1}", each) for i, each in enumerate(runs))]:
        name = name if each.status else name.replace("killed", "after kill")
        speed = f"{chosen.rows / each.seconds:,.0f}" if each is quiet else ""
        print(f"{name:12}{each.status:6}{each.seconds:9.1f}{speed:>12}{each.memory / 1e6:11,.0f}{each.disk / 1e9:9.2f}")
    print(f"byte-identical: {'yes' if same else 'NO'}; beside the folder: {', '.join(left)}")
    killed = all(each.status == -signal.SIGKILL for each in runs[:-1])
    return int(not (same and killed and left == ["long"]))


if __name__ == "__main__":
    sys.exit(main())

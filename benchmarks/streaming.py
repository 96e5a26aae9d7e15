"""What a streamed data set costs: per row, by the way it is looped over; to reach a row far away; and a node's share.

    python benchmarks/streaming.py

All ratios are of processor time, so that a busy machine changes them little; each is the median of alternating runs
with the generator alone (`make_slice`), whose time per row is the unit. It prints three tables and writes nothing.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any

from datasets import IterableDataset, load_dataset
from datasets.distributed import split_dataset_by_node
from report import machine

from mnist1d_hf import make_slice

FAR = 900_000_000
ROWS = 20_000
NODES = (1, 7, 16, 60, 64)


def seconds(work: Callable[[], object]) -> float:
    """Returns the processor time of a call, all threads together."""
    start = time.process_time()
    work()
    return time.process_time() - start


def rows_of(batches: Iterable[Any], size: int, rows: int) -> Callable[[], object]:
    """Returns a function that takes so many rows, in batches of a size."""
    return lambda: sum(1 for _ in itertools.islice(batches, rows // size))


def ways(stream: IterableDataset) -> dict[str, tuple[Callable[[], object], int]]:
    """Returns how a stream may be looped over, each with the rows that it takes: fewer where it is slow."""
    from torch.utils.data import DataLoader

    few = ROWS // 20
    in_torch = stream.with_format("torch")
    return {
        '.with_format("arrow").iter(100)': (rows_of(stream.with_format("arrow").iter(100), 100, ROWS), ROWS),
        '.with_format("numpy").iter(100)': (rows_of(stream.with_format("numpy").iter(100), 100, ROWS), ROWS),
        '.with_format("torch").iter(100)': (rows_of(in_torch.iter(100), 100, ROWS), ROWS),
        ".iter(100)": (rows_of(stream.iter(100), 100, ROWS), ROWS),
        "row by row": (rows_of(stream, 1, few), few),
        '.with_format("torch"), row by row': (rows_of(in_torch, 1, few), few),
        "DataLoader(batch_size=100)": (rows_of(DataLoader(in_torch, batch_size=100), 100, few), few),
    }


def table_of_ways(stream: IterableDataset, runs: int) -> list[str]:
    """Measures each way to loop beside the generator alone."""
    ratios: dict[str, list[float]] = {}
    for _ in range(runs):
        for name, (work, rows) in ways(stream).items():
            alone = seconds(lambda: make_slice("large", "train", 0, ROWS)) / ROWS
            ratios.setdefault(name, []).append(seconds(work) / rows / alone)
    return [f"{name:36}{statistics.median(found):8.1f}" for name, found in ratios.items()]


def table_of_access(stream: IterableDataset, runs: int) -> list[str]:
    """Measures how long the next row takes at row 900,000,000, in milliseconds: processor time, and by the clock."""
    far = stream.skip(FAR - 2)
    rows = iter(far)
    next(rows)
    state = far.state_dict()

    def resume() -> None:
        far.load_state_dict(state)
        next(iter(far))

    cases: dict[str, Callable[[], object]] = {
        "skip(n)": lambda: next(iter(stream.skip(FAR))),
        '.with_format("torch").skip(n)': lambda: next(iter(stream.with_format("torch").skip(FAR))),
        "split_dataset_by_node(..., 3, 8).skip(n)": lambda: next(
            iter(split_dataset_by_node(stream, 3, 8).skip(FAR // 8))
        ),
        "load_state_dict": resume,
    }
    lines = []
    for name, work in cases.items():
        work()
        clock, processor = [], []
        for _ in range(runs):
            start = time.perf_counter()
            processor.append(seconds(work) * 1e3)
            clock.append((time.perf_counter() - start) * 1e3)
        lines.append(f"{name:44}{statistics.median(processor):12.1f}{statistics.median(clock):12.1f}")
    return lines


def table_of_nodes(stream: IterableDataset, runs: int) -> list[str]:
    """Measures what a row costs on one of many nodes that takes whole pieces, beside a row of a loop over all."""
    lines = []
    for nodes in NODES:
        share = split_dataset_by_node(stream, nodes - 1, nodes)
        how = "split_dataset_by_node"
        if stream.num_shards % nodes:
            share, how = stream.shard(nodes, nodes - 1), "shard"
        ratios = []
        for _ in range(runs):
            whole = seconds(rows_of(stream.with_format("arrow").iter(100), 100, ROWS))
            ratios.append(seconds(rows_of(share.with_format("arrow").iter(100), 100, ROWS)) / whole)
        lines.append(f"{nodes:5}  {how:24}{statistics.median(ratios):8.2f}")
    return lines


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="the cost of a streamed data set")
    parser.add_argument("--runs", type=int, default=7, help="alternating runs of each; the tables have medians")
    runs = parser.parse_args().runs
    stream = load_dataset("mnist1d", "large", num_samples=10**9, train_split=0.95, split="train", streaming=True)
    print(machine())
    print("\nprocessor time of a row, in units of the generator alone\n" + "\n".join(table_of_ways(stream, runs)))
    print(f"\nthe next row at row {FAR:,}: ms of processor time, ms by the clock")
    print("\n".join(table_of_access(stream, runs)))
    print("\na row on one of so many nodes, in units of a row of the whole\n" + "\n".join(table_of_nodes(stream, runs)))


if __name__ == "__main__":
    main()

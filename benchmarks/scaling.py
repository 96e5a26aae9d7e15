"""What more processes bring: rows and networks a second, what a task costs beside its work, and a simulation of more.

    python benchmarks/scaling.py [--rows 2000000] [--models 80] [--rounds 3] [--small]

Measured, alternating: one process, two processes, and Ray on two raylets of one core each on loopback (left out, with a
line, where Ray is not installed). Each crew is started and warmed up before the clock runs: a long run does not start
one for each task.

- rows: `make_slice` of the fast stream, 100,000 rows a task; made, not written.
- models: MLPs in ensembles of 20, 200 steps, evaluated on the test split; a task is an ensemble.
- empty: what a task costs that does nothing.

Then one table that nobody measured, and that says so: the fraction of linear scaling with 16, 64 and 256 workers, by
drawing task times from those that were measured with one process, with the measured cost of a task in turn, since one
process hands tasks out. Assumed: one task in a hundred takes three times as long; and, in the last column, a machine of
eight workers is lost in the middle, its tasks are noticed after two and a half minutes and done again by the others.
"""

import argparse
import heapq
import importlib.util
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from report import machine

from mnist1d_hf import make_slice
from mnist1d_hf.engine.engine import Engine
from mnist1d_hf.engine.local import LocalEngine

A_TASK = {"rows": 100_000, "models": 20, "empty": 1}  # units
MEMORY = 80_000_000  # of an object store of Ray's; nothing large goes through it
SLOW, TIMES = 0.01, 3.0  # the share of stragglers, and how much longer they take
NODE, NOTICED = 8, 150.0  # workers of the machine that is lost, seconds until that is noticed
SIMULATED, PER_WORKER = (16, 64, 256), 100  # workers; tasks for each


def make_rows(task: int, *, rows: int) -> float:
    """Makes rows of the fast stream; returns the seconds."""
    begun = time.perf_counter()
    make_slice("large", "train", task * rows, (task + 1) * rows)
    return time.perf_counter() - begun


def train_models(task: int, *, models: int, steps: int) -> float:
    """Trains and evaluates an ensemble; returns the seconds."""
    import torch

    from lightning_module import Replica
    from lightning_module.studies import frozen, train

    torch.set_num_threads(1)
    data = frozen()
    begun = time.perf_counter()
    replicas = [Replica(seed=task * models + i, lr=0.001 * (i + 1)) for i in range(models)]
    train("mlp", replicas, data.train, steps=steps, evaluate={"test": data.test})
    return time.perf_counter() - begun


def nothing(task: int) -> float:
    """Does nothing; returns the seconds that it took."""
    return 0.0


def wall(engine: Engine, function: Callable[[int], float], tasks: int, workers: int) -> tuple[float, list[float]]:
    """Returns the seconds for so many tasks by a crew that is warm, and those of each task."""
    took = []
    with engine.crew(function, tasks + workers) as crew:
        for number in range(workers):  # each process imports what it needs
            crew.begin(number, number)
        heard = 0
        while heard < workers:
            heard += len(crew.answers(1.0))
        begun, sent, heard = time.perf_counter(), 0, 0
        while heard < tasks:
            while sent < tasks and crew.has_room:
                crew.begin(sent, sent)
                sent += 1
            for _, answer in crew.answers(1.0):
                if answer.what:
                    raise SystemExit(f"{answer.what}\n{answer.trace}")
                took.append(answer.value)
                heard += 1
        return time.perf_counter() - begun, took


@contextmanager
def two_raylets() -> Iterator[Engine]:
    """Gives an engine on a Ray of two machines that are none, with a home of its own, for Ray keeps a token there."""
    from ray.cluster_utils import Cluster

    from mnist1d_hf.engine.cluster import RayEngine

    head = {"num_cpus": 0, "object_store_memory": MEMORY, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(2):
        cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
    engine = RayEngine(cluster.address)
    try:
        yield engine
    finally:
        engine.close()
        cluster.shutdown()


def fraction(times: list[float], a_task: float, workers: int, *, is_lost: bool, seed: int = 0) -> float:
    """Returns the simulated fraction of linear scaling: the work of all workers at once, over the time that it takes.

    Args:
        times: Seconds of tasks, measured.
        a_task: Seconds that handing out a task takes the one process that does it.
        workers: How many.
        is_lost: Whether a machine is lost in the middle.
        seed: Of what is drawn.
    """
    drawn = random.Random(seed)
    left = [drawn.choice(times) * (TIMES if drawn.random() < SLOW else 1.0) for _ in range(workers * PER_WORKER)]
    linear = sum(left) / workers
    free = [(0.0, worker) for worker in range(workers)]  # when each is free
    heapq.heapify(free)
    handed, end, again = 0.0, 0.0, list[tuple[float, float]]()  # the last: tasks that were lost, and since when known
    while left or again:
        at, worker = heapq.heappop(free)
        if is_lost and worker < NODE and at >= linear / 2:
            continue  # it was lost while it was idle
        if not left:
            again.sort(reverse=True)
            known, seconds = again.pop()
            at = max(at, known)
        else:
            seconds = left.pop()
        handed = max(handed, at) + a_task
        done = handed + seconds
        if is_lost and worker < NODE and done > linear / 2:
            again.append((linear / 2 + NOTICED, seconds))
            continue
        end = max(end, done)
        heapq.heappush(free, (done, worker))
    return linear / end


def measured(kinds: dict[str, tuple[Callable[[int], float], int]], rounds: int) -> dict[str, dict[str, Any]]:
    """Returns, by kind of task and crew, the median of the wall times; and the times of tasks of one process."""
    has_ray = importlib.util.find_spec("ray") is not None
    if not has_ray:
        print('Ray is not installed, so its column is left out: pip install "mnist1d-hf[scale]"')
    found: dict[str, dict[str, Any]] = {kind: {} for kind in kinds}
    with two_raylets() if has_ray else nullcontext() as ray:
        crews: dict[str, tuple[Engine, int]] = {"1 process": (LocalEngine(1), 1), "2 processes": (LocalEngine(2), 2)}
        if ray is not None:
            crews["Ray, 2 raylets"] = ray, 2
        for kind, (function, tasks) in kinds.items():
            walls: dict[str, list[float]] = {crew: [] for crew in crews}
            for _ in range(rounds):
                for crew, (engine, workers) in crews.items():
                    seconds, took = wall(engine, function, tasks, workers)
                    walls[crew].append(seconds)
                    if crew == "1 process":
                        found[kind].setdefault("tasks", []).extend(took)
            found[kind] |= {crew: statistics.median(each) for crew, each in walls.items()}
    return found


def main() -> int:
    """Measures, simulates and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--models", type=int, default=80)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", action="store_true", help="a round of little, to see that it runs")
    options = parser.parse_args()
    if options.small:
        options.rows, options.models, options.rounds = 200_000, 40, 1
    steps = 20 if options.small else 200
    kinds: dict[str, tuple[Callable[[int], float], int]] = {
        "rows": (partial(make_rows, rows=A_TASK["rows"]), options.rows // A_TASK["rows"]),
        "models": (partial(train_models, models=A_TASK["models"], steps=steps), options.models // A_TASK["models"]),
        "empty": (nothing, 50 if options.small else 500),
    }
    print(machine())
    found = measured(kinds, options.rounds)
    crews = [crew for crew in found["rows"] if crew != "tasks"]
    print(f"\n{'':24}" + "".join(f"{crew:>22}" for crew in crews))
    for kind in ("rows", "models"):
        count = kinds[kind][1] * A_TASK[kind]
        speeds = [count / found[kind][crew] for crew in crews]
        print(f"{kind + ' a second':24}" + "".join(f"{each:>13,.1f} ({each / speeds[0]:.2f}x)" for each in speeds))
    costs = {crew: found["empty"][crew] / kinds["empty"][1] for crew in crews}
    print(f"{'a task costs':24}" + "".join(f"{1000 * each:>19.2f} ms" for each in costs.values()))
    print("\nSIMULATION, not a measurement: fraction of linear scaling, tasks as above, a hundred for each worker")
    print(
        f"{'workers':>8}" + "".join(f"{f'{kind}, {what}':>24}" for kind in ("rows", "models") for what in ("", "lost"))
    )
    a_task = costs[crews[-1]]
    for workers in SIMULATED:
        shares = [
            fraction(found[kind]["tasks"], a_task, workers, is_lost=is_lost)
            for kind in ("rows", "models")
            for is_lost in (False, True)
        ]
        print(f"{workers:>8}" + "".join(f"{share:>24.2f}" for share in shares))
    print(
        f"one lost: a machine of {NODE} workers in the middle; a task costs {1000 * a_task:.2f} ms, as with {crews[-1]}"
    )
    return 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        os.environ.setdefault("RAY_raylet_start_wait_time_s", "600")
        os.environ["HOME"] = home  # Ray keeps a token there
        os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
        sys.exit(main())

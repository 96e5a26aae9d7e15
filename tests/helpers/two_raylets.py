"""A Ray cluster of two machines that are none: two raylets on loopback, one of which is lost in the middle of a write.

Started as a program with a folder; its home is private, for Ray keeps a token there. Prints what came of it, as JSON.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

from mnist1d_hf.atomic import replace
from mnist1d_hf.engine.cluster import RayEngine

# A lost machine is noticed in seconds, a busy one is not taken for lost.
SETTINGS = {"health_check_period_ms": 1000, "health_check_timeout_ms": 10_000, "health_check_failure_threshold": 5}
PATIENCE = "600"  # seconds that a raylet may take to start
MEMORY = 80_000_000  # of each object store; nothing large goes through them
FILES = 6


class Writer:
    """Writes a file of its own, in pieces; says where it is at it."""

    def __init__(self, folder, notes=None):
        self.folder, self.notes = folder, notes

    def __call__(self, task):
        def write(part):
            with part.open("wb") as file:
                for piece in range(4):
                    file.write(bytes([task + piece]) * 1000)
                    if self.notes and piece == 1:
                        self._note(task)
                    if self.notes:
                        time.sleep(0.2)

        replace(Path(self.folder, f"{task}.bin"), write)
        return task

    def _note(self, task):
        import ray

        Path(self.notes, f"{task}-{time.time_ns()}").write_text(ray.get_runtime_context().get_node_id())


def lose_a_node(cluster, nodes, notes, lost):
    """Removes the machine that writes the third file, in the middle of that."""
    while not (found := [*notes.glob("2-*")]):
        time.sleep(0.02)
    time.sleep(0.05)
    node = next(each for each in nodes if each.node_id == found[0].read_text())
    cluster.remove_node(node, allow_graceful=False)
    lost.append(node.node_id)


def main(folder):
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "object_store_memory": MEMORY, "include_dashboard": False, "_system_config": SETTINGS}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=MEMORY) for _ in range(2)]
    engine = RayEngine(cluster.address)
    written, notes = folder / "written", folder / "write-notes"
    for place in (written, notes):
        place.mkdir()
    lost = []
    thread = threading.Thread(target=lose_a_node, args=(cluster, nodes, notes, lost))
    thread.start()
    done = sorted(index for index, _ in engine.map(Writer(str(written), str(notes)), range(FILES)))
    thread.join()
    cluster.add_node(num_cpus=1, object_store_memory=MEMORY)  # another one comes

    from counting import STUDY

    result = STUDY.run("smoke", folder=folder / "by-ray", engine=engine)  # a worker is killed in the middle of a cell
    said = {"done": done, "lost": len(lost), "begun": len(list(notes.iterdir())), "rows": len(result.rows)}
    sys.stdout.write(f"{json.dumps(said)}\n")
    engine.close()
    cluster.shutdown()


if __name__ == "__main__":
    os.environ |= {"OMP_NUM_THREADS": "1", "RAY_raylet_start_wait_time_s": PATIENCE, "RAY_USAGE_STATS_ENABLED": "0"}
    main(Path(sys.argv[1]))

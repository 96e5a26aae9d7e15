"""Where many independent tasks are done: in this process, in several of this machine, or on a Ray cluster.

`engine_of("local", workers=2).map(function, tasks)` yields the index of each task and its result, as they are done.
"""

from mnist1d_hf.engine.choose import engine_of
from mnist1d_hf.engine.cluster import RayEngine
from mnist1d_hf.engine.engine import Engine, TasksError, Turn, WorkerError
from mnist1d_hf.engine.local import LocalEngine

__all__ = ["Engine", "LocalEngine", "RayEngine", "TasksError", "Turn", "WorkerError", "engine_of"]

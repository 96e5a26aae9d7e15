"""`RayEngine`: tasks on a Ray cluster, or on a Ray that is started on this machine. Ray is imported when it is used."""

import importlib.util
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Final

from mnist1d_hf.engine.answers import Answer, answer_of
from mnist1d_hf.engine.engine import Crew, Engine
from mnist1d_hf.extras import extra_imports

WINDOW: Final = 2  # tasks that are handed over, for each core of the cluster: none waits for this process
LOOK_AT_CLUSTER: Final = 5.0  # seconds until the cluster is asked again how many cores it has


class RayEngine(Engine):
    """A Ray cluster: machines may come and go while tasks are done, and one that is lost takes none with it.

    Every machine needs this package, of the same version, and what the tasks import. Each task has one core, and one
    thread for numerical libraries. A Ray that this process is connected to already is used as it is.

    Args:
        address: Of the cluster: "auto" for the one that this machine belongs to; None for the one that the environment
            variable RAY_ADDRESS names, or else one on this machine alone, which ends with this process.
        workers: Tasks at the same time, at most; as many as the cluster has cores if None.

    Raises:
        ValueError: If there is no worker.
        MissingExtraError: If Ray is not installed.
    """

    def __init__(self, address: str | None = None, workers: int | None = None) -> None:
        if workers is not None and workers < 1:
            raise ValueError(f"workers={workers} must be at least 1")
        self.address, self.workers = address, workers
        if importlib.util.find_spec("ray") is None:
            with extra_imports():
                raise ModuleNotFoundError("No module named 'ray'", name="ray")

    def crew(self, function: Callable[[Any], Any], most: int) -> AbstractContextManager[Crew]:
        """Gives the cluster; see `Engine.crew`."""
        return _given(self, function)

    def connect(self) -> Any:
        """Returns Ray, connected to the cluster.

        Raises:
            ValueError: If there is no cluster at the address.
        """
        with extra_imports():
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # which would tell its authors of each start
            import ray
        if not ray.is_initialized():
            with _signals_as_they_are():
                try:
                    ray.init(self.address, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
                except ConnectionError as error:
                    raise ValueError(
                        f"address={self.address!r} must be that of a Ray cluster that runs ({error}); "
                        "`ray start --head` begins one, and without an address there is one on this machine alone"
                    ) from error
        return ray

    def close(self) -> None:
        """Leaves the cluster; one that was started here ends."""
        if (ray := sys.modules.get("ray")) is not None:
            ray.shutdown()


@contextmanager
def _given(engine: RayEngine, function: Callable[[Any], Any]) -> Iterator[Crew]:
    crew = _Cluster(engine.connect(), function, engine.workers)
    try:
        yield crew
    finally:
        crew.end()


class _Cluster:
    """A crew of Ray's tasks. What is tried again is decided by `Engine.map`, the same for every engine."""

    def __init__(self, ray: Any, function: Callable[[Any], Any], workers: int | None) -> None:
        self._ray, self._workers = ray, workers
        self._cores, self._asked = 1, 0.0
        self._pending: dict[Any, int] = {}
        remote = ray.remote(num_cpus=1, max_retries=0, max_calls=0, runtime_env={"env_vars": _environment()})
        self._remote, self._function = remote(answer_of), ray.put(function)

    @property
    def has_room(self) -> bool:
        """Returns whether fewer tasks are handed over than may be at once."""
        return len(self._pending) < self._most()

    @property
    def is_busy(self) -> bool:
        """Returns whether there is a task whose answer has not come."""
        return bool(self._pending)

    def begin(self, index: int, task: Any) -> None:
        """Hands a task over."""
        self._pending[self._remote.remote(self._function, task)] = index

    def answers(self, seconds: float) -> list[tuple[int, Answer]]:
        """Returns the answers that have come, a lost process or machine among them."""
        ready, others = self._ray.wait(list(self._pending), timeout=seconds)
        if ready and others:
            ready += self._ray.wait(others, num_returns=len(others), timeout=0)[0]
        return [(self._pending.pop(each), self._answer(each)) for each in ready]

    def end(self) -> None:
        """Ends what is still being done."""
        for each in self._pending:
            with suppress(Exception):  # the cluster may be gone
                self._ray.cancel(each, force=True)

    def _answer(self, reference: Any) -> Answer:
        try:
            answer: Answer = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            first = next((line for line in str(error).splitlines() if line.strip()), "")
            return Answer(what=f"{type(error).__name__}: {first}", trace=str(error))
        return answer

    def _most(self) -> int:
        if self._workers is not None:
            return self._workers
        if time.monotonic() - self._asked > LOOK_AT_CLUSTER:
            self._asked = time.monotonic()
            self._cores = max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        return WINDOW * self._cores


def _environment() -> dict[str, str]:
    """Returns the variables of the processes that do tasks: one thread each, and this process's folders of modules."""
    installed = {os.path.realpath(place) for place in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    folders = [os.path.abspath(place) for place in sys.path if os.path.isdir(place or ".")]
    own = [place for place in folders if not any(os.path.realpath(place).startswith(each) for each in installed)]
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {**dict.fromkeys(names, "1"), "PYTHONPATH": os.pathsep.join(own)}


@contextmanager
def _signals_as_they_are() -> Iterator[None]:
    """Keeps this process's ways to be ended, which Ray puts its own in place of."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""`engine_of`: an engine by its name, as commands have it."""

from typing import Final, Literal, get_args

from mnist1d_hf.engine.engine import Engine
from mnist1d_hf.engine.local import LocalEngine

EngineName = Literal["local", "ray"]
ENGINES: Final[tuple[str, ...]] = get_args(EngineName)


def engine_of(name: EngineName = "local", *, workers: int | None = None, address: str | None = None) -> Engine:
    """Returns an engine.

    Args:
        name: "local" for processes of this machine, "ray" for a Ray cluster, which needs the extra `scale`.
        workers: Tasks at the same time; None for one, or with Ray for as many as the cluster has cores.
        address: Of the Ray cluster, see `RayEngine`.

    Raises:
        ValueError: If there is no such engine, or an address that it has no use for.
        MissingExtraError: If Ray is asked for and not installed.
    """
    if name not in ENGINES:
        raise ValueError(f"engine={name!r} must be one of {', '.join(map(repr, ENGINES))}")
    if name == "ray":
        from mnist1d_hf.engine.cluster import RayEngine

        return RayEngine(address, workers)
    if address is not None:
        raise ValueError(f"address={address!r} must be left out with engine='local'; or take engine='ray'")
    return LocalEngine(1 if workers is None else workers)

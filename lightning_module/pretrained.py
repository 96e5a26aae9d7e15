"""Classifiers from a repository or a folder: read as data, compared with their record, and only then made.

`Classifier.from_pretrained`, `mnist1d model pull` and `read_model` come through `load_pretrained`. Weights are
safetensors and nothing else. Names, types and shapes of all tensors are read from the file's header and compared with
the network's on the meta device, where it takes no memory; so nothing of a size is made because a file names it.
"""

import hashlib
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from lightning_module.model_schema import LARGEST_CONFIG, arguments_of, checked_record
from mnist1d_hf.hub.door import Opened, opened, say_once
from mnist1d_hf.hub.schema import ContentError
from mnist1d_hf.one_line import one_line
from mnist1d_hf.stored import file_digest

WEIGHTS: Final = "model.safetensors"
CONFIG: Final = "config.json"
LARGEST_HEADER: Final = 100_000_000  # bytes; what safetensors itself allows
TYPES: Final[Mapping[torch.dtype, str]] = {  # as safetensors calls them
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}

logger = logging.getLogger(__name__)

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class Pretrained(Generic[M]):
    """A classifier that has been read and compared.

    Attributes:
        module: The classifier, for evaluation.
        record: What the card records of it; None if there was nothing to compare its weights with.
        door: Where it comes from.
        files: SHA-256 of the files that were read, by name.
    """

    module: M
    record: Mapping[str, Any] | None
    door: Opened
    files: Mapping[str, str]


def load_pretrained(
    kind: type[M],
    path: str | os.PathLike[str],
    *,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
    local_files_only: bool = False,
    where: str | None = None,
    **arguments: Any,
) -> Pretrained[M]:
    """Returns a classifier at exactly one revision, its weights compared with the digest in its card, if there is one.

    Args:
        kind: Its class.
        path: "owner/name" on the Hub, or a folder.
        revision: Tag, branch or commit of the repository; by default the newest.
        token: Token of the Hub; by default the one that is logged in, and False for none.
        cache_dir: Where downloads are kept; by default the cache of the Hub's client.
        force_download: Whether to download what is here already.
        local_files_only: Whether to ask nobody.
        where: What to call it in messages, if not by its path.
        arguments: What the class is made with, instead of what the repository says.

    Raises:
        UnavailableError: If the revision is not on this machine and cannot be had.
        ContentError: If the repository holds no such classifier, or other weights than its card tells of.
        ValueError: If there is no such folder, repository or revision, or an argument is not allowed.
    """
    if revision is not None and Path(path).expanduser().is_dir():
        raise ValueError(f"revision={revision!r}: a folder has no revisions; leave it out, or name a repository")
    access: dict[str, Any] = {"token": token, "cache_dir": cache_dir, "local_files_only": local_files_only}
    door = opened(path, revision, repo_type="model", again=force_download, **access)
    try:
        return _read(kind, door, where or door.where, arguments, force_download)
    except ContentError as error:
        if force_download or not door.source.remote:
            raise
        logger.warning("%s Trying again from the repository.", error)
    door = opened(path, door.commit, repo_type="model", again=True, **access)
    return _read(kind, door, where or door.where, arguments, again=True)


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """Returns the SHA-256 of all tensors: names, types, shapes and values, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(state):
        values = state[name].detach().cpu().contiguous().numpy()
        little = values.astype(values.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{name} {values.dtype.name} {values.shape} ".encode())
        digest.update(little.tobytes())
    return digest.hexdigest()


def _read(kind: type[M], door: Opened, where: str, arguments: Mapping[str, Any], again: bool = False) -> Pretrained[M]:
    record = checked_record(door.model_record, where)
    if lacking := {WEIGHTS, CONFIG} - door.source.files:
        raise ContentError(
            f"{where} has no {min(lacking)}; only {WEIGHTS} with its {CONFIG} is loaded, as `save_pretrained` and "
            "`mnist1d model push` write it, and never a pickle"
        )
    config = door.fetch(CONFIG, most=LARGEST_CONFIG, again=again)
    files = {CONFIG: file_digest(config)}
    told = {entry["path"]: entry["sha256"] for entry in (record or {}).get("files", ())}
    if told.get(CONFIG, files[CONFIG]) != files[CONFIG]:  # of the weights the tensors are compared, below
        raise ContentError(f"{CONFIG} of {where} is another file than the one that its card tells of; tell its owner")
    said = arguments_of(config.read_bytes(), kind.__init__, where)
    if record is not None and said.get("network") != record["network"]:
        raise ContentError(
            f"{where}: {CONFIG} names the network {said.get('network')!r}, and its card {record['network']!r}"
        )
    said = {name: value for name, value in said.items() if name not in arguments}
    planned = _on_meta(kind, said, arguments, where)
    weights = door.fetch(WEIGHTS, most=_most_bytes(planned), again=again)
    files[WEIGHTS] = file_digest(weights)
    _compare(_shapes(weights, where), planned, where)
    state = _tensors(weights, where)
    with torch.random.fork_rng(devices=[]):  # an initialisation is drawn, to be overwritten
        module = kind(**said, **arguments)
    expected = module.state_dict(keep_vars=True)
    _compare({name: _described(tensor) for name, tensor in state.items()}, expected, where)
    complete = _complete(state, expected)
    if record is None:
        say_once(f"The card of {where} records no digest of the weights, so they are not verified.")
    elif weights_digest(complete) != record["sha256"]:
        raise ContentError(f"the weights of {where} are not those that its card tells of; tell its owner")
    module.load_state_dict(complete, strict=True)
    return Pretrained(module.eval(), record, door, files)


def _most_bytes(planned: Mapping[str, Tensor] | None) -> int | None:
    """Returns how large a file of these tensors may be; of what is not known beforehand, any size."""
    if planned is None:
        return None
    return LARGEST_HEADER + sum(tensor.numel() * tensor.element_size() for tensor in planned.values())


def _shapes(weights: Path, where: str) -> dict[str, tuple[str, list[int]]]:
    """Returns the type and shape of each tensor, from the file's header."""
    try:
        with safe_open(weights, framework="pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118  # it is no mapping
            return {name: (each.get_dtype(), list(each.get_shape())) for name, each in slices.items()}
    except (SafetensorError, OSError, ValueError) as error:
        raise ContentError(f"the weights of {where} cannot be read: {one_line(error, 300)}; tell its owner") from None


def _tensors(weights: Path, where: str) -> dict[str, Tensor]:
    try:
        return load_file(weights)
    except (SafetensorError, OSError, ValueError) as error:
        raise ContentError(f"the weights of {where} cannot be read: {one_line(error, 300)}; tell its owner") from None


def _on_meta(
    kind: type[nn.Module], said: Mapping[str, Any], given: Mapping[str, Any], where: str
) -> Mapping[str, Tensor] | None:
    """Returns a classifier's tensors, without their memory; None if a class of the user's own cannot be made so."""
    try:
        with torch.device("meta"):
            return kind(**said, **given).state_dict(keep_vars=True)
    except ValueError as error:  # an argument is not allowed; the message names it
        if given:
            raise
        raise ContentError(f"{where}: {one_line(error, 300)}") from None
    except (RuntimeError, OverflowError, TypeError, NotImplementedError) as error:
        if kind.__module__.partition(".")[0] == __name__.partition(".")[0] and not given:
            raise ContentError(f"{where}: no such network can be made ({one_line(error, 200)})") from None
        return None


def _compare(found: Mapping[str, tuple[str, list[int]]], expected: Mapping[str, Tensor] | None, where: str) -> None:
    """Refuses tensors that are not the network's: all of them, of the same types and shapes."""
    if expected is None:
        return
    shared = _shared(expected)
    wrong = f"the weights of {where} are not those of its network: "
    for name in found:
        if name not in expected:
            raise ContentError(f"{wrong}it has no tensor {name!r}")
    for name, tensor in expected.items():
        if not any(other in found for other in shared[id(tensor)]):
            raise ContentError(f"{wrong}the tensor {name!r} is missing")
        if name in found and found[name] != _described(tensor):
            has, needs = (f"{kind} {shape}" for kind, shape in (found[name], _described(tensor)))
            raise ContentError(f"{wrong}the tensor {name!r} is {has}, and the network has {needs}")


def _complete(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns the tensors under all their names: of one that stands in several places, a file keeps one."""
    shared = _shared(expected)
    kept = {name: next(other for other in shared[id(tensor)] if other in state) for name, tensor in expected.items()}
    return {name: state.get(name, state[other]) for name, other in kept.items()}


def _shared(expected: Mapping[str, Tensor]) -> dict[int, list[str]]:
    names: dict[int, list[str]] = {}
    for name, tensor in expected.items():
        names.setdefault(id(tensor), []).append(name)
    return names


def _described(tensor: Tensor) -> tuple[str, list[int]]:
    return TYPES.get(tensor.dtype, str(tensor.dtype)), list(tensor.shape)

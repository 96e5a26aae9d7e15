"""Verification with three answers: ok, damaged, not verified. Nothing to compare is never ok.

What is damaged differs from what its record or its version says, or cannot be read. What is not verified has no record,
an incomplete one, or lies where it cannot be had now.
"""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pyarrow as pa

from mnist1d_hf.cache.builds import CachedBuild, cached_builds
from mnist1d_hf.checks import whole_number
from mnist1d_hf.engine.engine import Engine
from mnist1d_hf.engine.local import LocalEngine
from mnist1d_hf.generator.recipe import nearest
from mnist1d_hf.hub.card_records import ConfigRecord
from mnist1d_hf.hub.door import Opened, opened
from mnist1d_hf.hub.drift import drift_of
from mnist1d_hf.hub.load import load_from, record_of
from mnist1d_hf.hub.remote import RemoteError
from mnist1d_hf.hub.schema import ContentError, IncompleteError
from mnist1d_hf.hub.sharded.checking import problems
from mnist1d_hf.hub.sharded.config import Tell, untold
from mnist1d_hf.hub.sharded.source import ShardSource, listed
from mnist1d_hf.hub.snapshot import UnavailableError
from mnist1d_hf.manifest import read_manifest
from mnist1d_hf.one_line import one_line
from mnist1d_hf.stored import Stored, stored

State = Literal["ok", "damaged", "not verified"]
STATES: Final[tuple[State, ...]] = ("ok", "damaged", "not verified")
DAMAGED: Final = 1  # exit status: something is
MOST_NAMED: Final = 5  # shards that are wrong, in an answer
NOT_VERIFIED: Final = 3  # exit status: nothing is damaged, but not all is verified; 2 is for input that cannot be used


@dataclass(frozen=True)
class Answer:
    """What a verification found of one config.

    Attributes:
        name: The config.
        state: "ok", "damaged" or "not verified".
        about: Its version and sizes; or what is wrong with it.
        remedy: What to do.
    """

    name: str
    state: State
    about: str
    remedy: str = ""


def verify(
    path: str | os.PathLike[str],
    configs: Sequence[str] = (),
    *,
    revision: str | None = None,
    token: str | None = None,
    cache_dir: str | None = None,
    num_proc: int | None = None,
    tell: Tell = untold,
) -> list[Answer]:
    """Loads configs of a repository or folder, and compares each with its record in the card.

    A config in shards is read from its files, leaf by leaf, and goes into no cache.

    Args:
        path: "owner/name" on the Hub, or a folder.
        configs: Their names; by default all that the card names.
        revision: Tag, branch or commit; by default the newest.
        token: Token of the Hub; by default the one that is logged in.
        cache_dir: Cache of datasets.
        num_proc: Processes that compare shards; by default this one does.
        tell: Is told how many rows of a config in shards were compared, and of how many.

    Raises:
        UnavailableError: If the revision is not on this machine and cannot be had.
        ContentError: If the card cannot be read.
        ValueError: If there is no such repository, revision or config.
    """
    engine = LocalEngine(1 if num_proc is None else whole_number("num_proc", num_proc, 1))
    door = opened(path, revision, token=token)
    known = door.header.names
    for name in configs:
        if name not in known:
            raise ValueError(f"{door.where} has no config {name!r}{one_line(nearest(name, known))}")
    listing = _listing(door)

    answers = [
        _of_config(door, name, listing, revision, cache_dir, engine, tell) for name in dict.fromkeys(configs or known)
    ]
    if door.header.stray:
        answers.append(Answer("?", "damaged", door.header.stray, "tell its owner"))
    if not answers:
        answers.append(Answer("?", "not verified", f"the card of {door.where} names no configs and records no digests"))
    return answers


def verify_cache(cache_dir: str | os.PathLike[str] | None = None) -> list[tuple[CachedBuild, Answer]]:
    """Compares every built data set in the cache with what was built, and what its version contains."""
    return [(build, _of_build(build)) for build in cached_builds(cache_dir)]


def exit_status(answers: Iterable[Answer]) -> int:
    """Returns 0 if there is something and all of it is ok; 1 if something is damaged; else 3."""
    states = {answer.state for answer in answers}
    return DAMAGED if "damaged" in states else 0 if states == {"ok"} else NOT_VERIFIED


def summary(answers: Iterable[Answer]) -> str:
    """Returns how many answers there are of each state, in words."""
    counts = Counter(answer.state for answer in answers)
    return ", ".join(f"{counts[state]} {state}" for state in STATES)


def _listing(door: Opened) -> tuple[Mapping[str, Stored], bool]:
    """Returns what is known of all files; and whether these are all, or only those that are on this machine."""
    if door.source.remote:
        try:
            head = door.source.remote.head(door.commit, contents=True)
        except RemoteError as error:
            raise UnavailableError(f"{door.where}: {error}") from None
        return (head.stored if head else {}), True
    return _stored_here(door), not door.commit


def _stored_here(door: Opened) -> dict[str, Stored]:
    """Returns the files of a folder; of shards, which are read later, only the size."""
    found = {}
    for path in sorted(door.source.files):
        file, record = door.source.folder / path, door.header.records.get(path.partition("/")[0])
        is_shard = record is not None and record.shards and path.endswith(".parquet")
        found[path] = Stored(file.stat().st_size) if is_shard else stored(file)
    return found


def _drift(door: Opened, record: ConfigRecord, listing: tuple[Mapping[str, Stored], bool]) -> str:
    """Returns what besides the content is not as the record says: files, and what datasets itself would go by."""
    stored, whole = listing
    found = drift_of(record, door.header.configs, door.header.data.get("dataset_info"), stored, whole=whole).found
    return "; ".join(found)


def _of_config(
    door: Opened,
    name: str,
    listing: tuple[Mapping[str, Stored], bool],
    revision: str | None,
    cache_dir: str | None,
    engine: Engine,
    tell: Tell,
) -> Answer:
    try:
        record = record_of(door, name, revision)
        if record is None:
            return Answer(name, "not verified", "the card records no digests of it: another program wrote it")
        if record.shards:
            record, made = listed(door, record)
            if wrong := problems(ShardSource.of(door), record, made, engine, tell):
                return Answer(name, "damaged", _some(wrong))
        else:
            load_from(door, name, revision=revision, cache_dir=cache_dir)
        if drifted := _drift(door, record, listing):
            return Answer(name, "damaged", drifted, "its content is sound; pushing it again puts the rest right")
    except (IncompleteError, UnavailableError) as error:
        return Answer(name, "not verified", str(error))
    except ContentError as error:
        return Answer(name, "damaged", str(error))
    except ValueError as error:  # a folder holds another version than the one that is asked for
        return Answer(name, "not verified", str(error))
    sizes = ", ".join(f"{split} {rows:,}" for split, rows in record.examples.items())
    return Answer(name, "ok", f"{record.version} {sizes}")


def _some(wrong: Sequence[str]) -> str:
    """Returns the first few of many sentences."""
    return "; ".join([*wrong[:MOST_NAMED], *([f"and {len(wrong) - MOST_NAMED} more"] if wrong[MOST_NAMED:] else [])])


def _of_build(build: CachedBuild) -> Answer:
    remedy = "delete that folder; the next load builds it anew"
    try:
        problems = build.problems()
        compared = 0 if problems else sum(len(columns) for columns in read_manifest(build.folder)["digests"].values())
    except (OSError, ValueError, LookupError, TypeError, AttributeError, pa.ArrowException) as error:
        return Answer(build.config_id, "damaged", f"it cannot be read ({one_line(error, 300)})", remedy)
    if problems:
        return Answer(build.config_id, "damaged", "; ".join(problems), remedy)
    if not compared:
        return Answer(build.config_id, "not verified", "it records no digests", remedy)
    return Answer(build.config_id, "ok", "")

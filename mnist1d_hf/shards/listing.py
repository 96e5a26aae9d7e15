"""``CONFIG/shards.json``: every shard of a config, with its rows, its size, the file's digests and its leaves'.

The card has the SHA-256 of this file and the digests of whole splits, and stays small however many shards there are.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mnist1d_hf.shards.cut import LEAF_ROWS, Shard, leaves_in
from mnist1d_hf.shards.leaves import Leaf, composed
from mnist1d_hf.stored import Stored
from mnist1d_hf.strict_json import parsed_json

LIST: Final = "shards.json"
FORMAT: Final = 1
LARGEST: Final = 1 << 28  # bytes; a list of 1e11 rows
MOST_SHARDS: Final = 99_999  # what five digits in their names can tell apart

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_SHA1: Final = re.compile(r"[0-9a-f]{40}")


def list_path(config: str) -> str:
    """Returns the path of a config's list in a folder or repository."""
    return f"{config}/{LIST}"


@dataclass(frozen=True)
class MadeShard:
    """A shard that was written.

    Attributes:
        shard: Which rows it holds.
        stored: Size and digests of its file.
        leaves: Digests of its leaves, in order.
    """

    shard: Shard
    stored: Stored
    leaves: Sequence[Leaf] = field(repr=False)


def split_digests(made: Sequence[MadeShard]) -> dict[str, dict[str, str]]:
    """Returns the digest of each column of each split, composed of those of its leaves."""
    leaves: dict[str, list[Leaf]] = {}
    for each in made:
        leaves.setdefault(each.shard.split, []).extend(each.leaves)
    return {split: composed(of_split) for split, of_split in leaves.items()}


def written_list(config: str, made: Sequence[MadeShard]) -> bytes:
    """Returns the content of the list; the same shards give the same bytes."""
    splits: dict[str, list[dict[str, Any]]] = {}
    for each in made:
        columns = {name: [leaf[name] for leaf in each.leaves] for name in each.leaves[0]}
        entry = {"path": each.shard.path, "rows": each.shard.rows, **each.stored.to_yaml_dict(), "leaves": columns}
        splits.setdefault(each.shard.split, []).append(entry)
    content = {"format": FORMAT, "config_name": config, "leaf_rows": LEAF_ROWS, "splits": splits}
    return (json.dumps(content, indent=1) + "\n").encode()


def read_list(content: bytes, config: str, examples: Mapping[str, int], columns: Sequence[str]) -> list[MadeShard]:
    """Returns the shards in a list that somebody else may have written.

    Args:
        content: The file.
        config: Name of the config.
        examples: Rows of each split, as its record says.
        columns: Names of its columns.

    Raises:
        ValueError: If it is no list of shards that hold exactly these rows; the message says what is wrong.
    """
    if len(content) > LARGEST:
        raise ValueError(f"it has {len(content):,} bytes, and may have {LARGEST:,} at most")
    data = parsed_json(content)
    entries = _at(data, "splits", dict)
    if _at(data, "format", int) != FORMAT or _at(data, "leaf_rows", int) != LEAF_ROWS:
        raise ValueError(
            f"its format must be {FORMAT} with leaf_rows {LEAF_ROWS}; a later version of mnist1d-hf may know it"
        )
    if _at(data, "config_name", str) != config or list(entries) != list(examples):
        raise ValueError(f"it must be of the config {config!r} with the splits {', '.join(examples)}")
    made: list[MadeShard] = []
    for split, rows in examples.items():
        of_split = _at(entries, split, list)
        if not 0 < len(of_split) <= MOST_SHARDS:
            raise ValueError(f"split {split!r} must have from 1 to {MOST_SHARDS} shards, not {len(of_split)}")
        start = 0
        for number, entry in enumerate(of_split):
            stop = start + _at(entry, "rows", int)
            shard = Shard(config, split, number, len(of_split), start, stop)
            made.append(_read_entry(entry, shard, columns, is_last=number + 1 == len(of_split)))
            start = stop
        if start != rows:
            raise ValueError(f"split {split!r} has {start:,} rows instead of {rows:,}")
    return made


def _read_entry(entry: Any, shard: Shard, columns: Sequence[str], *, is_last: bool) -> MadeShard:
    if _at(entry, "path", str) != shard.path:
        raise ValueError(f"shard {shard.number} of split {shard.split!r} must have the path {shard.path!r}")
    if shard.rows <= 0 or (shard.rows % LEAF_ROWS and not is_last):
        raise ValueError(f"{shard.path} must have whole leaves of {LEAF_ROWS} rows, not {shard.rows}")
    leaves = _at(entry, "leaves", dict)
    if sorted(leaves) != sorted(columns):
        raise ValueError(f"{shard.path} must have digests of the columns {', '.join(columns)}")
    for name in leaves:
        if len(_at(leaves, name, list)) != leaves_in(shard.rows):
            raise ValueError(f"{shard.path} must have a digest of each leaf of column {name!r}")
    told = Stored(_at(entry, "size", int), _digest(entry, "sha256"), _digest(entry, "git_sha1", _SHA1))
    by_leaf = [
        {name: _digest({"leaves": leaves[name][number]}, "leaves") for name in leaves}
        for number in range(leaves_in(shard.rows))
    ]
    return MadeShard(shard, told, by_leaf)


def _at(data: Any, key: str, kind: type) -> Any:
    """Returns the entry of a mapping, of exactly this type."""
    found = data.get(key) if isinstance(data, dict) else None
    if type(found) is not kind:
        raise ValueError(f"{key!r} must be there, as a {kind.__name__}")
    return found


def _digest(data: Any, key: str, pattern: re.Pattern[str] = _SHA256) -> str:
    found = _at(data, key, str)
    if not pattern.fullmatch(found):
        raise ValueError(f"{key!r} must be a digest in hexadecimal digits")
    return str(found)

"""What is known of each shard that is finished: one small file a shard, so that a killed command goes on from there.

Each entry is written whole, after the shard, by whichever process made it. A shard without its entry is made again.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mnist1d_hf import atomic
from mnist1d_hf.generator.recipe import Recipe
from mnist1d_hf.mnist1d import DATA_VERSION, GENERATOR_CODE
from mnist1d_hf.shards.cut import LEAF_ROWS, Shard
from mnist1d_hf.shards.listing import MadeShard
from mnist1d_hf.stored import Stored
from mnist1d_hf.strict_json import parsed_json

HEAD: Final = 512  # bytes at a file's beginning, which the Hub asks for before an upload


@dataclass(frozen=True)
class Entry:
    """What the journal has of a shard.

    Attributes:
        made: The shard.
        head: The first bytes of its file.
        sent: Whether the Hub has its content, and the file may be gone.
    """

    made: MadeShard
    head: bytes
    sent: bool = False


@dataclass(frozen=True)
class Journal:
    """The journal of one config's shards, in a folder.

    Attributes:
        folder: The folder.
        key: What the shards are made of: an entry with another key is of other data.
    """

    folder: Path
    key: str

    @classmethod
    def of(cls, folder: Path, recipe: Recipe, latents: bool) -> "Journal":
        """Returns the journal of what a recipe makes."""
        made_of = f"{DATA_VERSION} {recipe} {latents} {GENERATOR_CODE} {LEAF_ROWS}"
        return cls(folder, hashlib.sha256(made_of.encode()).hexdigest())

    def write(self, entry: Entry) -> None:
        """Writes the entry of a shard, in place of an older one."""
        shard = entry.made.shard
        content = {
            "key": self.key,
            "rows": [shard.start, shard.stop],
            **entry.made.stored.to_yaml_dict(),
            "leaves": list(entry.made.leaves),
            "head": base64.b64encode(entry.head).decode(),
            "sent": entry.sent,
        }
        path = self._path(shard)
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace(path, lambda part: part.write_text(json.dumps(content) + "\n", encoding="utf-8"))

    def read(self, shard: Shard) -> Entry | None:
        """Returns the entry of a shard; None if there is none of exactly these rows of these data."""
        try:
            content: Any = parsed_json(self._path(shard).read_bytes())
            if (content["key"], content["rows"]) != (self.key, [shard.start, shard.stop]):
                return None
            told = Stored(content["size"], content["sha256"], content["git_sha1"])
            made = MadeShard(shard, told, content["leaves"])
            return Entry(made, base64.b64decode(content["head"]), content["sent"])
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def read_sent(self, shard: Shard) -> Entry | None:
        """Returns the entry of a shard that was sent; None if it was not."""
        entry = self.read(shard)
        return entry if entry is not None and entry.sent else None

    def sweep(self, shards: Sequence[Shard], files: Path) -> None:
        """Removes what killed commands left of other shards, and unfinished files; nobody else may be writing there.

        Args:
            shards: The shards that are wanted.
            files: The folder in which their paths are.
        """
        folders = {self.folder: {self._path(shard).name for shard in shards}}
        folders |= {(files / shard.path).parent: set() for shard in shards}
        for shard in shards:
            if (entry := self.read(shard)) is not None and not entry.sent:
                folders[(files / shard.path).parent].add((files / shard.path).name)
        for folder, wanted in folders.items():
            for path in [*folder.iterdir()] if folder.is_dir() else []:
                if path.name not in wanted and path.is_file():
                    path.unlink()

    def _path(self, shard: Shard) -> Path:
        return self.folder / Path(shard.path).with_suffix(".json").name

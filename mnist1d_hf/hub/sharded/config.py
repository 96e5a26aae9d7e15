"""Configs that are written in shards: which they are, and how they come into a folder."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import datasets

from mnist1d_hf import atomic
from mnist1d_hf.checks import whole_number
from mnist1d_hf.engine.engine import Engine, TasksError
from mnist1d_hf.engine.local import LocalEngine
from mnist1d_hf.hub.card_records import ConfigRecord
from mnist1d_hf.hub.parquet import BuiltConfig
from mnist1d_hf.mnist1d import MNIST1D
from mnist1d_hf.one_line import one_line
from mnist1d_hf.shards.cut import POINT_BYTES, Shard, checked_rows, cut, usual_rows
from mnist1d_hf.shards.journal import Entry, Journal
from mnist1d_hf.shards.listing import MadeShard, list_path, written_list
from mnist1d_hf.shards.make import Making, Refused, made

KEPT: Final = "shards that are finished stay, and the same call goes on"
Tell = Callable[[int, int], object]  # is told how many rows are done, and of how many


T = TypeVar("T")


def untold(done: int, of: int) -> None:
    """Takes notice of nothing."""


@dataclass(frozen=True)
class Sharding:
    """How configs in shards are made.

    Attributes:
        rows_per_shard: Most rows of a shard; None for about 270 MB, and only where a split is longer than that.
        engine: What makes them.
    """

    rows_per_shard: int | None
    engine: Engine


@dataclass(frozen=True, eq=False)
class ShardedConfig:
    """A config of the fast stream that is made shard by shard, without the cache.

    Attributes:
        builder: Its builder, which is not asked to build.
        record: Its name and version; digests and files come with the shards.
        shards: The shards of all splits.
        engine: What makes them.
        tell: Is told how far the work is.
    """

    builder: MNIST1D
    record: ConfigRecord
    shards: Sequence[Shard]
    engine: Engine
    tell: Tell

    @property
    def name(self) -> str:
        """Returns the name that the config is to have."""
        return self.record.config_name

    @property
    def rows(self) -> int:
        """Returns the number of its rows."""
        return sum(shard.rows for shard in self.shards)

    def estimated_bytes(self, shard: Shard) -> int:
        """Returns about how large the file of a shard will be."""
        return int(shard.rows * self.builder.config.recipe.final_seq_length * POINT_BYTES)

    def journal(self, folder: Path) -> Journal:
        """Returns the journal of its shards in a folder."""
        return Journal.of(folder, self.builder.config.recipe, self.builder.config.latents)

    def makings(self, files: Path, journal: Journal) -> list[Making]:
        """Returns what there is to do, shard by shard."""
        config = self.builder.config
        alone = isinstance(self.engine, LocalEngine) and self.engine.workers == 1
        return [Making(config.recipe, config.latents, shard, files, journal, alone) for shard in self.shards]

    def outcomes(
        self,
        function: Callable[[T], Entry | Refused],
        tasks: Sequence[T],
        done: int = 0,
        noted: Callable[[Entry], object] = lambda entry: None,
    ) -> list[Entry]:
        """Returns the journal's entries that a function makes of tasks, in their order.

        Args:
            function: Makes an entry of a task.
            tasks: One for each shard that is not done.
            done: Rows that are.
            noted: Called with each entry as it comes.

        Raises:
            OSError: If a shard cannot be made; those that were stay in the journal.
        """
        found: dict[int, Entry] = {}
        self.tell(done, self.rows)
        try:
            for number, outcome in self.engine.map(function, tasks):
                if isinstance(outcome, Refused):
                    raise outcome.error(KEPT)
                noted(outcome)
                found[number] = outcome
                done += outcome.made.shard.rows
                self.tell(done, self.rows)
        except TasksError as error:
            first = next(iter(error.failures.values()))
            said = f"{len(error.failures)} of {error.of} shards could not be made ({one_line(first.what, 300)})"
            raise OSError(f"{said}; {KEPT}") from error
        return [found[number] for number in range(len(tasks))]

    def write(self, root: Path, journal_folder: Path) -> tuple[ConfigRecord, datasets.DatasetInfo]:
        """Writes the shards that are not there yet, and their list; returns the record, and what the card tells."""
        journal = self.journal(journal_folder)
        journal.sweep(self.shards, root)
        record, content = self.completed([entry.made for entry in self.outcomes(made, self.makings(root, journal))])
        atomic.replace(root / list_path(self.name), lambda part: part.write_bytes(content))
        return record, self.info(record)

    def completed(self, found: Sequence[MadeShard]) -> tuple[ConfigRecord, bytes]:
        """Returns the record with digests and files, and the content of the list of shards."""
        content = written_list(self.name, found)
        return self.record.with_list(found, content), content

    def info(self, record: ConfigRecord) -> datasets.DatasetInfo:
        """Returns the features and sizes that the card tells."""
        info = deepcopy(self.builder.info)
        info.download_size = record.download_size
        return info

    @classmethod
    def of(cls, builder: MNIST1D, name: str | None, version: str | None, how: Sharding, tell: Tell) -> Self:
        """Returns the config that a builder stands for, under its own name and version or under others."""
        record = ConfigRecord.of(builder, {}, name=name, version=version)
        config = builder.config
        rows = how.rows_per_shard or usual_rows(config.recipe)
        return cls(builder, record, cut(record.config_name, config.split_sizes(), rows), how.engine, tell)


def chosen_config(
    config: str,
    *,
    name: str | None = None,
    version: str | None = None,
    recipe: Mapping[str, Any] | None = None,
    cache_dir: str | None = None,
    how: Sharding,
    tell: Tell,
) -> BuiltConfig | ShardedConfig:
    """Returns a config to be exported or pushed: built in the cache if it is small, else in shards, yet to be made.

    Args:
        config: One of `RECIPES`.
        name: Another name for it.
        version: Another version for it.
        recipe: Numbers to change, as keywords of `load_dataset`.
        cache_dir: Cache in which it is built or found.
        how: How it is made if it is in shards.
        tell: Is told how many rows of a config in shards are done, and of how many.

    Raises:
        RecipeError: If the config or a number is not allowed.
    """
    builder = MNIST1D(config_name=config, cache_dir=cache_dir, **(recipe or {}))
    if is_sharded(builder, how.rows_per_shard):
        return ShardedConfig.of(builder, name, version, how, tell)
    return BuiltConfig.build(config, name=name, version=version, recipe=recipe, cache_dir=cache_dir)


def is_sharded(builder: MNIST1D, rows_per_shard: int | None) -> bool:
    """Returns whether a config is written in shards: if it is asked for, or a split is longer than one."""
    config = builder.config
    longest = max(config.split_sizes().values(), default=0)
    return config.stream == "fast" and (rows_per_shard is not None or longest > usual_rows(config.recipe))


def checked_sharding(
    rows_per_shard: int | None, num_proc: int | None, engine: Engine | None = None, *, most: int | None = None
) -> Sharding:
    """Returns how configs in shards are to be made.

    Args:
        rows_per_shard: Most rows of a shard, or None.
        num_proc: Processes, or None for this one.
        engine: What makes them instead, or None.
        most: Processes that there may be at most.

    Raises:
        ValueError: If shards would not hold whole leaves, or there are no processes.
    """
    processes = 1 if num_proc is None else whole_number("num_proc", num_proc, 1)
    rows = None if rows_per_shard is None else checked_rows(rows_per_shard)
    return Sharding(rows, engine or LocalEngine(min(processes, most or processes)))

"""Data sets as folders that others can load without this package."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mnist1d_hf import checks
from mnist1d_hf.engine.engine import Engine
from mnist1d_hf.hub.card import CARD, FIGURE, figure, new_card
from mnist1d_hf.hub.parquet import BuiltConfig
from mnist1d_hf.hub.sharded.choice import checked_choice, checked_names
from mnist1d_hf.hub.sharded.config import ShardedConfig, Tell, checked_sharding, untold
from mnist1d_hf.staged_folder import CONTENT, recover, resumed_folder, staged_folder, sweep_unfinished


def export(
    folder: str | os.PathLike[str],
    configs: Sequence[str] = (),
    *,
    new_config: str | None = None,
    base: str = "default",
    recipe: Mapping[str, Any] | None = None,
    version: str | None = None,
    overwrite: bool = False,
    cache_dir: str | None = None,
    rows_per_shard: int | None = None,
    num_proc: int | None = None,
    engine: Engine | None = None,
    tell: Tell = untold,
) -> list[Path]:
    """Writes configs as Parquet with a card, loadable by ``load_dataset(folder, config)`` without this package.

    All is written beside the folder under another name and moved into place at the end. A long config of the fast
    stream is made straight into shards, without the cache: if that is interrupted or killed, the same call goes on with
    the shards that are finished.

    Args:
        folder: Where to; must not exist, or be empty, unless ``overwrite``.
        configs: Names; by default all that the reference stream makes, unless there is a ``new_config``.
        new_config: Name of a config of your own, made of ``base`` with the numbers in ``recipe``.
        base: The config that ``new_config`` starts from.
        recipe: Numbers of ``new_config`` that differ, as keywords of `load_dataset`: ``{"num_samples": 10**9}``.
        version: Version of ``new_config``'s data.
        overwrite: Whether an existing folder is replaced, once the new one is complete.
        cache_dir: Cache in which small configs are built or found.
        rows_per_shard: Most rows of a shard, a multiple of 100,000; by default about 270 MB. With it, any config of the
            fast stream is in shards.
        num_proc: Processes that make shards; by default this one does.
        engine: Something else that makes them; it maps a function to tasks, see `mnist1d_hf.engine`.
        tell: Is told how many rows of a config in shards are done, and of how many.

    Returns:
        The files written.

    Raises:
        RecipeError: If a config or a number does not exist or is not allowed.
        FileExistsError: If the folder holds files and may not be overwritten.
        OSError: If the disk has no room for the shards.
        ValueError: If an argument is not allowed, or a cached config does not contain what its version says.
    """
    folder = checks.path("folder", folder, "the path of a folder")
    overwrite = checks.flag("overwrite", overwrite)
    cache_dir = None if cache_dir is None else checks.path("cache_dir", cache_dir, "the path of a cache, or None")
    names = checked_names("configs", configs)
    choice = checked_choice(names, new_config=new_config, base=base, recipe=recipe, version=version)
    how = checked_sharding(rows_per_shard, num_proc, engine)
    target = Path(folder).expanduser().absolute()
    recover(target)
    if target.exists() and (not target.is_dir() or any(target.iterdir())) and not overwrite:
        raise FileExistsError(
            f"{target} exists and is not empty; name another folder, or pass overwrite=True to replace it"
        )
    if choice.has_shards(how, cache_dir):
        with resumed_folder(target) as place:
            planned = choice.configs(how, tell, cache_dir)
            _write(place / CONTENT, place / "journal", planned, target)
    else:
        with staged_folder(target) as staging:
            _write(staging, staging, choice.configs(how, tell, cache_dir), target)
        sweep_unfinished(target)
    return sorted(path for path in target.rglob("*") if path.is_file())


def _write(root: Path, journal: Path, planned: Sequence[BuiltConfig | ShardedConfig], target: Path) -> None:
    """Writes the configs and the card; shards that are there already stay."""
    sharded = {config.name: config for config in planned if isinstance(config, ShardedConfig)}
    for left in root.iterdir():
        if left.name not in sharded:
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    infos, records = {}, {}
    for config in planned:
        if isinstance(config, BuiltConfig):
            infos[config.name] = config.write(root)
            records[config.name] = config.record.with_files(config.stored_in(root))
        else:
            _check_room(root, config)
            records[config.name], infos[config.name] = config.write(root, journal / config.name)
    (root / CARD).write_text(new_card(records, infos, path=target.name), encoding="utf-8")
    (root / FIGURE).write_bytes(figure())


def _check_room(root: Path, config: ShardedConfig) -> None:
    """Refuses what the disk has no room for, before hours of work.

    Raises:
        OSError: If it has not.
    """
    present = sum(path.stat().st_size for path in (root / config.name).glob("*"))
    needed = sum(map(config.estimated_bytes, config.shards)) - present
    if needed > (free := shutil.disk_usage(root).free):
        raise OSError(
            f"the config {config.name!r} needs about {needed / 1e9:,.0f} GB more on the disk of {root.parent.parent}, "
            f"which has {free / 1e9:,.0f} GB free; choose another folder, or lower num_samples"
        )

"""Data sets as folders that others can load without this package."""

import os
from collections.abc import Sequence
from pathlib import Path

from mnist1d_hf import checks
from mnist1d_hf.generator.recipe import RECIPES, named_recipe
from mnist1d_hf.hub.card import CARD, FIGURE, figure, new_card
from mnist1d_hf.hub.parquet import BuiltConfig
from mnist1d_hf.staged_folder import recover, staged_folder

MOST_NAMES = 10_000  # configs in a call; a repository does not hold as many


def export(
    folder: str | os.PathLike[str],
    configs: Sequence[str] = (),
    *,
    overwrite: bool = False,
    cache_dir: str | None = None,
) -> list[Path]:
    """Writes configs as Parquet with a card, loadable by ``load_dataset(folder, config)`` without this package.

    All is written beside the folder under another name and moved into place at the end.

    Args:
        folder: Where to; must not exist, or be empty, unless ``overwrite``.
        configs: Names; by default all that the reference stream makes.
        overwrite: Whether an existing folder is replaced, once the new one is complete.
        cache_dir: Cache in which the configs are built or found.

    Returns:
        The files written.

    Raises:
        RecipeError: If a config does not exist.
        FileExistsError: If the folder holds files and may not be overwritten.
        ValueError: If a cached config does not contain what its version says.
    """
    folder = checks.path("folder", folder, "the path of a folder")
    overwrite = checks.flag("overwrite", overwrite)
    cache_dir = None if cache_dir is None else checks.path("cache_dir", cache_dir, "the path of a cache, or None")
    names = exported_configs(configs)
    target = Path(folder).expanduser().absolute()
    recover(target)
    if target.exists() and (not target.is_dir() or any(target.iterdir())) and not overwrite:
        raise FileExistsError(
            f"{target} exists and is not empty; name another folder, or pass overwrite=True to replace it"
        )
    with staged_folder(target) as staging:
        built = [BuiltConfig.build(name, cache_dir=cache_dir) for name in names]
        infos = {config.name: config.write(staging) for config in built}
        records = {config.name: config.record.with_files(config.stored_in(staging)) for config in built}
        card = new_card(records, infos, path=target.name)
        (staging / CARD).write_text(card, encoding="utf-8")
        (staging / FIGURE).write_bytes(figure())
    return sorted(path for path in target.rglob("*") if path.is_file())


def checked_names(field: str, names: Sequence[str]) -> list[str]:
    """Returns the names as a list; one alone, which is a sequence of letters too, is an error.

    Raises:
        ValueError: If it is no list of names.
    """
    what = 'a list of names, such as ["default"]'
    return [checks.text(field, name, what) for name in checks.items(field, names, what, MOST_NAMES)]


def exported_configs(configs: Sequence[str]) -> list[str]:
    """Returns these configs, once each; if none are given, all that the reference stream makes.

    Raises:
        RecipeError: If one does not exist.
    """
    names = checked_names("configs", configs)
    for name in names:
        named_recipe(name)
    return list(dict.fromkeys(names)) or [name for name, named in RECIPES.items() if named.stream == "reference"]

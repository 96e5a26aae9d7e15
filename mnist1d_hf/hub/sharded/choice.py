"""Which configs are meant: those of this package by their names, and one of the user's own, made of one of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mnist1d_hf import checks
from mnist1d_hf.generator.recipe import RECIPES, RecipeError, named_recipe
from mnist1d_hf.hub.parquet import BuiltConfig
from mnist1d_hf.hub.schema import CONFIG_NAME, VERSION_NUMBER
from mnist1d_hf.hub.sharded.config import ShardedConfig, Sharding, Tell, chosen_config, is_sharded
from mnist1d_hf.mnist1d import DATA_VERSION, MNIST1D

MOST_NAMES: Final = 10_000  # configs in a call; a repository does not hold as many


@dataclass(frozen=True)
class Choice:
    """The configs that are meant.

    Attributes:
        names: Those of this package.
        new_config: Name of the user's own; None if there is none.
        base: What that is made of.
        recipe: Its numbers that differ.
        version: Its version; None for that of the generator.
    """

    names: Sequence[str]
    new_config: str | None
    base: str
    recipe: Mapping[str, Any]
    version: str | None

    def has_shards(self, how: Sharding, cache_dir: str | None) -> bool:
        """Returns whether a config will be in shards.

        Raises:
            RecipeError: If a number is not allowed.
            ValueError: If shards are asked for and no config can be in shards.
        """
        own = MNIST1D(config_name=self.base, cache_dir=cache_dir, **self.recipe)
        builders = [MNIST1D(config_name=name, cache_dir=cache_dir) for name in self.names]
        builders += [own] if self.new_config else []
        sharded = any(is_sharded(builder, how.rows_per_shard) for builder in builders)
        if builders and how.rows_per_shard is not None and not sharded:
            raise ValueError(
                f"rows_per_shard={how.rows_per_shard} is for the fast stream, and these configs are of the reference "
                "stream, in one file for each split; leave it out, or add stream='fast'"
            )
        return sharded

    def configs(self, how: Sharding, tell: Tell, cache_dir: str | None) -> list[BuiltConfig | ShardedConfig]:
        """Returns all of them, built in the cache if they are small.

        Args:
            how: How those in shards are to be made.
            tell: Is told how far that is.
            cache_dir: Cache in which the others are built or found.

        Raises:
            ValueError: If shards are asked for and no config can be in shards.
        """
        self.has_shards(how, cache_dir)  # raises before anything is built
        found = [chosen_config(name, cache_dir=cache_dir, how=how, tell=tell) for name in self.names]
        if self.new_config is not None:
            version = self.version or DATA_VERSION
            keywords: dict[str, Any] = {"recipe": self.recipe, "cache_dir": cache_dir, "how": how, "tell": tell}
            found.append(chosen_config(self.base, name=self.new_config, version=version, **keywords))
        return found


def checked_choice(
    configs: Sequence[str],
    *,
    new_config: str | None,
    base: str,
    recipe: Mapping[str, Any] | None,
    version: str | None,
    remove: Sequence[str] = (),
) -> Choice:
    """Returns the configs that the arguments of a push or an export mean.

    Raises:
        ValueError: If they contradict each other, or a name or a version is not allowed.
    """
    if new_config is None and (recipe or version or base != "default"):
        given = "recipe" if recipe else "version" if version else "base"
        raise ValueError(f"{given}= describes a config of your own; name it with new_config=")
    if new_config is not None:
        if not re.search(CONFIG_NAME, new_config):
            raise ValueError(f"new_config={new_config!r} must be letters, digits, '.', '-' and '_'")
        if new_config in RECIPES:
            raise RecipeError(
                f"new_config={new_config!r} is the name of a config of this package, and must always mean that one; "
                "choose another name"
            )
    if version is not None and not re.search(VERSION_NUMBER, version):
        raise ValueError(f"version={version!r} must be MAJOR.MINOR.PATCH, such as 1.0.0")
    if both := {*configs, new_config} & {*remove}:
        raise ValueError(f"{min(map(str, both))!r} is to be both pushed and removed; do one after the other")
    names = exported_configs(configs) if configs or (new_config is None and not remove) else []
    return Choice(names, new_config, base, recipe or {}, version)


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

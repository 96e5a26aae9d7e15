"""Data sets on the Hub: `push` brings configs into a repository by one commit, and tags it.

What is compared is content, by digests, and the repository's files with what its card records of them: where they have
drifted apart, a push puts it right and says what. Configs, card text and licence that others wrote stay as they are; a
config's content never changes under its version; a tag never moves, and marks only what verifies.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mnist1d_hf.generator.recipe import RECIPES, RecipeError
from mnist1d_hf.hub.dataset_plan import Planner
from mnist1d_hf.hub.export import checked_names, exported_configs
from mnist1d_hf.hub.parquet import BuiltConfig
from mnist1d_hf.hub.publish import HubError, RefusedError, State, publish, rehearse
from mnist1d_hf.hub.remote import PATIENCE, Remote, checked_repo_id, checked_tag
from mnist1d_hf.hub.schema import CONFIG_NAME, VERSION_NUMBER
from mnist1d_hf.mnist1d import DATA_VERSION, MNIST1D
from mnist1d_hf.staged_folder import scratch_folder

__all__ = ["HubError", "Push", "RefusedError", "push"]


@dataclass(frozen=True)
class Push:
    """The outcome of a push, or of its rehearsal.

    Attributes:
        state: "complete", or "unchanged" if all was there already; of a dry run always "unchanged".
        repo_id: The repository.
        url: Its page.
        commit: The commit that holds what was pushed; empty if a dry run found no repository.
        tag: The tag that was asked for.
        created: Whether the repository was made.
        committed: Whether a commit was made.
        tagged: Whether the tag was made.
        files: The files that were written, or would be, and their sizes.
        removed: The files that were removed, or would be.
        card_diff: What changes in the card, as a unified diff.
        load_line: How to load the first config; empty if there is none left.
        repaired: What is put right by this: how configs that are pushed had drifted from their records.
        drifted: How other configs have drifted from theirs, or why they cannot be verified; they stay as they are.
    """

    state: State
    repo_id: str
    url: str
    commit: str
    tag: str | None
    created: bool
    committed: bool
    tagged: bool
    files: Mapping[str, int]
    removed: Sequence[str]
    card_diff: str
    load_line: str
    repaired: Mapping[str, Sequence[str]] = field(default_factory=dict)
    drifted: Mapping[str, Sequence[str]] = field(default_factory=dict)


def push(
    repo_id: str,
    configs: Sequence[str] = (),
    *,
    new_config: str | None = None,
    base: str = "default",
    recipe: Mapping[str, Any] | None = None,
    version: str | None = None,
    remove: Sequence[str] = (),
    private: bool = False,
    tag: str | None = None,
    dry_run: bool = False,
    token: str | None = None,
    patience: float = PATIENCE,
    cache_dir: str | None = None,
) -> Push:
    """Puts configs on the Hub: one commit for all of them, the card and the removals, and then the tag.

    Doing the same again changes nothing; after a failure it completes what is missing. Where a config that is pushed no
    longer is what its record says, because somebody replaced files or edited the card, it is put right.

    Args:
        repo_id: "owner/name"; created if it does not exist.
        configs: Configs of this package, as they are. With neither these nor ``new_config`` nor ``remove``: all that
            the reference stream makes.
        new_config: Name of a config of your own, made of ``base`` with the numbers in ``recipe``.
        base: The config that ``new_config`` starts from.
        recipe: Numbers of ``new_config`` that differ, as keywords of `load_dataset`: ``{"iid_noise_scale": 0.1}``.
        version: Version of ``new_config``'s data; raise it when you change its numbers.
        remove: Configs to take out of the repository.
        private: Whether the repository is private, if it is created.
        tag: A tag for the commit, by which the data can be loaded for good; never moved.
        dry_run: Whether to write nothing, and only tell what would be done.
        token: Token of the Hub; by default the one that is logged in.
        patience: Seconds for all requests; uploads have time of their own.
        cache_dir: Cache in which the configs are built or found.

    Raises:
        RecipeError: If a config or a number is not allowed.
        ValueError: If an argument is not allowed, or the repository's card cannot be read.
        RefusedError: If content would change under its version, a tag would have to move, or it would mark a config
            that is not what its record says.
        HubError: If the Hub cannot be reached or does not allow it; its message tells in which state the repository is.
    """
    configs, remove = checked_names("configs", configs), checked_names("remove", remove)
    checked_repo_id(repo_id)
    tag = tag and checked_tag(tag)
    names = _checked_names(configs, new_config, base, recipe, version, remove)
    MNIST1D(config_name=base, **(recipe or {}))  # raises before anything is built
    built = [BuiltConfig.build(name, cache_dir=cache_dir) for name in names]
    if new_config is not None:
        built.append(
            BuiltConfig.build(
                base, name=new_config, version=version or DATA_VERSION, recipe=recipe, cache_dir=cache_dir
            )
        )
    remote = Remote(repo_id, token=token, patience=patience)
    with scratch_folder("mnist1d-push") as folder:
        planner = Planner(remote, built, remove, folder)
        if dry_run:
            return _dry_run(planner, tag)
        done = publish(remote, planner.plan_at, message=planner.title(), tag=tag, private=private)
        return Push(
            state=done.state,
            repo_id=repo_id,
            url=remote.url,
            commit=done.commit,
            tag=tag,
            created=done.created,
            committed=done.committed,
            tagged=done.tagged,
            **planner.described(done.committed, tag),
        )


def _checked_names(
    configs: Sequence[str],
    new_config: str | None,
    base: str,
    recipe: Mapping[str, Any] | None,
    version: str | None,
    remove: Sequence[str],
) -> list[str]:
    """Returns the configs to push as they are."""
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
    return exported_configs(configs) if configs or (new_config is None and not remove) else []


def _dry_run(planner: Planner, tag: str | None) -> Push:
    remote = planner.remote
    head, plan = rehearse(remote, planner.plan_at, tag=tag)
    what = {"state": "unchanged", "repo_id": remote.repo_id, "url": remote.url, "commit": head.commit, "tag": tag}
    return Push(**what, created=False, committed=False, tagged=False, **planner.described(bool(plan.operations), tag))  # type: ignore[arg-type]

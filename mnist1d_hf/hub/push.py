"""Data sets on the Hub: `push` brings configs into a repository by one commit, and tags it.

What is compared is content, by digests, and the repository's files with what its card records of them: where they have
drifted apart, a push puts it right and says what. Configs, card text and licence that others wrote stay as they are; a
config's content never changes under its version; a tag never moves, and marks only what verifies.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from mnist1d_hf.engine.engine import Engine
from mnist1d_hf.hub.dataset_plan import Planner
from mnist1d_hf.hub.publish import HubError, RefusedError, State, publish, rehearse
from mnist1d_hf.hub.remote import PATIENCE, Remote, checked_repo_id, checked_tag
from mnist1d_hf.hub.sharded.choice import checked_choice, checked_names
from mnist1d_hf.hub.sharded.config import ShardedConfig, Tell, checked_sharding, untold
from mnist1d_hf.hub.sharded.sending import MOST_AT_ONCE, SentConfig, send, workplace
from mnist1d_hf.staged_folder import kept_folder, scratch_folder

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
    rows_per_shard: int | None = None,
    num_proc: int | None = None,
    engine: Engine | None = None,
    tell: Tell = untold,
) -> Push:
    """Puts configs on the Hub: one commit for all of them, the card and the removals, and then the tag.

    Doing the same again changes nothing; after a failure it completes what is missing. Where a config that is pushed no
    longer is what its record says, because somebody replaced files or edited the card, it is put right.

    A long config of the fast stream goes in shards, each made, sent and deleted before the next: no more than three are
    on this machine, in the cache of datasets. A push that was killed goes on where it was, and sends none twice.

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
        rows_per_shard: Most rows of a shard, a multiple of 100,000; by default about 270 MB. With it, any config of the
            fast stream goes in shards.
        num_proc: Processes that make and send shards, three at most; by default this one does.
        engine: Something else that does; it maps a function to tasks, see `mnist1d_hf.engine`.
        tell: Is told how many rows of a config in shards are done, and of how many.

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
    choice = checked_choice(configs, new_config=new_config, base=base, recipe=recipe, version=version, remove=remove)
    how = checked_sharding(rows_per_shard, num_proc, engine, most=MOST_AT_ONCE)
    built = choice.configs(how, tell, cache_dir)
    remote = Remote(repo_id, token=token, patience=patience)
    with scratch_folder("mnist1d-push") as folder, ExitStack() as stack:
        if dry_run:
            return _dry_run(Planner(remote, built, remove, folder), tag)
        places = {}
        for config in built:
            if isinstance(config, ShardedConfig):
                place = kept_folder(workplace(remote, config), f"{repo_id}, config {config.name!r},")
                places[config.name] = stack.enter_context(place)

        def send_shards(config: ShardedConfig) -> SentConfig:
            return send(remote, config, places[config.name], patience=patience)

        planner = Planner(remote, built, remove, folder, tag=tag, send=send_shards)
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


def _dry_run(planner: Planner, tag: str | None) -> Push:
    remote = planner.remote
    head, plan = rehearse(remote, planner.plan_at, tag=tag)
    what = {"state": "unchanged", "repo_id": remote.repo_id, "url": remote.url, "commit": head.commit, "tag": tag}
    return Push(**what, created=False, committed=False, tagged=False, **planner.described(bool(plan.operations), tag))  # type: ignore[arg-type]

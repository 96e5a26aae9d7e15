"""``mnist1d data push`` and ``mnist1d data verify OWNER/NAME``: data sets on the Hub. Imports no torch."""

from collections.abc import Mapping
from typing import Annotated, Any

from rich.console import Console

from lightning_module.commands.numbers import add_numbers
from lightning_module.commands.options import MoreOptions
from lightning_module.commands.sharding import Address, EngineOption, RowsPerShard, chosen_engine, shards_line
from mnist1d_hf.hub import verification
from mnist1d_hf.hub.push import Push
from mnist1d_hf.hub.push import push as push_configs
from mnist1d_hf.one_line import one_line

console = Console()


def push(
    repo: Annotated[str, "OWNER/NAME on the Hub; made if there is none"],
    *,
    config: Annotated[
        list[str] | None, "configs, as they are; all that the reference stream makes if nothing is named"
    ] = None,
    new_config: Annotated[str | None, "a config of your own, of --base with other numbers"] = None,
    base: Annotated[str, "the config that --new-config starts from"] = "default",
    version: Annotated[str | None, "of --new-config's data; 1.0.0 at first"] = None,
    remove: Annotated[list[str] | None, "configs to take out of the repository"] = None,
    private: Annotated[bool, "if the repository is made, only you can see it"] = False,
    tag: Annotated[str | None, "for the commit; never moved: data-v1.0.0"] = None,
    dry_run: Annotated[bool, "write nothing; print files, sizes, the card's changes"] = False,
    rows_per_shard: RowsPerShard = None,
    num_proc: Annotated[int | None, "processes that make and send shards, three at most"] = None,
    engine: EngineOption = "local",
    address: Address = None,
    **numbers: Annotated[Any, MoreOptions(add_numbers)],
) -> int:
    """Put configs on the Hub: one commit for all, then the tag; doing it again completes it or changes nothing."""
    with shards_line() as tell:
        done = push_configs(
            repo,
            config or (),
            new_config=new_config,
            base=base,
            recipe={name: value for name, value in numbers.items() if value is not None},
            version=version,
            remove=remove or (),
            private=private,
            tag=tag,
            dry_run=dry_run,
            rows_per_shard=rows_per_shard,
            num_proc=num_proc,
            engine=chosen_engine(engine, num_proc, address),
            tell=tell,
        )
    _print_files(done.files, done.removed)
    _print_drift(done)
    if dry_run:
        for line in done.card_diff.splitlines():
            _print(one_line(line))
        if not done.card_diff:
            _print("the card does not change")
        _print("dry run: nothing was written")
    else:
        _print(_outcome(done))
    _print(done.url)
    if done.load_line:
        _print(one_line(done.load_line))
    return 0


def _print(line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def _print_files(files: Mapping[str, int], removed: Any) -> None:
    for path, size in files.items():
        _print(f"{size:>12,} {path}")
    for path in removed:
        _print(f"{'removed':>12} {one_line(path)}")


def _print_drift(done: Push) -> None:
    """Prints what is no longer what the card's records say."""
    for name, found in done.repaired.items():
        for what in found:
            _print(f"put right   {one_line(name)}: {one_line(what)}")
    for name, found in done.drifted.items():
        for what in found:
            _print(f"DRIFTED     {one_line(name)}: {one_line(what)}")
    if done.drifted:
        _print("no tag can mark what has drifted: push those configs too, which puts them right, or --remove them")


def _outcome(done: Push) -> str:
    if done.state == "unchanged":
        return f"unchanged: all of it is there already, in commit {done.commit[:12]}" + _tagged(done)
    what = "one commit" if done.committed else "no commit, for the content was there"
    return f"complete: {what}, {done.commit[:12]}" + _tagged(done)


def _tagged(done: Push) -> str:
    if not done.tag:
        return ""
    return f", now tagged {done.tag}" if done.tagged else f", tagged {done.tag} before"


def verify(path: str, revision: str | None, config: list[str] | None, num_proc: int | None) -> int:
    """Loads configs of a repository or folder, each compared with the digests in its card."""
    with shards_line() as tell:
        answers = verification.verify(path, config or (), revision=revision, num_proc=num_proc, tell=tell)
    for answer in answers:
        _print(f"{label(answer)}{one_line(answer.name)} {one_line(answer.about)}")
        if answer.remedy:
            _print(f"{'':13}remedy: {answer.remedy}")
    _print(verification.summary(answers))
    return verification.exit_status(answers)


def label(answer: verification.Answer) -> str:
    """Returns the beginning of a line of `verify`."""
    return f"{'DAMAGED' if answer.state == 'damaged' else answer.state:13}"

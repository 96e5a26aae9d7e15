"""``mnist1d data push`` and ``mnist1d data verify OWNER/NAME``: data sets on the Hub. Imports no torch."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from mnist1d_hf.hub import verification
from mnist1d_hf.hub.push import Push
from mnist1d_hf.hub.push import push as push_configs
from mnist1d_hf.one_line import one_line

console = Console()


def push(
    repo: str,
    config: list[str] | None,
    new_config: str | None,
    base: str,
    version: str | None,
    remove: list[str] | None,
    private: bool,
    tag: str | None,
    dry_run: bool,
    **numbers: Any,
) -> int:
    """Put configs on the Hub: one commit for all, then the tag; doing it again completes it or changes nothing."""
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
    """What is no longer what the card's records say."""
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


def verify(path: str, revision: str | None, config: list[str] | None) -> int:
    """Load configs of a repository or folder, each compared with the digests in its card."""
    answers = verification.verify(path, config or (), revision=revision)
    for answer in answers:
        _print(f"{label(answer)}{one_line(answer.name)} {one_line(answer.about)}")
        if answer.remedy:
            _print(f"{'':13}remedy: {answer.remedy}")
    _print(verification.summary(answers))
    return verification.exit_status(answers)


def label(answer: verification.Answer) -> str:
    """How a line of `verify` begins."""
    return f"{'DAMAGED' if answer.state == 'damaged' else answer.state:13}"

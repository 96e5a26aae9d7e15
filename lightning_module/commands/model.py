"""``mnist1d model push | pull``: trained classifiers on the Hub. Torch is imported when one of them runs."""

from collections.abc import Sequence
from typing import Annotated, Final

from rich.console import Console

from lightning_module.commands.group import CommandGroup
from mnist1d_hf.one_line import one_line

console = Console()


def push(
    repo: Annotated[str, "OWNER/NAME on the Hub; made if there is none"],
    checkpoint: Annotated[str, "a checkpoint that mnist1d fit has written"],
    *,
    tag: Annotated[str | None, "for the commit; never moved"] = None,
    private: Annotated[bool, "if the repository is made, only you can see it"] = False,
    dry_run: Annotated[bool, "write nothing; print files, sizes and the card"] = False,
) -> int:
    """Put a checkpoint's classifier on the Hub, with a card: data, protocol, accuracy, code version."""
    from lightning_module.model_hub import TrainedModel, push_model

    model = TrainedModel.from_checkpoint(checkpoint)
    done = push_model(repo, model, tag=tag, private=private, dry_run=dry_run)
    for name, size in done.files.items():
        _print(f"{size:>12,} {name}")
    for what in done.repaired:
        _print(f"{'put right':>12} {one_line(what)}")
    _print(f"{'accuracy':>12} {100 * model.record['accuracy']:.1f} % on the test split of {model.record['config_id']}")
    if done.published is None:
        _print(done.card)
        _print("dry run: nothing was written")
    else:
        _print(f"{done.published.state}: commit {done.published.commit[:12]}" + (f", tagged {tag}" if tag else ""))
    _print(done.url)
    _print(f'Classifier.from_pretrained("{repo}"' + (f', revision="{tag}")' if tag else ")"))
    return 0


def pull(
    repo: Annotated[str, "OWNER/NAME on the Hub"],
    folder: Annotated[str, "a new folder"],
    *,
    revision: Annotated[str | None, "tag, branch or commit; the newest if not given"] = None,
) -> int:
    """Fetch a classifier at exactly one revision, its weights compared with the digest in its card."""
    from lightning_module.model_hub import pull_model

    record = pull_model(repo, folder, revision=revision).record
    config_id = one_line(record["config_id"], 200)  # somebody else wrote it
    _print(f"{record['network']}, {100 * record['accuracy']:.1f} % on the test split of {config_id}")
    _print(f'Classifier.from_pretrained("{folder}")')
    return 0


def _print(line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)


GROUP: Final = CommandGroup(
    "mnist1d model",
    "Publish and fetch trained classifiers.",
    {"push": push, "pull": pull},
    {
        "push": "stopped; the Hub has all of it or nothing, and the same command completes it",
        "pull": "stopped; no folder is written, and the same command begins again",
    },
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one model command and returns its exit status: 0, or 2 if the input cannot be used."""
    return GROUP.run(arguments)

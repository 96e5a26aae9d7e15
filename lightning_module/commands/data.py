"""``mnist1d data ...``: list, describe, build, export, verify, install, draw and push data sets. Imports no torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

from rich.console import Console

from lightning_module.commands import hub
from lightning_module.commands.group import CommandGroup
from lightning_module.commands.numbers import Config, Numbers, add_numbers
from lightning_module.commands.options import MoreOptions
from lightning_module.commands.sharding import Address, EngineOption, RowsPerShard, chosen_engine, shards_line
from lightning_module.terminal.tables import Column, Pairs, Table, show
from mnist1d_hf import MNIST1D, RECIPES
from mnist1d_hf.atomic import replace
from mnist1d_hf.bayes import Estimate, bayes_limits
from mnist1d_hf.bayes.posterior import Labels
from mnist1d_hf.cache import builds, golden
from mnist1d_hf.checks import whole_number
from mnist1d_hf.hub import verification
from mnist1d_hf.hub.export import export as export_configs
from mnist1d_hf.plot import animation, signals
from mnist1d_hf.plot.construction import Construction

STILL: Final = (".png", ".pdf")
WHY: Final = Column("what it is for", sentence=True)

console = Console()


def list_configs() -> int:
    """List the configs."""
    sizes = {name: named.recipe.split_sizes(named.stream) for name, named in RECIPES.items()}
    show(
        Table(
            [Column("config"), Column("train", right=True, rank=1), Column("test", right=True, rank=2), WHY],
            [[name, f"{of['train']:,}", f"{of['test']:,}", RECIPES[name].why] for name, of in sizes.items()],
        ),
        console,
    )
    return 0


def info(config: Config = "default", **keywords: Numbers) -> int:
    """Show a config's numbers, columns, digests and whether it is built."""
    builder = _builder(config, keywords)
    lines: dict[str, Any] = {
        "config": builder.config_id,
        "version": builder.config.version,
        "for": builder.config.description,
        **{split.name: f"{split.num_examples:,} examples" for split in builder.info.splits.values()},
        "columns": ", ".join(builder.info.features),
        "stream": builder.config.stream,
        **asdict(builder.config.recipe),
        **_digest_lines(builder.config_id),
    }
    built = any(str(cached.folder) == builder.cache_dir for cached in builds.cached_builds())
    lines["built"] = builder.cache_dir if built else "not yet"
    show(Pairs({name: str(value) for name, value in lines.items()}), console)
    return 0


def _digest_lines(config_id: str) -> dict[str, str]:
    """Returns the committed digests of a named config of the reference stream."""
    return {
        f"SHA-256 {split}.{column}": digest
        for split, columns in golden.committed().get(config_id, {}).items()
        for column, digest in columns.items()
        if isinstance(digest, str)
    }


def build(
    config: Config = "default",
    *,
    force: Annotated[bool, "build even if it is in the cache"] = False,
    num_proc: Annotated[int | None, "processes; for the fast stream"] = None,
    **keywords: Numbers,
) -> int:
    """Build a config, or a variant of it, into the cache."""
    if num_proc is not None:
        num_proc = whole_number("num_proc", num_proc, 1)
    builder = _builder(config, keywords)
    mode = "force_redownload" if force else "reuse_dataset_if_exists"
    builder.download_and_prepare(download_mode=mode, num_proc=num_proc)
    given = "".join(f", {name}={value!r}" for name, value in _given(keywords).items())
    console.print(builder.cache_dir, soft_wrap=True, highlight=False, markup=False)
    console.print(
        f'import mnist1d_hf; from datasets import load_dataset; load_dataset("mnist1d", "{config}"{given})',
        soft_wrap=True,
        highlight=False,
    )
    return 0


def export(
    folder: Annotated[str, "folder to write"],
    *,
    config: Annotated[list[str] | None, "configs; all that the reference stream makes if nothing is named"] = None,
    new_config: Annotated[str | None, "name of a config of your own, with other numbers; else NAME-variant"] = None,
    base: Annotated[str | None, "the config that --new-config starts from; default"] = None,
    overwrite: Annotated[bool, "replace the folder if it exists"] = False,
    rows_per_shard: RowsPerShard = None,
    num_proc: Annotated[int | None, "processes that make shards"] = None,
    engine: EngineOption = "local",
    address: Address = None,
    **keywords: Annotated[Any, MoreOptions(add_numbers)],
) -> int:
    """Write configs as Parquet with a card, loadable without this package; the same command goes on after a kill."""
    numbers = _given(keywords)
    names = config or []
    if numbers and new_config is None:
        if len(names) > 1 or base is not None:
            raise ValueError(
                f"base={base} needs a name for what is made of it: new_config=NAME"
                if base
                else "numbers belong to one config; name what is made of it: new_config=NAME, base=CONFIG"
            )
        base = (names or ["default"])[0]
        names, new_config = [], f"{base}-variant"
    with shards_line() as tell:
        written = export_configs(
            folder,
            names,
            new_config=new_config,
            base=base or "default",
            recipe=numbers,
            overwrite=overwrite,
            rows_per_shard=rows_per_shard,
            num_proc=num_proc,
            engine=chosen_engine(engine, num_proc, address),
            tell=tell,
        )
    for path in written:
        console.print(f"{path.stat().st_size:>12,} {path}", highlight=False, soft_wrap=True)
    first = [*names, *([new_config] if new_config else []), "default"][0]
    console.print(f'load_dataset("{folder}", "{first}")', highlight=False, soft_wrap=True)
    return 0


def verify(
    path: Annotated[str | None, "OWNER/NAME on the Hub, or a folder; the cache if not given"] = None,
    *,
    revision: Annotated[str | None, "tag, branch or commit of the repository"] = None,
    config: Annotated[list[str] | None, "configs; all in its card if not given"] = None,
    num_proc: Annotated[int | None, "processes that compare shards"] = None,
) -> int:
    """Compare contents with their digests: of everything in the cache, or of a repository or folder.

    Ends with 0 if there is something and all of it is ok, 1 if something is damaged, 3 if nothing is but not all is
    verified, and 2 if the input cannot be used.
    """
    if path is not None:
        return hub.verify(path, revision, config, num_proc)
    if revision is not None or config is not None or num_proc is not None:
        raise ValueError(
            "--revision, --config and --num-proc need a repository or folder: mnist1d data verify OWNER/NAME ..."
        )
    checked = verification.verify_cache()
    answers = [answer for _, answer in checked]
    for build, answer in checked:
        line = f"{hub.label(answer)}{build.config_id} {build.data_version} {build.folder}"
        console.print(line, soft_wrap=True, markup=False)
        for text in filter(None, (answer.about, answer.remedy and f"remedy: {answer.remedy}")):
            console.print(f"{'':13}{text}", soft_wrap=True, markup=False)
    if not checked:
        console.print("Nothing is in the cache yet, so nothing is verified: mnist1d data build default")
    console.print(verification.summary(answers), highlight=False)
    return verification.exit_status(answers)


def install(config: Annotated[Sequence[str], "names of configs"] = ("default",)) -> int:
    """Build configs so that load_dataset finds them with no import of this package."""
    for folder in builds.install(config):
        console.print(str(folder), highlight=False, soft_wrap=True)
    console.print(
        f'load_dataset("mnist1d", "{config[0]}") now works without importing mnist1d_hf: at once with '
        "HF_HUB_OFFLINE=1, else after the Hub has been asked for the name. Keywords and streaming need the import.",
        highlight=False,
        soft_wrap=True,
    )
    return 0


def limits(
    config: Config = "default",
    *,
    n: Annotated[int, "signals to draw; the errors fall with their root"] = 2000,
    labels: Annotated[Labels, "noisy: of train, with the recipe's label noise"] = "clean",
    workers: Annotated[int, "threads; the result does not depend on it"] = 1,
    **keywords: Numbers,
) -> int:
    """Show the accuracy and the loss that no classifier surpasses on a config: the exact posterior's."""
    builder = _builder(config, keywords)
    found = bayes_limits(builder.config.recipe, n=n, labels=labels, workers=workers, progress=True)
    lines = {
        "config": builder.config_id,
        "signals": f"{found.signals:,} drawn by the fast stream, {labels} labels; means and their standard errors",
        "Bayes accuracy": f"{_percent(found.accuracy)}, the mean of the largest probability",
        "Bayes loss": f"{found.entropy} nats, the mean entropy",
        "by the labels": f"accuracy {_percent(found.label_accuracy)}, loss {found.label_loss}",
    }
    show(Pairs({name: str(value) for name, value in lines.items()}), console)
    return 0


def animate(
    config: Config = "default",
    *,
    out: Annotated[str, "file to write: .gif moves, .png and .pdf do not"] = "mnist1d.gif",
    index: Annotated[int, "which example of each digit in train"] = 0,
    fps: Annotated[int | None, "frames a second while something moves; 20"] = None,
    duration: Annotated[float | None, "seconds until it starts again; 18"] = None,
    dark: Annotated[bool, "white dots on black"] = False,
    **keywords: Numbers,
) -> int:
    """Show how examples are made, stage by stage: a moving .gif, or a still as .png or .pdf."""
    path = Path(out)
    moving = path.suffix.lower() == ".gif"
    if not moving and path.suffix.lower() not in STILL:
        raise ValueError(
            f"out={out!r} must end in .gif for an animation, or in {' or '.join(STILL)} for a still picture"
        )
    if not moving and (fps is not None or duration is not None):
        raise ValueError(f"out={out!r} is a still picture, which has neither fps nor duration; leave them out")
    builder = _builder(config, keywords)
    try:
        signals.require_matplotlib()
    except ImportError as error:
        raise ValueError(str(error)) from None
    construction = Construction.make(builder.config.recipe, stream=builder.config.stream, index=index)
    if moving:
        frames = animation.animate(construction, **_given({"fps": fps, "duration": duration}), dark=dark)
        write: Callable[[Path], object] = partial(animation.save_animation, frames)
    else:
        figure = signals.plot_construction(construction, dark=dark)
        metadata = {"CreationDate": None} if path.suffix.lower() == ".pdf" else {"Software": None}
        write = partial(figure.savefig, format=path.suffix[1:].lower(), metadata=metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, write)
    console.print(f"{path.stat().st_size:>12,} {path}", highlight=False, markup=False, soft_wrap=True)
    return 0


def _percent(estimate: Estimate) -> str:
    return f"{100 * estimate.mean:.2f} ± {100 * estimate.error:.2f} %"


def _builder(config: str, keywords: Mapping[str, Any]) -> MNIST1D:
    return MNIST1D(config_name=config, **_given(keywords))


def _given(keywords: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in keywords.items() if value is not None}


GROUP: Final = CommandGroup(
    "mnist1d data",
    "Make, describe, export, check and publish data sets.",
    {
        "list": list_configs,
        "info": info,
        "build": build,
        "export": export,
        "verify": verify,
        "install": install,
        "limits": limits,
        "animate": animate,
        "push": hub.push,
    },
    {
        "build": "stopped; what was built before stays, and the same command begins again",
        "export": "stopped; no folder is written; finished shards are kept, and the same command goes on",
        "install": "stopped; configs that were built stay, and the same command goes on",
        "animate": "stopped; no picture is written, and the same command begins again",
        "push": "stopped; the Hub has all of it or nothing, and the same command completes it",
    },
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one data command; returns its exit status: 0, 1 if a check failed, 2 if the input cannot be used."""
    return GROUP.run(arguments)

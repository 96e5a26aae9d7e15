"""``mnist1d data ...``: list, describe, build, export, verify, install, draw and push data sets. Imports no torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Any, Final

import docstring_parser
from rich.console import Console
from rich.table import Table

from lightning_module.commands import hub, limits
from lightning_module.commands.group import CommandGroup, Parser
from mnist1d_hf import MNIST1D, RECIPES, Recipe
from mnist1d_hf.atomic import replace
from mnist1d_hf.bayes.posterior import Labels
from mnist1d_hf.cache import builds, golden
from mnist1d_hf.checks import whole_number
from mnist1d_hf.generator.recipe import Stream
from mnist1d_hf.hub import verification
from mnist1d_hf.hub.export import export as export_configs
from mnist1d_hf.plot import animation, signals
from mnist1d_hf.plot.construction import Construction

STILL: Final = (".png", ".pdf")

console = Console()


def list_configs() -> int:
    """List the configs."""
    table = Table(box=None, pad_edge=False)
    for column in ("config", "train", "test", "what it is for"):
        table.add_column(column, justify="right" if column in {"train", "test"} else "left")
    for name, named in RECIPES.items():
        sizes = named.recipe.split_sizes(named.stream)
        table.add_row(name, f"{sizes['train']:,}", f"{sizes['test']:,}", named.why)
    console.print(table)
    return 0


def info(config: str, **keywords: Any) -> int:
    """Show a config's numbers, columns, digests and whether it is built."""
    builder = _builder(config, keywords)
    lines = {
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
    for name, value in lines.items():
        console.print(f"{name:18}{value}", soft_wrap=True, highlight=False, markup=False)
    return 0


def _digest_lines(config_id: str) -> dict[str, str]:
    """The committed digests of a named config of the reference stream."""
    return {
        f"SHA-256 {split}.{column}": digest
        for split, columns in golden.committed().get(config_id, {}).items()
        for column, digest in columns.items()
        if isinstance(digest, str)
    }


def build(config: str, force: bool, num_proc: int | None, **keywords: Any) -> int:
    """Build a config, or a variant of it, into the cache."""
    if num_proc is not None:
        num_proc = whole_number("num_proc", num_proc, 1)
    builder = _builder(config, keywords)
    mode = "force_redownload" if force else "reuse_dataset_if_exists"
    builder.download_and_prepare(download_mode=mode, num_proc=num_proc)
    given = "".join(f", {name}={value!r}" for name, value in _given(keywords).items())
    console.print(builder.cache_dir, soft_wrap=True, highlight=False, markup=False)
    console.print(f'import mnist1d_hf; load_dataset("mnist1d", "{config}"{given})', soft_wrap=True, highlight=False)
    return 0


def export(folder: str, config: list[str] | None, overwrite: bool) -> int:
    """Write configs as Parquet with a card, loadable without this package."""
    written = export_configs(folder, config or (), overwrite=overwrite)
    for path in written:
        console.print(f"{path.stat().st_size:>12,} {path}", highlight=False, soft_wrap=True)
    first = (config or ["default"])[0]
    console.print(f'load_dataset("{folder}", "{first}")', highlight=False, soft_wrap=True)
    return 0


def verify(path: str | None, revision: str | None, config: list[str] | None) -> int:
    """Compare contents with their digests: of everything in the cache, or of a repository or folder.

    Ends with 0 if there is something and all of it is ok, 1 if something is damaged, 3 if nothing is but not all is
    verified, and 2 if the input cannot be used.
    """
    if path is not None:
        return hub.verify(path, revision, config)
    if revision is not None or config is not None:
        raise ValueError("--revision and --config need a repository or folder: mnist1d data verify OWNER/NAME ...")
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


def install(config: list[str]) -> int:
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


def animate(
    config: str, out: str, index: int, fps: int | None, duration: float | None, dark: bool, **keywords: Any
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


def _builder(config: str, keywords: Mapping[str, Any]) -> MNIST1D:
    return MNIST1D(config_name=config, **_given(keywords))


def _given(keywords: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in keywords.items() if value is not None}


def _add_config(parser: Parser) -> None:
    parser.add_argument("config", nargs="?", help="name of a config; see mnist1d data list")
    parser.set_defaults(config="default")  # jsonargparse takes it for positional arguments in this way only


def _add_variant(parser: Parser) -> None:
    _add_config(parser)
    _add_numbers(parser)


def _add_numbers(parser: Parser) -> None:
    meaning = {entry.arg_name: entry.description for entry in docstring_parser.parse(Recipe.__doc__ or "").params}
    for field in fields(Recipe):
        flags = {f"--{field.name.replace('_', '-')}", f"--{field.name}"}
        kind: Any = field.type | None  # type: ignore[operator]  # the fields' types are classes, not strings
        parser.add_argument(*sorted(flags), type=kind, default=None, help=meaning[field.name])
    parser.add_argument(
        "--stream", type=Stream | None, default=None, help="which random stream; the config's own if not given"
    )
    parser.add_argument("--latents", type=bool | None, default=None, help="whether latents are columns")


def _add_build(parser: Parser) -> None:
    _add_variant(parser)
    parser.add_argument("--force", action="store_true", help="build even if it is in the cache")
    parser.add_argument("--num-proc", type=int | None, default=None, help="processes; for the fast stream")


def _add_export(parser: Parser) -> None:
    parser.add_argument("folder", help="folder to write")
    parser.add_argument("--config", nargs="+", help="configs; all that the reference stream makes if not given")
    parser.add_argument("--overwrite", action="store_true", help="replace the folder if it exists")


def _add_install(parser: Parser) -> None:
    parser.add_argument("config", nargs="*", help="names of configs")
    parser.set_defaults(config=["default"])


def _add_push(parser: Parser) -> None:
    parser.add_argument("repo", help="OWNER/NAME on the Hub; made if there is none")
    parser.add_argument(
        "--config", nargs="+", help="configs, as they are; all that the reference stream makes if nothing is named"
    )
    parser.add_argument(
        "--new-config", type=str | None, default=None, help="a config of your own, of --base with other numbers"
    )
    parser.add_argument("--base", type=str, default="default", help="the config that --new-config starts from")
    parser.add_argument("--version", type=str | None, default=None, help="of --new-config's data; 1.0.0 at first")
    parser.add_argument("--remove", nargs="+", help="configs to take out of the repository")
    parser.add_argument("--private", action="store_true", help="if the repository is made, only you can see it")
    parser.add_argument("--tag", type=str | None, default=None, help="for the commit; never moved: data-v1.0.0")
    parser.add_argument("--dry-run", action="store_true", help="write nothing; print files, sizes, the card's changes")
    _add_numbers(parser)


def _add_limits(parser: Parser) -> None:
    _add_variant(parser)
    parser.add_argument("--n", type=int, default=2000, help="signals to draw; the errors fall with their root")
    parser.add_argument("--labels", type=Labels, default="clean", help="noisy: of train, with the recipe's label noise")
    parser.add_argument("--workers", type=int, default=1, help="threads; the result does not depend on it")


def _add_animate(parser: Parser) -> None:
    _add_variant(parser)
    parser.add_argument(
        "--out", type=str, default="mnist1d.gif", help="file to write: .gif moves, .png and .pdf do not"
    )
    parser.add_argument("--index", type=int, default=0, help="which example of each digit in train")
    parser.add_argument("--fps", type=int | None, default=None, help="frames a second while something moves; 20")
    parser.add_argument("--duration", type=float | None, default=None, help="seconds until it starts again; 18")
    parser.add_argument("--dark", action="store_true", help="white dots on black")


def _add_verify(parser: Parser) -> None:
    parser.add_argument("path", nargs="?", help="OWNER/NAME on the Hub, or a folder; the cache if not given")
    parser.add_argument("--revision", type=str | None, default=None, help="tag, branch or commit of the repository")
    parser.add_argument("--config", nargs="+", help="configs; all in its card if not given")


def _add_nothing(parser: Parser) -> None:
    del parser


GROUP: Final = CommandGroup(
    "mnist1d data",
    "Make, describe, export, check and publish data sets.",
    {
        "list": (list_configs, _add_nothing),
        "info": (info, _add_variant),
        "build": (build, _add_build),
        "export": (export, _add_export),
        "verify": (verify, _add_verify),
        "install": (install, _add_install),
        "limits": (limits.limits, _add_limits),
        "animate": (animate, _add_animate),
        "push": (hub.push, _add_push),
    },
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one data command; returns its exit status: 0, 1 if a check failed, 2 if the input cannot be used."""
    return GROUP.run(arguments)

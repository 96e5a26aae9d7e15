"""``mnist1d explore``: the data set in the browser, or a folder that is a Space. Imports neither torch nor gradio."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Final

from rich.console import Console

from lightning_module.commands.group import Parser, run_command
from lightning_module.commands.options import Option, add_signature
from lightning_module.explorer.server import serve
from lightning_module.explorer.space import export as write
from mnist1d_hf.checks import whole_number

PORT: Final = 7860
STOPPED: Final = "stopped; the page is closed, and nothing is left of it"


def explore(
    *,
    host: Annotated[str, "address to listen at; 0.0.0.0 for everybody in the network"] = "127.0.0.1",
    port: Annotated[int, "port to listen at; 0 for a free one"] = PORT,
    export: Annotated[
        str | None, Option("open no page: write it into this folder, with all it needs, as a Space", metavar="DIR")
    ] = None,
) -> int:
    """Open a page on which to make signals, read them and train on them; needs the extra explorer."""
    console = Console(highlight=False)
    if export is not None:
        return write_space(Path(export), console)
    port = whole_number("port", port, 0, 65_535)

    def say(url: str) -> None:
        console.print(f"{url}  (Ctrl-C stops it)", markup=False, soft_wrap=True)

    serve(host, port, say=say)
    return 0


def write_space(folder: Path, console: Console) -> int:
    """Writes the page as a folder that is a Space, and says how to go on."""
    for path in write(folder):
        console.print(str(path), markup=False, soft_wrap=True)
    console.print("Run it: pip install -r requirements.txt, python app.py; or put it into a Space", soft_wrap=True)
    return 0


def parser() -> Parser:
    """Returns the parser of the options."""
    options = Parser(prog="mnist1d explore", description=(explore.__doc__ or "").split("\n")[0])
    add_signature(options, explore)
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves the page; returns its exit status: 2 if the input cannot be used, 130 after Ctrl-C."""
    options = parser()
    command = partial(explore, **options.parse_args(arguments).as_dict())
    return run_command(command, lambda: options, stopped=lambda: STOPPED)

"""The command `mnist1d`: training by LightningCLI, data, models, the demonstration. Nothing here imports torch."""

import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NoReturn

from lightning_module.stopping import Stopped, stopping

if TYPE_CHECKING:
    from lightning_module.commands.options import StrictOptions

STOPPED: Final = (130, 143)  # the exit statuses of a command that was ended by Ctrl-C or SIGTERM, as in shells


def _train(arguments: Sequence[str]) -> int:
    if {"-h", "--help"} & {*arguments}:  # at once: the parser would need Lightning, which takes seconds to import
        from lightning_module.commands.help_pages import training_page

        sys.stdout.write(training_page(arguments[0]))
        return 0
    from lightning_module.commands.training import main as training_main

    return training_main(arguments)


def _data(arguments: Sequence[str]) -> int:
    from lightning_module.commands.data import main as data_main

    return data_main(arguments[1:])


def _model(arguments: Sequence[str]) -> int:
    from lightning_module.commands.model import main as model_main

    return model_main(arguments[1:])


def _study(arguments: Sequence[str]) -> int:
    from lightning_module.commands.study import main as study_main

    return study_main(arguments[1:])


def _quiz(arguments: Sequence[str]) -> int:
    from lightning_module.commands.quiz import main as quiz_main

    return quiz_main(arguments[1:])


def _explore(arguments: Sequence[str]) -> int:
    from lightning_module.commands.explore import main as explore_main

    return explore_main(arguments[1:])


def _demo(arguments: Sequence[str]) -> int:
    from lightning_module.commands.demo import command as demo_main

    return demo_main(arguments[1:])


# Each command has a parser of its own, which its first use imports.
COMMANDS: dict[str, tuple[str, Callable[[Sequence[str]], int]]] = {
    "demo": ("the whole line once: data, a trained network, pictures", _demo),
    "quiz": ("read signals yourself, and compare with a person and with CNNs", _quiz),
    "fit": ("train a network", _train),
    "validate": ("evaluate a checkpoint on the validation split", _train),
    "test": ("evaluate a checkpoint on the test split", _train),
    "predict": ("write what a checkpoint predicts for the test split", _train),
    "data": ("make, describe, export, publish and check data sets", _data),
    "model": ("publish a trained network on the Hub, and fetch one", _model),
    "study": ("run studies of the published findings, and judge what holds", _study),
    "explore": ("the data set in the browser: make, read, train, break", _explore),
}

# What people type for a command.
SYNONYMS: Final = {
    "train": "fit",
    "run": "fit",
    "eval": "test",
    "evaluate": "test",
    "dataset": "data",
    "datasets": "data",
    "download": "data",
    "generate": "data",
    "studies": "study",
    "models": "model",
    "example": "demo",
    "play": "quiz",
    "explorer": "explore",
    "browser": "explore",
    "serve": "explore",
}

EARLY: Final = "stopped before it began; nothing has changed"
START: Final = "Begin with: mnist1d demo. What a command can do: mnist1d COMMAND --help."


def parser(version: str = "") -> "StrictOptions":
    """Returns the parser that lists the commands.

    Args:
        version: What `--version` prints.
    """
    from lightning_module.commands.options import StrictOptions

    top = StrictOptions(
        prog="mnist1d",
        description="MNIST-1D: make the data set and its variants, train the reference networks on them.",
        synonyms=SYNONYMS,
        end=START,
        version=version,
    )
    commands = top.add_subcommands(required=True, dest="command")
    for name, (summary, _) in COMMANDS.items():
        commands.add_subcommand(name, StrictOptions(description=summary), help=summary)
    return top


def versions() -> str:
    """Returns the versions of code, data and the libraries that decide what is computed."""
    from importlib.metadata import version

    from mnist1d_hf import DATA_VERSION, __version__

    libraries = ", ".join(f"{name} {version(name)}" for name in ("torch", "pytorch-lightning", "datasets"))
    return f"{__version__}, data {DATA_VERSION}, {libraries}"


def _use_pytorch_lightning() -> None:
    """Chooses for this process and its workers, before `lightning_module.twin` would."""
    variable, wish = "MNIST1D_LIGHTNING", "pytorch_lightning"
    if (other := os.environ.get(variable, wish)) != wish:
        sys.stderr.write(
            f"{variable}={other} is for Python programs; mnist1d uses {wish}, whose checkpoints both load\n"
        )
    os.environ[variable] = wish


def _print_anywhere() -> None:
    """Prints a question mark where a terminal's encoding lacks a character, such as ± in a locale named C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _leave(status: int) -> NoReturn:
    """Ends the process at once: to take torch apart takes seconds on a busy machine, and who pressed Ctrl-C waits."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


def main(args: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0, or 2 if the input cannot be used.

    Without any argument it prints the commands.

    Args:
        args: The command and its arguments; None for those that the program was started with. Then the process is the
            command's own, and Lightning is `pytorch_lightning`, see `lightning_module.twin`.
    """
    if args is not None:
        return _run(args)
    _use_pytorch_lightning()
    _print_anywhere()
    try:
        with stopping(lambda: EARLY):  # also while libraries are imported, which takes seconds
            status = _run(sys.argv[1:])
    except Stopped as stopped:
        sys.stderr.write(f"{chr(10) * sys.stderr.isatty()}{EARLY}\n")  # a terminal shows ^C where the cursor is
        status = stopped.status
    if status in STOPPED:
        _leave(status)
    return status


def _run(arguments: Sequence[str]) -> int:
    if arguments and arguments[0] in COMMANDS:
        _, command = COMMANDS[arguments[0]]
        return command(arguments)
    top = parser(versions() if "--version" in arguments else "")
    top.parse_args(list(arguments) or ["--help"])  # prints what is asked for, or says what is wrong, and exits
    return 0

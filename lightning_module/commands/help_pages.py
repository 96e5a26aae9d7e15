"""Help that fits a screen: of a list of commands, and of the commands that Lightning's options make long. No torch."""

import argparse
from collections.abc import Mapping
from functools import partial
from typing import Final

WIDEST_TERM: Final = 24  # columns before the explanations; what is longer has a line of its own

# The layout of argparse, but for the room that explanations have in a narrow terminal.
Compact = partial(argparse.HelpFormatter, max_help_position=WIDEST_TERM)

CONFIG: Final = {
    "-c, --config NAME": "cnn, gru, logistic or mlp for the published protocol; or a YAML file of your own",
}
NETWORK: Final = {
    "--model.network NAME": "cnn, gru, logistic, mlp, or one that you have registered (default: cnn)",
    "--model.lr RATE": "learning rate of Adam (default: 0.01)",
}
DATA: Final = {
    "--data.name CONFIG": "which data, see mnist1d data list (default: default)",
    "--data.path PLACE": "where they are: a folder or OWNER/NAME on the Hub (default: mnist1d, made here)",
    "--data.recipe DICT": "numbers of the recipe to change, as '{\"iid_noise_scale\":0.1}'",
    "--data.classes LIST": "digits to keep, as [0,1,2]; all if not given",
}
MINIBATCHES: Final = {
    "--data.batch_size N": "examples in a minibatch (default: 100)",
    "--data.val SPLIT": "what is validated on: a fraction of train, or test (default: 0.2)",
    "--data.shuffle HOW": "epoch: in a new order in each epoch, or none (default: epoch)",
    "--data.seed N": "of the held-out examples and the order (default: 0)",
}
LENGTH: Final = {
    "--trainer.max_steps N": "optimiser steps (default: -1, no limit)",
    "--trainer.max_epochs N": "epochs; 1,000 where there is no limit of steps",
    "--trainer.val_check_interval N": "validate every N steps; for more than an epoch has, see cnn.yaml",
    "--seed_everything N": "of the first weights; a random one if not given",
}
MACHINE: Final = {
    "--trainer.accelerator NAME": "cpu, gpu or auto (default: auto)",
    "--trainer.devices N": "how many of them (default: auto)",
}
OUTPUT: Final = {
    "--trainer.default_root_dir DIR": "folder of all that is written; the current one if not given",
    "--trainer.logger NAME": "CSVLogger, TensorBoardLogger, or false; as installed if not given",
    "--trainer.enable_progress_bar BOOL": "true or false",
}
CHECKPOINT: Final = {
    "--ckpt_path FILE": "the checkpoint, as mnist1d fit has written it; without --config, of its own network and data"
}
RESUME: Final = {"--ckpt_path FILE": "a checkpoint to go on from, with the same other options"}
PREDICTIONS: Final = {"--predictions.path FILE": "the CSV file to write (default: predictions.csv)"}
MORE: Final = {
    "-h, --help": "this page",
    "--help-all": "every option, also those of Lightning's Trainer",
    "--print_config": "print all values, as a file for --config",
}

Groups = Mapping[str, Mapping[str, str]]

EVALUATION: Final[Groups] = {
    "what is evaluated": CONFIG | CHECKPOINT | DATA,
    "where it runs, and what it writes": MACHINE | OUTPUT,
    "more": MORE,
}

# The options that people want first, of each command; a test compares them with those that the command has.
TRAINING: Final[Mapping[str, tuple[str, Groups]]] = {
    "fit": (
        "Train a network on MNIST-1D; the last line says what to type next.",
        {
            "what is trained": CONFIG | NETWORK,
            "the data": DATA | MINIBATCHES,
            "how long": LENGTH | RESUME,
            "where it runs, and what it writes": MACHINE | OUTPUT,
            "more": MORE,
        },
    ),
    "validate": ("Evaluate a checkpoint on the validation split.", EVALUATION),
    "test": ("Evaluate a checkpoint on the test split.", EVALUATION),
    "predict": (
        "Write what a checkpoint predicts for the test split, as a CSV file.",
        {**EVALUATION, "where it runs, and what it writes": PREDICTIONS | MACHINE | OUTPUT},
    ),
}

EXAMPLES: Final = {
    "fit": "mnist1d fit --config cnn --trainer.max_steps 1000",
    "validate": "mnist1d validate --ckpt_path FILE",
    "test": "mnist1d test --ckpt_path FILE",
    "predict": "mnist1d predict --ckpt_path FILE",
}


def page(usage: str, about: str, groups: Groups, end: str = "") -> str:
    """Returns a page of help, as wide as the terminal.

    Args:
        usage: What is typed.
        about: What it does.
        groups: By their titles, what can be typed and what it means.
        end: What stands below.
    """
    shown = argparse.ArgumentParser(
        usage=usage, description=about, epilog=end or None, add_help=False, formatter_class=Compact
    )
    for title, terms in groups.items():
        group = shown.add_argument_group(title)
        for number, (term, meaning) in enumerate(terms.items()):
            group.add_argument(f"{title} {number}", metavar=term, help=meaning.replace("%", "%%"))
    return shown.format_help()


def training_page(command: str) -> str:
    """Returns the help of `mnist1d fit`, `validate`, `test` or `predict` with the options that people want first."""
    about, groups = TRAINING[command]
    return page(f"mnist1d {command} [options]", about, groups, f"For example: {EXAMPLES[command]}")

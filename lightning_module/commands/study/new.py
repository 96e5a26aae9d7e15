"""``mnist1d study new``."""

import os
from pathlib import Path
from typing import Annotated

from lightning_module.commands.study.printing import print_error, print_line
from mnist1d_hf.extras import MissingExtraError


def new(
    name: Annotated[str, "the folder to write; lower-case letters, digits and underscores, as my_study"],
) -> int:
    """Write a folder with a small study that runs, to be made one's own."""
    from lightning_module.stopping import Stopped, stopping
    from lightning_module.studies.framework.listing.new_study import write_study

    words = "stopped; nothing is written"
    try:
        with stopping(lambda: words):
            written = write_study(Path(name))
    except Stopped as stopped:
        print_error(words)
        return stopped.status
    for path in written:
        print_line(str(path))
    for line in _looked_at(written[0].parent):
        print_line(line)
    print_line(f"a study that runs: mnist1d study run {written[0].parent}{os.sep} --preset smoke")
    return 0


def _looked_at(folder: Path) -> list[str]:
    """Returns a line for each fault of a new study's claims; one that says why, if nobody could look at them."""
    try:
        from lightning_module.studies.framework.linter import faults_of
        from lightning_module.studies.framework.listing.catalogue import study_in_folder

        faults = faults_of(study_in_folder(folder))
    except MissingExtraError as error:
        return [f"its claims are not looked at: {error}"]
    return [f"look at claim {fault.claim}: {fault.kind}, {fault.what}" for fault in faults]

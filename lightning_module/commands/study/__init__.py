"""``mnist1d study list | new | run | replicate | plot | verify | report``. Torch is imported when a study is."""

from collections.abc import Sequence
from typing import Final

from lightning_module.commands.group import CommandGroup
from lightning_module.commands.study import inspection, new, replicate, run, verify

GROUP: Final = CommandGroup(
    "mnist1d study",
    "Run studies, and judge what their sources claim.",
    {
        "list": inspection.list_studies,
        "new": new.new,
        "run": run.run,
        "replicate": replicate.replicate,
        "plot": inspection.plot,
        "verify": verify.verify,
        "report": inspection.report,
    },
    {
        "plot": "stopped; the same command draws all figures again",
        "report": "stopped; the same command writes the report again",
    },
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one study command; returns its exit status.

    0; 1 if a check or a cell failed, 2 if the input cannot be used, 3 if a result is not verified; 130 or 143 if it was
    stopped.
    """
    return GROUP.run(arguments)

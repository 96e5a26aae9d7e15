"""Cells that fail: tried again, and named in the end. They do not end the others. And cells that others are at."""

from collections.abc import Sequence

from lightning_module.studies.framework.running.leases import Owner, named
from mnist1d_hf.engine.engine import TRIES
from mnist1d_hf.extras import MissingExtraError

_MISSING = f"{MissingExtraError.__name__}: "  # as text, for it may come from another process


class CellError(RuntimeError):
    """Cells of a study failed, each as often as it was tried; the exception of one of them is the cause of this one.

    Attributes:
        failures: What went wrong, by the name of the cell.
        done: How many cells are done.
        of: How many cells there are.
        missing: What installs a package, if the lack of one that an extra brings is all that went wrong.
    """

    def __init__(self, failures: dict[str, str], *, done: int, of: int) -> None:
        self.failures, self.done, self.of = failures, done, of
        each = "\n".join(f"cell {name}: {what}" for name, what in failures.items())
        missing = {what.removeprefix(_MISSING) for what in failures.values() if what.startswith(_MISSING)}
        self.missing = missing.pop() if len(missing) == 1 == len(set(failures.values())) else None
        often = "for want of a package" if self.missing else f"each {TRIES} times"
        kept = f"{len(failures)} of {of} cells failed, {often}; {done} are done and kept"
        super().__init__(f"{each}\n{kept}")


class UnfinishedError(RuntimeError):
    """Others are still at cells of a study, and this process was not to wait for them.

    Attributes:
        done: How many cells are done.
        of: How many cells there are.
        owners: Who is at the others.
    """

    def __init__(self, *, done: int, of: int, owners: Sequence[Owner]) -> None:
        self.done, self.of, self.owners = done, of, list(owners)
        who = f"; {named(owners)} {'is' if len(self.owners) == 1 else 'are'} at others" if owners else ""
        super().__init__(f"{done:,} of {of:,} cells are done{who}; the same command goes on with what is missing")

"""What the study commands print with: lines without markup, and the answers of a check."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.console import Console

if TYPE_CHECKING:
    from lightning_module.studies.framework.proof.checks import Check

console = Console()

EXIT: Final = {"ok": 0, "not verified": 3, "DIFFERS": 1}  # from the best to the worst


def print_line(line: str) -> None:
    """Prints a line; a terminal that is too narrow for it breaks it between words, and no number in two."""
    _print(line, console)


def print_error(line: str) -> None:
    """Prints a line where errors go."""
    _print(line, Console(stderr=True))


def _print(line: str, where: Console) -> None:
    where.print(printable(line), highlight=False, markup=False, soft_wrap=not where.is_terminal)


def printable(text: str) -> str:
    """Returns a text with its control characters written out: somebody's file may hold what moves the cursor."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def print_checks(checks: "Sequence[Check]") -> int:
    """Prints what was checked, and returns the exit status."""
    from lightning_module.studies.framework.proof.checks import overall

    for check in checks:
        print_line(f"{check.answer:14}{check.what}")
    return EXIT[overall(checks)]

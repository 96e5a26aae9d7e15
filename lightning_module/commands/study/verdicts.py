"""The table of verdicts that a terminal shows, and a result's figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lightning_module.commands.study import printing
from lightning_module.commands.study.printing import print_line, printable
from lightning_module.terminal.tables import Column, Table, show

if TYPE_CHECKING:
    from lightning_module.studies.framework.claims import Verdict
    from lightning_module.studies.framework.result import Result
    from lightning_module.studies.framework.study import Study

COLUMNS: Final = (
    Column("claim"),
    Column("finding"),
    Column("contrast (95 %)", rank=1),
    Column("has to be", rank=2),
    Column("n", right=True, rank=4),
    Column("published", rank=3),
)
MOST_NUMBERS: Final = 8  # published numbers without a statement that are printed one by one


def print_verdicts(study: "Study[Any]", result: "Result") -> None:
    """Prints a table of the statements, why some were not tested, and which numbers without a statement are outside."""
    from lightning_module.studies.report.words import FINDINGS

    print_line(study.question)
    if not (every := study.judge(result)):
        print_line("It has no claims, so there are no verdicts: the rows are what it found.")
        return
    if reason := study.says_nothing(result):
        further = "quick" if "quick" in study.presets else "paper"
        print_line(
            f"A smoke run shows that everything works; {reason}, so there are no verdicts: try --preset {further}."
        )
        return
    numbers = [verdict for verdict in every if verdict.claim.is_number]
    few = len(numbers) <= MOST_NUMBERS
    verdicts = [verdict for verdict in every if few or not verdict.claim.is_number]
    rows: list[list[str]] = []
    for verdict in verdicts:
        first, *others = _parts(verdict) or [("", "", "")]
        rows.append([printable(verdict.claim.name), FINDINGS[verdict.finding], *first, _published(verdict)])
        rows += [["", "", *each, ""] for each in others]
    show(Table(COLUMNS, rows), printing.console)
    for verdict in verdicts:
        if verdict.reason and not (verdict.claim.is_number and verdict.number != "not tested"):
            print_line(f"{verdict.claim.name} was not tested: {verdict.reason}")
    if not few:
        _print_numbers(numbers)


def _print_numbers(verdicts: "Sequence[Verdict]") -> None:
    """Prints how many published numbers that come without a statement are inside, and those that are not."""
    from lightning_module.studies.report.words import interval_words

    inside = sum(verdict.number == "inside" for verdict in verdicts)
    print_line(f"Of {len(verdicts)} further published numbers {inside} are inside the interval for one more run.")
    for verdict in verdicts:
        if verdict.number == "outside" and verdict.prediction:
            ours = interval_words(verdict.prediction, units=verdict.units)
            print_line(f"{verdict.claim.name} is outside: published {_published_number(verdict)}, ours {ours}")
        elif verdict.number == "not tested":
            print_line(f"{verdict.claim.name} was not tested: {verdict.claim.not_tested or verdict.reason}")


def _published(verdict: "Verdict") -> str:
    """Returns the published number, and whether it is inside our prediction interval."""
    from lightning_module.studies.report.words import NUMBERS

    return f"{_published_number(verdict)} {NUMBERS[verdict.number]}" if verdict.claim.number else ""


def _published_number(verdict: "Verdict") -> str:
    return f"{verdict.claim.number.published:g}" if verdict.claim.number else ""


def _parts(verdict: "Verdict") -> list[tuple[str, str, str]]:
    """Returns the estimate with its interval, the margins and the number of units of each contrast."""
    from lightning_module.studies.report.words import interval_words, needed, units_words

    return [
        (interval_words(part.interval, units=part.units), needed(part.finding), units_words(part) or "-")
        for part in verdict.parts
    ]


def draw_figures(study: "Study[Any]", result: "Result", folder: Path) -> None:
    """Draws the figures of a result into its folder, and prints their paths."""
    from lightning_module.studies.framework.figures import save_figures

    for path in save_figures(study, result, folder, again=True).values():
        print_line(str(path))

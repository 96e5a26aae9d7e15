"""The table of verdicts that a terminal shows, and a result's figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table

from lightning_module.commands.study import printing
from lightning_module.commands.study.printing import print_line

if TYPE_CHECKING:
    from lightning_module.studies.framework.claims import Verdict
    from lightning_module.studies.framework.result import Result
    from lightning_module.studies.framework.study import Study

ROOMY: Final = 100  # columns of a terminal from which on the published numbers have one of the table
MOST_NUMBERS: Final = 8  # published numbers without a statement that are printed one by one


def print_verdicts(study: "Study[Any]", result: "Result") -> None:
    """Prints a table of the statements, why some were not tested, and which numbers without a statement are outside."""
    from lightning_module.studies.report.words import FINDINGS

    table = Table(box=None, pad_edge=False)
    roomy = printing.console.width >= ROOMY
    for column in ("claim", "finding", "contrast (95 %)", "has to be", "n", *(["published"] if roomy else [])):
        table.add_column(
            column,
            justify="right" if column == "n" else "left",
            no_wrap=column in ("finding", "contrast (95 %)", "n"),
            min_width=20 if column == "claim" and roomy else None,
            overflow="fold",
        )
    every = study.judge(result)
    numbers = [verdict for verdict in every if verdict.claim.is_number]
    few = len(numbers) <= MOST_NUMBERS
    verdicts = [verdict for verdict in every if few or not verdict.claim.is_number]
    for verdict in verdicts:
        first, *others = _parts(verdict) or [("", "", "")]
        published = _published(verdict)
        table.add_row(verdict.claim.name, FINDINGS[verdict.finding], *first, *([published] if roomy else []))
        for each in others:
            table.add_row("", "", *each)
        if published and not roomy:
            table.add_row("", "published", published)
    print_line(study.question)
    printing.console.print(table, highlight=False)
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
    from lightning_module.studies.report.words import interval_words, needed

    return [
        (interval_words(part.interval, units=part.units), needed(part.finding), str(part.units or "-"))
        for part in verdict.parts
    ]


def draw_figures(study: "Study[Any]", result: "Result", folder: Path) -> None:
    """Draws the figures of a result into its folder, and prints their paths."""
    from lightning_module.studies.framework.figures import save_figures

    for path in save_figures(study, result, folder, again=True).values():
        print_line(str(path))

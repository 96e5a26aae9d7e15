"""A forest plot of a study's verdicts: every contrast with its interval and margin, every published number with ours.

Contrasts of one study are in different units, from points of accuracy to factors, so each row has a scale of its own.
The picture is as wide as a telephone, so that its letters need not shrink there. It is written as SVG from a template:
the same verdicts give the same bytes with any libraries, and it follows the reader's choice of light or dark.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lightning_module.studies.framework.claims import FindingWord, Part, Verdict
from lightning_module.studies.report.templates import filled
from lightning_module.studies.report.words import FINDINGS, NUMBERS, interval_words, kind, needed, number

WIDTH: Final = 420  # pixels, as are all lengths here
LEFT: Final = 12
RIGHT: Final = WIDTH - LEFT
NAME: Final = 26  # high
BAR: Final = 38
FEW: Final = 3  # statements with an interval, below which a study's own questions are drawn as well
SPARE: Final = 0.06  # of a scale, left free on both sides


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A row of the picture, in pixels.

    Attributes:
        y: Where it is.
        kind: On which side of the margin it lies, as a finding, or "number": what decides its colour.
        low: Where the interval begins.
        at: Where the estimate is.
        high: Where the interval ends.
        margins: Where the margins are.
        zone: Where the contrast has to lie: left end and width.
        published: Where the published number is: as it is printed, and the ends of what may have been rounded to it.
        words: Its numbers.
    """

    y: int
    kind: str
    low: float
    at: float
    high: float
    margins: tuple[float, ...] = ()
    zone: tuple[float, float] | None = None
    published: tuple[float, float, float] | None = None
    words: str


@dataclass(frozen=True, kw_only=True)
class Block:
    """A claim of the picture.

    Attributes:
        y: Where its name is.
        name: Of the claim.
        verdict: The finding, which decides the colour.
        words: The finding with its symbol.
        bars: Its rows.
    """

    y: int
    name: str
    verdict: str
    words: str
    bars: tuple[Bar, ...]


def forest(title: str, verdicts: Sequence[Verdict]) -> str:
    """Returns the picture as SVG; nothing if there is no contrast with an interval.

    Args:
        title: What it is of.
        verdicts: Those on all claims of a study.
    """
    blocks, y = [], 0
    for verdict in drawn(verdicts):
        bars = tuple(bars_of(verdict, y + NAME))
        words = FINDINGS[verdict.finding]
        blocks.append(Block(y=y + 18, name=verdict.claim.name, verdict=verdict.finding, words=words, bars=bars))
        y += NAME + BAR * len(bars)
    if not blocks:
        return ""
    values = {"width": WIDTH, "height": y + 6, "left": LEFT, "right": RIGHT, "title": title, "blocks": blocks}
    return filled("forest.svg.jinja", **values).strip() + "\n"


def drawn(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Returns those that are in the picture: on statements, and on own questions where there are few statements.

    What is exact has no interval, and is not drawn.
    """
    measured = [verdict for verdict in verdicts if any(map(_has_interval, verdict.parts))]
    statements = [verdict for verdict in measured if kind(verdict.claim) == "statement"]
    return statements if len(statements) >= FEW else measured


def _has_interval(part: Part) -> bool:
    return part.units > 0 and all(map(math.isfinite, part.interval))


def bars_of(verdict: Verdict, top: int) -> Iterator[Bar]:
    """Yields a row for each contrast with an interval, and one for the published number.

    Args:
        verdict: The verdict.
        top: Where the first begins, in pixels.
    """
    for part in verdict.parts:
        if _has_interval(part):
            yield _contrast(part, top + 10)
            top += BAR
    claimed, ours = verdict.claim.number, verdict.prediction
    if claimed is not None and ours is not None and verdict.units and all(map(math.isfinite, ours)):
        printed = claimed.published
        published = (printed, printed - claimed.rounding, printed + claimed.rounding)
        place = _scale([*ours, *published])
        words = f"published {number(printed)}, ours {interval_words(ours, units=verdict.units)}, "
        yield Bar(
            y=top + 10,
            kind="number",
            low=place(ours.low),
            at=place(ours.estimate),
            high=place(ours.high),
            published=(place(published[0]), place(published[1]), place(published[2])),
            words=words + NUMBERS[verdict.number],
        )


def _contrast(part: Part, y: int) -> Bar:
    place = _scale([*part.interval, *part.finding.margins])
    above, below = part.finding.above, part.finding.below
    start, end = LEFT if above is None else place(above), RIGHT if below is None else place(below)
    return Bar(
        y=y,
        kind=_side(part),
        low=place(part.interval.low),
        at=place(part.interval.estimate),
        high=place(part.interval.high),
        margins=tuple(map(place, part.finding.margins)),
        zone=(start, round(end - start, 1)),
        words=f"{interval_words(part.interval, units=part.units)}, has to be {needed(part.finding)}",
    )


def _side(part: Part) -> FindingWord:
    """Returns where an interval lies by itself, before the correction for many claims: one part of a claim may fail."""
    low = -math.inf if part.finding.above is None else part.finding.above
    high = math.inf if part.finding.below is None else part.finding.below
    if low < part.interval.low and part.interval.high < high:
        return "holds"
    return "fails" if part.interval.high < low or high < part.interval.low else "inconclusive"


def _scale(numbers: Sequence[float]) -> Callable[[float], float]:
    """Returns where a number is between the left and the right end, which these numbers fit between."""
    low, high = min(numbers), max(numbers)
    spare = SPARE * (high - low) or 1.0
    low, high = low - spare, high + spare
    return lambda value: round(LEFT + (RIGHT - LEFT) * (value - low) / (high - low), 1)

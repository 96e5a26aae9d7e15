"""What the sources say about pooling, as claims; our questions about its confounds; and the regression bands.

**The contrast.** "Pooling" is the mean over max, average and L2 pooling, minus no pooling, seed by seed. The best of
the three would be larger by its selection alone, and most so where they differ by noise only: with much data, which is
just where the sources disagree. So the best is exploratory.

**The margins.** The sources say "very effective" and "not much of a difference", and name no size. What they could see
is a difference between two runs on 1000 test signals. Two standard errors of that are 4.2 points where one of three
signals is misread (their accuracies after 1000 training signals), and 1.6 where one of thirty is (after 50,000). In
whole points: what they call very effective must exceed 5, and what makes not much of a difference must stay below 2.
"Helps", "hinders", "diminishes", "worse", "better" have the margin 0.

**The ends.** "Low data" and "high data" are the first and the last panel of the published figure: 1000 and 50,000.
"""

from typing import Any, Final

from lightning_module.studies.framework.cells import Band
from lightning_module.studies.framework.claims import Claim, Finding, Number
from lightning_module.studies.framework.quantities import Across, Combined, Value, largest, mean_of, value
from lightning_module.studies.pooling.published import (
    KINDS,
    POOLS,
    SIZES,
    STEPS,
    published_accuracy,
    published_advantage,
)

PAPER: Final = "Greydanus & Kobak 2024, section 5.6"
CAPTION: Final = "Greydanus 2020 and Greydanus & Kobak 2024, caption of the figure on pooling"
BLOG: Final = "Greydanus 2020"
LOW, HIGH = SIZES[0], SIZES[-1]
VERY_EFFECTIVE: Final = 0.05
NOT_MUCH: Final = 0.02


def accuracy(variant: str, n: int, *, arm: str = "nested", on: str = "fresh test", **where: Any) -> Value:
    """Returns the accuracy after the last step, by seed."""
    return value("accuracy", arm=arm, variant=variant, n=n, on=on, **where)


def as_published(variant: str, n: int) -> Value:
    """Returns the accuracy on the test split of the published protocol, by seed."""
    return accuracy(variant, n, arm="published", on="test", step=STEPS)


def pooled(n: int, **where: Any) -> Across:
    """Returns the mean accuracy of the three ways to pool, by seed."""
    return mean_of(*(accuracy(pool, n, **where) for pool in POOLS))


def advantage(n: int, *, over: str = "none", **where: Any) -> Combined:
    """Returns by how much pooling is better than a network without, by seed."""
    return pooled(n, **where) - accuracy(over, n, **where)


def _printed_advantage(n: int) -> Number:
    of = mean_of(*(as_published(pool, n) for pool in POOLS)) - as_published("none", n)
    return Number(of=of, published=published_advantage(n))


def _printed_difference(left: str, right: str, n: int) -> Number:
    return Number(
        of=as_published(left, n) - as_published(right, n),
        published=published_accuracy(left, n) - published_accuracy(right, n),
    )


SOURCES = (
    Claim(
        name="helps-with-little-data",
        text="Pooling is very effective with little data: more than 5 points at 1,000 training signals.",
        source=f"{PAPER}; README: typically very useful",
        number=_printed_advantage(LOW),
        finding=Finding(of=advantage(LOW), above=VERY_EFFECTIVE),
    ),
    Claim(
        name="striding-does-not",
        text="But not striding: strided convolutions gain less than that over no pooling.",
        source=PAPER,
        number=_printed_difference("stride", "none", LOW),
        finding=Finding(of=accuracy("stride", LOW) - accuracy("none", LOW), below=VERY_EFFECTIVE),
    ),
    Claim(
        name="better-than-striding",
        text="With little data pooling is better than striding.",
        source="Greydanus & Kobak 2024, notebook",
        finding=Finding(of=advantage(LOW, over="stride"), above=0.0),
    ),
    Claim(
        name="advantage-diminishes",
        text="The advantage of pooling diminishes as the training data increase, in points of accuracy.",
        source="README; Greydanus & Kobak 2024, notebook",
        finding=Finding(of=advantage(LOW) - advantage(HIGH), above=0.0),
    ),
    Claim(
        name="no-difference-with-much-data",
        text="Pooling makes not much of a difference with much data: less than 2 points at 50,000 training signals.",
        source=f"{PAPER}; {BLOG}",
        number=_printed_advantage(HIGH),
        finding=Finding(of=advantage(HIGH), above=-NOT_MUCH, below=NOT_MUCH),
    ),
    Claim(
        name="hinders-with-much-data",
        text="Pooling hinders performance with much data.",
        source=CAPTION,
        finding=Finding(of=accuracy("none", HIGH) - pooled(HIGH), above=0.0),
    ),
    Claim(
        name="max-loses-to-l2",
        text="With much data max pooling deletes information and does worse than L2 pooling.",
        source=f"{BLOG}, offered as a possibility",
        number=_printed_difference("l2", "max", HIGH),
        finding=Finding(of=accuracy("l2", HIGH) - accuracy("max", HIGH), above=0.0),
    ),
    Claim(
        name="striding-is-nowhere-better",
        text="Strided convolutions are nowhere better than no pooling, by a point at most.",
        source="Greydanus & Kobak 2024, all accuracies that the notebook prints",
        finding=tuple(Finding(of=accuracy("stride", n) - accuracy("none", n), below=0.01) for n in SIZES),
    ),
)


def _question(name: str, text: str, *findings: Finding) -> Claim:
    return Claim(name=name, text=text, source="our question", finding=findings, exploratory=True)


def _survival_claims(name: str, what: str, **where: Any) -> tuple[Claim, ...]:
    """Returns the main statements once more, with a confound removed."""
    low, high = advantage(LOW, **where), advantage(HIGH, **where)
    return (
        _question(f"{name}-low", f"{what}: does it still help at 1,000?", Finding(of=low, above=VERY_EFFECTIVE)),
        _question(f"{name}-diminishes", f"{what}: does the advantage diminish?", Finding(of=low - high, above=0.0)),
        _question(
            f"{name}-high",
            f"{what}: does it make not much of a difference at 50,000?",
            Finding(of=high, above=-NOT_MUCH, below=NOT_MUCH),
        ),
        _question(f"{name}-hinders", f"{what}: does it hinder at 50,000?", Finding(of=high, below=0.0)),
    )


def _log_odds(n: int) -> Combined:
    by = [value("log_odds", arm="nested", variant=each, n=n, on="fresh test") for each in (*POOLS, "none")]
    return mean_of(*by[:-1]) - by[-1]


def _best(n: int) -> Combined:
    return largest(*(accuracy(pool, n) for pool in POOLS)) - accuracy("none", n)


QUESTIONS = (
    *_survival_claims("matched", "As many parameters without pooling", over="matched"),
    *_survival_claims("epochs", "Equal epochs at all sizes", arm="epochs"),
    *_survival_claims("matched-epochs", "As many parameters, and equal epochs", over="matched", arm="epochs"),
    *_survival_claims("frozen", "The published data sets and test splits", arm="published", on="test"),
    _question(
        "log-odds-diminish",
        "Does the advantage diminish in log odds as well, which do not saturate at 100 %?",
        Finding(of=_log_odds(LOW) - _log_odds(HIGH), above=0.0),
    ),
    _question(
        "log-odds-high",
        "Does pooling help at 50,000 in log odds, however little?",
        Finding(of=_log_odds(HIGH), above=0.0),
    ),
    _question(
        "ordered",
        "Is the advantage at 1,000 larger than at 2,000, and that larger than at 50,000?",
        Finding(of=advantage(1000) - advantage(2000), above=0.0),
        Finding(of=advantage(2000) - advantage(HIGH), above=0.0),
    ),
    _question(
        "worth-a-doubling",
        "Is pooling worth more than twice the data: 1,000 signals with it against 2,000 without?",
        Finding(of=pooled(1000) - accuracy("none", 2000), above=0.0),
    ),
    _question(
        "best-low", "The best of three, selected on test, at 1,000.", Finding(of=_best(LOW), above=VERY_EFFECTIVE)
    ),
    _question(
        "best-high",
        "The best of three, selected on test, at 50,000: not much of a difference?",
        Finding(of=_best(HIGH), above=-NOT_MUCH, below=NOT_MUCH),
    ),
    _question(
        "max-and-l2-alike",
        "Are max and L2 pooling within a point of each other at 50,000?",
        Finding(of=accuracy("l2", HIGH) - accuracy("max", HIGH), above=-0.01, below=0.01),
    ),
    _question(
        "restricts-expression",
        "The hypothesis of both sources: with much data pooling fits the training set less well, at equal epochs.",
        Finding(of=advantage(HIGH, arm="epochs", on="train"), below=0.0),
    ),
)

# Numbers without a statement of their own; of 60 intervals of 95 %, about three miss by chance.
NUMBERS = tuple(
    Claim(
        name=f"{kind}-{n}-{run}",
        text=f"{kind}, {n:,} training signals: {100 * published_accuracy(kind, n, run):.1f} %.",
        source={2024: f"{PAPER}, notebook", 2020: f"{BLOG}, figure (smoothed curves)"}[run],
        number=Number(of=as_published(kind, n), published=published_accuracy(kind, n, run), rounding=rounding),
    )
    for run, rounding in ((2024, 0.0), (2020, 0.0005))  # 2024 counts of 1000, exact in percent with one decimal
    for kind in KINDS
    for n in SIZES
)

CLAIMS = (*SOURCES, *QUESTIONS, *NUMBERS)


def _best_as_published(n: int) -> Combined:
    return largest(*(as_published(pool, n) for pool in POOLS)) - as_published("none", n)


GAPS: Final = {1000: (0.14, 0.30), 2000: (0.05, 0.11), 5000: (0.01, 0.06)}

BANDS = (
    *(
        Band(
            name=f"{kind}, {n:,} training signals, as published",
            of=as_published(kind, n),
            low=published_accuracy(kind, n) - (0.03 if n == LOW else 0.02),
            high=published_accuracy(kind, n) + (0.03 if n == LOW else 0.02),
        )
        for kind in KINDS
        for n in SIZES
    ),
    *(
        Band(
            name=f"best of three pools minus none, {n:,} training signals, as published",
            of=_best_as_published(n),
            low=GAPS.get(n, (0.0, 0.04))[0],
            high=GAPS.get(n, (0.0, 0.04))[1],
        )
        for n in SIZES
    ),
)

"""What the blog post says about the interpolation threshold, as claims; and all four rules, as our own questions.

**The margin.** With a mean squared error the threshold P* is said to lie at n K parameters, with a log likelihood at n:
so in log P* = a + alpha log n + beta log K alpha is 1, and beta is 1 or 0. Halfway between the two is 0.5; a quarter is
what either may be off. At ten classes the same quarter of the way is a factor of 1.78, which is the margin of "at".

**The rule that decides.** The blog post calls it the threshold at which a network is just able to fit the training set:
a training error of at most 1 %. The others are exploratory.

**The labels that decide.** Fewer digits are also easier to tell apart, so with digits K changes two things at once. The
exponents are decided on random labels, of which there is nothing to learn; where the threshold is, on the digits.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from lightning_module.studies.framework.cells import Band
from lightning_module.studies.framework.claims import Claim, Finding, Number
from lightning_module.studies.framework.quantities import Combined, NoRowsError, Quantity, Tables, mean_of
from lightning_module.studies.framework.turning_points import Log, matching
from lightning_module.studies.thresholds.config import LOSSES, MOST, NAMES, PREDICTED, SIZES, SMALL, Loss, predicted

if TYPE_CHECKING:
    import pandas as pd

BLOG: Final = "Greydanus 2020, on double descent"
OWN: Final = "our question"
MARGIN: Final = 0.25

RULES: Final = ("training error", "training loss", "test loss", "test error")


@dataclass(frozen=True)
class Kind:
    """The networks that were trained alike.

    Attributes:
        loss: The loss.
        labels: "0 %", "15 %" or "30 %" of them redrawn, or "random".
        network: Family of networks.
        times: How many times the steps.
    """

    loss: Loss
    labels: str = "15 %"
    network: str = "one-hidden"
    times: int = 1


@dataclass(frozen=True)
class Threshold(Quantity, kind="threshold"):
    """The number of parameters at the threshold, by seed; not a number for a seed that does not show it.

    Attributes:
        kind: What was trained.
        n: Training signals.
        classes: Number of classes.
        rule: What the threshold is seen by.
    """

    kind: Kind
    n: int
    classes: int
    rule: str = RULES[0]

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the numbers, by unit."""
        rows = _rows(tables, self.kind, self.rule, n=self.n, classes=self.classes).set_index("seed")
        return rows.parameters.where(rows.seen == "here").astype("float64")


@dataclass(frozen=True)
class Exponent(Quantity, kind="threshold-exponent"):
    """The power of n or K with which the threshold grows, by seed: a fit to all sizes, which knows of unseen ones.

    Attributes:
        of: "n" or "K".
        kind: What was trained.
        rule: What the threshold is seen by.
        sizes: Training signals that are fitted.
    """

    of: Literal["n", "K"]
    kind: Kind
    rule: str = RULES[0]
    sizes: tuple[int, ...] = SIZES

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the exponents, by unit."""
        import pandas as pd

        rows = _rows(tables, self.kind, self.rule, n=self.sizes)
        return pd.Series({seed: self._of_one(group) for seed, group in rows.groupby("seed")}, dtype="float64")

    def _of_one(self, rows: "pd.DataFrame") -> float:
        from lightning_module.studies.framework.censored_fit import censored_fit

        design = [[1.0, math.log(n), math.log(k)] for n, k in zip(rows.n, rows.classes, strict=True)]
        fit = censored_fit(design, [math.log(p) for p in rows.parameters], rows.seen.tolist())
        return float(fit[{"n": 1, "K": 2}[self.of]])


@dataclass(frozen=True)
class Shared(Quantity, kind="shared-ratio"):
    """The ratio of two quantities for the units that both have.

    Attributes:
        left: What is divided.
        right: What it is divided by.
    """

    left: Quantity
    right: Quantity

    def per_unit(self, tables: Tables) -> "pd.Series[float]":
        """Returns the ratios, by unit."""
        left, right = self.left.per_unit(tables), self.right.per_unit(tables)
        units = [unit for unit in left.index if unit in right.index]
        return left.loc[units] / right.loc[units]


def _rows(tables: Tables, kind: Kind, rule: str, **where: Any) -> "pd.DataFrame":
    if "thresholds" not in tables:
        raise NoRowsError("there is no table 'thresholds'")
    of: dict[str, Any] = {
        "network": kind.network,
        "loss": kind.loss,
        "labels": kind.labels,
        "times": kind.times,
        "rule": rule,
    }
    rows = matching(tables["thresholds"], **of, **where)
    if rows.empty:
        raise NoRowsError(f"no thresholds of {kind} by the {rule} with {where}")
    return rows


def level(kind: Kind, sizes: tuple[int, ...] = SIZES, rule: str = RULES[0], classes: int = MOST) -> Quantity:
    """Returns log10 of the threshold over the predicted one, the mean over several sizes, by seed."""
    return mean_of(*(Log(Threshold(kind, n, classes, rule) / predicted(kind.loss, n, classes)) for n in sizes))


def times_larger(labels: str, rule: str = RULES[0], *, times: int = 1, sizes: tuple[int, ...] = SIZES) -> Quantity:
    """Returns the power of K = 10 by which the threshold is larger with a squared error than with a likelihood."""
    squared, likelihood = Kind("mse", labels, times=times), Kind("cross_entropy", labels, times=times)
    return mean_of(
        *(Log(_threshold(squared, n, rule) / _threshold(likelihood, n, rule), base=float(MOST)) for n in sizes)
    )


def _threshold(kind: Kind, n: int, rule: str) -> Threshold:
    return Threshold(kind, n, MOST, rule)


def _within(of: Quantity, centre: float = 0.0) -> Finding:
    return Finding(of=of, above=centre - MARGIN, below=centre + MARGIN)


def _exponents(loss: Loss, labels: str, rule: str = RULES[0], **where: Any) -> tuple[Finding, Finding]:
    sizes = SIZES if labels in ("15 %", "random") and not where else SMALL
    kind = Kind(loss, labels, **where)
    alpha, beta = Exponent("n", kind, rule, sizes), Exponent("K", kind, rule, sizes)
    return _within(alpha, 1.0), _within(beta, PREDICTED[loss])


def _ratio(loss: Loss) -> Combined:
    return Threshold(Kind(loss), SIZES[-1], MOST) / predicted(loss, SIZES[-1], MOST)


SOURCES: Final = (
    Claim(
        name="likelihood-grows-with-n",
        text="With a log likelihood the interpolation threshold grows in proportion to the number n of signals.",
        source=BLOG,
        finding=_exponents("cross_entropy", "random")[0],
    ),
    Claim(
        name="likelihood-not-with-k",
        text="With a log likelihood the interpolation threshold does not depend on the number K of outputs.",
        source=BLOG,
        finding=_exponents("cross_entropy", "random")[1],
    ),
    Claim(
        name="squared-error-grows-with-n",
        text="With a mean squared error the interpolation threshold grows in proportion to n.",
        source=BLOG,
        finding=_exponents("mse", "random")[0],
    ),
    Claim(
        name="squared-error-grows-with-k",
        text="With a mean squared error the interpolation threshold grows in proportion to K.",
        source=BLOG,
        finding=_exponents("mse", "random")[1],
    ),
    Claim(
        name="likelihood-at-n",
        text="With a log likelihood the interpolation threshold lies at n parameters, within a factor of 1.78: ten "
        "digits, 15 % of the labels redrawn.",
        source=BLOG,
        number=Number(of=_ratio("cross_entropy"), published=1.0),
        finding=_within(level(Kind("cross_entropy"))),
    ),
    Claim(
        name="squared-error-at-nk",
        text="With a mean squared error the interpolation threshold lies at n K parameters, within a factor of 1.78: "
        "ten digits, 15 % of the labels redrawn.",
        source=BLOG,
        number=Number(of=_ratio("mse"), published=1.0),
        finding=_within(level(Kind("mse"))),
    ),
    Claim(
        name="k-times-larger",
        text="At the same n and K the interpolation threshold is K times larger with a mean squared error than with a "
        "log likelihood: ten digits, the power of K between 0.75 and 1.25.",
        source=BLOG,
        number=Number(of=times_larger("15 %", sizes=SIZES[-1:]), published=1.0),
        finding=_within(times_larger("15 %"), 1.0),
    ),
    Claim(
        name="explains-an-advantage",
        text="This may explain some of the advantage of a log likelihood over a mean squared error.",
        source=f"{BLOG}, offered as a possibility",
        not_tested="the thresholds say where training sets are fitted, and not what that explains",
    ),
)


def _question(name: str, text: str, *findings: Finding) -> Claim:
    return Claim(name=name, text=text, source=OWN, finding=findings, exploratory=True)


def _slug(*words: str) -> str:
    return "-".join(words).replace(" %", "").replace(" ", "-").replace("_", "-")


def _rules(labels: str) -> tuple[str, ...]:
    return RULES[:3] if labels == "random" else RULES  # the error on random test labels says nothing


# Each exponent by each rule, loss and kind of labels, and with four times the steps.
EXPONENTS: Final = tuple(
    _question(
        _slug(loss, {"n": "n", "K": "k"}[of], rule, labels, *(["4x"] if times > 1 else [])),
        f"{NAMES[loss].capitalize()}, by the {rule}, labels {labels}{', 4 times the steps' if times > 1 else ''}: "
        f"does the threshold grow with the power {1 if of == 'n' else PREDICTED[loss]:g} of {of}?",
        _exponents(loss, labels, rule, **({"times": times} if times > 1 else {}))[position],
    )
    for labels, times in (("random", 1), ("15 %", 1), ("0 %", 1), ("30 %", 1), ("15 %", 4))
    for loss in LOSSES
    for rule in _rules(labels)
    for position, of in enumerate(("n", "K"))
    if not (labels == "random" and rule == RULES[0])  # which decides, above
)

RATIOS: Final = tuple(
    _question(
        _slug("k-times-larger", rule, labels, *(["4x"] if times > 1 else [])),
        f"By the {rule}, labels {labels}{', 4 times the steps' if times > 1 else ''}: is the threshold K times larger "
        "with a squared error?",
        _within(times_larger(labels, rule, times=times, sizes=sizes), 1.0),
    )
    for labels, times, sizes in (
        ("15 %", 1, SIZES),
        ("random", 1, SIZES),
        ("0 %", 1, SMALL),
        ("30 %", 1, SMALL),
        ("15 %", 4, SMALL),
    )
    for rule in _rules(labels)
    if (labels, times, rule) != ("15 %", 1, RULES[0])
)

LEVELS: Final = tuple(
    _question(
        _slug(loss, "at-predicted", rule, *more),
        f"{NAMES[loss].capitalize()}, by the {rule}{what}: does the threshold lie at "
        f"{'n K' if loss == 'mse' else 'n'} parameters, within a factor of 1.78?",
        _within(level(Kind(loss, network=network), sizes, rule)),
    )
    for more, what, network, sizes in (
        ((), ", ten digits, 15 % redrawn", "one-hidden", SIZES),
        (("2000",), ", 2,000 signals", "one-hidden", (2000,)),
        (("cnn",), ", CNN", "cnn", SMALL),
    )
    for loss in LOSSES
    for rule in RULES
    if more or rule != RULES[0]
)


def _moved(loss: Loss, n: int, rule: str) -> Quantity:
    """Returns log10 of how many times larger the threshold is with four times the steps, of the seeds of both."""
    return Log(Shared(_threshold(Kind(loss, times=4), n, rule), _threshold(Kind(loss), n, rule)))


STEPS: Final = tuple(
    _question(
        _slug(loss, "moves-with-steps", rule),
        f"{NAMES[loss].capitalize()}, by the {rule}: does the threshold stay where it is with 4 times the steps, "
        "within a factor of 1.78?",
        _within(mean_of(*(_moved(loss, n, rule) for n in SMALL))),
    )
    for loss in LOSSES
    for rule in RULES
)

CLAIMS: Final = (*SOURCES, *EXPONENTS, *RATIOS, *LEVELS, *STEPS)

# From a first look: 250 signals, ten digits, 15 % redrawn, one seed; parameters per signal.
FIRST_LOOK: Final[tuple[tuple[Loss, str, float], ...]] = (
    ("cross_entropy", "training error", 1.75),
    ("cross_entropy", "test loss", 1.7),
    ("mse", "training error", 7.5),
    ("mse", "training loss", 11.5),
)

BANDS: Final = tuple(
    Band(
        name=f"{NAMES[loss]}, 250 signals, parameters per signal by the {rule}",
        of=Threshold(Kind(loss), 250, MOST, rule) / 250,
        low=at / 1.5,
        high=at * 1.5,
        numbers={"steps": 4000},
    )
    for loss, rule, at in FIRST_LOOK
)

"""What the sources say about the learned learning rate, as claims; and the published digits, as regression bands."""

from lightning_module.studies.framework.cells import Band
from lightning_module.studies.framework.claims import Claim, Finding, Number
from lightning_module.studies.framework.quantities import Value, value
from lightning_module.studies.learning_rate.config import PUBLISHED_STARTS

PAPER = "Greydanus & Kobak 2024, metalearning a learning rate"
NOTEBOOK = "the notebook of the learning rate, stored output"
LAST = 49  # of 50 outer steps; the notebook last prints step 48


def rate(start: float, *, arm: str = "fresh") -> Value:
    """Returns the learning rate after the last outer step, by seed."""
    return value("rate", arm=arm, start=start, last=True)


def mean_loss(start: float, *, arm: str = "fresh") -> Value:
    """Returns the mean of the inner losses from which the last outer step was made, by seed."""
    return value("mean_loss", arm=arm, start=start, last=True)


def first_mean_loss(start: float) -> Value:
    """Returns the mean of the inner losses from which the first outer step was made, by seed."""
    return value("mean_loss", arm="fresh", start=start, step=0)


def published_run(column: str, start: float, step: int) -> Value:
    """Returns a number of the published run: the frozen data, seed 0, 200 inner steps."""
    return value(column, unit=None, arm="frozen", seed=0, steps=200, start=start, step=step)


def best(column: str, objective: str, *, arm: str = "fresh") -> Value:
    """Returns the rate, loss or test_loss of the learning rate of the grid that is best for an objective, by seed."""
    return value(column, table="optima", arm=arm, objective=objective)


HIGH, LOW = PUBLISHED_STARTS
# Learning rates are the same if they are the same as the paper prints them, with two decimals.
SAME = 0.01
# Losses are the same if they are the same as the notebook prints them, with four digits.
SAME_LOSS = 0.001

CLAIMS = (
    Claim(
        name="converge",
        text="From 1.5 and from 0.15 the learning rate comes to the same value, 0.62.",
        source=PAPER,
        number=Number(of=rate(HIGH, arm="frozen"), published=0.62, rounding=0.005),
        finding=Finding(of=rate(HIGH) - rate(LOW), above=-SAME, below=SAME),
    ),
    Claim(
        name="optimal",
        text="What it comes to is the optimal learning rate: none of the grid has a lower mean loss.",
        source=f"{PAPER}: 'optimal'; the loss as printed, to 0.001",
        finding=(
            Finding(of=mean_loss(HIGH) - best("loss", "mean_loss"), below=SAME_LOSS),
            Finding(of=mean_loss(LOW) - best("loss", "mean_loss"), below=SAME_LOSS),
        ),
    ),
    Claim(
        name="loss-falls",
        text="The mean loss of the inner training falls, to 1.716, from both starts.",
        source=NOTEBOOK,
        number=Number(of=mean_loss(HIGH, arm="frozen"), published=1.716, rounding=0.0005),
        finding=(
            Finding(of=first_mean_loss(HIGH) - mean_loss(HIGH), above=0.0),
            Finding(of=first_mean_loss(LOW) - mean_loss(LOW), above=0.0),
        ),
    ),
    Claim(
        name="blog-value",
        text="The learning rate comes to 0.6.",
        source="Greydanus 2020",
        number=Number(of=rate(HIGH, arm="frozen"), published=0.6, rounding=0.05),
        not_tested="the source states a number only",
    ),
    *(
        Claim(
            name=f"digits-{start:g}-step-{step}",
            text=f"The published run from {start:g} is at {published:.4f} after outer step {step}.",
            source=NOTEBOOK if step else "an independent repetition of the notebook",
            number=Number(of=published_run("rate", start, step), published=published, rounding=0.00005),
            not_tested="one run is a number, and no statement",
        )
        for start, step, published in ((HIGH, 0, 1.4645), (LOW, 0, 0.3918), (HIGH, 48, 0.6243), (LOW, 48, 0.6203))
    ),
    Claim(
        name="one-minute",
        text="The experiment takes about a minute on a CPU.",
        source=PAPER,
        not_tested="a time is a property of a machine; the table `cost` has ours",
    ),
    Claim(
        name="fresh-value",
        text="Does the value belong to MNIST-1D, or to the one frozen draw? The published 0.62 against fresh draws.",
        number=Number(of=rate(HIGH), published=0.62, rounding=0.005),
        finding=Finding(of=rate(HIGH), above=0.615, below=0.625),
        exploratory=True,
    ),
    Claim(
        name="many-starts",
        text="Do other starts, from 0.3 to 1.25, come to the same learning rate?",
        finding=tuple(Finding(of=rate(start) - rate(LOW), above=-SAME, below=SAME) for start in (0.3, 0.6, 1.0, 1.25)),
        exploratory=True,
    ),
    Claim(
        name="best-for-the-end",
        text="Is the learning rate with the lowest mean loss lower than the one with the lowest test loss at the end?",
        finding=Finding(of=best("rate", "test_loss") - best("rate", "mean_loss"), above=0.0),
        exploratory=True,
    ),
    Claim(
        name="price-of-the-mean",
        text="Does choosing by the mean loss cost more than 0.01 in the test loss at the end?",
        finding=Finding(
            of=best("test_loss", "mean_loss") - best("test_loss", "test_loss"),
            above=0.01,
        ),
        exploratory=True,
    ),
)

BANDS = (
    *(
        Band(name=f"rate from {start:g}, step {step}, seed 0, frozen", of=of, low=number - 6e-5, high=number + 6e-5)
        for start, step, number in (
            (HIGH, 0, 1.4645),
            (LOW, 0, 0.3918),
            (HIGH, 48, 0.6243),
            (LOW, 48, 0.6203),
            (HIGH, 49, 0.6240),
            (LOW, 49, 0.6204),
        )
        for of in (published_run("rate", start, step),)
    ),
    Band(name="mean loss from 1.5, seed 0, frozen", of=published_run("mean_loss", HIGH, 48), low=1.713, high=1.719),
    Band(name="mean loss from 0.15, seed 0, frozen", of=published_run("mean_loss", LOW, 48), low=1.713, high=1.719),
    Band(
        name="difference of the two starts, seed 0, frozen",
        of=published_run("rate", HIGH, LAST) - published_run("rate", LOW, LAST),
        low=-0.01,
        high=0.01,
    ),
)

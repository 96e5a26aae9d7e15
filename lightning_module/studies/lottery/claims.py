"""What the sources say about lottery tickets, as claims; and where their numbers were before, as regression bands.

The findings are about the fresh tests, of which there are many; published numbers stand beside the published test sets.
What the blog post of 2020 prints is held against tickets with their own initial weights, what the rerun of 2024 and a
third party print against tickets with others: theirs were not seeded.
"""

from typing import Any

from lightning_module.studies.framework.cells import Band
from lightning_module.studies.framework.claims import Claim, Finding, Number
from lightning_module.studies.framework.quantities import Quantity, Value, value

BLOG = "Greydanus 2020"
RERUN = "the notebook's rerun of 2024"
THIRD = "a third party's rerun, 2024"
NOTE = "stored outputs of the notebook"
STEPS, EVALUATION_STEPS = 1500, 6000  # of the published protocol, where the published numbers are
FRESH = "fresh test"

# Accuracies in percent after the last step, means of two trials, by the printed sparsities that they are means of:
# 2020 random, 2020 lottery, 2024 random, 2024 lottery.
PUBLISHED_SEARCH: dict[tuple[int, ...], tuple[float, float, float, float]] = {
    tuple(range(10)): (63.8, 64.3, 63.5, 64.4),
    tuple(range(10, 30)): (64.0, 64.7, 64.3, 65.1),
    tuple(range(30, 50)): (63.9, 65.7, 64.2, 66.8),
    tuple(range(51, 61)): (64.8, 67.5, 64.1, 66.5),
    tuple(range(61, 71)): (66.8, 68.2, 65.2, 68.7),
    tuple(range(71, 81)): (66.8, 70.7, 67.3, 70.7),
    tuple(range(81, 91)): (66.2, 72.3, 65.3, 72.1),
    (91, 92, 93): (61.1, 72.0, 61.1, 73.2),
    (94, 95): (54.0, 71.3, 56.6, 70.1),
    (96,): (49.7, 70.3, 50.7, 70.4),
    (97,): (43.1, 67.2, 42.5, 67.7),
    (98,): (27.2, 62.1, 30.9, 63.4),
    (99,): (18.8, 45.5, 16.1, 41.7),
}
# Test losses of the same, read off a figure to about a tenth, at printed sparsities.
PUBLISHED_LOSSES = {("lottery", 0): 2.5, ("lottery", 90): 1.6, ("lottery", 98): 1.2, ("random", 70): 3.0}
TICKET = (92,)  # percent that is pruned

# Ticket minus dense in percent, means of two trials: 2020, 2024 and the third party's, by condition.
PUBLISHED_LEADS: dict[str, tuple[float, float, float | None]] = {
    "baseline": (7.05, 1.65, 1.1),
    "flipped": (4.15, -0.25, -1.5),
    "shuffled": (-1.75, -0.95, -2.8),
    "halves": (1.75, -2.25, None),
    "reinit": (3.30, 1.75, None),
}


def searched(arm: str, percent: tuple[int, ...], *, on: str = FRESH, **where: Any) -> Value:
    """Returns the accuracy of pruned networks after the last step, over rounds of some sparsities, by ticket."""
    return value("accuracy", arm=arm, percent=percent, on=on, **where)


def evaluated(arm: str, condition: str, *, on: str = FRESH, **where: Any) -> Value:
    """Returns the accuracy on the new data after the last step, over all permutations, by ticket."""
    return value("accuracy", table="evaluation", arm=arm, condition=condition, on=on, **where)


def lead(condition: str, arm: str = "lottery", over: str = "dense", **where: Any) -> Quantity:
    """Returns by how much an arm is ahead of another, with the first permutation where there are several."""
    return evaluated(arm, condition, permutation=0, **where) - evaluated(over, condition, permutation=0, **where)


def adjacent(column: str, run: int, arm: str = "lottery") -> Value:
    """Returns a column of the table of adjacent inputs, by ticket."""
    return value(column, table="adjacency", arm=arm, run=run)


def dense(on: str = FRESH, **where: Any) -> Value:
    """Returns the accuracy of the unpruned network after the last step of the search, by ticket."""
    return searched("lottery", (0,), on=on, **where)


def _percent(of: Quantity, percent: float, *, runs: int = 2, digits: int = 1) -> Number:
    return Number(of=of, published=round(percent / 100, 6), rounding=0.5 * 10 ** (-digits - 2), runs=runs)


def _published_lead(condition: str, which: int) -> Number:
    arm = "lottery" if which == 0 or condition == "reinit" else "unseeded"
    number = PUBLISHED_LEADS[condition][which]
    assert number is not None  # for the type checker: asked for where there is one
    return _percent(lead(condition, arm, on="test", step=EVALUATION_STEPS), number, digits=2 if which < 2 else 1)


STATEMENTS = (
    Claim(
        name="ticket-beats-dense",
        text="A sparsely masked MLP trains and generalises better than the whole one. The mask is the ticket's, 92 % "
        "sparse, a sparsity that was chosen after seeing the curve.",
        source=f"{BLOG}, panels a and b",
        number=_percent(searched("lottery", (91, 92, 93), on="test", step=STEPS), 72.0),
        finding=Finding(of=searched("lottery", TICKET) - dense(), above=0.0),
    ),
    Claim(
        name="ticket-beats-random",
        text="Pruning by magnitude finds a better network than pruning at random, at the same 92 %.",
        source=f"{BLOG}, panels a and b",
        number=_percent(searched("lottery", (92,), on="test", step=STEPS) - searched("random", (92,), on="test"), 10.9),
        finding=Finding(of=searched("lottery", TICKET) - searched("random", TICKET), above=0.0),
    ),
    Claim(
        name="ten-times-too-many",
        text="Deep models often have ten times more parameters than necessary: a tenth is enough here to match dense.",
        source=f"{BLOG}, the text",
        finding=Finding(of=value("kept", table="smallest"), below=0.1),
    ),
    Claim(
        name="hundred-times-too-many",
        text="... or even a hundred times more: a hundredth is enough.",
        source=f"{BLOG}, the text",
        finding=Finding(of=value("kept", table="smallest"), below=0.01),
    ),
    Claim(
        name="new-data",
        text="c: on new data, trained to the end, the ticket beats the dense network.",
        source=f"{BLOG}, panel c",
        number=_published_lead("baseline", 0),
        finding=Finding(of=lead("baseline"), above=0.0),
    ),
    Claim(
        name="flipped",
        text="d: with all signals reversed the ticket continues to win.",
        source=f"{BLOG}, panel d",
        number=_published_lead("flipped", 0),
        finding=Finding(of=lead("flipped"), above=0.0),
    ),
    Claim(
        name="permuting-hurts-more",
        text="e: permuting the points hurts the ticket more than reversing them (mean of several permutations).",
        source=f"{BLOG}, panel e",
        number=_percent(
            evaluated("lottery", "flipped", on="test", step=EVALUATION_STEPS)
            - evaluated("lottery", "shuffled", on="test", step=EVALUATION_STEPS),
            68.75 - 62.8,
        ),
        finding=Finding(of=evaluated("lottery", "flipped") - evaluated("lottery", "shuffled"), above=0.0),
    ),
    Claim(
        name="reinitialised",
        text="f: with other initial weights the ticket still beats dense, unlike in Frankle & Carbin (2019).",
        source=f"{BLOG}, panel f",
        number=_published_lead("reinit", 0),
        finding=Finding(of=lead("reinit"), above=0.0),
    ),
    Claim(
        name="adjacent",
        text="g: a ticket has more adjacent weights than chance predicts: local connectivity. Chance is a mask with as "
        "many weights kept of each unit and of each input.",
        source=f"{BLOG}, panel g",
        number=Number(of=adjacent("over_inputs", 2), published=0.0086, rounding=5e-5),
        finding=Finding(of=adjacent("times_same_sums", 2), above=1.0),
    ),
    Claim(
        name="adjacent-beside-random",
        text="The masks show many more adjacent weights by magnitude pruning than by random pruning.",
        source=f"{BLOG}, the picture of the masks",
        finding=Finding(of=adjacent("fraction", 2) - adjacent("fraction", 2, "random"), above=0.0),
    ),
    Claim(
        name="spatial-prior",
        text="The mask is the spatial prior: with other initial weights, so that it is the mask alone, a ticket beats "
        "itself with the weights of the first layer shuffled among units and inputs, as many kept of each.",
        source=f"{BLOG}, panels f and g",
        finding=Finding(of=lead("reinit", over="shuffled mask"), above=0.0),
    ),
    Claim(
        name="frankle-carbin",
        text="Tickets with other initial weights lose what they had over the dense network.",
        source="Frankle & Carbin 2019, of other networks",
        not_tested="it is about other data and networks; what the blog post says against it is tested",
    ),
    Claim(
        name="an-hour",
        text="The search takes about an hour, the rest a few minutes.",
        source=f"{BLOG}, {NOTE}",
        not_tested="times of a machine that is not ours; benchmarks/lottery.py measures both side by side",
    ),
)

QUESTIONS = (
    Claim(
        name="adjacent-by-density",
        text="Are there more adjacent weights than with each kept by itself? Units and inputs that keep none "
        "are enough for that.",
        finding=Finding(of=adjacent("times_chance", 2), above=1.0),
        exploratory=True,
    ),
    *(
        Claim(
            name=f"runs-of-{run}",
            text=f"Are there more runs of {run} than with the same numbers kept of each unit and input?",
            number=Number(of=adjacent("over_inputs", 3), published=0.00215, rounding=5e-6) if run == 3 else None,
            finding=Finding(of=adjacent("times_same_sums", run), above=1.0),
            exploratory=True,
        )
        for run in (3, 4)
    ),
    Claim(
        name="spatial-prior-own-weights",
        text="Does the ticket with its own initial weights beat itself with the first layer's mask shuffled?",
        finding=Finding(of=lead("baseline", over="shuffled mask"), above=0.0),
        exploratory=True,
    ),
    Claim(
        name="spatial-prior-permuted",
        text="On permuted points nothing is local. Does the lead over the shuffled mask shrink there?",
        finding=Finding(of=lead("flipped", over="shuffled mask") - lead("shuffled", over="shuffled mask"), above=0.0),
        exploratory=True,
    ),
    Claim(
        name="advantage-lost",
        text="On permuted points, is the ticket worse than the dense network?",
        source=f"{BLOG}, panel e",
        number=_published_lead("shuffled", 0),
        finding=Finding(of=lead("shuffled"), below=0.0),
        exploratory=True,
    ),
    Claim(
        name="halves",
        text="With the halves of the signals exchanged, does the ticket win?",
        source=f"{NOTE}, 2020",
        number=_published_lead("halves", 0),
        finding=Finding(of=lead("halves"), above=0.0),
        exploratory=True,
    ),
    Claim(
        name="own-weights-matter",
        text="Is the ticket better with its own initial weights than with others? If so, this is what 2020 and 2024 "
        "differ by.",
        number=_percent(
            evaluated("lottery", "baseline", on="test", step=EVALUATION_STEPS)
            - evaluated("unseeded", "baseline", on="test", step=EVALUATION_STEPS),
            70.6 - 65.85,
        ),
        finding=Finding(of=evaluated("lottery", "baseline") - evaluated("unseeded", "baseline"), above=0.0),
        exploratory=True,
    ),
    Claim(
        name="flipped-unseeded",
        text="With other initial weights in each training, does the ticket continue to win when signals are reversed?",
        source=f"{RERUN}, panel d",
        number=_published_lead("flipped", 1),
        finding=Finding(of=lead("flipped", "unseeded"), above=0.0),
        exploratory=True,
    ),
    Claim(
        name="permuting-hurts-more-unseeded",
        text="With other initial weights, does permuting hurt more than reversing?",
        source=f"{RERUN}, panels d and e",
        number=_percent(
            evaluated("unseeded", "flipped", on="test", step=EVALUATION_STEPS)
            - evaluated("unseeded", "shuffled", on="test", step=EVALUATION_STEPS),
            62.8 - 62.8,
        ),
        finding=Finding(of=evaluated("unseeded", "flipped") - evaluated("unseeded", "shuffled"), above=0.0),
        exploratory=True,
    ),
    Claim(
        name="random-beats-dense",
        text="Does pruning at random help as well, at sparsities from 61 to 90 %?",
        source=f"{NOTE}, 2020",
        finding=Finding(of=searched("random", tuple(range(61, 91))) - dense(), above=0.0),
        exploratory=True,
    ),
    Claim(
        name="where-it-ends",
        text="Is the ticket better than dense up to 97 %, and worse from 98 %?",
        source=f"{NOTE}, 2020",
        finding=(
            Finding(of=searched("lottery", tuple(range(94, 98))) - dense(), above=0.0),
            Finding(of=searched("lottery", (98, 99)) - dense(), below=0.0),
        ),
        exploratory=True,
    ),
    Claim(
        name="better-than-random-everywhere",
        text="Is the ticket better than random pruning in every condition, also on permuted points?",
        source=f"{NOTE}, 2020 and 2024",
        finding=tuple(Finding(of=lead(condition, over="random"), above=0.0) for condition in PUBLISHED_LEADS),
        exploratory=True,
    ),
)


def _numbers() -> tuple[Claim, ...]:
    """Returns a claim for each number that is printed and is in no statement."""
    claims = []
    for percent, printed in PUBLISHED_SEARCH.items():
        columns = (("random", "2020"), ("lottery", "2020"), ("random", "2024"), ("lottery", "2024"))
        for (arm, year), number in zip(columns, printed, strict=True):
            claims.append(
                Claim(
                    name=f"{arm}-{year}-{percent[0]}",
                    text=f"Accuracy at {percent[0]} to {percent[-1]} % sparsity, {arm} pruning.",
                    source=f"{NOTE}, {year}",
                    number=_percent(searched(arm, percent, on="test", step=STEPS), number),
                )
            )
    for (arm, sparsity), loss in PUBLISHED_LOSSES.items():
        of = value("loss", arm=arm, percent=sparsity, on="test", step=STEPS)
        claims.append(
            Claim(
                name=f"{arm}-loss-{sparsity}",
                text=f"Test loss at {sparsity} % sparsity, {arm} pruning, as it can be read off the figure.",
                source=f"{BLOG}, panel a",
                number=Number(of=of, published=loss, rounding=0.1, runs=2),
            )
        )
    for condition, leads in PUBLISHED_LEADS.items():
        for which, source in ((1, RERUN), (2, THIRD)):
            if leads[which] is not None and (condition, which) != ("flipped", 1):
                claims.append(
                    Claim(
                        name=f"{condition}-{'2024' if which == 1 else 'third-party'}",
                        text=f"Ticket minus dense, {condition}, without seeds.",
                        source=source,
                        number=_published_lead(condition, which),
                    )
                )
    for arm, run, year, number in (
        ("lottery", 2, "2024", 0.0093),
        ("lottery", 3, "2024", 0.00235),
        ("random", 2, "2020", 0.0072),
        ("random", 3, "2020", 0.0009),
        ("random", 2, "2024", 0.0056),
        ("random", 3, "2024", 0.00015),
    ):
        claims.append(
            Claim(
                name=f"runs-of-{run}-{arm}-{year}",
                text=f"Runs of {run} by {arm} pruning, over all inputs, in one mask.",
                source=f"{NOTE}, {year}",
                number=Number(of=adjacent("over_inputs", run, arm), published=number, rounding=5e-5),
            )
        )
    return tuple(claims)


CLAIMS = (
    *STATEMENTS,
    *QUESTIONS,
    *_numbers(),
    Claim(
        name="runs-of-4-2020",
        text="Runs of 4 in a ticket's mask.",
        source=f"{BLOG}, panel g",
        not_tested="the published number multiplies three inputs of the ticket's mask by one of the random mask's",
    ),
)


def _on_test(arm: str, percent: tuple[int, ...]) -> Value:
    return searched(arm, percent, on="test", step=STEPS)


def _lead_on_test(condition: str) -> Quantity:
    return lead(condition, on="test", step=EVALUATION_STEPS)


PEAK = tuple(range(80, 94))
BANDS = (
    Band(name="ticket, 80 to 93 %", of=_on_test("lottery", PEAK), low=0.70, high=0.75),
    Band(
        name="ticket minus dense, 80 to 93 %",
        of=_on_test("lottery", PEAK) - _on_test("lottery", (0,)),
        low=0.05,
        high=0.12,
    ),
    Band(
        name="ticket minus random, 81 to 90 %",
        of=_on_test("lottery", tuple(range(81, 91))) - _on_test("random", tuple(range(81, 91))),
        low=0.04,
        high=0.12,
    ),
    Band(
        name="ticket minus random, 91 to 93 %",
        of=_on_test("lottery", (91, 92, 93)) - _on_test("random", (91, 92, 93)),
        low=0.09,
        high=0.15,
    ),
    Band(name="ticket minus dense on new data", of=_lead_on_test("baseline"), low=0.04, high=0.12),
    Band(name="ticket minus dense, flipped", of=_lead_on_test("flipped"), low=0.02, high=0.08),
    Band(name="ticket minus dense, shuffled", of=_lead_on_test("shuffled"), low=-0.05, high=0.005),
    Band(name="ticket minus dense, other initial weights", of=_lead_on_test("reinit"), low=0.005, high=0.04),
    Band(name="runs of 3 over chance", of=adjacent("times_chance", 3), low=1.5, high=12.0),
)

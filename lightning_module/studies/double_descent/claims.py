"""What the sources say about double descent, as claims; our questions beside them; and the regression bands.

**Valley, peak, end.** A smallest and a largest of many test errors would be selected on test, and their difference
positive by chance alone. So the sizes were fixed before our runs, from the published ones: where those have the first
minimum, the maximum and the end. What the sources call falling and rising has the margin 0.

**Margins.** "At n parameters" has to be told from "at n K parameters": a quarter of the way between the two, on the
logarithmic scale and for ten classes, is 0.25 in log10, a factor of 1.78. "No peak" is a rise of less than 2 points:
two published runs of one size differ by 1 to 2 points. A curve over epochs rises by chance, so its margin is 2 points.

**The arms.** Findings are about the fresh arm, numbers about the frozen one, as everywhere.
"""

from typing import Any, Final

from lightning_module.studies.double_descent.published import (
    CNN_LOSSES_2020,
    CNN_TEST,
    EPOCHS,
    FROZEN_CHANNELS,
    LOSSES_2020,
    MLP_CLEAN,
    MLP_NOISY,
    N_2020,
    WIDTHS,
    published_error,
    published_loss,
)
from lightning_module.studies.framework.cells import Band
from lightning_module.studies.framework.claims import Claim, Finding, Number
from lightning_module.studies.framework.quantities import Quantity, Unpaired, Value, value
from lightning_module.studies.framework.turning_points import At, Log, Turn

PAPER: Final = "Greydanus & Kobak 2024, figure on double descent"
NOTEBOOK: Final = "Greydanus & Kobak 2024, notebook"
BLOG: Final = "Greydanus 2020, on double descent"
OWN: Final = "our question"

N: Final = 4000  # training signals of the current form
QUARTER: Final = 0.25  # of the way from n to 10 n, in log10
NO_PEAK: Final = 0.02
SEEN: Final = 0.02  # a turn over epochs
FITTED: Final = 0.01  # training error

# Sizes, from the published runs: before the first minimum, around it, around the peak, and at the end.
Sizes = dict[str, tuple[int, ...]]
MLP: Final[Sizes] = {"start": (2,), "valley": (9, 12, 16), "peak": (36, 47, 61), "end": (300,)}
CNN: Final[Sizes] = {"start": (2,), "valley": (8, 10, 12), "peak": (16, 18, 20, 22), "end": (90, 95, 100)}
SIZES: Final = {"mlp": MLP, "cnn": CNN}
FIGURE: Final[Sizes] = {"valley": (30, 40, 50), "peak": (170, 190, 210), "end": (390, 410, 430)}
BUMP: Final[Sizes] = {"valley": (33, 35, 40, 42), "peak": (37, 39)}


def final(column: str, network: str, labels: str, width: int | tuple[int, ...], **where: Any) -> Value:
    """Returns the score of networks of some widths after the last epoch of the current form, their mean by seed."""
    defaults: dict[str, Any] = {"form": "current", "arm": "fresh", "on": "fresh test"}
    return value(column, **{**defaults, "network": network, "labels": labels, "width": width, **where})


def error(network: str, labels: str, part: str, **where: Any) -> Value:
    """Returns the test error in one part of the curve, by seed."""
    return final("error", network, labels, SIZES[network][part], **where)


def as_published(column: str, network: str, labels: str, width: int | tuple[int, ...]) -> Value:
    """Returns the error on the frozen data and its test split, after the published epochs, by seed."""
    return final(column, network, labels, width, arm="frozen", on="test", epoch=EPOCHS)


def curve(column: str, network: str, labels: str, *, on: str = "fresh test", form: str = "current") -> Value:
    """Returns a curve over all widths of the fresh arm, after the last epoch."""
    return value(column, form=form, arm="fresh", network=network, labels=labels, on=on)


def fitted(network: str, *, bound: float = FITTED, over: float = N) -> At:
    """Returns the number of parameters, over that of signals, at which noisy labels are fitted, by seed."""
    return At(curve("error", network, "noisy", on="train"), bound, over)


def loss_2020(network: str, width: int | tuple[int, ...]) -> Value:
    """Returns the test loss of the form of 2020, by seed."""
    return value("loss", form="2020", arm="fresh", network=network, labels="clean", on="fresh test", width=width)


def over_epochs(network: str, width: int, *, labels: str = "noisy") -> Value:
    """Returns the test error over the epochs, of the fresh arm."""
    where: dict[str, Any] = {
        "form": "current",
        "arm": "fresh",
        "network": network,
        "labels": labels,
        "width": width,
        "on": "test",
    }
    return value("error", table="curves", **where)


def _mean(table: dict[int, Any], sizes: tuple[int, ...]) -> float:
    return sum(float(getattr(table[size], "test", table[size])) for size in sizes) / len(sizes)


def _rise(network: str, table: dict[int, Any]) -> Number:
    of = SIZES[network]
    ours = as_published("error", network, "noisy", of["peak"]) - as_published("error", network, "noisy", of["valley"])
    return Number(of=ours, published=(_mean(table, of["peak"]) - _mean(table, of["valley"])) / 100, rounding=0.0005)


def _descends_twice(network: str) -> tuple[Finding, ...]:
    start, valley, top, end = (error(network, "noisy", part) for part in MLP)
    return tuple(Finding(of=of, above=0.0) for of in (start - valley, top - valley, top - end))


def _near(of: Quantity) -> Finding:
    return Finding(of=Log(of), above=-QUARTER, below=QUARTER)


def _peak_at_fit(network: str) -> Finding:
    return _near(At(curve("error", network, "noisy")) / fitted(network, over=1))


SOURCES: Final = (
    Claim(
        name="mlp-descends-twice",
        text="With 15 % of the labels redrawn the test error of the MLP falls with its size, rises, and falls again.",
        source=PAPER,
        number=_rise("mlp", MLP_NOISY),
        finding=_descends_twice("mlp"),
    ),
    Claim(
        name="cnn-descends-twice",
        text="With 15 % of the labels redrawn the test error of the CNN falls with its size, rises, and falls again.",
        source=PAPER,
        number=_rise("cnn", CNN_TEST),
        finding=_descends_twice("cnn"),
    ),
    Claim(
        name="peak-at-interpolation",
        text="The test error has its peak at the interpolation threshold, where the network is just able to fit the "
        "whole training set (to 1 %): MLP and CNN, within a factor of 1.78.",
        source=f"{PAPER}; {BLOG}",
        finding=(_peak_at_fit("mlp"), _peak_at_fit("cnn")),
    ),
    Claim(
        name="mlp-threshold-at-n",
        text="With a log likelihood the interpolation threshold lies at n parameters: MLP, training error 1 %, within "
        "a factor of 1.78.",
        source=BLOG,
        number=Number(of=fitted("mlp"), published=1.0),
        finding=_near(fitted("mlp")),
    ),
    Claim(
        name="cnn-threshold-at-n",
        text="With a log likelihood the interpolation threshold lies at n parameters: CNN, training error 1 %, within "
        "a factor of 1.78.",
        source=BLOG,
        number=Number(of=fitted("cnn"), published=1.0),
        finding=_near(fitted("cnn")),
    ),
    Claim(
        name="sensitive-to-noise",
        text="At the threshold the network is very sensitive to label noise: from the valley to the peak the test "
        "error rises more with redrawn labels than without.",
        source=BLOG,
        finding=Finding(
            of=(error("mlp", "noisy", "peak") - error("mlp", "noisy", "valley"))
            - (error("mlp", "clean", "peak") - error("mlp", "clean", "valley")),
            above=0.0,
        ),
    ),
    Claim(
        name="no-error-peak-without-noise",
        text="Without label noise the MLP's test error has no peak: from 27 to 61 units it changes by less than 2 "
        "points.",
        source=NOTEBOOK,
        number=Number(
            of=as_published("error", "mlp", "clean", 61) - as_published("error", "mlp", "clean", 27),
            published=(MLP_CLEAN[61].test - MLP_CLEAN[27].test) / 100,
            rounding=0.001,
        ),
        finding=Finding(
            of=final("error", "mlp", "clean", 61) - final("error", "mlp", "clean", 27), above=-NO_PEAK, below=NO_PEAK
        ),
    ),
    Claim(
        name="loss-peak-without-noise",
        text="Without label noise the MLP's test loss rises and falls again.",
        source=NOTEBOOK,
        number=Number(
            of=as_published("loss", "mlp", "clean", 47), published=published_loss("clean", 47), rounding=0.005
        ),
        finding=tuple(
            Finding(of=final("loss", "mlp", "clean", MLP["peak"]) - final("loss", "mlp", "clean", MLP[part]), above=0.0)
            for part in ("valley", "end")
        ),
    ),
    Claim(
        name="mlp-ends-below-its-valley",
        text="The second descent of the MLP ends below the first minimum.",
        source=NOTEBOOK,
        finding=Finding(of=error("mlp", "noisy", "valley") - error("mlp", "noisy", "end"), above=0.0),
    ),
    Claim(
        name="cnn-ends-above-its-valley",
        text="The second descent of the CNN does not return to the first minimum.",
        source=NOTEBOOK,
        finding=Finding(of=error("cnn", "noisy", "end") - error("cnn", "noisy", "valley"), above=0.0),
    ),
    Claim(
        name="more-steps-hurt",
        text="More gradient steps can reduce the test accuracy: with redrawn labels the test error of the largest MLP "
        "rises by more than 2 points on the way.",
        source=BLOG,
        finding=Finding(of=Turn(over_epochs("mlp", 300), "rise"), above=SEEN),
    ),
    Claim(
        name="peak-of-2020",
        text="One hidden layer, 10,000 signals: the test loss rises and falls again, with its peak where there are as "
        "many parameters as signals, within a factor of 1.78.",
        source=f"{BLOG}, figure",
        number=Number(of=At(curve("loss", "one-hidden", "clean", form="2020")), published=9700.0, rounding=510.0),
        finding=(
            *(
                Finding(of=loss_2020("one-hidden", FIGURE["peak"]) - loss_2020("one-hidden", FIGURE[part]), above=0.0)
                for part in ("valley", "end")
            ),
            _near(At(curve("loss", "one-hidden", "clean", form="2020"), over=N_2020)),
        ),
    ),
    Claim(
        name="bump-of-2020",
        text="CNN, 10,000 signals: the test loss is higher where there are as many parameters as signals (37 and 39 "
        "channels) than on both sides of it (33 and 35, 40 and 42).",
        source=f"{BLOG}, figure",
        number=Number(of=loss_2020("cnn", 37), published=CNN_LOSSES_2020[37], rounding=0.0005),
        finding=Finding(of=loss_2020("cnn", BUMP["peak"]) - loss_2020("cnn", BUMP["valley"]), above=0.0),
    ),
    Claim(
        name="loss-of-2020",
        text="One hidden layer of 190 units: a test loss of 1.700.",
        source=f"{BLOG}, figure",
        number=Number(of=loss_2020("one-hidden", 190), published=LOSSES_2020[190], rounding=0.0005),
    ),
    Claim(
        name="more-data-hurts",
        text="More data can reduce the test accuracy.",
        source=BLOG,
        not_tested="the published protocols have one training size each",
    ),
    Claim(
        name="squared-error-at-nk",
        text="With a mean squared error the interpolation threshold lies at n K parameters.",
        source=BLOG,
        not_tested="the study thresholds is about that; here all training is by cross-entropy",
    ),
)


def _question(name: str, text: str, *findings: Finding) -> Claim:
    return Claim(name=name, text=text, source=OWN, finding=findings, exploratory=True)


QUESTIONS: Final = (
    _question(
        "second-descent-over-epochs",
        "Does the test error of the largest noisy MLP fall again over the epochs, by more than 2 points?",
        Finding(of=Turn(over_epochs("mlp", 300), "fall"), above=SEEN),
    ),
    _question(
        "cnn-over-epochs",
        "Does the test error of the CNN of 100 channels rise over the epochs by more than 2 points, and fall again?",
        Finding(of=Turn(over_epochs("cnn", 100), "rise"), above=SEEN),
        Finding(of=Turn(over_epochs("cnn", 100), "fall"), above=SEEN),
    ),
    _question(
        "no-turn-without-noise",
        "Without redrawn labels, does the test error of the largest MLP rise by less than 2 points over the epochs?",
        Finding(of=Turn(over_epochs("mlp", 300, labels="clean"), "rise"), below=SEEN),
    ),
    _question(
        "peak-where-tenth-is-misfit",
        "Is the peak of the noisy MLP's test error where its training error falls to 10 %, within a factor of 1.78?",
        _near(At(curve("error", "mlp", "noisy")) / fitted("mlp", bound=0.1, over=1)),
    ),
    _question(
        "same-threshold-in-both",
        "Do MLP and CNN fit noisy labels at the same number of parameters, within a factor of 1.78?",
        Finding(of=Unpaired(Log(fitted("mlp")), Log(fitted("cnn"))), above=-QUARTER, below=QUARTER),
    ),
    _question(
        "loss-peak-at-interpolation",
        "Is the peak of the noisy MLP's test loss at the interpolation threshold, within a factor of 1.78?",
        _near(At(curve("loss", "mlp", "noisy")) / fitted("mlp", over=1)),
    ),
    _question(
        "loss-peak-above-error-peak",
        "Is the peak of the noisy MLP's test loss at more parameters than that of its test error?",
        Finding(of=Log(At(curve("loss", "mlp", "noisy")) / At(curve("error", "mlp", "noisy"))), above=0.0),
    ),
)

# Numbers without a statement of their own; of 56 intervals of 95 %, about three miss by chance.
NUMBERS: Final = tuple(
    Claim(
        name=f"{network}-{labels}-{width}",
        text=f"{network.upper()}, {labels} labels, width {width}: {100 * printed:.4g} % test error.",
        source=NOTEBOOK,
        number=Number(
            of=as_published("error", network, labels, width),
            published=printed,
            rounding=0.0005 if 1000 * printed == round(1000 * printed) else 0.00005,
        ),
    )
    for network, labels, widths in (
        ("mlp", "clean", WIDTHS),
        ("mlp", "noisy", WIDTHS),
        ("cnn", "noisy", FROZEN_CHANNELS),
    )
    for width in widths
    if (printed := published_error(network, labels, width)) is not None
)

CLAIMS: Final = (*SOURCES, *QUESTIONS, *NUMBERS)


def _band(name: str, of: Quantity, low: float, high: float) -> Band:
    return Band(name=name, of=of, low=low, high=high)


def _published_part(network: str, width: tuple[int, ...]) -> Value:
    return as_published("error", network, "noisy", width)


BANDS: Final = (
    _band("noisy MLP, peak", _published_part("mlp", (36, 47, 61)), 0.53, 0.585),
    _band("noisy MLP, valley", _published_part("mlp", MLP["valley"]), 0.465, 0.505),
    _band("noisy MLP, 300 units", _published_part("mlp", (300,)), 0.44, 0.475),
    _band(
        "noisy MLP, peak minus valley",
        _published_part("mlp", MLP["peak"]) - _published_part("mlp", MLP["valley"]),
        0.04,
        0.12,
    ),
    _band(
        "noisy MLP, peak minus 300 units",
        _published_part("mlp", MLP["peak"]) - _published_part("mlp", (300,)),
        0.06,
        0.14,
    ),
    Band(
        name="noisy MLP, parameters per signal at training error 1 %",
        of=fitted("mlp"),
        low=1.0,
        high=1.8,
        numbers={"epochs": EPOCHS},
    ),
    _band("clean MLP, 300 units", as_published("error", "mlp", "clean", 300), 0.36, 0.39),
    _band("clean MLP, test loss at its peak", as_published("loss", "mlp", "clean", MLP["peak"]), 4.0, 4.6),
    _band("noisy CNN, valley", _published_part("cnn", CNN["valley"]), 0.19, 0.22),
    _band("noisy CNN, peak", _published_part("cnn", CNN["peak"]), 0.31, 0.365),
    _band("noisy CNN, 100 channels", _published_part("cnn", (100,)), 0.265, 0.295),
)

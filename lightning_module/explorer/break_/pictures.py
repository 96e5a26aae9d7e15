"""What the tab Break shows: accuracies as bars, errors of each digit, ten signals and what is read in them."""

import html
from typing import Final

import numpy as np

from lightning_module.explorer import svg
from lightning_module.explorer.break_.accuracy import Measured
from lightning_module.explorer.break_.signals import OUTSIDE, SLIDERS, Setting
from lightning_module.explorer.limits import Limit

LABELS: Final = {"logistic": "logistic", "mlp": "MLP", "cnn": "CNN", "gru": "GRU"}  # as figures call them
COLOURS: Final = {"cnn": 1, "gru": 2, "mlp": 0, "logistic": 3}  # of figures
USUAL: Final = "the small mark: on signals of the default recipe"


def bars(now: Measured, usual: Measured) -> str:
    """Returns the accuracy of each network, the mean of its seeds, with a mark where it is by default."""
    rows = "".join(
        _row(LABELS[name], float(np.mean(of_seeds)), float(np.mean(usual.accuracy[name])), of_seeds)
        for name, of_seeds in now.accuracy.items()
    )
    return (
        f'<ol class="m1-accuracies" aria-label="accuracies">{rows}</ol>'
        f'<p class="m1-explain">{len(next(iter(now.accuracy.values())))} networks of each kind, trained on the frozen '
        f"data set with the seeds of the benchmark; 1,000 new signals; {USUAL}.</p>"
    )


def _row(label: str, share: float, usual: float, of_seeds: tuple[float, ...]) -> str:
    told = ", ".join(f"{100 * each:.1f} %" for each in of_seeds)
    return (
        f'<li title="seeds: {told}"><b>{label}</b>'
        f'<i style="--p:{100 * share:.1f}%;--u:{100 * usual:.1f}%"></i><span>{100 * share:.1f} %</span></li>'
    )


def limit(setting: Setting, found: Limit | None, reason: str = "") -> str:
    """Returns the line of the Bayes limit, or why there is none.

    Args:
        setting: What the networks are tested on.
        found: The limit; None while it is computed, or if there is none.
        reason: Why there is none.
    """
    if setting.is_outside:
        words = f"No Bayes limit: {OUTSIDE[setting.outside][0]} is outside the recipe, so there is no exact posterior."
        return f'<p class="m1-explain" role="status">{words}</p>'
    if reason:
        return f'<p class="m1-explain" role="status">No Bayes limit: {html.escape(reason)}</p>'
    share = f"{100 * found.accuracy:.1f} %" if found else "…"
    row = (
        f'<li class="m1-bayes"><b>Bayes</b><i style="--p:{100 * (found.accuracy if found else 0):.1f}%"></i>'
        f"<span>{share}</span></li>"
    )
    words = str(found) if found else "is computed"
    told = f"Bayes limit: what nobody surpasses who knows this recipe ({words})."
    return f'<ol class="m1-accuracies" aria-label="Bayes limit">{row}</ol><p class="m1-explain">{told}</p>'


def curves(found: dict[str, list[tuple[float, float]]] | None, name: str) -> str:
    """Returns the accuracy of each network over one slider.

    Args:
        found: Places and accuracies of each network; None while they are computed.
        name: The slider, by its number of the recipe.
    """
    slider = next(each for each in SLIDERS if each.name == name)
    series = [
        svg.Series(LABELS[network], found[network] if found else [], colour=colour)
        for network, colour in COLOURS.items()
    ]
    title = f"Accuracy over {slider.label}"
    return svg.chart(series, title=title, across=f"{slider.label} ({slider.name})", width=slider.high, told_ends=False)


def error(words: str) -> str:
    """Returns an error."""
    return f'<div class="m1-error" role="alert"><p>{html.escape(words)}</p></div>'


def details(now: Measured) -> str:
    """Returns the errors of each digit as a table, and the first signal of each digit with what is read in it."""
    head = "".join(f"<th scope=col>{digit}</th>" for digit in range(10))
    body = "".join(
        f"<tr><th scope=row>{LABELS[name]}</th>"
        + "".join(f'<td style="--p:{100 * share:.0f}%">{100 * share:.0f}</td>' for share in shares)
        + "</tr>"
        for name, shares in now.digits.items()
    )
    table = (
        '<table class="m1-heat"><caption>of 100 signals of each digit, so many are misread</caption>'
        f"<thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
    panels = [svg.Panel(signal=now.x[digit], title=str(digit), note=_readings(now, digit)) for digit in range(10)]
    signals = svg.signals(panels, columns=10, narrow=5)
    return (
        f'<h3 class="m1-h">Where does each fail?</h3>{table}'
        f'<h3 class="m1-h">One signal of each digit, and who misreads it</h3>{signals}'
    )


def _readings(now: Measured, digit: int) -> str:
    wrong = [f"{LABELS[name]}:\u00a0{read[digit]}" for name, read in now.answers.items() if read[digit] != digit]
    return ", ".join(wrong) or "all read it"

"""What the tab Train shows: the curve, how a training stands, what it gets wrong. HTML, every text escaped."""

import html
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from lightning_module.explorer import svg
from lightning_module.explorer.train.session import Training
from lightning_module.explorer.train.settings import Settings

SURE: Final = 0.9


def curve(now: Training | None, settings: Settings) -> str:
    """Returns the accuracies on the test split over the steps, with those of the training before, dashed.

    Args:
        now: The training; None if there is none yet.
        settings: What is to be trained, for the width of an empty picture.
    """
    before = now.before if now else None
    title = now.settings.title if now else settings.title
    if before and before.title == title:
        title += " (now)"
    series = [svg.Series(title, list(now.points) if now else [], colour=0)]
    if before:
        series.append(svg.Series(f"{before.title} (before)", before.points, colour=1, dashed=True))
    width = max([now.settings.steps if now else settings.steps, *([before.steps] if before else [])])
    return svg.chart(series, title="Accuracy on the test split", across="optimiser steps", width=width)


def status(training: Training, ahead: int) -> str:
    """Returns how a training stands, in a line."""
    settings, last = training.settings, training.points[-1] if training.points else None
    if training.state == "waiting":
        trainings = "training comes" if ahead == 1 else "trainings come"
        words = f"In the line: {ahead} {trainings} first." if ahead else "It begins now."
    elif training.state == "failed":
        return error(training.words)
    elif training.result is None and training.state == "running":
        where = f"{last[0]:,} of {settings.steps:,} steps" if last else "the data are made"
        words = f"{settings.title} is trained: {where}."
    elif training.result is None:
        words = "Stopped before it began."
    else:
        accuracy, step = training.result["accuracy"], training.result["step"]
        ended = "Stopped" if training.state == "stopped" else "Finished"
        words = f"{ended} after {step:,} steps: {100 * accuracy:.1f} % of the test split read right."
    return f'<p class="m1-status" role="status">{html.escape(words)}</p>'


def error(words: str) -> str:
    """Returns an error."""
    return f'<div class="m1-error" role="alert"><p>{html.escape(words)}</p></div>'


def command(settings: Settings) -> str:
    """Returns the command that trains the same, with a button that copies it."""
    return (
        '<div class="m1-command"><code id="train-command">'
        f'{html.escape(settings.command)}</code><button type="button" data-copy="train-command">copy</button></div>'
    )


def findings(result: dict[str, Any]) -> str:
    """Returns the errors of each digit, and the first misread signals with their posteriors."""
    return digits(result["digits"]) + misread(result)


def digits(shares: Sequence[float]) -> str:
    """Returns the share of each digit that is misread, as bars."""
    rows = "".join(
        f'<li><b>{digit}</b><i style="--p:{100 * share:.1f}%"></i><span>{100 * share:.0f} %</span></li>'
        for digit, share in enumerate(shares)
    )
    head = '<h3 class="m1-h">Errors of each digit</h3>'
    return f'<section>{head}<ol class="m1-bars" aria-label="errors of each digit">{rows}</ol></section>'


def misread(result: dict[str, Any]) -> str:
    """Returns the first misread signals; what the network said above each, the exact posterior below."""
    rows = result["signals"]
    if not rows:
        return '<section><h3 class="m1-h">Signals it gets wrong</h3><p>None.</p></section>'
    panels = [
        svg.Panel(
            signal=np.array(row["x"]),
            title=f"{row['truth']} → {row['answer']}",
            truth=row["truth"],
            p=None if row["p"] is None else np.array(row["p"]),
        )
        for row in rows
    ]
    known = [row for row in rows if row["p"] is not None]
    sure = sum(row["p"][row["truth"]] > SURE for row in known)
    words = f"The first {len(rows)} of {result['misread']:,}" if result["misread"] > len(rows) else f"All {len(rows)}"
    if known:
        words += (
            ": the digit → what the network read, with the exact posterior below each. "
            f"In {sure} of them it is above 90 % sure of the right digit."
        )
    else:
        words += f". No posterior: {result['reason']}."
    drawn = svg.signals(panels, columns=10, narrow=4)
    head = '<h3 class="m1-h">Signals it gets wrong</h3>'
    return f'<section>{head}<p class="m1-explain">{html.escape(words)}</p>{drawn}</section>'

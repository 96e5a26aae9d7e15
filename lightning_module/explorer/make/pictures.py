"""What the tab shows, as HTML: ten signals, how one of them is made, the code, a line of the limit."""

import html
import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from lightning_module.explorer import svg
from lightning_module.explorer.limits import Limit
from lightning_module.explorer.make.shown import Shown
from mnist1d_hf import Recipe
from mnist1d_hf.generator.arithmetic import FloatArray

LEAST_EXTENT: Final = 3.2  # standard deviations from the middle of a panel to its edge

# What each stage does; {} are filled in from the recipe.
STAGES: Final[Mapping[str, str]] = {
    "template": "The digit: twelve points, drawn by hand once and for all.",
    "pad": "Zeros are appended, from {low} to {high} of them.",
    "dilate": "Digit and zeros together are stretched to {dilated} points.",
    "scale": "The amplitude is multiplied by a factor around 1.",
    "translate": "All points move to the right; what leaves at the end comes back at the beginning.",
    "correlated noise": "Smooth noise is added where there were zeros.",
    "iid noise": "Each point gets noise of its own.",
    "shear": "A ramp is subtracted: the signal leans.",
    "resample": "It is read off at {length} points.",
    "shuffle": "The points change places, the same way in all signals.",
    "flip": "The points are reversed.",
    "shuffle and flip": "The points change places, the same way in all signals, and are reversed.",
}


def ten(found: Shown, p: FloatArray | None = None, *, waiting: bool = False) -> str:
    """Returns the ten signals, with the posteriors below them once they are known.

    Args:
        found: The signals.
        p: The probability of each digit given each signal.
        waiting: Whether room is left for posteriors to come.
    """
    panels = []
    for place, digit in enumerate(found.digits.tolist()):
        label = int(found.y[place])
        note = f"label {label}" if label != digit else ""
        panels.append(svg.Panel(found.x[place], str(digit), digit, None if p is None else p[place], note))
    extent = max(LEAST_EXTENT, svg.half_width([*found.x]))
    return svg.signals(panels, extent=extent, waiting=waiting)


def construction(found: Shown, recipe: Recipe, digit: int) -> str:
    """Returns how the signal of one digit is made: its stages, each with a line, one of them large.

    ``page.js`` moves from stage to stage; without it, all of them are there in small.
    """
    made = found.construction
    row = made.digits.index(digit)
    curves = {name: rows[row] for name, rows in made.stages.items()}
    extent = svg.half_width([*curves.values()])
    low, high = recipe.padding
    words = {"low": low, "high": high, "dilated": recipe.dilated_length, "length": recipe.final_seq_length}
    stages = [
        {"name": name, "told": STAGES[name].format(**words), "points": svg.path(curve, extent)}
        for name, curve in curves.items()
    ]
    small = "".join(_small(place, stage) for place, stage in enumerate(stages))
    last = stages[-1]
    large = (
        f'<svg viewBox="0 0 {svg.WIDTH} {svg.HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="the digit {digit} after the stage shown"><line class="m1-axis" x1="50" x2="50" y1="8" y2="212"/>'
        f'<polyline class="m1-line" points="{last["points"]}"/></svg>'
    )
    return (
        f'<div class="m1-construction" data-stages="{html.escape(json.dumps(stages))}" data-digit="{digit}">'
        f'<div class="m1-large">{large}</div><div class="m1-told"><p class="m1-stage" aria-live="polite">'
        f"<b>{len(stages)}. {html.escape(last['name'])}</b> {html.escape(last['told'])}</p>"
        '<p class="m1-steps"><button type="button" data-step="back">back</button>'
        '<button type="button" data-step="on">on</button>'
        '<button type="button" data-step="play" class="m1-primary">play</button></p>'
        f'<div class="m1-strip">{small}</div></div></div>'
    )


def _small(place: int, stage: Mapping[str, str]) -> str:
    return (
        f'<button type="button" class="m1-small" data-stage="{place}" aria-label="stage {place + 1}: '
        f'{html.escape(stage["name"])}"><svg viewBox="0 0 {svg.WIDTH} {svg.HEIGHT}" preserveAspectRatio="none" '
        f'aria-hidden="true"><polyline class="m1-line" points="{stage["points"]}"/></svg>'
        f"<span>{html.escape(stage['name'])}</span></button>"
    )


def code(texts: Mapping[str, str], sha256: str, query: Mapping[str, str]) -> str:
    """Returns the code with a button that copies it, the digest of what it gives, and links to files.

    Args:
        texts: Code by what it uses.
        sha256: Digest of the ten signals.
        query: The recipe, as the address of a download has it.
    """
    blocks = "".join(_block(place, name, text) for place, (name, text) in enumerate(texts.items()))
    links = "".join(
        _link(f"{split}.{kind}", query, split) for kind in ("parquet", "csv") for split in ("train", "test")
    )
    return (
        f'<div class="m1-code">{blocks}<p class="m1-faint">SHA-256 of <code>shown</code> in float32: '
        f'<code id="m1-sha256" data-sha256="{sha256}">{sha256[:16]}…</code></p>'
        f'<p class="m1-links">Download {links}</p></div>'
    )


def _block(place: int, name: str, text: str) -> str:
    return (
        f'<section><h4>{html.escape(name)} <button type="button" data-copy="m1-code-{place}">copy</button></h4>'
        f'<pre tabindex="0" aria-label="code by {html.escape(name)}">'
        f'<code id="m1-code-{place}">{html.escape(text)}</code></pre></section>'
    )


def _link(file: str, query: Mapping[str, str], split: str) -> str:
    address = f"data/{file}?{urlencode({**query, 'split': split})}"
    return f'<a download href="{html.escape(address)}">{file}</a>'


def limit(known: Limit | None, *, reason: str = "", going_on: bool = False) -> str:
    """Returns a line of the Bayes limit.

    Args:
        known: The limit; None where there is none, or none yet.
        reason: Why there is none.
        going_on: Whether it is being computed.
    """
    if known is None:
        told = html.escape(reason) if reason else "is being computed …"
    else:
        told = html.escape(str(known)) + (" · being refined …" if going_on else "")
    return f'<p class="m1-limit" role="status"><b>Bayes limit of this recipe</b> {told}</p>'


def error(message: str) -> str:
    """Returns the recipe's own error."""
    return f'<div class="m1-error" role="alert"><p>{html.escape(message)}</p></div>' if message else ""

"""The construction of the data set as a moving picture: each stage grows out of the one before; needs matplotlib.

The stages themselves are drawn as the generator made them. Between two of them the points move so as to show what
the stage does: padding grows, a signal is stretched or rotated, noise and ramp rise from nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from mnist1d_hf.generator.arithmetic import FloatArray
from mnist1d_hf.generator.recipe import Recipe
from mnist1d_hf.plot.construction import TEMPLATE, Construction
from mnist1d_hf.plot.signals import DARK, LIGHT, Style, dot_size, draw_signal, extent, grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL.Image import Image

_DPI: Final = 96
_HEADER: Final = 0.82  # inches, for the stages' names, what the stage does, and the digits
_TICK: Final = 10  # milliseconds; a GIF knows hundredths of a second only
_MOVING: Final = 0.55  # of a stage's time; for the rest it stands still
_LAST: Final = 2.5  # the finished signals stand still for so many stages' times
_SHADES: Final = 8  # of a line's edge; few, for a small file


@dataclass(frozen=True)
class Moment:
    """The content of one frame.

    Attributes:
        stage: The stage's place in the construction.
        progress: From 0, the stage before, to 1, the stage itself.
        milliseconds: How long it is shown.
    """

    stage: int
    progress: float
    milliseconds: int


def moments(stages: int, *, fps: int = 20, duration: float = 18.0) -> list[Moment]:
    """Returns the frames of one round: each stage in motion, then at rest; the last rests longest.

    Args:
        stages: How many there are, the template included, which does not move.
        fps: Frames a second while something moves, 1 to 50.
        duration: Seconds of one round.

    Raises:
        ValueError: If no file can be made with these numbers.
    """
    if not 1 <= fps <= 50:
        raise ValueError(f"fps={fps} must be from 1 to 50, the fastest that viewers of GIF files show")
    if not stages <= duration <= 120:
        raise ValueError(f"duration={duration:g} must be from {stages} seconds, one for each stage, to 120")
    ticks = round(duration * 1000 / _TICK)
    share = ticks / (stages - 1 + _LAST)
    step = round(1000 / _TICK / fps)
    steps = max(1, int(_MOVING * share / step))
    shown = [Moment(0, 1.0, round(share))]
    for stage in range(1, stages):
        shown += [Moment(stage, _eased(number / steps), step) for number in range(1, steps)]
        shown.append(Moment(stage, 1.0, round(share) - (steps - 1) * step))
    rest = ticks - sum(moment.milliseconds for moment in shown[:-1])
    shown[-1] = Moment(stages - 1, 1.0, rest)
    return [Moment(each.stage, each.progress, each.milliseconds * _TICK) for each in shown]


def _eased(progress: float) -> float:
    return progress * progress * (3 - 2 * progress)  # slow at both ends


def between(construction: Construction, stage: int, progress: float) -> list[tuple[FloatArray, FloatArray]]:
    """Returns heights and positions of the points of each digit on the way to a stage, positions from 0 to 1.

    Args:
        construction: The signals after each stage.
        stage: The stage's place among `construction.stages`.
        progress: From 0, the stage before, to 1, where the signals are exactly those of the stage.
    """
    names = list(construction.stages)
    name, after = names[stage], construction.stages[names[stage]]
    before = construction.stages[names[max(stage - 1, 0)]]
    if name == "pad":
        return [_padded(x, before.shape[1], progress) for x in after]
    if progress == 1 or name == TEMPLATE:
        return [_spread(x) for x in after]
    if name == "dilate":
        return [_stretched(x, progress) for x in before]
    if name == "translate":
        pairs = zip(before, construction.shift, strict=True)
        return [_spread(_rotated(x, progress * shift)) for x, shift in pairs]
    if before.shape != after.shape:  # resampled: other points on the same line
        return [_spread(x) for x in after]
    return [_spread(x) for x in before + progress * (after - before)]


def _spread(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    return x, np.linspace(0.0, 1.0, len(x))


def _padded(x: FloatArray, template: int, progress: float) -> tuple[FloatArray, FloatArray]:
    """Returns the template with zeros that appear behind it one after another, and its positions; `x` ends in NaN."""
    points = template + round(progress * (np.count_nonzero(~np.isnan(x)) - template))
    return x[:points], np.arange(points) / (template - 1 + progress * (len(x) - template))


def _stretched(x: FloatArray, progress: float) -> tuple[FloatArray, FloatArray]:
    known = x[~np.isnan(x)]
    return known, np.arange(len(known)) * ((1 - progress) / (len(x) - 1) + progress / (len(known) - 1))


def _rotated(x: FloatArray, shift: float) -> FloatArray:
    """Returns a signal rotated to the right, also by parts of a point."""
    place = np.arange(len(x))
    rotated: FloatArray = np.interp(place - shift, place, x, period=len(x))
    return rotated


def explained(recipe: Recipe) -> dict[str, str]:
    """Returns a few words about each stage, with the recipe's numbers."""
    low, high = recipe.padding
    half = recipe.scale_coeff / 2
    permuted = "the same new order of the points for every signal"
    return {
        TEMPLATE: "the clean curve of each digit",
        "pad": f"{low} zeros appended" if low == high else f"{low} to {high} zeros appended",
        "dilate": f"stretched to {recipe.dilated_length} points",
        "scale": f"made larger or smaller, by a factor from {1 - half:g} to {1 + half:g}",
        "translate": f"rotated by 0 to {recipe.max_translation - 1} points"
        if recipe.max_translation > 1
        else "left in place",
        "correlated noise": f"smooth noise where the padding is, of standard deviation {recipe.corr_noise_scale:g} "
        "before it is smoothed",
        "iid noise": f"independent noise on every point, of standard deviation {recipe.iid_noise_scale:g}",
        "shear": f"a ramp added, which rises or falls by up to {recipe.shear_scale / 2:g}",
        "resample": f"taken at {recipe.final_seq_length} points: the finished signals, but for their normalisation",
        "shuffle": permuted,
        "flip": "the points in reverse",
        "shuffle and flip": permuted,
    }


def animate(
    construction: Construction, *, fps: int = 20, duration: float = 18.0, dark: bool = False
) -> Iterator[tuple["Image", int]]:
    """Yields the frames, with how many milliseconds each is shown.

    Args:
        construction: What is to be shown.
        fps: Frames a second while something moves, 1 to 50.
        duration: Seconds of one round.
        dark: White dots on black in place of dark lines on white.

    Raises:
        ValueError: If no file can be made with these numbers.
        ImportError: If matplotlib is not installed.
    """
    shown = moments(len(construction.stages), fps=fps, duration=duration)
    return _frames(construction, shown, DARK if dark else LIGHT)


def save_animation(frames: Iterator[tuple["Image", int]], path: Path) -> None:
    """Writes frames as a GIF that starts again when it is over; the same frames give the same bytes."""
    images, milliseconds = zip(*frames, strict=True)
    images[0].save(path, format="GIF", save_all=True, append_images=images[1:], duration=list(milliseconds), loop=0)


def _frames(construction: Construction, shown: list[Moment], style: Style) -> Iterator[tuple["Image", int]]:
    figure, panels = grid(1, len(construction.digits), style, top=_HEADER)
    half_width = max(extent(signals) for signals in construction.stages.values())
    for panel, (x, place), digit in zip(panels, between(construction, 0, 1.0), construction.digits, strict=True):
        draw_signal(panel, x, place, half_width, style)
        panel.set_title(str(digit), color=style.ink, fontsize=9, pad=3)
    palette = _palette(style)
    header = _Header(figure, construction, style)
    resampled = list(construction.stages).index("resample")
    for moment in shown:
        header.show(moment.stage)
        # The finished signal's points are few enough to be seen.
        marks = 0.0 if moment.stage < resampled else moment.progress if moment.stage == resampled else 1.0
        for panel, (x, place) in zip(panels, between(construction, moment.stage, moment.progress), strict=True):
            _redraw(panel, x, place, style, marks)
        yield _picture(figure, palette), moment.milliseconds


class _Header:
    """The stages' names in a line, that of the present one in ink, and below what it does."""

    def __init__(self, figure: "Figure", construction: Construction, style: Style) -> None:
        width, height = figure.get_size_inches()
        self._style, self._words = style, explained(construction.recipe)
        self._names, letters = [], [len(name) + 4 for name in construction.stages]
        for name, before in zip(construction.stages, np.cumsum([0, *letters]), strict=False):
            left = (0.12 + before * (width - 0.2) / sum(letters)) / width
            self._names.append(figure.text(left, 1 - 0.22 / height, name, fontsize=9, va="center"))
        self._line = figure.text(0.12 / width, 1 - 0.46 / height, "", fontsize=9, va="center", color=style.faint)

    def show(self, stage: int) -> None:
        """Shows which stage this is, and what it does."""
        for number, text in enumerate(self._names):
            text.set_color(self._style.ink if number == stage else self._style.faint)
            text.set_fontweight("bold" if number == stage else "normal")
        self._line.set_text(self._words[self._names[stage].get_text()])


def _redraw(panel: "Axes", x: FloatArray, place: FloatArray, style: Style, marks: float) -> None:
    (line,) = panel.lines
    line.set_data(x, place)
    if style.dots:
        line.set_markersize(dot_size(len(x)))
    elif marks:
        line.set(marker="o", markersize=2.6 * marks, markeredgewidth=0)
    else:
        line.set_marker("")


def _picture(figure: "Figure", palette: npt.NDArray[np.uint8]) -> "Image":
    """Returns the figure in the palette's colours: each pixel in the nearest, so that what is still stays the same."""
    from PIL import Image  # which matplotlib needs

    file = BytesIO()
    figure.set_dpi(_DPI)
    figure.savefig(file, format="rgba", dpi=_DPI)
    width, height = figure.canvas.get_width_height()
    pixels = np.frombuffer(file.getvalue(), dtype=np.uint32).reshape(height, width)
    present, place = np.unique(pixels, return_inverse=True)
    colours = present[:, None].view(np.uint8)[:, :3].astype(int)
    nearest = ((colours[:, None] - palette.astype(int)) ** 2).sum(axis=2).argmin(axis=1)
    image = Image.fromarray(nearest.astype(np.uint8)[place].reshape(height, width))
    image.putpalette(palette.tobytes())
    return image


def _palette(style: Style) -> npt.NDArray[np.uint8]:
    """Returns all colours of the picture, ``(n, 3)``: each ground, and its steps to the colours that stand on it."""
    from matplotlib.colors import to_rgb

    on = {style.ground: (style.ink, style.faint, style.panel), style.panel: (style.ink,)}
    ramps = [
        np.linspace(to_rgb(ground), to_rgb(colour), _SHADES + 1) for ground, colours in on.items() for colour in colours
    ]
    colours: npt.NDArray[np.uint8] = np.unique((255 * np.concatenate(ramps)).round().astype(np.uint8), axis=0)
    return colours

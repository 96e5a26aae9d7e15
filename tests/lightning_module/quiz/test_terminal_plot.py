import unicodedata

import numpy as np
import pytest

from lightning_module.quiz.terminal_plot import Layout, draw, panel
from mnist1d_hf import make_mnist1d

X = make_mnist1d(num_samples=100).test.x[:10]


def dots(lines):
    """The dots of braille text, by the names that Unicode gives the patterns."""
    height, width = len(lines), max(map(len, lines))
    raster = np.zeros((4 * height, 2 * width), dtype=bool)
    place = {1: (0, 0), 2: (1, 0), 3: (2, 0), 7: (3, 0), 4: (0, 1), 5: (1, 1), 6: (2, 1), 8: (3, 1)}
    for row, line in enumerate(lines):
        for column, character in enumerate(line):
            name = unicodedata.name(character)  # BRAILLE PATTERN DOTS-1457
            for dot in name.partition("DOTS-")[2] if name.startswith("BRAILLE") else "":
                down, across = place[int(dot)]
                raster[4 * row + down, 2 * column + across] = True
    return raster


def cells(lines):
    """The dots of plain text."""
    width = max(map(len, lines))
    return np.array([[character == "#" for character in line.ljust(width)] for line in lines])


@pytest.mark.parametrize(("braille", "decode"), [(True, dots), (False, cells)])
@pytest.mark.parametrize("length", [12, 40, 120])
def test_what_is_drawn_is_the_signal(braille, decode, length):
    signal = np.cumsum(np.random.default_rng(length).normal(size=length))
    low, high = signal.min(), signal.max()
    raster = decode(panel(signal, (low, high), width=16, height=12, braille=braille))
    assert raster.shape == ((48, 32) if braille else (12, 16))
    down, across = np.nonzero(raster)
    height, width = raster.shape
    # Every point of the signal has its dot, and every dot lies on the line through the points.
    for number, value in enumerate(signal):
        row, column = number / (length - 1) * (height - 1), (value - low) / (high - low) * (width - 1)
        assert np.hypot(down - row, across - column).min() <= np.sqrt(0.5) + 1e-9
    finely = np.linspace(0, length - 1, 20_000)
    rows = finely / (length - 1) * (height - 1)
    columns = (np.interp(finely, np.arange(length), signal) - low) / (high - low) * (width - 1)
    for row, column in zip(down, across, strict=True):
        assert np.maximum(np.abs(rows - row), np.abs(columns - column)).min() <= 0.51


def test_the_line_has_no_holes():
    for signal in X:
        raster = dots(panel(signal, (signal.min(), signal.max()), width=16, height=10))
        down, across = np.nonzero(raster)
        reached, front = {(down[0], across[0])}, [(down[0], across[0])]
        every = set(zip(down, across, strict=True))
        while front:
            y, x = front.pop()
            near = {(y + i, x + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & every - reached
            reached |= near
            front += near
        assert reached == every


def test_amplitude_runs_to_the_right_and_position_downwards():
    raster = dots(panel(np.linspace(-1, 1, 40), (-1, 1), width=10, height=10))
    assert raster[0, 0]
    assert raster[-1, -1]
    centres = [np.flatnonzero(line).mean() for line in raster]
    assert centres == sorted(centres)


def test_a_flat_signal_is_a_line_in_the_middle():
    assert dots(panel(np.zeros(40), (0.0, 0.0), width=11, height=10)).any(axis=0).nonzero()[0].tolist() == [10]


@pytest.mark.parametrize(
    ("columns", "per_row"), [(10, 1), (26, 2), (40, 3), (60, 3), (79, 5), (80, 5), (100, 5), (138, 10), (200, 10)]
)
@pytest.mark.parametrize("braille", [True, False])
def test_ten_signals_fit_into_the_width_of_any_terminal(columns, per_row, braille):
    layout = Layout.fitting(10, columns=columns, lines=24, braille=braille)
    lines = draw(X, range(1, 11), layout)
    assert max(map(len, lines)) <= columns
    assert layout.per_row == per_row
    titles = [line.split() for line in lines if line.strip() and set(line) <= set("0123456789 ")]
    assert [int(title) for line in titles for title in line] == list(range(1, 11))


def test_in_a_usual_terminal_a_point_has_its_line_of_dots_and_ten_signals_are_seen_at_once():
    layout = Layout.fitting(10, columns=80, lines=24)
    assert layout.per_row == 5
    assert 4 * layout.height >= 40
    assert len(draw(X, range(1, 11), layout)) < 24
    assert Layout.fitting(10, columns=80, lines=50).height > layout.height
    assert len(draw(X, range(1, 11), Layout.fitting(10, columns=80, lines=32))) < 32


def test_all_panels_of_a_drawing_have_one_scale():
    signals = np.stack([np.linspace(-1, 1, 40), np.linspace(-0.5, 0.5, 40)])
    lines = draw(signals, "ab", Layout(2, 10, 10))[1:]
    wide, narrow = dots([line.ljust(22)[:10] for line in lines]), dots([line.ljust(22)[12:] for line in lines])
    assert np.ptp(np.nonzero(wide)[1]) == 19
    assert np.ptp(np.nonzero(narrow)[1]) == pytest.approx(9.5, abs=1)


def test_the_digits_survive_the_drawing():
    """Read back from the text, each signal is most like itself among all."""
    test = make_mnist1d().test.x[:200]
    layout = Layout.fitting(10)
    read = []
    for first in range(0, 200, 10):
        lines = draw(test[first : first + 10], range(10), layout)
        for top in (1, 2 + layout.height):
            text = [line.ljust(80) for line in lines[top : top + layout.height]]
            for left in range(0, 80, 16):
                raster = dots([line[left : left + layout.width] for line in text])
                read.append([np.flatnonzero(line).mean() for line in raster])
    likeness = np.corrcoef(np.array(read), test)[:200, 200:]
    assert likeness.argmax(axis=1).tolist() == list(range(200))
    assert np.median(likeness.diagonal()) > 0.97

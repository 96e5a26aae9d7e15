import builtins
import io
import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mnist1d_hf import make_mnist1d
from mnist1d_hf.generator.stages import STAGES
from mnist1d_hf.generator.templates import digit_templates
from mnist1d_hf.plot import signals


@pytest.fixture(scope="module")
def arrays():
    return make_mnist1d(num_samples=200, trace=True)


def drawn(figure):
    """Horizontal values of the signal in each visible panel, in reading order."""
    return [axes.lines[0].get_xdata() for axes in figure.axes if axes.get_visible()]


def rendered(figure):
    """The picture as an array of colours; drawing it also runs whatever matplotlib puts off until then."""
    file = io.BytesIO()
    figure.savefig(file, format="raw", dpi=50)
    return np.frombuffer(file.getvalue(), dtype=np.uint8).reshape(-1, 4)


def laid_out(figure):
    """A renderer that knows the size of every text, once the figure has been drawn."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return canvas.get_renderer()


@pytest.mark.parametrize(("n", "rows", "columns"), [(1, 1, 1), (4, 1, 4), (10, 1, 10), (23, 3, 10)])
def test_any_number_of_signals_stands_in_rows_of_ten(arrays, n, rows, columns):
    x, y = arrays.train.x[:n], arrays.train.y[:n]
    figure = signals.plot_signals(x, y, arrays.t)
    assert type(figure) is Figure
    assert len(figure.axes) == rows * columns
    assert np.array_equal(drawn(figure), x)
    assert [axes.get_title() for axes in figure.axes][:n] == [str(label) for label in y]
    tops = sorted({round(axes.get_position().y1, 6) for axes in figure.axes})
    assert len(tops) == rows
    assert rendered(figure).std() > 0


def test_amplitude_to_the_right_position_downwards_one_scale_for_all(arrays):
    figure = signals.plot_signals(arrays.train.x[:10], t=arrays.t)
    limits = {axes.get_xlim() for axes in figure.axes}
    ((low, high),) = limits
    assert -low == high > np.abs(arrays.train.x[:10]).max()
    bottom, top = figure.axes[0].get_ylim()
    assert bottom > arrays.t.max() > arrays.t.min() > top
    assert np.array_equal(figure.axes[0].lines[0].get_ydata(), arrays.t)
    assert all(not axes.get_xticks().size and not axes.get_yticks().size for axes in figure.axes)


def test_one_signal_may_come_alone_and_flat_ones_may_come_too(arrays):
    assert np.array_equal(drawn(signals.plot_signals(arrays.train.x[0], 3))[0], arrays.train.x[0])
    assert signals.plot_signals(np.zeros((2, 5))).axes[0].get_xlim() == (-1, 1)


def test_dark_is_light_dots_on_dark_ground(arrays):
    light, dark = (signals.plot_signals(arrays.train.x[:10], arrays.train.y[:10], dark=dark) for dark in (False, True))
    assert rendered(light)[:, :3].mean() > 200
    assert rendered(dark)[:, :3].mean() < 60
    assert {axes.lines[0].get_linestyle() for axes in light.axes} == {"-"}
    assert {axes.lines[0].get_linestyle() for axes in dark.axes} == {"None"}
    assert {axes.lines[0].get_marker() for axes in dark.axes} == {"o"}


def test_templates():
    figure = signals.plot_templates()
    assert np.array_equal(drawn(figure), digit_templates().x)
    assert [axes.get_title() for axes in figure.axes] == [str(digit) for digit in range(10)]


def test_stages_are_a_row_each_with_a_column_per_digit_below_the_templates(arrays):
    figure = signals.plot_stages(arrays)
    lines = drawn(figure)
    assert len(lines) == 90
    assert np.array_equal(lines[:10], digit_templates().x)
    for row, stage in enumerate(STAGES, start=1):
        for digit in range(10):
            first = int(np.flatnonzero(arrays.train.y == digit)[0])
            expected = arrays.train.trace[stage][first]
            assert np.array_equal(lines[10 * row + digit], expected, equal_nan=True), (stage, digit)
    assert [axes.get_title() for axes in figure.axes] == [*map(str, range(10)), *[""] * 80]
    assert [figure.axes[10 * row].get_ylabel() for row in range(9)] == ["template", *STAGES]
    # The names of the stages stand left of the panels, inside the figure.
    renderer = laid_out(figure)
    assert min(axes.yaxis.label.get_window_extent(renderer).x0 for axes in figure.axes[::10]) > 0


def test_stages_of_one_digit_are_a_panel_each(arrays):
    figure = signals.plot_stages(arrays, digit=4)
    assert [axes.get_title() for axes in figure.axes] == ["template", *STAGES]
    first = int(np.flatnonzero(arrays.train.y == 4)[0])
    assert np.array_equal(drawn(figure)[-1], arrays.train.trace["resample"][first])
    renderer = laid_out(figure)
    titles = [axes.title.get_window_extent(renderer) for axes in figure.axes]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(titles))  # none runs into the next


def test_stages_need_nothing():
    assert len(signals.plot_stages(dark=True).axes) == 90


def test_stages_of_another_example(arrays):
    second = int(np.flatnonzero(arrays.train.y == 3)[1])
    assert np.array_equal(
        drawn(signals.plot_stages(arrays, digit=3, index=1))[-1], arrays.train.trace["resample"][second]
    )


def test_a_learning_curve_has_a_panel_per_measure_and_a_line_per_split():
    rows = [
        {"step": 0, "train_accuracy": 0.1, "test_accuracy": 0.1, "train_loss": 2.3, "test_loss": 2.4},
        {"step": 250, "train_accuracy": 0.6, "test_accuracy": 0.5, "train_loss": 1.3},
    ]
    figure = signals.plot_learning_curve(iter(rows))
    accuracy, loss = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["accuracy", "loss"]
    lines = {line.get_label(): line.get_xydata().tolist() for line in accuracy.lines}
    assert lines == {"train": [[0, 0.1], [250, 0.6]], "test": [[0, 0.1], [250, 0.5]]}
    assert {line.get_label(): len(line.get_xdata()) for line in loss.lines} == {"train": 2, "test": 1}
    assert accuracy.yaxis.get_major_formatter()(0.5) == "50 %"
    assert rendered(figure).std() > 0


def test_a_learning_curve_may_be_of_accuracy_alone():
    figure = signals.plot_learning_curve([{"step": 1, "val_accuracy": 0.2}, {"step": 2, "val_accuracy": 0.3}])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["accuracy"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: signals.plot_signals(np.zeros((0, 40))), r"x has shape \(0, 40\); it must be \(n, length\)"),
        (lambda: signals.plot_signals(np.zeros((2, 3, 4))), r"x has shape \(2, 3, 4\)"),
        (lambda: signals.plot_signals(np.ones((2, 5)), y=[1, 2, 3]), r"y has shape \(3,\); with these .* \(2,\)"),
        (lambda: signals.plot_signals(np.ones((2, 5)), t=np.ones(4)), r"t has shape \(4,\); with these .* \(5,\)"),
        (lambda: signals.plot_signals(np.ones((2, 5)), columns=0), "columns=0 must be at least 1"),
        (lambda: signals.plot_stages(make_mnist1d(num_samples=20)), r"no trace; .*trace=True"),
        (lambda: signals.plot_stages(digit=10), "digit=10 does not occur in train"),
        (lambda: signals.plot_learning_curve([{"train_loss": 1.0}]), "every row must have a 'step'"),
        (lambda: signals.plot_learning_curve([{"step": 1, "acc": 1.0}]), "at least one of train_accuracy, "),
        (lambda: signals.plot_learning_curve([]), "nothing to draw"),
    ],
    ids=range(10),
)
def test_what_cannot_be_drawn_is_an_error_that_says_why(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_nothing_global_changes_and_no_window_opens(arrays):
    from matplotlib import pyplot

    before = dict(matplotlib.rcParams)
    signals.plot_signals(arrays.train.x[:3])
    signals.plot_stages(arrays, digit=0)
    signals.plot_learning_curve([{"step": 1, "test_loss": 1.0}])
    assert dict(matplotlib.rcParams) == before
    assert pyplot.get_fignums() == []


def test_without_matplotlib_the_error_says_how_to_get_it(monkeypatch):
    def no_matplotlib(name, *args, **kwargs):
        if name.split(".")[0] == "matplotlib":
            raise ModuleNotFoundError("No module named 'matplotlib'", name=name)
        return real_import(name, *args, **kwargs)

    real_import = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", no_matplotlib)
    with pytest.raises(ImportError, match=r'pip install "mnist1d-hf\[plot\]"'):
        signals.plot_templates()

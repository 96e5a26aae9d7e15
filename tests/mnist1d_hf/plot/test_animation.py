import itertools
from pathlib import Path

import numpy as np
import pytest

from mnist1d_hf import make_mnist1d
from mnist1d_hf.generator.recipe import RECIPES, Recipe
from mnist1d_hf.generator.stages import STAGES
from mnist1d_hf.plot.animation import animate, between, explained, moments, save_animation
from mnist1d_hf.plot.construction import Construction

Image = pytest.importorskip("PIL.Image")

SMALL = Recipe(num_samples=200)
PANEL = (0xF4, 0xF5, 0xF7)


@pytest.fixture(scope="module")
def construction():
    return Construction.make(SMALL)


@pytest.fixture(scope="module")
def file(construction, tmp_path_factory):
    path = tmp_path_factory.mktemp("animation") / "mnist1d.gif"
    save_animation(animate(construction, fps=6, duration=9), path)
    return path


def frames(path):
    """Each frame's pixels, and its milliseconds, as a viewer of the file sees them."""
    with Image.open(path) as image:
        for number in range(image.n_frames):
            image.seek(number)
            yield np.asarray(image.convert("RGB")), image.info["duration"]


def panels(pixels):
    """The ten rectangles of panel colour: left, right, top and bottom."""
    ground = (pixels == PANEL).all(axis=2)
    top, bottom = np.flatnonzero(ground.sum(axis=1) > ground.shape[1] / 2)[[0, -1]]
    columns = np.flatnonzero(ground[top : top + 4].all(axis=0))
    groups = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
    return [(group[0], group[-1] + 1, top, bottom + 1) for group in groups]


def assert_shows(pixels, signals, half_width):
    """Each panel is dark where its signal is, and nowhere else."""
    found = panels(pixels)
    assert len(found) == len(signals) == 10
    dark = pixels.astype(int).sum(axis=2) < 400
    for (left, right, top, bottom), signal in zip(found, signals, strict=True):
        finely = np.linspace(0, len(signal) - 1, 2000)
        heights = np.interp(finely, np.arange(len(signal)), signal)
        across = left + (right - left) * (heights / half_width + 1) / 2
        down = top + (bottom - top) * (0.06 + finely / (len(signal) - 1)) / 1.12
        expected = np.zeros_like(dark)
        expected[down.astype(int), across.astype(int)] = True
        near = np.zeros_like(dark)
        for dy, dx in itertools.product(range(-2, 3), repeat=2):
            near |= np.roll(expected, (dy, dx), axis=(0, 1))
        box = np.zeros_like(dark)
        box[top:bottom, left:right] = True
        assert not (dark & box & ~near).any()
        close = np.zeros_like(dark)
        for dy, dx in itertools.product(range(-1, 2), repeat=2):
            close |= np.roll(dark, (dy, dx), axis=(0, 1))
        assert close[expected].mean() > 0.99


def test_the_file_goes_on_for_ever_and_takes_the_time_asked_for(file, construction):
    with Image.open(file) as image:
        assert image.info["loop"] == 0
        assert image.n_frames > len(construction.stages)
    times = [milliseconds for _, milliseconds in frames(file)]
    assert sum(times) == 9000
    assert times[-1] > 2 * times[0] > 1000


def test_first_and_last_frame_are_templates_and_finished_signals(file, construction):
    largest = max(np.nanmax(np.abs(signals)) for signals in construction.stages.values())
    shown = [pixels for pixels, _ in frames(file)]
    assert_shows(shown[0], construction.stages["template"], 1.1 * largest)
    arrays = make_mnist1d(SMALL)
    rows = [int(np.flatnonzero(arrays.train.y == digit)[0]) for digit in range(10)]
    assert_shows(shown[-1], arrays.train.x[rows] * arrays.std + arrays.mean, 1.1 * largest)


def test_the_same_again_is_the_same_file(file, construction, tmp_path):
    save_animation(animate(construction, fps=6, duration=9), tmp_path / "again.gif")
    assert (tmp_path / "again.gif").read_bytes() == file.read_bytes()


def test_dark_is_light_on_dark(construction):
    image, _ = next(animate(construction, dark=True))
    assert np.asarray(image.convert("RGB")).mean() < 60


@pytest.mark.parametrize(("fps", "duration"), [(1, 9.0), (7, 13.37), (20, 18.0), (50, 120.0)])
def test_every_stage_comes_to_rest_in_its_order_within_the_time(fps, duration):
    shown = moments(9, fps=fps, duration=duration)
    assert sum(moment.milliseconds for moment in shown) == round(100 * duration) * 10
    assert [moment.stage for moment in shown if moment.progress == 1] == list(range(9))
    assert [moment.stage for moment in shown] == sorted(moment.stage for moment in shown)
    assert all(0 < moment.progress <= 1 and moment.milliseconds >= 20 for moment in shown)
    for one, other in itertools.pairwise(shown):
        assert other.progress > one.progress or other.stage == one.stage + 1
    assert all(abs(m.milliseconds - 1000 / fps) < 10 for m in shown if m.progress < 1)


def test_at_rest_a_stage_is_exactly_its_signals(construction):
    for number, (name, signals) in enumerate(construction.stages.items()):
        for (x, place), expected in zip(between(construction, number, 1.0), signals, strict=True):
            known = expected[~np.isnan(expected)]
            np.testing.assert_array_equal(x, known)
            span = (len(known) - 1) / (len(expected) - 1)
            np.testing.assert_allclose(place, np.linspace(0, span, len(known)), atol=1e-12, err_msg=name)


def test_nothing_jumps_between_two_frames(construction):
    """Drawn as curves over the positions, neighbouring frames hardly differ, also from one stage to the next."""
    grid = np.linspace(0, 1, 500)
    before = None
    for number, progress in itertools.product(range(1, len(construction.stages)), np.linspace(0, 1, 200)):
        drawn = between(construction, number, progress)
        now = np.array([np.interp(grid, place, x, right=0) for x, place in drawn])
        if before is not None:
            assert np.abs(now - before).mean() < 0.02, (list(construction.stages)[number], progress)
        before = now


def test_a_rotation_moves_the_digit_the_way_that_the_generator_does():
    quiet = Construction.make(SMALL.replace(corr_noise_scale=0.0, iid_noise_scale=0.0))
    stage = list(quiet.stages).index("translate")
    digit = int(quiet.shift.argmax())
    peaks = [int(np.abs(between(quiet, stage, progress)[digit][0]).argmax()) for progress in np.linspace(0, 1, 30)]
    assert peaks == sorted(peaks)
    assert peaks[-1] - peaks[0] == quiet.shift[digit] > 20


@pytest.mark.parametrize("named", RECIPES.values(), ids=RECIPES)
def test_every_stage_of_every_config_is_explained(named):
    words = explained(named.recipe)
    assert set(words) >= {"template", *STAGES}
    assert f"{named.recipe.final_seq_length} points" in words["resample"]


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"fps": 0}, "fps=0 must be from 1 to 50"),
        ({"fps": 60}, "fps=60 must be from 1 to 50"),
        ({"duration": 8.5}, "duration=8.5 must be from 9 seconds, one for each stage, to 120"),
        ({"duration": float("nan")}, "duration=nan must be"),
    ],
)
def test_numbers_that_make_no_file_are_an_error_before_anything_is_drawn(construction, numbers, said):
    with pytest.raises(ValueError, match=said):
        animate(construction, **numbers)


def test_the_picture_of_the_readme_is_of_the_default_config_and_small():
    path = Path(__file__).parents[3] / "docs" / "images" / "construction.gif"
    assert path.stat().st_size < 700_000
    made = Construction.make(Recipe())
    largest = max(np.nanmax(np.abs(signals)) for signals in made.stages.values())
    shown = list(frames(path))
    assert_shows(shown[0][0], made.stages["template"], 1.1 * largest)
    assert_shows(shown[-1][0], made.stages["resample"], 1.1 * largest)
    with Image.open(path) as image:
        assert image.info["loop"] == 0

"""The tab Break without a browser: the shipped networks are the benchmark's, and signals change as the sliders say."""

import numpy as np
import pytest
import torch

from lightning_module.explorer.break_ import pictures
from lightning_module.explorer.break_.accuracy import FILE, TOLD, computed_limit, known_limit, measured, networks, sweep
from lightning_module.explorer.break_.signals import OUTSIDE, SLIDERS, Setting, drawn
from lightning_module.networks import REFERENCE
from lightning_module.studies import committed_result
from mnist1d_hf import make_mnist1d
from mnist1d_hf.bayes.limits import bayes_limits, committed_limits


def test_the_networks_read_the_frozen_test_split_as_the_benchmarks_do():
    test = make_mnist1d(dtype=np.float32).test
    rows = committed_result("benchmark").tables["rows"]
    for name, of_seeds in networks().items():
        with torch.inference_mode():
            read = [network(torch.from_numpy(test.x.copy())).argmax(1).numpy() for network in of_seeds]
        ours = np.mean([(each == test.y).mean() for each in read])
        theirs = rows[(rows["arm"] == "frozen") & (rows["network"] == name) & (rows["points"] == "own")]
        theirs = theirs[(theirs["on"] == "test") & (theirs["step"] == 6000)]["accuracy"].mean()
        assert ours == pytest.approx(theirs, abs=0.015)
    assert [*networks()] == [*REFERENCE]


def test_a_setting_changes_what_it_says_and_draws_no_other_signals():
    usual = drawn(Setting())
    noisy = drawn(Setting(iid_noise_scale=0.1))
    assert (usual.y == noisy.y).all()
    assert 0.05 < np.abs(usual.x - noisy.x).mean() < 0.5
    assert (drawn(Setting()).x == usual.x).all()
    for name, (_, change) in OUTSIDE.items():
        assert (change(usual.x, 0.0) == usual.x).all(), name
        assert not np.allclose(drawn(Setting(outside=name, amount=1.0)).x, usual.x), name
    assert np.allclose(drawn(Setting(outside="flip", amount=1.0)).x, -usual.x)
    gapped = drawn(Setting(outside="gap", amount=0.5)).x
    assert ((gapped == 0).sum(axis=1) >= 10).all()


def test_noise_takes_accuracy_from_networks_and_from_anybody():
    usual, noisy = measured(Setting()), measured(Setting(iid_noise_scale=0.15))
    for name in REFERENCE:
        assert np.mean(noisy.accuracy[name]) < np.mean(usual.accuracy[name])
        assert np.mean(usual.digits[name]) == pytest.approx(1 - np.mean(usual.accuracy[name]), abs=0.02)
    assert np.mean(usual.accuracy["cnn"]) > 0.9
    last = computed_limit(Setting(iid_noise_scale=0.15), TOLD[-1], lambda: True)
    assert known_limit(Setting(iid_noise_scale=0.15)) is last
    assert np.mean(noisy.accuracy["cnn"]) < last.accuracy < 0.95


def test_the_bayes_limit_is_the_one_of_the_recipe():
    assert known_limit(Setting()).accuracy == committed_limits()["default"].accuracy.mean
    near = Setting(iid_noise_scale=0.08)
    first, last = (computed_limit(near, signals, lambda: True) for signals in TOLD)
    assert first.signals == TOLD[0]
    known = bayes_limits("default", n=400, iid_noise_scale=0.08).accuracy
    assert last.accuracy == pytest.approx(known.mean, abs=4 * (last.error + known.error))
    assert last.signals == 320


def test_a_limit_is_interpolated_at_once_where_only_the_noise_differs():
    far = Setting(iid_noise_scale=0.11)
    between = known_limit(far)
    assert (between.signals, "interpolated" in pictures.limit(far, between)) == (0, True)
    known = bayes_limits("default", n=400, iid_noise_scale=0.11).accuracy
    assert between.accuracy == pytest.approx(known.mean, abs=0.01 + 4 * known.error)


def test_a_curve_goes_over_the_whole_slider_and_through_where_it_stands():
    curves = sweep(Setting(), "shear_scale", lambda: True)
    assert [curves["cnn"][place][0] for place in (0, -1)] == [0, 3]
    found = dict(sweep(Setting(), "iid_noise_scale", lambda: True)["cnn"])
    some = sorted(found)[2]
    assert found[some] == pytest.approx(np.mean(measured(Setting(iid_noise_scale=some)).accuracy["cnn"]))
    assert pictures.curves(curves, "shear_scale").count("<polyline") == 4
    assert sweep(Setting(), "shear_scale", lambda: False) is None


def test_a_limit_that_is_not_wanted_any_more_is_not_computed():
    assert computed_limit(Setting(iid_noise_scale=0.29), TOLD[0], lambda: False) is None
    assert known_limit(Setting(iid_noise_scale=0.29)).signals == 0  # interpolated, as it was
    assert known_limit(Setting(shear_scale=2.5)) is None


def test_outside_the_recipe_there_is_no_limit_and_it_is_said():
    setting = Setting(outside="bend")
    with pytest.raises(ValueError, match="no exact posterior"):
        computed_limit(setting, TOLD[0], lambda: True)
    assert "outside the recipe" in pictures.limit(setting, None)
    assert "m1-bayes" not in pictures.limit(setting, None)


@pytest.mark.parametrize(
    "changes",
    [
        *({each.name: each.high * 1.01 + 1} for each in SLIDERS),
        {"outside": "<b>"},
        {"amount": 1.1},
        {"shear_scale": None},
    ],
)
def test_what_is_out_of_bounds_is_refused_by_its_name(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        Setting(**changes)


def test_pictures_have_a_row_for_each_network_and_a_column_for_each_digit():
    now = measured(Setting())
    assert pictures.bars(now, now).count("<li") == 4
    table = pictures.details(now)
    assert table.count("<td") == 40
    assert table.count("<figure") == 10


def test_the_file_of_the_networks_is_small(request):
    file = request.config.rootpath / "lightning_module" / "explorer" / "break_" / FILE
    assert file.stat().st_size < 400_000

"""The augmentations against NumPy, signal by signal."""

import numpy as np
import pytest
import torch

from lightning_module.studies.methods.simclr.augmentations import (
    ViewDraws,
    add_trend,
    augment,
    detrend,
    draw,
    roll,
    stack_draws,
)

PLACES = np.arange(40) - 19.5


@pytest.fixture
def x():
    return torch.randn(6, 40, generator=torch.Generator().manual_seed(1), dtype=torch.float64) + 2


def test_detrended_signals_are_the_residuals_of_a_fitted_line(x):
    expected = [signal - np.polyval(np.polyfit(PLACES, signal, 1), PLACES) for signal in x.numpy()]
    np.testing.assert_allclose(detrend(x), expected, atol=1e-12)


def test_each_signal_rolls_by_its_own_shift(x):
    shift = torch.tensor([0, 1, 9, 39, 40, 3])
    expected = torch.stack([torch.roll(signal, int(by)) for signal, by in zip(x, shift, strict=True)])
    assert torch.equal(roll(x, shift), expected)


def test_a_trend_is_a_line_around_the_middle(x):
    slope, offset = torch.linspace(-1, 1, 6, dtype=torch.float64), torch.arange(6, dtype=torch.float64)
    line = slope[:, None].numpy() * PLACES + offset[:, None].numpy()
    np.testing.assert_allclose(add_trend(x, slope, offset) - x, line, atol=1e-12)


def test_two_views_of_each_signal_are_those_of_the_protocol(x):
    draws = draw(2, 6, generator=torch.Generator().manual_seed(3))
    views = augment(x, draws)
    assert views.shape == (2, 6, 40)
    for view in range(2):
        for i, signal in enumerate(x.numpy()):
            slope = np.polyfit(PLACES, signal, 1)[0]
            shift, new_slope, offset = (float(tensor[view, i]) for tensor in draws)
            rest = np.roll(signal - signal.mean() - slope * PLACES, int(shift))
            np.testing.assert_allclose(views[view, i], rest + new_slope * PLACES + offset, atol=1e-12)


def test_draws_have_the_published_scales_and_depend_on_their_generator_alone():
    draws = draw(20_000, generator=torch.Generator().manual_seed(0))
    assert sorted(set(draws.shift.tolist())) == list(range(10))
    assert torch.bincount(draws.shift).min() > 1800
    assert draws.slope.std().item() == pytest.approx(0.04, rel=0.03)
    assert draws.offset.std().item() == pytest.approx(0.3, rel=0.03)
    again = draw(20_000, generator=torch.Generator().manual_seed(0))
    assert all(torch.equal(a, b) for a, b in zip(draws, again, strict=True))


def test_stacked_draws_are_those_of_each_generator():
    def generators():
        return [torch.Generator().manual_seed(seed) for seed in (4, 5)]

    alone = [draw(2, 3, generator=generator) for generator in generators()]
    together = stack_draws([draw(2, 3, generator=generator) for generator in generators()])
    assert isinstance(together, ViewDraws)
    for k, own in enumerate(alone):
        assert all(torch.equal(a[k], b) for a, b in zip(together, own, strict=True))

"""Many inner trainings at once against modules that are trained one by one."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lightning_module.datamodule import Examples
from lightning_module.studies.methods.activation.functions import INTERCEPTS, KNOTS, SLOPES, piecewise, straightened
from lightning_module.studies.methods.activation.inner_training import (
    Setting,
    accuracies,
    initial_networks,
    settings_of,
    train_networks,
    uniform_noise,
)

SETTINGS = [Setting(0.01, 1.0, 1.0), Setting(0.03, 2.0, 0.5)]


@pytest.fixture(scope="module")
def examples() -> Examples:
    generator = torch.Generator().manual_seed(0)
    return Examples(torch.randn(2, 300, 40, generator=generator), torch.randint(10, (2, 300), generator=generator))


def one_by_one(seed, setting, x, y, noise):
    """Returns losses and predictions of a module of linear layers, with the optimiser of the protocol."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        first, second = nn.Linear(40, 128), nn.Linear(128, 10)
    parameters = [*first.parameters(), *second.parameters()]
    squares = [torch.ones_like(p) for p in parameters]

    def logits(x, noise):
        return second(setting.outward * F.silu(setting.inward * first(x)) + noise)

    losses = []
    for step, added in enumerate(noise):
        rows = slice(100 * step % 300, 100 * step % 300 + 100)
        loss = F.cross_entropy(logits(x[rows], added), y[rows])
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for p, g, s in zip(parameters, gradients, squares, strict=True):
                s.mul_(0.4).add_(0.6 * g * g)
                p -= setting.rate * g / (s.sqrt() + 1e-8)
        losses.append(loss.item())
    return losses, logits(x, 0.0).argmax(1)


@pytest.mark.parametrize("shared", [False, True])
def test_networks_are_those_trained_one_by_one(examples, shared):
    noise = torch.stack([uniform_noise(seed, steps=5) for seed in (4, 5)])
    data = Examples(examples.x[0], examples.y[0]) if shared else examples
    trained = train_networks(F.silu, initial_networks([4, 5]), data, noise[0] if shared else noise, SETTINGS)
    for i, seed in enumerate((4, 5)):
        own = 0 if shared else i
        losses, predicted = one_by_one(seed, SETTINGS[i], examples.x[own], examples.y[own], noise[own])
        assert trained.losses[i].tolist() == pytest.approx(losses, abs=2e-5)
        (accuracy,) = accuracies(
            F.silu, trained.networks[i : i + 1], Examples(examples.x[own], examples.y[own]), SETTINGS[i : i + 1]
        )
        assert accuracy == pytest.approx(float((predicted == examples.y[own]).double().mean()), abs=0.01)


def test_all_settings():
    settings = settings_of((0.1, 0.2), (1.0,), (1.0, 2.0))
    assert settings == [Setting(0.1, 1, 1), Setting(0.1, 1, 2), Setting(0.2, 1, 1), Setting(0.2, 1, 2)]


def test_published_pieces_nearly_meet():
    for i, knot in enumerate(KNOTS):
        left, right = (SLOPES[j] * knot + INTERCEPTS[j] for j in (i, i + 1))
        assert abs(left - right) < 0.08
    x = torch.tensor([-3.0, -1.5, 0.0, 0.3, 2.0])
    assert piecewise(x).tolist() == pytest.approx([0.45, 0.475, -0.75, -0.79, 1.0])


def test_straight_pieces_of_straight_pieces_are_the_same():
    hinged = straightened(lambda x: 0.3 - x + 2 * torch.relu(x + 1) - 0.7 * torch.relu(x - 0.6))
    x = torch.linspace(-5, 5, 77)
    torch.testing.assert_close(
        hinged(x), 0.3 - x + 2 * torch.relu(x + 1) - 0.7 * torch.relu(x - 0.6), atol=1e-4, rtol=0
    )

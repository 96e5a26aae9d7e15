"""The tabulated activation function against its definition, differentiated by torch as often as it takes."""

import pytest
import torch
from torch.nn import functional as F

from lightning_module.studies.methods.activation.tabulated import PORTION, REACH, SIZE, activation, mlp, taylor_table


@pytest.fixture(scope="module")
def weights() -> torch.Tensor:
    """Weights three times as large as torch's initial ones: more curved than any that were learned."""
    generator = torch.Generator().manual_seed(1)
    return 3 * (2 * torch.rand(SIZE, generator=generator, dtype=torch.float64) - 1)


def definition(weights: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return F.elu(x) + PORTION * mlp(weights, x)


def test_mlp_is_two_linear_layers(weights):
    first, second = torch.nn.Linear(1, 100).double(), torch.nn.Linear(100, 1).double()
    parts = [first.weight, first.bias, second.weight, second.bias]
    with torch.no_grad():
        for part, values in zip(parts, torch.split(weights, [part.numel() for part in parts]), strict=True):
            part.copy_(values.view_as(part))
    x = torch.linspace(-4, 4, 50, dtype=torch.float64)
    expected = second(torch.tanh(first(x[:, None])))[:, 0] - weights[-1]
    torch.testing.assert_close(mlp(weights, x), expected)


def test_value_slope_and_curvature(weights):
    x = torch.linspace(-9.9, 9.9, 2001, dtype=torch.float64, requires_grad=True)
    value, slope = activation(x, taylor_table(weights))
    expected = definition(weights, x)
    (expected_slope,) = torch.autograd.grad(expected.sum(), x, create_graph=True)
    (expected_curvature,) = torch.autograd.grad(expected_slope.sum(), x)
    (curvature,) = torch.autograd.grad(slope.sum(), x, retain_graph=True)
    (by_value,) = torch.autograd.grad(value.sum(), x)
    # float32 rounds to 6e-8 of a number; these are all of order 1 to 100.
    torch.testing.assert_close(value, expected, rtol=0, atol=1e-8)
    torch.testing.assert_close(slope, expected_slope, rtol=0, atol=1e-6)
    torch.testing.assert_close(by_value, expected_slope, rtol=0, atol=1e-6)
    torch.testing.assert_close(curvature, expected_curvature, rtol=0, atol=2e-3)


def test_gradient_by_the_weights(weights):
    generator = torch.Generator().manual_seed(2)
    x = (6 * torch.randn(40, 7, generator=generator, dtype=torch.float64)).requires_grad_()
    c, d = torch.randn(2, 40, 7, generator=generator, dtype=torch.float64)
    ours, theirs = (weights.clone().requires_grad_() for _ in range(2))
    value, slope = activation(x, taylor_table(ours))
    expected = definition(theirs, x)
    (expected_slope,) = torch.autograd.grad(expected.sum(), x, create_graph=True)
    (gradient,) = torch.autograd.grad((c * value + d * slope).sum(), ours)
    (wanted,) = torch.autograd.grad((c * expected + d * expected_slope).sum(), theirs, allow_unused=True)
    torch.testing.assert_close(gradient, wanted, rtol=1e-5, atol=1e-6)


def test_beyond_the_table_it_is_straight(weights):
    table = taylor_table(weights)
    x = torch.tensor([REACH, REACH + 1, REACH + 10, -REACH, -REACH - 1, -REACH - 10], dtype=torch.float64)
    x.requires_grad_()
    value, slope = activation(x, table)
    assert float(value[2] - value[0]) == pytest.approx(10 * float(slope[0]), rel=1e-9)
    assert float(slope[5]) == pytest.approx(float(slope[3]), abs=1e-9)
    (curvature,) = torch.autograd.grad(slope.sum(), x)
    assert curvature[[1, 2]].tolist() == [0.0, 0.0]
    assert curvature[[4, 5]].abs().max() < 1e-12


def test_float32_is_as_good_as_the_definition_in_float32(weights):
    x = torch.linspace(-9, 9, 5001)
    single = weights.float()
    exact = definition(weights, x.double())
    error = (activation(x, taylor_table(single))[0].double() - exact).abs().max()
    error_of_definition = (definition(single, x).double() - exact).abs().max()
    assert error < 2 * error_of_definition


def test_other_memory_layouts(weights):
    x = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    table = taylor_table(weights)
    turned = x.permute(0, 3, 1, 2).detach().requires_grad_()
    value, _ = activation(turned, table)
    torch.testing.assert_close(value.permute(0, 2, 3, 1), activation(x, table)[0])
    (gradient,) = torch.autograd.grad(value.sum(), turned)
    torch.testing.assert_close(gradient, activation(turned.detach(), table)[1])

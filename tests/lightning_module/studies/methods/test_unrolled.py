"""Hypergradients against finite differences, forward-mode differentiation and torch's own optimiser."""

import pytest
import torch
import torch.autograd.forward_ad as forward_mode
from torch import nn

from lightning_module.datamodule import Examples
from lightning_module.studies.methods.unrolled import (
    descend,
    held_for_backward,
    hypergradient,
    initial_weights,
    logits,
    minibatches,
    unroll,
)


@pytest.fixture(scope="module")
def examples() -> Examples:
    generator = torch.Generator().manual_seed(3)
    return Examples(
        torch.randn(60, 40, generator=generator, dtype=torch.float64), torch.randint(10, (60,), generator=generator)
    )


@pytest.fixture(scope="module")
def weights() -> tuple[torch.Tensor, ...]:
    return tuple(tensor.double() for tensor in initial_weights(0, hidden=7))


def modules(seed: int, hidden: int = 50) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(40, hidden), nn.Tanh(), nn.Linear(hidden, 10))


def test_weights_are_those_of_torchs_layers(examples):
    state = torch.get_rng_state()
    weights = initial_weights(5)
    assert torch.equal(torch.get_rng_state(), state)
    x = examples.x.float()
    torch.testing.assert_close(logits(weights, x)[0], modules(5)(x))
    assert sum(tensor.numel() for tensor in weights) == 2560


def test_minibatches_go_round(examples):
    batches = minibatches(examples, steps=5, size=20)
    assert batches.x.shape == (5, 20, 40)
    assert torch.equal(batches.y[4], examples.y[20:40])
    with pytest.raises(ValueError, match="size=25 must divide the 60 rows; choose a divisor, such as 20"):
        minibatches(examples, steps=5, size=25)


@pytest.mark.parametrize("graph", [False, True])
def test_trainings_are_torchs_own_one_by_one(examples, graph):
    examples = Examples(examples.x.float(), examples.y)
    rates, weights = torch.tensor([0.05, 0.4]), initial_weights(2)
    stacked = tuple(tensor.expand(2, *tensor.shape[1:]) for tensor in weights)
    if graph:
        stacked = tuple(tensor.clone().requires_grad_() for tensor in stacked)
    batches = minibatches(examples, steps=7, size=20)
    losses, _ = unroll(rates, stacked, batches, graph=graph)
    for i, rate in enumerate(rates.tolist()):
        network = modules(2)
        optimiser = torch.optim.SGD(network.parameters(), lr=rate)
        for step, (x, y) in enumerate(zip(*batches, strict=True)):
            loss = nn.functional.cross_entropy(network(x), y)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            assert float(losses[i, step]) == pytest.approx(float(loss), abs=1e-5)


def test_gradient_by_forward_mode(examples, weights):
    """The same derivative, carried along with the training instead of back through it."""
    batches = minibatches(examples, steps=8, size=20)
    found = hypergradient(torch.tensor([0.3], dtype=torch.float64), weights, batches)
    with forward_mode.dual_level():
        rate = forward_mode.make_dual(torch.tensor(0.3, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64))
        state = tuple(tensor[0].clone().requires_grad_() for tensor in weights)
        losses = []
        for x, y in zip(*batches, strict=True):
            first, first_bias, second, second_bias = state
            loss = nn.functional.cross_entropy(torch.tanh(x @ first + first_bias) @ second + second_bias, y)
            gradients = torch.autograd.grad(loss, state, create_graph=True)
            state = tuple(w - rate * g for w, g in zip(state, gradients, strict=True))
            losses.append(loss)
        mean = forward_mode.unpack_dual(torch.stack(losses).mean())
        assert float(found.mean_loss) == pytest.approx(float(mean.primal), rel=1e-12)
        assert float(found.gradient) == pytest.approx(float(mean.tangent), rel=1e-9)


def test_gradient_by_differences(examples, weights):
    batches = minibatches(examples, steps=12, size=20)
    rates, step = torch.tensor([0.1, 0.8, 1.5], dtype=torch.float64), 1e-5
    found = hypergradient(rates, weights, batches)
    above, below = (hypergradient(rates + d, weights, batches).mean_loss for d in (step, -step))
    torch.testing.assert_close(found.gradient, (above - below) / (2 * step), rtol=1e-6, atol=1e-9)
    assert found.losses.shape == (3, 12)


@pytest.mark.parametrize("segment", [1, 5, 12, 100])
def test_segments_change_memory_only(examples, weights, segment):
    batches = minibatches(examples, steps=12, size=20)
    rates = torch.tensor([0.1, 0.8], dtype=torch.float64)
    whole, parts = hypergradient(rates, weights, batches), hypergradient(rates, weights, batches, segment=segment)
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


def test_a_graph_grows_with_the_training(examples, weights):
    held = []
    for steps in (3, 6):
        with held_for_backward() as bytes_held:
            hypergradient(
                torch.tensor([0.1], dtype=torch.float64), weights, minibatches(examples, steps=steps, size=20)
            )
        held += bytes_held
    assert 1.8 < held[1] / held[0] < 2.2


def test_a_path_that_explodes_is_missing_and_leaves_the_others_alone(examples, weights):
    batches = minibatches(examples, steps=10, size=20)
    single = Examples(batches.x.float(), batches.y)
    start = tuple(tensor.float() for tensor in weights)
    *_, (rates, _) = descend([0.2, 9.9], start, single, steps=3, outer_rate=50.0)
    *_, (alone, _) = descend([0.2], start, single, steps=3, outer_rate=0.01)
    assert rates[1].isnan()
    *_, (beside, _) = descend([0.2, float("nan")], start, single, steps=3, outer_rate=0.01)
    torch.testing.assert_close(beside[0], alone[0])

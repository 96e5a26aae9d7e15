"""The learned activation function as a module: its file, its definition, in a network."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from lightning_module import LearnedActivation
from lightning_module.studies.methods.activation.tabulated import SIZE


@pytest.fixture
def learned() -> LearnedActivation:
    return LearnedActivation(torch.randn(SIZE, generator=torch.Generator().manual_seed(0)))


def test_it_is_its_definition(learned):
    x = torch.linspace(-8, 8, 1000).view(10, 100)
    torch.testing.assert_close(learned(x), learned.by_definition(x), atol=1e-5, rtol=0)
    at_zero = learned.by_definition(torch.zeros(1))
    _, shifts, out, bias = torch.split(learned.weights, [100, 100, 100, 1])
    torch.testing.assert_close(at_zero, 0.2 * ((torch.tanh(shifts) * out).sum() + bias))


def test_through_a_file(learned, tmp_path):
    learned.save(tmp_path / "learned.safetensors")
    again = LearnedActivation.load(tmp_path / "learned.safetensors")
    assert torch.equal(again.weights, learned.weights)
    assert torch.equal(again.table, learned.table)
    assert list(learned.state_dict()) == ["weights"]


def test_a_state_dict_brings_its_table(learned):
    other = LearnedActivation(torch.zeros(SIZE))
    other.load_state_dict(learned.state_dict())
    x = torch.linspace(-3, 3, 50)
    assert torch.equal(other(x), learned(x))


def test_a_network_learns_with_it(learned):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(4, 8), learned, nn.Linear(8, 2))
        x, y = torch.randn(20, 4), torch.randint(2, (20,))
    parameters = list(network.parameters())
    assert len(parameters) == 4  # its own weights stay as they are
    loss = nn.functional.cross_entropy(network(x), y)
    tabulated = torch.autograd.grad(loss, parameters)
    h = learned.by_definition(network[0](x))
    by_definition = torch.autograd.grad(nn.functional.cross_entropy(network[2](h), y), parameters)
    for one, other in zip(tabulated, by_definition, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_second_derivatives(learned):
    x = torch.linspace(-4, 4, 30, requires_grad=True)

    def twice(function):
        (slope,) = torch.autograd.grad((function(x) ** 2).sum(), x, create_graph=True)
        return torch.autograd.grad((slope**2).sum(), x)[0]

    torch.testing.assert_close(twice(learned), twice(learned.by_definition), atol=1e-3, rtol=1e-3)


def test_third_derivatives_are_refused_and_not_wrong(learned):
    x = torch.tensor([0.3], requires_grad=True)
    (slope,) = torch.autograd.grad(learned(x).sum(), x, create_graph=True)
    with pytest.raises(NotImplementedError, match="no derivative of the curvature"):
        torch.autograd.grad(slope.sum(), x, create_graph=True)


def test_errors_name_the_remedy(tmp_path):
    with pytest.raises(ValueError, match=r"weights of shape \(3,\) must have shape \(301,\)"):
        LearnedActivation(torch.zeros(3))
    with pytest.raises(ValueError, match="is no file; save the weights"):
        LearnedActivation.load(tmp_path / "nothing")
    save_file({"other": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="holds no weights of a learned activation"):
        LearnedActivation.load(tmp_path / "other.safetensors")
    (tmp_path / "text").write_text("text")
    with pytest.raises(ValueError, match="holds no weights of a learned activation"):
        LearnedActivation.load(tmp_path / "text")

import pytest
import torch
from torch.nn import functional as F

from lightning_module import NETWORKS, make_network
from lightning_module.networks import count_parameters


@pytest.mark.parametrize(("name", "count"), [("logistic", 410), ("mlp", 15_210), ("cnn", 5_210), ("gru", 5_134)])
def test_parameter_counts_are_the_published_ones(name, count):
    assert count_parameters(make_network(name)) == count


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("length", [3, 40, 41, 120])
def test_other_lengths_and_classes(name, length):
    network = make_network(name, length=length, num_classes=7)
    logits = network(torch.randn(5, length))
    assert logits.shape == (5, 7)
    logits.sum().backward()
    assert all(p.grad is not None for p in network.parameters())


def test_mlp_is_its_formula():
    network = make_network("mlp").double()
    x = torch.randn(6, 40, dtype=torch.float64)
    w1, b1, w2, b2, w3, b3 = network.parameters()
    h = (x @ w1.T + b1).clamp(min=0)
    h = h + (h @ w2.T + b2).clamp(min=0)
    torch.testing.assert_close(network(x), h @ w3.T + b3)


def test_cnn_is_its_formula():
    network = make_network("cnn").double()
    h = torch.randn(6, 1, 40, dtype=torch.float64)
    expected = h
    parameters = list(network.parameters())
    for weight, bias in zip(parameters[:6:2], parameters[1:6:2], strict=True):
        padded = F.pad(expected, (1, 1))
        windows = padded.unfold(2, weight.shape[2], 2)  # (batch, in, points, kernel)
        expected = (torch.einsum("bipk,oik->bop", windows, weight) + bias[:, None]).clamp(min=0)
    assert expected.shape == (6, 25, 5)
    torch.testing.assert_close(network(h[:, 0]), expected.flatten(1) @ parameters[6].T + parameters[7])


def test_gru_reads_both_ways():
    """The first state of the forward direction knows one point only, that of the backward direction all of them."""
    network = make_network("gru").double()
    x = torch.randn(1, 40, dtype=torch.float64, requires_grad=True)
    states, _ = network.gru(x.unsqueeze(2))
    (forward,) = torch.autograd.grad(states[0, 0, :6].sum(), x, retain_graph=True)
    (backward,) = torch.autograd.grad(states[0, 0, 6:].sum(), x)
    assert forward[0, 1:].abs().max() == 0
    assert (backward.abs() > 0).all()


def test_a_seed_gives_the_same_start():
    torch.manual_seed(1)
    a = make_network("cnn")
    torch.manual_seed(1)
    b = make_network("cnn")
    assert all(map(torch.equal, a.parameters(), b.parameters()))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "CNN"}, "did you mean 'cnn'"),
        ({"name": "transformer"}, "must be one of 'logistic', 'mlp', 'cnn', 'gru'"),
        ({"name": "cnn", "length": 2}, "length=2 must be at least 3"),
        ({"name": "cnn", "num_classes": 1}, "num_classes=1 must be at least 2"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_network(arguments.pop("name"), **arguments)

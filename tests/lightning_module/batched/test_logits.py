"""The batched networks and the fast GRU against torch.nn, one network at a time."""

from functools import partial

import pytest
import torch
from torch import nn

from lightning_module import CNN, GRU, MLP, Logistic
from lightning_module.batched.logits import BATCHED, batched_logits, windows
from lightning_module.recurrence import BidirectionalGRU, gru_states

SIZES = {
    "logistic": Logistic,
    "mlp": MLP,
    "cnn": CNN,
    "gru": GRU,
    "narrow mlp": partial(MLP, hidden_size=7),
    "cnn, 3 channels, 41 points": partial(CNN, 41, channels=3),
    "cnn, 42 points, 4 classes": partial(CNN, 42, 4, channels=3),
    "cnn, 43 points": partial(CNN, 43, channels=2),
    "cnn, 3 points": partial(CNN, 3, channels=2),
    "gru, 9 points, 4 hidden": partial(GRU, 9, hidden_size=4),
}


class NnGRU(nn.Module):
    """`networks.GRU` by torch's own GRU."""

    def __init__(self, length: int, num_classes: int, hidden_size: int) -> None:
        super().__init__()
        self.gru = nn.GRU(1, hidden_size, batch_first=True, bidirectional=True)
        self.linear = nn.Linear(length * 2 * hidden_size, num_classes)

    def forward(self, x):
        return self.linear(self.gru(x.unsqueeze(2))[0].flatten(1))


def as_torch_has_it(network: nn.Module) -> nn.Module:
    if not isinstance(network, GRU):
        return network
    classes, inputs = network.linear.weight.shape
    twin = NnGRU(inputs // (2 * network.gru.hidden_size), classes, network.gru.hidden_size).to(network.linear.weight)
    twin.load_state_dict(network.state_dict())
    return twin


def length_of(network: nn.Module, make) -> int:
    return make.args[0] if isinstance(make, partial) and make.args else 40


def close(a, b, dtype):
    torch.testing.assert_close(a, b, rtol=0, atol=1e-10 if dtype == torch.float64 else 2e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shared", [True, False], ids=["shared signals", "own signals"])
@pytest.mark.parametrize("size", SIZES)
def test_logits_and_gradients_are_those_of_single_networks(size, shared, dtype):
    torch.manual_seed(0)
    networks = [SIZES[size]().to(dtype) for _ in range(3)]
    length = length_of(networks[0], SIZES[size])
    x = torch.randn(*(() if shared else (3,)), 8, length, dtype=dtype, requires_grad=True)
    names = [name for name, _ in networks[0].named_parameters()]
    stacked = {
        name: torch.stack([network.get_parameter(name).detach() for network in networks]).requires_grad_()
        for name in names
    }
    assert type(networks[0]) in BATCHED
    logits = batched_logits(networks[0])(stacked, x)
    weights = torch.randn_like(logits)
    d_x, *d_stacked = torch.autograd.grad((logits * weights).sum(), [x, *stacked.values()])

    d_x_singly = torch.zeros_like(x)
    for k, network in enumerate(map(as_torch_has_it, networks)):
        own = (x if shared else x[k]).detach().requires_grad_()
        expected = network(own)
        close(logits[k].t(), expected, dtype)
        d_own, *d_single = torch.autograd.grad((expected * weights[k].t()).sum(), [own, *network.parameters()])
        d_x_singly[() if shared else k] += d_own
        for batched, single in zip(d_stacked, d_single, strict=True):
            scale = max(1, single.abs().max().item())
            close(batched[k] / scale, single / scale, dtype)
    close(d_x, d_x_singly, dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_fast_gru_is_torchs(dtype):
    torch.manual_seed(5)
    fast = BidirectionalGRU(6).to(dtype)
    torch.manual_seed(5)
    torchs = nn.GRU(1, 6, batch_first=True, bidirectional=True).to(dtype)
    assert list(fast.state_dict()) == list(torchs.state_dict())
    assert all(map(torch.equal, fast.parameters(), torchs.parameters()))

    x = torch.randn(100, 40, 1, dtype=dtype, requires_grad=True)
    found, expected = fast(x), torchs(x)
    weights = [torch.randn_like(part) / 100 for part in expected]
    gradients = [
        torch.autograd.grad(sum((a * w).sum() for a, w in zip(parts, weights, strict=True)), [x, *module.parameters()])
        for parts, module in ((found, fast), (expected, torchs))
    ]
    tolerance = {"rtol": 0, "atol": 1e-10 if dtype == torch.float64 else 1e-6}
    for a, b in zip([*found, *gradients[0]], [*expected, *gradients[1]], strict=True):
        torch.testing.assert_close(a, b, **tolerance)
    with torch.no_grad():
        torch.testing.assert_close(fast(x), expected, **tolerance)


@pytest.mark.parametrize("steps_at_once", [1, 2, 5])
@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 5)], ids=["shared signals", "own signals"])
def test_gru_gradients_are_the_numerical_ones(monkeypatch, shape, steps_at_once):
    monkeypatch.setattr("lightning_module.recurrence.BLOCK", steps_at_once * 4 * 8 * 3)  # lanes, rows, sequences
    torch.manual_seed(0)
    parameters = [p.detach() for p in nn.GRU(1, 2, bidirectional=True).double().parameters()]
    stacked = [torch.stack([p, p.flip(0)]).requires_grad_() for p in parameters]
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda *inputs: gru_states(*inputs)[..., :2, :], (x, *stacked))


def test_gru_leaves_to_torch_what_it_cannot_do(monkeypatch):
    torch.manual_seed(0)
    module, x = BidirectionalGRU(6), torch.randn(4, 7, 1)
    first = torch.randn(2, 4, 6)
    torchs = nn.GRU(1, 6, batch_first=True, bidirectional=True)
    torchs.load_state_dict(module.state_dict())
    torch.testing.assert_close(module(x, first), torchs(x, first))
    torch.testing.assert_close(module(x[0]), torchs(x[0]))
    assert torch.jit.trace(module, (x,)).graph is not None
    with torch.autocast("cpu", torch.bfloat16):
        assert module(x)[0].dtype == torchs(x)[0].dtype
    # And what it can do, it does not leave to torch.
    monkeypatch.setattr(nn.GRU, "forward", None)
    module(x)
    with pytest.raises(TypeError):
        module(x, first)
    with pytest.raises(TypeError):
        BidirectionalGRU(65)(x)


def test_second_derivative_is_an_error_and_not_wrong():
    module, x = BidirectionalGRU(2), torch.randn(2, 3, 1, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"use torch\.nn\.GRU"):
        torch.autograd.grad(module(x)[0].sum(), x, create_graph=True)


class Deep(nn.Module):
    def __init__(self, norm: bool = False) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(40, 5), nn.Tanh(), nn.BatchNorm1d(5) if norm else nn.Identity())
        self.head = nn.Linear(5, 10)

    def forward(self, x):
        return self.head(self.body(x))


def test_other_modules_by_vmap():
    torch.manual_seed(0)
    networks, x = [Deep() for _ in range(3)], torch.randn(4, 40)
    stacked = {n: torch.stack([m.get_parameter(n) for m in networks]) for n, _ in networks[0].named_parameters()}
    for signals in (x, torch.stack([x, 2 * x, -x])):
        found = batched_logits(Deep())(stacked, signals)
        for k, network in enumerate(networks):
            torch.testing.assert_close(found[k].t(), network(signals if signals.dim() == 2 else signals[k]))


def test_buffers_are_an_error():
    with pytest.raises(ValueError, match=r"buffer 'body\.2\.running_mean'.*track_running_stats=False"):
        batched_logits(Deep(norm=True))


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("points", [3, 8, 9, 10])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (3, 2), (5, 2), (2, 2), (3, 3), (5, 3)])
def test_windows_are_those_of_a_convolution(kernel, stride, points, relu):
    h = torch.randn(2, 3, points, 4, dtype=torch.float64, requires_grad=True)

    def unfolded(h):
        padded = nn.functional.pad(h.relu() if relu else h, (0, 0, 1, 1))
        return padded.unfold(2, kernel, stride).permute(0, 1, 4, 2, 3).flatten(3).flatten(1, 2)

    found, expected = windows(h, kernel, stride=stride, relu=relu), unfolded(h)
    assert torch.equal(found, expected)
    weight = torch.randn_like(found)
    of_found, of_expected = (torch.autograd.grad((each * weight).sum(), h)[0] for each in (found, expected))
    torch.testing.assert_close(of_found, of_expected)
    if points == 3:  # the slowest of the checks, so for few numbers
        assert torch.autograd.gradgradcheck(lambda h: windows(h, kernel, stride=stride, relu=relu), h)

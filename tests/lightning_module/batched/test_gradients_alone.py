"""The gradients taken without autograd are those of autograd, to the bit, or are not taken."""

import pytest
import torch
from fits import data_of, trainer_in
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lightning_module import CNN, MLP, Classifier, Logistic
from lightning_module.batched.as_replica import cross_entropy_alone
from lightning_module.batched.gradients_alone import gradients_alone
from lightning_module.batched.matmul import WIDE


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def by_autograd(network, x, y):
    network.zero_grad()
    loss = cross_entropy_alone(network, x, y)
    loss.backward()
    return loss.item(), [parameter.grad.clone() for parameter in network.parameters()]


@given(
    make=st.sampled_from([Logistic, MLP, lambda **sizes: MLP(hidden_size=7, **sizes)]),
    rows=st.integers(1, 300),
    length=st.integers(1, 90),
    classes=st.integers(2, 12),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    ignored=st.booleans(),
    seed=st.integers(0, 999),
)
def test_the_bits_of_autograd(make, rows, length, classes, dtype, ignored, seed):
    torch.manual_seed(seed)
    network = make(length=length, num_classes=classes).to(dtype)
    x, y = torch.randn(rows, length, dtype=dtype), torch.randint(classes, (rows,))
    if ignored:
        y[0] = -100  # cross_entropy's label for "counts for nothing"
    loss, gradients = by_autograd(network, x, y)
    differentiate = gradients_alone(network)
    if 2 * max(p.numel() for p in network.parameters()) * rows >= WIDE:
        assert differentiate(x, y) is None
        return
    network.zero_grad()
    own = differentiate(x, y)
    assert torch.equal(own, torch.tensor(loss, dtype=dtype)) or (own.isnan() and loss != loss)
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        assert torch.equal(parameter.grad.nan_to_num(), gradient.nan_to_num())
        assert parameter.grad.stride() == gradient.stride()  # Adam's kernel goes through the memory as it lies


def test_a_label_that_there_is_not():
    with pytest.raises(IndexError):
        gradients_alone(MLP())(torch.randn(3, 40), torch.tensor([0, 1, 10]))


class Own(MLP):
    pass


def frozen():
    network = MLP()
    network.linear1.weight.requires_grad_(False)
    return network


def hooked(hook):
    network = MLP()
    hook(network)
    return network


@pytest.mark.parametrize(
    "network",
    [
        CNN(),
        Own(),
        nn.Linear(40, 10),
        frozen(),
        hooked(lambda n: n.register_forward_hook(lambda *_: None)),
        hooked(lambda n: n.linear2.register_full_backward_hook(lambda *_: None)),
        hooked(lambda n: n.linear2.weight.register_hook(lambda g: 0 * g)),
        hooked(lambda n: n.linear2.bias.register_post_accumulate_grad_hook(lambda p: None)),
        hooked(lambda n: n.linear2.register_parameter("bias", None)),
    ],
    ids=["cnn", "subclass", "own", "frozen", "forward", "backward", "tensor", "accumulated", "no bias"],
)
def test_where_autograd_is_needed(network):
    assert gradients_alone(network) is None


def test_what_autograd_would_not_take_is_not_taken():
    differentiate, x, y = gradients_alone(MLP()), torch.randn(5, 40), torch.arange(5)
    assert differentiate(x.double(), y) is None
    assert differentiate(x, torch.rand(5, 10)) is None  # probabilities of the classes
    assert differentiate(x.clone().requires_grad_(), y) is None
    assert differentiate(x[:, None], y) is None
    with torch.no_grad():
        assert differentiate(x, y) is None
    with torch.autograd.detect_anomaly(check_nan=False):
        assert differentiate(x, y) is None
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert differentiate(x, y) is None
    torch.set_num_threads(2)
    assert differentiate(x, y) is None


@pytest.mark.parametrize("network", ["logistic", "mlp"])
def test_a_fit_comes_to_the_same_with_single_steps_and_leaves_gradients(folder, tmp_path, network):
    found = []
    for steps in ("auto", 1):
        torch.manual_seed(0)
        model = Classifier(network, steps_per_execution=steps)
        trainer_in(tmp_path, max_steps=40).fit(model, data_of(folder))
        found.append([*model.parameters(), *(parameter.grad for parameter in model.parameters() if steps == "auto")])
    assert all(map(torch.equal, found[0], found[1]))
    assert all(gradient.any() for gradient in found[0][len(found[1]) :])


def test_a_parameter_that_the_optimiser_does_not_have(folder, tmp_path):
    """It keeps no gradient: `backward` would give it one, and the optimiser's `zero_grad` never takes it away."""

    class Half(Classifier):
        def configure_optimizers(self):
            return torch.optim.SGD(self.network.linear3.parameters(), lr=0.1)

    found = []
    for steps in ("auto", 1):
        torch.manual_seed(0)
        model = Half("mlp", steps_per_execution=steps)
        trainer_in(tmp_path, max_steps=7).fit(model, data_of(folder))
        found.append([*model.parameters(), model.network.linear1.weight.grad])
    assert all(map(torch.equal, *found))

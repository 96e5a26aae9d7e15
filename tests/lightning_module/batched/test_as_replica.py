"""When a network alone is computed as an ensemble of one, and when by its own forward pass."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

from lightning_module import CNN, GRU, MLP, Classifier, make_network
from lightning_module.batched.as_replica import is_one_of_many, logits_alone

X, Y = torch.randn(20, 40), torch.randint(10, (20,))


class Other(MLP):
    def forward(self, x):
        return 2 * super().forward(x)


def hook(network: MLP) -> None:
    network.linear2.register_forward_hook(lambda module, inputs, output: output * 0)


def exchange(network: MLP) -> None:
    network.linear2 = nn.Sequential(nn.Linear(100, 100), nn.Tanh())


def prune_a_layer(network: MLP) -> None:
    prune.l1_unstructured(network.linear2, "weight", 0.5)


def parametrise(network: MLP) -> None:
    parametrizations.weight_norm(network.linear2)


@pytest.mark.parametrize("name", ["logistic", "mlp", "cnn", "gru"])
def test_loss_and_gradients_are_those_of_the_forward_pass(name):
    model = Classifier(name).double()
    assert is_one_of_many(model.network, X)
    losses = [model.minibatch_loss(X.double(), Y), nn.functional.cross_entropy(model(X.double()), Y)]
    assert losses[0].item() == pytest.approx(losses[1].item(), abs=1e-12)
    gradients = [torch.autograd.grad(loss, list(model.parameters())) for loss in losses]
    for alone, own in zip(*gradients, strict=True):
        torch.testing.assert_close(alone, own, rtol=0, atol=1e-12)


def test_logits_are_classes_first():
    assert logits_alone(make_network("cnn"), X).shape == (1, 10, 20)


@pytest.mark.parametrize("change", [hook, exchange, prune_a_layer, parametrise])
def test_own_forward_pass_of_what_is_not_as_it_was_made(change):
    model = Classifier("mlp")
    change(model.network)
    assert not is_one_of_many(model.network, X)
    assert torch.equal(model.minibatch_loss(X, Y), nn.functional.cross_entropy(model.network(X), Y))


def test_own_forward_pass_on_several_threads():
    model = Classifier("mlp")
    torch.set_num_threads(2)
    try:
        assert not is_one_of_many(model.network, X)
        assert torch.equal(model.minibatch_loss(X, Y), nn.functional.cross_entropy(model.network(X), Y))
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize("make", [Other, lambda: nn.Sequential(CNN()), lambda: GRU(hidden_size=65)])
def test_own_forward_pass_of_other_modules(make):
    """A subclass, a module of one's own, and a GRU that is faster by torch."""
    model = Classifier(make())
    assert not is_one_of_many(model.network, X)
    assert torch.equal(model.minibatch_loss(X, Y), nn.functional.cross_entropy(model.network(X), Y))


def test_own_forward_pass_in_other_precision():
    network = make_network("mlp")
    with torch.autocast("cpu", torch.bfloat16):
        assert not is_one_of_many(network, X)
    assert not is_one_of_many(network.bfloat16(), X.bfloat16())


def test_compiled_model_is_its_forward_pass():
    network = make_network("mlp")
    seen = []

    @torch.compile(backend=lambda graph, inputs: seen.append(graph) or graph)
    def choice(x):
        return network(x) if not is_one_of_many(network, x) else logits_alone(network, x)

    assert choice(X).shape == (20, 10)
    assert len(seen) == 1

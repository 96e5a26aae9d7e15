from functools import partial

import pytest
import torch
from alike import assert_replicas_are_the_models_trained_alone, assert_same_logits_and_gradients
from torch.nn import functional as F

from lightning_module import CNN
from lightning_module.networks import count_parameters
from lightning_module.studies.methods.networks.priors import PRIORS, AverageCNN, LocallyConnectedCNN, Transformer

COUNTS = {
    "deep_sets": 5_290,
    "transformer_set": 5_210,
    "mlp": 5_263,
    "transformer": 5_190,
    "locally_connected": 5_266,
    "cnn": 5_210,
    "average_cnn": 5_218,
}


def test_parameter_counts():
    counts = {name: count_parameters(make()) for name, make in PRIORS.items()}
    assert counts == COUNTS
    assert all(abs(count / 5_210 - 1) < 0.03 for count in counts.values())


@pytest.mark.parametrize("name", PRIORS)
@pytest.mark.parametrize("length", [3, 40, 41])
def test_other_lengths_and_classes(name, length):
    network = PRIORS[name](length, 7)
    logits = network(torch.randn(5, length))
    assert logits.shape == (5, 7)
    logits.sum().backward()
    assert all(p.grad is not None for p in network.parameters())


@pytest.mark.parametrize("name", PRIORS)
def test_only_the_sets_are_blind_to_the_order(name):
    torch.manual_seed(0)
    network, x = PRIORS[name]().double(), torch.randn(5, 40, dtype=torch.float64)
    apart = (network(x) - network(x[:, torch.randperm(40)])).abs().max().item()
    assert (apart < 1e-12) == (name in ("deep_sets", "transformer_set"))


def test_locally_connected_with_shared_weights_is_the_cnn():
    local, cnn = LocallyConnectedCNN(channels=25), CNN()
    with torch.no_grad():
        for layer in (1, 2, 3):
            own, shared = local.get_submodule(f"local{layer}"), cnn.get_submodule(f"conv{layer}")
            own.weight.copy_(shared.weight.flatten(1))
            own.bias.copy_(shared.bias)
        local.linear.load_state_dict(cnn.linear.state_dict())
    x = torch.randn(5, 40)
    torch.testing.assert_close(local(x), cnn(x))


def test_average_cnn_does_not_see_a_shift_by_its_strides():
    network, signal = AverageCNN().double(), torch.randn(1, 8, dtype=torch.float64)
    a, b = (network(F.pad(signal, (before, 120 - before))) for before in (40, 48))
    torch.testing.assert_close(a, b)
    assert (a - network(F.pad(signal, (41, 79)))).abs().max() > 1e-6


@pytest.mark.parametrize("shared", [True, False], ids=["shared signals", "own signals"])
@pytest.mark.parametrize("length", [3, 40, 41])
@pytest.mark.parametrize("name", PRIORS)
def test_logits_and_gradients_are_those_of_single_networks(name, length, shared):
    assert_same_logits_and_gradients(partial(PRIORS[name], length), length=length, shared=shared)


def test_another_transformer():
    make = partial(Transformer, 12, 3, size=6, layers=3, heads=3, hidden_size=5)
    assert_same_logits_and_gradients(make, length=12, shared=True)


@pytest.mark.parametrize("name", PRIORS)
def test_replica_is_the_model_trained_alone(folder, tmp_path, name):
    assert_replicas_are_the_models_trained_alone(PRIORS[name], folder, tmp_path)
